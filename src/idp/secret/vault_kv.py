"""Secrets in a KV engine (version 2) of Vault or OpenBao.

Each service reads its own environment's secrets by the policy `idp:read:SERVICE:ENVIRONMENT`. A
value is always written by a token that can do nothing else: the path's policy `idp:write:…` allows
one version of one path, so a control group that holds back calls never gets to hold a value, which
whoever authorizes it would see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from idp.errors import NotAllowed, NotFound, Refused
from idp.secret.base import About, LostRace, Secret
from idp.vault import Deleted, Stale, Vault

WRITER_ROLE = "idp-writer"
"""The token role of tokens that write one value; it allows the policies `idp:write:*` alone."""

WRITER_USES = 3
"""A write, a look at what became of it, and one more of either."""

SHORT = 120
"""Seconds that a token lives which idp makes for itself."""

_LONGEST = 512


@dataclass(frozen=True)
class VaultKV:
    """Secrets below one mount.

    Attributes:
        vault: opens the door, logged in; asked for once.
        anonymous: the same door without a login, for what needs none.
    """

    mount: str
    anonymous: Vault
    log_in: Callable[[], Vault] = field(repr=False)
    name: str = "vault"
    local: bool = False

    @property
    def place(self) -> str:
        """The server with its namespace and mount."""
        vault = self.anonymous
        return "/".join(
            part for part in (vault.url.rstrip("/"), vault.namespace, self.mount) if part
        )

    @cached_property
    def vault(self) -> Vault:
        """The door, logged in."""
        return self.log_in()

    def preflight(self, path: str) -> None:
        """Raise where it is sealed or on standby, or the login, namespace or mount is wrong.

        Whoever is not logged in, or has no right below the mount, may ask for a secret even so:
        Vault does not tell them whether there is such a mount.
        """
        self.anonymous.check_ready()
        if self.vault.token:
            paths = [self._data(path), self._metadata(path)]
            held = self.vault.capabilities(paths).values()
            if any(rights != {"deny"} for rights in held):
                self.vault.check_mount(self.mount)

    def lacking(self, path: str) -> tuple[str, ...]:
        """Return the rights that the caller lacks to fulfil a request for a path."""
        if not self.vault.token:
            return ("a login",)
        needed = {
            self._metadata(path): {"create", "update", "read"},
            f"sys/policies/acl/{_writes(path)}": {"create", "update", "read"},
            f"auth/token/create/{WRITER_ROLE}": {"update"},
        }
        held = self.vault.capabilities(list(needed))
        return tuple(
            f"{right} {at}"
            for at, rights in needed.items()
            for right in sorted(rights - held[at])
            if "root" not in held[at]
        )

    def list(self, prefix: str = "") -> Iterator[Secret]:
        """Yield the secrets below a folder, sorted by path."""
        folder = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        answer = self.vault.call("LIST", self._metadata(folder), missing=True)
        for key in sorted((answer.get("data") or {}).get("keys") or ()):
            if key.endswith("/"):
                yield from self.list(folder + key)
            elif (secret := self._look(folder + key)) is not None:
                yield secret

    def show(self, path: str) -> Secret:
        """Return one, with the names of its keys as `subkeys` tells them."""
        secret = self._look(path)
        if secret is None:
            raise NotFound(f"no secret {path} at {self.place}", hint="idp secret list")
        if secret.state != "present":
            return secret
        try:
            data = self.vault.call("GET", f"{self.mount}/subkeys/{path}")["data"]
        except NotAllowed:  # metadata may be for more people than the names of the keys
            return secret
        return Secret(
            secret.path,
            secret.about,
            secret.version,
            secret.state,
            tuple(sorted(data["subkeys"])),
            secret.written_at,
        )

    def prepare(self, path: str, about: About) -> None:
        """Make the entry with what is kept beside it, and the policy of its service."""
        wanted = _custom(about)
        answer = self.vault.call("GET", self._metadata(path), missing=True)
        now = answer.get("data") or {}
        custom = now.get("custom_metadata") or {}
        if custom.get("service", about.service) != about.service:
            raise Refused(
                f"{path} at {self.place} belongs to {custom['service']}, not to {about.service}"
            )
        if custom != wanted or not now.get("cas_required"):
            body = {"custom_metadata": wanted, "cas_required": True}
            self.vault.call("POST", self._metadata(path), body)
        self.vault.set_policy(_reads(about), {self._readable(path, about): _can("read")})

    def write(self, path: str, values: Mapping[str, str], expect: int) -> int:
        """Write its values with a token that can write nothing else."""
        token = self._token(path, expect, SHORT, wrapped=False)
        return self.write_by(token, path, values, expect)

    def write_by(self, token: str, path: str, values: Mapping[str, str], expect: int) -> int:
        """Write its values with a token from `writer`, once opened."""
        door = self.anonymous.speaking(token, "the token for one write")
        body = {"options": {"cas": str(expect)}, "data": dict(values)}
        try:
            answer = door.call("POST", self._data(path), body)
        except Stale as error:
            raise LostRace(
                f"somebody else wrote {path} at {self.place} meanwhile: this value is not written",
                hint=f"look at it: idp secret show; it is no longer version {expect}",
            ) from error
        return int(answer["data"]["version"])

    def open_writer(self, wrapped: str) -> str:
        """Return the token that `writer` wrapped.

        Raises:
            Opened: it was opened before, or has expired.
            Refused: it was made elsewhere than idp makes them.
        """
        self.anonymous.check_wrapped(wrapped, "auth/token/create")
        return str(self.anonymous.unwrap(wrapped)["auth"]["client_token"])

    def read(self, path: str) -> Mapping[str, str]:
        """Return its newest values."""
        try:
            data = self.vault.call("GET", self._data(path))["data"]["data"]
        except Deleted:
            raise
        except NotFound as error:
            raise NotFound(f"no value of {path} at {self.place}", hint=error.hint) from error
        return {key: str(value) for key, value in data.items()}

    def revoke(self, path: str) -> None:
        """Destroy the entry, the policy of its writer, and its service's where nothing is left."""
        secret = self._look(path)
        if secret is not None:
            self.vault.call("DELETE", self._metadata(path), missing=True)
        self.vault.drop_policy(_writes(path))
        if secret is None:
            return
        folder = path.rpartition("/")[0]
        is_left = folder and any(
            one.about.service == secret.about.service
            and one.about.environment == secret.about.environment
            for one in self.list(folder)
        )
        if secret.about.service and not is_left:
            self.vault.drop_policy(_reads(secret.about))

    def writer(self, path: str, expect: int, ttl: int) -> str | None:
        """Return a wrapped token that can write one version of one path, and nothing else."""
        return self._token(path, expect, ttl, wrapped=True)

    def _token(self, path: str, expect: int, ttl: int, *, wrapped: bool) -> str:
        self.vault.set_policy(
            _writes(path),
            {
                self._data(path): {
                    "capabilities": ["create", "update"],
                    "allowed_parameters": {"data": [], "options": [{"cas": str(expect)}]},
                },
                self._metadata(path): _can("read"),
            },
        )
        wrap = ttl if wrapped else 0
        return self.vault.new_token(WRITER_ROLE, _writes(path), ttl, WRITER_USES, wrap=wrap)

    def _look(self, path: str) -> Secret | None:
        answer = self.vault.call("GET", self._metadata(path), missing=True)
        data = answer.get("data")
        return _secret(path, data) if data else None

    def _readable(self, path: str, about: About) -> str:
        """Return what the service may read: its environment's folder, where there is one."""
        folder = path.rpartition("/")[0]
        is_its_own = {about.service, about.environment} <= set(folder.split("/"))
        return f"{self._data(folder)}/*" if is_its_own else self._data(path)

    def _data(self, path: str) -> str:
        return f"{self.mount}/data/{path}"

    def _metadata(self, path: str) -> str:
        return f"{self.mount}/metadata/{path}"


def _can(*capabilities: str) -> dict[str, list[str]]:
    return {"capabilities": [*capabilities]}


def _reads(about: About) -> str:
    return f"idp:read:{about.service}:{about.environment}".lower()


def _writes(path: str) -> str:
    return f"idp:write:{path.replace('/', ':')}".lower()


def _custom(about: About) -> dict[str, str]:
    """Return what is kept beside a secret; Vault takes 64 keys, 512 bytes each."""
    told = {
        "service": about.service,
        "environment": about.environment,
        "name": about.name,
        "owner": about.owner,
        "request": about.request,
        "asked_by": about.asked_by,
        "approved_by": about.approved_by,
        "why": about.why,
        "expires_at": about.expires_at.isoformat() if about.expires_at else "",
    }
    short = {key: text.encode()[:_LONGEST].decode(errors="ignore") for key, text in told.items()}
    return {key: text for key, text in short.items() if text}


def _secret(path: str, data: Mapping[str, Any]) -> Secret:
    custom = data.get("custom_metadata") or {}
    version = int(data.get("current_version") or 0)
    newest = (data.get("versions") or {}).get(str(version)) or {}
    is_gone = bool(newest.get("deletion_time")) or bool(newest.get("destroyed"))
    known = ("service", "environment", "name", "owner", "request", "asked_by", "approved_by", "why")
    told = {"service": "", "environment": "", "name": path.rpartition("/")[2]}
    told |= {key: str(custom[key]) for key in known if key in custom}
    return Secret(
        path,
        About(**told, expires_at=_moment(custom.get("expires_at"))),
        version,
        "empty" if not version else "deleted" if is_gone else "present",
        written_at=_moment(newest.get("created_time")),
    )


def _moment(written: str | None) -> datetime | None:
    """Return a time as Vault or we wrote it; None where somebody else wrote something else."""
    try:
        return datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
