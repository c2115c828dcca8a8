"""The place of secrets that the platform names, logged in to when it is first asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from idp.clock import Clock
from idp.config.guardrails import SecretSettings
from idp.errors import InvalidInput, NotAllowed
from idp.rest import Server, Transport
from idp.secret.base import Backend
from idp.secret.vault_kv import VaultKV
from idp.vault import Vault

TOKENS = ("VAULT_TOKEN", "BAO_TOKEN")
ADDRESSES = ("VAULT_ADDR", "BAO_ADDR")
NAMESPACES = ("VAULT_NAMESPACE", "BAO_NAMESPACE")


def connect(
    settings: SecretSettings, environ: Mapping[str, str], state: Path, clock: Clock
) -> Backend:
    """Return the platform's place of secrets.

    Args:
        state: idp's folder of what nobody may delete.

    Raises:
        InvalidInput: the platform file does not say where it is.
    """
    if settings.backend == "vault":
        return vault_kv(settings, environ, state, clock)
    if settings.backend == "aws":
        from idp.secret.aws import aws_secrets

        return aws_secrets(settings, environ)
    from idp.secret.local import LocalSecrets

    return LocalSecrets(state / "secrets", clock)


def vault_kv(
    settings: SecretSettings,
    environ: Mapping[str, str],
    state: Path,
    clock: Clock,
    transport: Transport | None = None,
) -> VaultKV:
    """Return the KV engine of the platform's Vault.

    Raises:
        InvalidInput: nobody says where Vault is.
    """
    url = settings.url or _first(environ, ADDRESSES)
    if not url:
        raise InvalidInput(
            "nobody says where Vault is",
            hint="secrets.url in idp-platform.yaml, or VAULT_ADDR",
        )
    namespace = (settings.namespace or _first(environ, NAMESPACES)).strip("/")
    kept = state / "handover"
    anonymous = Vault(url, clock, namespace, kept=kept, transport=transport)

    def log_in() -> Vault:
        token, origin = _login(settings, environ, anonymous)
        return Vault(url, clock, namespace, token, origin, kept=kept, transport=transport)

    return VaultKV(settings.mount.strip("/"), anonymous, log_in)


def _login(settings: SecretSettings, environ: Mapping[str, str], vault: Vault) -> tuple[str, str]:
    """Return a token and where it comes from; empty ones where nobody is logged in."""
    if settings.auth == "token":
        return _given(environ)
    mount = settings.auth_mount.strip("/") or settings.auth
    if settings.auth == "approle":
        asked = {
            "role_id": settings.role or _needed(environ, "VAULT_ROLE_ID", "the AppRole"),
            "secret_id": _needed(environ, "VAULT_SECRET_ID", "the AppRole"),
        }
    else:
        if not (token := _jwt(environ, vault)):
            return _given(environ)  # a person's machine: they log in as themselves
        asked = {"role": settings.role, "jwt": token}
    answer = vault.call("POST", f"auth/{mount}/login", asked)
    return str(answer["auth"]["client_token"]), f"its {settings.auth} login"


def _given(environ: Mapping[str, str]) -> tuple[str, str]:
    for name in TOKENS:
        if environ.get(name):
            return environ[name], name
    file = Path(environ.get("HOME") or "~").expanduser() / ".vault-token"
    if file.is_file():
        return file.read_text("utf-8").strip(), str(file)
    return "", ""


def _jwt(environ: Mapping[str, str], vault: Vault) -> str:
    """Return the token of a CI job: IDP_ID_TOKEN, or one that GitHub Actions makes for Vault.

    Empty where there is no such job.
    """
    from idp.identity.oidc import of_actions

    def reach(base: str, headers: Mapping[str, str]) -> Server:
        return Server(base, vault.clock, headers, transport=vault.transport)

    return environ.get("IDP_ID_TOKEN") or of_actions(environ, vault.url, reach)


def _needed(environ: Mapping[str, str], name: str, what: str) -> str:
    if not environ.get(name):
        raise NotAllowed(f"{name} is not set, which {what} login to Vault takes")
    return environ[name]


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")
