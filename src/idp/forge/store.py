"""What `idp auth login` stored: tokens in the keyring, or in a file that only its owner may read.

`tokens.json` names the hosts; a token stands in it only where the user asked for that.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from idp.errors import InvalidInput, NotAllowed
from idp.forge.base import Kind
from idp.forge.credentials import home
from idp.forge.place import LABEL, Place

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "idp"
"""The name under which the keyring lists our tokens; the host is the user name."""

VERSION = 1


@dataclass(frozen=True)
class Entry:
    """A login that is stored; `token` is empty where the keyring has it."""

    host: str
    kind: Kind
    login: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Store:
    """The logins of a user; `path` is tokens.json."""

    path: Path

    def entries(self) -> tuple[Entry, ...]:
        """Return the logins by host.

        Raises:
            InvalidInput: the file is not as we write it; what it holds is not in the message.
        """
        try:
            data = json.loads(self.path.read_bytes())
            if data["version"] != VERSION:
                raise ValueError
            return tuple(_entry(host, one) for host, one in sorted(data["hosts"].items()))
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise InvalidInput(f"cannot read {self.path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            hint = f"delete it and log in again: rm {self.path}"
            raise InvalidInput(f"{self.path} is not as idp writes it", hint=hint) from None

    def entry(self, host: str) -> Entry | None:
        """Return the login at a host."""
        return next((entry for entry in self.entries() if entry.host == host), None)

    @property
    def digest(self) -> str:
        """What names the file's content; empty where there is no file."""
        with suppress(FileNotFoundError):
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        return ""

    def keep(self, entry: Entry, token: str, keyring: KeyringBackend | None) -> None:
        """Store a login: in a keyring, or with None in the file.

        Raises:
            NotAllowed: the keyring does not take it.
        """
        kept = Entry(entry.host, entry.kind, entry.login, "" if keyring else token)
        with self._locked():
            before = self.entries()
            was_in_keyring = any(e.host == entry.host and not e.token for e in before)
            # Listed first: no token is ever in the keyring that `logout` would not find.
            self._write([*(e for e in before if e.host != entry.host), kept])
            if keyring is None and was_in_keyring:
                with suppress(NotAllowed):  # the file is asked for where there is none any more
                    _delete(entry.host)
            elif keyring is not None:
                try:
                    _put(keyring, entry.host, token)
                except NotAllowed:
                    self._write(before)
                    raise

    def forget(self, entry: Entry) -> None:
        """Delete a login, from the keyring too.

        Raises:
            NotAllowed: the keyring does not let us.
        """
        with self._locked():
            if not entry.token:
                _delete(entry.host)
            self._write([e for e in self.entries() if e.host != entry.host])

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from writing until the block ends."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, entries: Iterable[Entry]) -> None:
        """Write the file in one step, readable by its owner alone from its first moment."""
        hosts = {e.host: {"kind": e.kind, "login": e.login, "token": e.token} for e in entries}
        text = json.dumps({"version": VERSION, "hosts": hosts}, indent=2, sort_keys=True)
        part = self.path.with_suffix(".part")
        part.unlink(missing_ok=True)  # of one that was killed
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        part.replace(self.path)


def store_of(environ: Mapping[str, str]) -> Store:
    """Return the user's store."""
    folder = environ.get("XDG_CONFIG_HOME") or home(environ) / ".config"
    return Store(Path(folder) / "idp" / "tokens.json")


def find(place: Place, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the token that was stored for a host, and where.

    Raises:
        NotAllowed: the keyring does not give it.
    """
    store = store_of(environ)
    entry = store.entry(place.host)
    if entry is None:
        return None
    if entry.token:
        return entry.token, str(store.path)
    token = _from_keyring(place.host)
    return (token, "keyring") if token else None


def usable_keyring() -> KeyringBackend | None:
    """Return the system's keyring, or None: not installed, or none that keeps a secret."""
    try:
        import keyring
        from keyring.core import recommended
    except ImportError:
        return None
    backend = keyring.get_keyring()
    return backend if recommended(backend) else None


def _put(keyring: KeyringBackend, host: str, token: str) -> None:
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, host, token)
        kept = keyring.get_password(SERVICE, host) == token
    except KeyringError as error:
        raise _closed(host, error) from None
    if not kept:
        raise NotAllowed(f"{keyring.name} did not keep the token", hint="--insecure-storage")


def _delete(host: str) -> None:
    keyring = usable_keyring()
    if keyring is None:
        what = f"the keyring that has the token for {host} cannot be reached"
        raise NotAllowed(what, hint="pip install 'idp-toolchain[keyring]', and unlock it")
    from keyring.errors import KeyringError

    try:
        if keyring.get_password(SERVICE, host) is not None:
            keyring.delete_password(SERVICE, host)
    except KeyringError as error:
        raise _closed(host, error) from None


def _from_keyring(host: str) -> str | None:
    keyring = usable_keyring()
    if keyring is None:
        return None
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, host)
    except KeyringError as error:
        raise _closed(host, error) from None


def _closed(host: str, error: Exception) -> NotAllowed:
    what = f"the keyring is closed to us for {host}: {type(error).__name__}"
    return NotAllowed(what, hint="unlock it, or log in with --insecure-storage")


def _entry(host: str, one: Mapping[str, str]) -> Entry:
    kind, login, token = one["kind"], one["login"], one["token"]
    if kind not in LABEL or not isinstance(login, str) or not isinstance(token, str):
        raise ValueError
    return Entry(host, cast(Kind, kind), login, token)
