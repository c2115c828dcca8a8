"""Secrets in one encrypted file of this machine: it is local, and enforces nothing.

The key (Fernet: AES-128-CBC with HMAC-SHA256) is in the system's keyring, or where there is none in
a file of mode 600 beside it. Only the newest values of a secret are kept.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from idp.clock import Clock
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused
from idp.forge.store import usable_keyring
from idp.secret.base import About, LostRace, Secret

KEYRING = "idp-secrets"
"""The name under which the keyring lists our keys; the file is the user name."""

VERSION = 1


@dataclass(frozen=True)
class LocalSecrets:
    """Secrets in the folder `folder`: `secrets.fernet`, and `key` where no keyring has it."""

    folder: Path
    clock: Clock = field(repr=False)
    name: str = "local"
    local: bool = True

    @property
    def place(self) -> str:
        """The file."""
        return str(self._file)

    @property
    def _file(self) -> Path:
        return self.folder / "secrets.fernet"

    def preflight(self, path: str) -> None:
        """Raise where the file cannot be read: damaged, or encrypted with another key."""
        with self._locked():
            self._read()

    def list(self, prefix: str = "") -> Iterator[Secret]:
        """Yield the secrets below a folder, sorted by path, without keys."""
        below = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        with self._locked():
            entries = self._read()
        for path in sorted(path for path in entries if path.startswith(below)):
            yield replace(_secret(path, entries[path]), keys=())

    def show(self, path: str) -> Secret:
        """Return one, with the names of its keys."""
        return _secret(path, self._entry(path))

    def prepare(self, path: str, about: About) -> None:
        """Note what is kept beside it; there is nobody else to give a right to."""
        with self._changing() as entries:
            entry = entries.setdefault(path, {"version": 0, "values": {}, "at": ""})
            owner = entry.get("about", {}).get("service") or about.service
            if owner != about.service:
                raise Refused(f"{path} in {self.place} belongs to {owner}, not to {about.service}")
            entry["about"] = _told(about)

    def write(self, path: str, values: Mapping[str, str], expect: int) -> int:
        """Write its values as the version after `expect` and return that version."""
        with self._changing() as entries:
            entry = entries.setdefault(path, {"version": 0})
            if entry["version"] != expect:
                raise LostRace(
                    f"somebody else wrote {path} in {self.place} meanwhile: this value is not "
                    "written",
                    hint=f"look at it: idp secret show; it is version {entry['version']}, not "
                    f"{expect}",
                )
            entry |= {
                "version": expect + 1,
                "values": dict(values),
                "at": self.clock.now().isoformat(),
            }
        return expect + 1

    def read(self, path: str) -> Mapping[str, str]:
        """Return its newest values."""
        entry = self._entry(path)
        if not entry["version"]:
            raise NotFound(f"no value of {path} in {self.place}", hint="idp secret rotate")
        return dict(entry["values"])

    def revoke(self, path: str) -> None:
        """Delete its values and what is kept beside it."""
        with self._changing() as entries:
            entries.pop(path, None)

    def writer(self, path: str, expect: int, ttl: int) -> str | None:
        """Return None: a file has no tokens."""
        return None

    def _entry(self, path: str) -> dict[str, Any]:
        with self._locked():
            entry = self._read().get(path)
        if entry is None:
            raise NotFound(f"no secret {path} in {self.place}", hint="idp secret list")
        return entry

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from the file until the block ends."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600)
        except OSError as error:
            raise InvalidInput(
                f"cannot write in {self.folder}: {error.strerror}",
                hint="set XDG_STATE_HOME to a folder of yours",
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """Give all that is kept, and keep what the block makes of it; nothing if it raises."""
        with self._locked():
            entries = self._read()
            yield entries
            plain = json.dumps({"version": VERSION, "secrets": entries}).encode()
            _put(self._file, self._fernet(new=not self._file.exists()).encrypt(plain))

    def _read(self) -> dict[str, dict[str, Any]]:
        from cryptography.fernet import InvalidToken

        try:
            sealed = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InvalidInput(f"cannot read {self._file}: {error.strerror}") from None
        try:
            data = json.loads(self._fernet().decrypt(sealed))
        except InvalidToken:
            raise InvalidInput(
                f"{self._file} is damaged, or was encrypted with another key",
                hint="restore it and its key from a backup; without one the values are lost: "
                f"rm {self._file}",
            ) from None
        if data["version"] != VERSION:
            raise InvalidInput(
                f"{self._file} is of version {data['version']}, which this idp does not know",
                hint="upgrade idp",
            )
        return dict(data["secrets"])

    def _fernet(self, *, new: bool = False) -> Any:
        """Return what encrypts; its key is made where nothing is encrypted yet."""
        from cryptography.fernet import Fernet

        key = self._key()
        if not key and not new:
            raise NotAllowed(
                f"the key of {self._file} is neither in the keyring nor in {self.folder / 'key'}",
                hint="unlock the keyring that it was made with, or restore the key",
            )
        if not key:
            key = Fernet.generate_key().decode()
            self._keep_key(key)
        try:
            return Fernet(key)
        except ValueError:
            raise InvalidInput(
                f"the key of {self._file} is damaged", hint="restore it from a backup"
            ) from None

    def _key(self) -> str:
        """Return the key, from the file or the keyring; empty where neither has it."""
        try:
            return (self.folder / "key").read_text("ascii").strip()
        except FileNotFoundError:
            pass
        except (OSError, ValueError):
            raise InvalidInput(f"cannot read {self.folder / 'key'}") from None
        return self._in_keyring() or ""

    def _in_keyring(self) -> str | None:
        keyring = usable_keyring()
        if keyring is None:
            return None
        from keyring.errors import KeyringError

        try:
            return keyring.get_password(KEYRING, self.place)
        except KeyringError as error:
            raise NotAllowed(
                f"the keyring is closed to us: {type(error).__name__}", hint="unlock it"
            ) from None

    def _keep_key(self, key: str) -> None:
        """Put a new key into the keyring, or into a file where it does not keep it."""
        keyring = usable_keyring()
        if keyring is not None:
            from keyring.errors import KeyringError

            try:
                keyring.set_password(KEYRING, self.place, key)
                if keyring.get_password(KEYRING, self.place) == key:
                    return
            except KeyringError:
                pass  # a file of mode 600 does as well
        _put(self.folder / "key", key.encode())


def _put(path: Path, content: bytes) -> None:
    """Write a file in one step, readable by its owner alone from its first moment."""
    part = path.with_suffix(".part")
    try:
        part.unlink(missing_ok=True)  # of one that was killed
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror}") from None


def _told(about: About) -> dict[str, str]:
    until = about.expires_at.isoformat() if about.expires_at else ""
    return {key: str(text) for key, text in vars(about).items()} | {"expires_at": until}


def _secret(path: str, entry: Mapping[str, Any]) -> Secret:
    told = {"service": "", "environment": "", "name": path.rpartition("/")[2]}
    told |= entry.get("about", {})
    until = told.pop("expires_at", "")
    return Secret(
        path,
        About(**told, expires_at=datetime.fromisoformat(until) if until else None),
        entry["version"],
        "present" if entry["version"] else "empty",
        tuple(sorted(entry.get("values", {}))),
        datetime.fromisoformat(entry["at"]) if entry.get("at") else None,
    )
