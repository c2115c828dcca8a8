"""The API of Vault and OpenBao: logins, KV version 2, policies, wrapped tokens, control groups."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from idp.clock import Clock
from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, Refused, RemoteFailed
from idp.rest import Reply, Server, Transport
from idp.rest.reply import said_by

LOGIN_HINT = "log in to it again: `vault login` or `bao login`, or set VAULT_TOKEN"
_ANSWERS = (400, 403, 404, 405, 412, 472, 473, 500, 503)
_HEALTH: dict[str, str | int | Sequence[str]] = {
    "standbyok": "true",
    "perfstandbyok": "true",
    "sealedcode": 200,
    "uninitcode": 200,
    "standbycode": 200,
}


class Unready(RemoteFailed):
    """Vault is sealed, on standby or not set up yet."""

    code = "vault_unready"


class Stale(Refused):
    """The version that was to be replaced is no longer the newest (check-and-set)."""

    code = "stale"


class Deleted(NotFound):
    """The newest version was deleted, and can be restored."""

    code = "deleted"


class Opened(Refused):
    """A wrapping token that was opened already, or has expired."""

    code = "wrapping_token_gone"


class AwaitsAuthorization(Refused):
    """A control group holds a call back until somebody authorizes it.

    Attributes:
        accessor: what whoever authorizes it is told.
    """

    code = "awaits_authorization"
    retryable = True

    def __init__(self, accessor: str, path: str) -> None:
        super().__init__(
            f"a control group of Vault holds {path} back until it is authorized: "
            f"accessor {accessor}",
            hint="somebody of its group: "
            f"bao write sys/control-group/authorize accessor={accessor}; then run this again",
        )
        self.accessor = accessor


@dataclass(frozen=True)
class Vault:
    """A Vault, spoken to with one token.

    Attributes:
        token: empty asks for what needs none: health, and opening what is wrapped.
        token_from: where it comes from, for errors.
        limited: a token of few uses, which is not asked what it may do.
        kept: the folder of calls that a control group holds back; None keeps none.
    """

    url: str
    clock: Clock
    namespace: str = ""
    token: str = field(default="", repr=False)
    token_from: str = ""
    limited: bool = False
    kept: Path | None = None
    transport: Transport | None = field(default=None, repr=False)

    @cached_property
    def server(self) -> Server:
        """The door to its API."""
        headers = {"X-Vault-Request": "true"}
        headers |= {"X-Vault-Token": self.token} if self.token else {}
        headers |= {"X-Vault-Namespace": self.namespace} if self.namespace else {}
        return Server(
            f"{self.url.rstrip('/')}/v1/",
            self.clock,
            headers,
            token_from=self.token_from,
            login=LOGIN_HINT,
            transport=self.transport,
        )

    def check_ready(self) -> None:
        """Raise Unready where it is sealed, without an active node, or not set up."""
        health = self.server.get("sys/health", _HEALTH, ok=(429, 472, 473, 501, 503)).data or {}
        if not health.get("initialized", True):
            raise Unready(f"Vault at {self.url} is not set up yet", hint="bao operator init")
        if health.get("sealed"):
            raise Unready(
                f"Vault at {self.url} is sealed",
                hint="whoever runs it unseals it; then run this again",
            )

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        wrap: int = 0,
        missing: bool = False,
    ) -> dict[str, Any]:
        """Make a call and return what it answers, `{}` for nothing.

        A call that a control group held back before is finished instead, once it is authorized.

        Args:
            wrap: seconds; the answer is wrapped, to be opened once.
            missing: what is not there is answered by `{}`.

        Raises:
            Unready, NotAllowed, NotFound, Deleted, Stale, Opened, InvalidInput: as it answers.
            AwaitsAuthorization: a control group holds it back.
        """
        held = self._held(method, path, body)
        if held and held.exists():
            finished = self._resume(held, path)
            if finished is not None:
                return finished
        headers = {"X-Vault-Wrap-TTL": f"{wrap}s"} if wrap else None
        query = {"list": "true"} if method == "LIST" else None
        verb = "GET" if method == "LIST" else method
        reply = self.server.send(verb, path, body, query=query, headers=headers, ok=_ANSWERS)
        if missing and _is_nothing(reply):
            return {}
        if reply.status >= 300:
            raise self._refusal(reply, path)
        answer = reply.data if isinstance(reply.data, dict) else {}
        wrapped = answer.get("wrap_info")
        if wrapped and not wrap:
            self._hold(held, wrapped)
            raise AwaitsAuthorization(wrapped["accessor"], path)
        return answer

    def capabilities(self, paths: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return what the token may do at each path (`sys/capabilities-self`)."""
        data = self.call("POST", "sys/capabilities-self", {"paths": list(paths)})["data"]
        return {path: frozenset(data.get(path, ())) for path in paths}

    def check_mount(self, mount: str) -> None:
        """Raise NotFound, InvalidInput or NotAllowed where there is no KV version 2 at a mount."""
        try:
            data = self.call("GET", f"sys/internal/ui/mounts/{mount}")["data"]
        except NotAllowed as error:
            raise NotAllowed(
                f"Vault at {self.url} has no mount {mount!r}, or {self.token_from} may not see it",
                hint="secrets.mount in idp-platform.yaml names the mount",
            ) from error
        version = (data.get("options") or {}).get("version")
        if data.get("type") != "kv" or version != "2":
            raise InvalidInput(
                f"{mount!r} of Vault at {self.url} is no KV engine of version 2",
                hint="bao secrets enable -path=NAME kv-v2, and secrets.mount in idp-platform.yaml",
            )

    def policy(self, name: str) -> str | None:
        """Return a policy's text; None where there is none of the name."""
        answer = self.call("GET", f"sys/policies/acl/{name}", missing=True)
        return str(answer["data"]["policy"]) if answer else None

    def set_policy(self, name: str, rules: Mapping[str, Any]) -> None:
        """Set a policy, unless it is so already; `rules` is what `path` holds."""
        text = json.dumps({"path": rules}, sort_keys=True)
        if self.policy(name) != text:
            self.call("PUT", f"sys/policies/acl/{name}", {"policy": text})

    def drop_policy(self, name: str) -> None:
        """Delete a policy; one that is not there is no error."""
        self.call("DELETE", f"sys/policies/acl/{name}", missing=True)

    def new_token(self, role: str, policy: str, ttl: int, uses: int, *, wrap: int = 0) -> str:
        """Return a new token of a token role, or the token it is wrapped in.

        Where there is no such role, it is made as this token's child, which takes more rights.
        """
        asked = {
            "policies": [policy],
            "ttl": f"{ttl}s",
            "num_uses": uses,
            "no_default_policy": True,
            "renewable": False,
        }
        try:
            answer = self.call("POST", f"auth/token/create/{role}", asked, wrap=wrap)
        except InvalidInput as error:
            if "unknown role" not in error.message:
                raise
            answer = self.call("POST", "auth/token/create", asked, wrap=wrap)
        if wrap:
            return str(answer["wrap_info"]["token"])
        return str(answer["auth"]["client_token"])

    def check_wrapped(self, token: str, made_by: str) -> None:
        """Raise Opened where a wrapping token is void, and Refused where it was not made so."""
        data = self.call("POST", "sys/wrapping/lookup", {"token": token})["data"]
        if not str(data["creation_path"]).startswith(made_by):
            raise Refused(
                "the wrapped token was not made where idp makes it, but by "
                f"{data['creation_path']}: somebody may have replaced it",
                hint="tell whoever runs Vault",
            )

    def unwrap(self, token: str) -> dict[str, Any]:
        """Open what is wrapped, which can be done once."""
        return self.speaking(token, "the wrapped token").call("POST", "sys/wrapping/unwrap", {})

    def speaking(self, token: str, token_from: str) -> Vault:
        """Return the same Vault, spoken to with a token of few uses."""
        return Vault(
            self.url,
            self.clock,
            self.namespace,
            token,
            token_from,
            limited=True,
            transport=self.transport,
        )

    def _refusal(self, reply: Reply, path: str) -> IdpError:
        said = said_by(reply).replace("\n", " ").strip()
        if reply.status in (472, 473, 500, 503):
            return self._unready(said)
        if reply.status == 403:
            return self._not_allowed(path)
        if reply.status == 404:
            return self._not_found(reply, said, path)
        if "check-and-set parameter did not match" in said:
            return Stale(
                f"{path} of Vault was written by somebody else meanwhile",
                hint="look at it: idp secret show",
            )
        if "wrapping token is not valid" in said:
            return Opened("the wrapped token was opened already, or has expired")
        return InvalidInput(f"Vault at {self.url} refused {path}: {said}")

    def _unready(self, said: str) -> IdpError:
        if "sealed" in said.lower():
            return Unready(
                f"Vault at {self.url} is sealed",
                hint="whoever runs it unseals it; then run this again",
            )
        if "standby" in said.lower() or "active" in said.lower():
            return Unready(
                f"Vault at {self.url} is on standby, and no active node is known",
                hint="run this again in a moment",
            )
        return RemoteFailed(f"Vault at {self.url} failed: {said}", hint="run this again")

    def _not_allowed(self, path: str) -> IdpError:
        if self.limited:
            return NotAllowed(
                f"{self.token_from} may not do this at {path} of Vault: it is used up or expired"
            )
        if not self.token:
            return NotAllowed(f"not logged in to Vault at {self.url}", hint=LOGIN_HINT)
        try:
            lookup = self.server.get("auth/token/lookup-self", ok=_ANSWERS)
            is_known = lookup.status == 200 or "1 error occurred" in said_by(lookup)
        except RemoteFailed:
            is_known = True
        if not is_known:
            return NotAllowed(
                f"the token from {self.token_from} is no token of Vault at {self.url}, or has "
                "expired",
                hint=LOGIN_HINT,
            )
        return NotAllowed(
            f"the token from {self.token_from} may not do this at {path} of Vault",
            hint="whoever runs Vault grants it; docs/secrets.md tells the rights",
        )

    def _not_found(self, reply: Reply, said: str, path: str) -> IdpError:
        if "namespace not found" in said:
            return NotFound(
                f"Vault at {self.url} has no namespace {self.namespace!r}",
                hint="secrets.namespace in idp-platform.yaml names it",
            )
        if "no handler for route" in said:
            return NotFound(
                f"Vault at {self.url} has nothing mounted at {path.split('/')[0]!r}",
                hint="secrets.mount in idp-platform.yaml names the mount",
            )
        data = reply.data.get("data") if isinstance(reply.data, dict) else None
        if isinstance(data, dict) and (data.get("metadata") or {}).get("deletion_time"):
            return Deleted(
                f"{path} of Vault was deleted at {data['metadata']['deletion_time']}",
                hint="restore it: bao kv undelete; or destroy it: idp secret revoke",
            )
        return NotFound(f"Vault at {self.url} has no {path}")

    def _held(self, method: str, path: str, body: Mapping[str, Any] | None) -> Path | None:
        """Return the file of a call that may have been held back; none for tokens of few uses."""
        if self.kept is None or self.limited:
            return None
        asked = json.dumps([self.url, self.namespace, method, path, body], sort_keys=True)
        return self.kept / f"held-{hashlib.sha256(asked.encode()).hexdigest()[:24]}.json"

    def _hold(self, held: Path | None, wrapped: Mapping[str, Any]) -> None:
        if held is None:
            return
        keep(held, {"token": wrapped["token"], "accessor": wrapped["accessor"]})

    def _resume(self, held: Path, path: str) -> dict[str, Any] | None:
        """Finish a call that was held back; None where it is void and has to be made anew."""
        was = json.loads(held.read_text("utf-8"))
        reply = self.server.send(
            "POST", "sys/wrapping/unwrap", {"token": was["token"]}, ok=_ANSWERS
        )
        if reply.status < 300:
            held.unlink()
            return reply.data if isinstance(reply.data, dict) else {}
        asked = {"accessor": was["accessor"]}
        state = self.server.send("POST", "sys/control-group/request", asked, ok=_ANSWERS)
        if state.status in (200, 403):
            raise AwaitsAuthorization(was["accessor"], path)
        held.unlink()
        return None


def keep(path: Path, data: Mapping[str, Any]) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:  # noqa: PTH123 - a file descriptor
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _is_nothing(reply: Reply) -> bool:
    """Tell whether an answer says that there is nothing, and neither why nor that there was."""
    data = reply.data if isinstance(reply.data, dict) else {}
    return reply.status == 404 and not data.get("errors") and not data.get("data")
