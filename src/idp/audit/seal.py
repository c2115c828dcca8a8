"""Signed heads of the trail, kept outside its database (Ed25519, RFC 8032).

A chain alone misses a cut tail and a rewrite from the start; who holds the database but not the
key cannot sign another head.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from idp.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True)
class Checkpoint:
    """The word of a key that the record of this number has this hash.

    Attributes:
        ledger: the ledger's id.
        key: the public key, and `signature`, in base64.
    """

    ledger: str
    seq: int
    hash: str
    at: str
    key: str
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is of."""
        return f"idp-audit-1\n{self.ledger}\n{self.seq}\n{self.hash}\n{self.at}\n".encode()

    @property
    def is_genuine(self) -> bool:
        """Whether its key has signed it."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self.key))
            key.verify(base64.b64decode(self.signature), self.signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    @property
    def line(self) -> str:
        """The checkpoint as a line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def parse(line: str, place: str) -> Checkpoint:
    """Return the checkpoint that a line of JSON is.

    Raises:
        InvalidInput: it is none.
    """
    try:
        found = Checkpoint(**json.loads(line))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(f"{place} holds no checkpoint of an audit trail") from error
    texts = (found.ledger, found.hash, found.at, found.key, found.signature)
    if type(found.seq) is not int or not all(isinstance(text, str) for text in texts):
        raise InvalidInput(f"{place} holds no checkpoint of an audit trail")
    return found


def checkpoints(file: Path, ledger: str) -> tuple[Checkpoint, ...]:
    """Return the checkpoints of a ledger among those of a file, a line of JSON each.

    Raises:
        NotFound: there is no such file, or none of this ledger in it.
    """
    try:
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise NotFound(f"cannot read {file}: {error.strerror}") from error
    found = (parse(line, str(file)) for line in lines if line.strip())
    kept = tuple(one for one in found if one.ledger == ledger)
    if not kept:
        raise NotFound(f"{file} holds no checkpoint of this ledger, {ledger}")
    return kept


@dataclass(frozen=True)
class Seals:
    """The key of this machine, and the newest head that it has signed of each ledger.

    Attributes:
        folder: of its own.
        given: the private key in base64, from the environment; else a file of the folder, made
            when it is first needed.
    """

    folder: Path
    given: str = ""

    @property
    def has_key(self) -> bool:
        """Whether there is a key already; asking for it makes one."""
        return bool(self.given) or (self.folder / "key").exists()

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        text = self.given or self._stored()
        try:
            return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text, validate=True))
        except ValueError as error:
            place = "IDP_AUDIT_KEY" if self.given else str(self.folder / "key")
            raise InvalidInput(
                f"{place} is no Ed25519 key", hint="32 bytes in base64, as `idp audit key` makes"
            ) from error

    def _stored(self) -> str:
        place = self.folder / "key"
        with suppress(FileNotFoundError):
            return place.read_text("ascii").strip()
        self._make(place)
        return place.read_text("ascii").strip()

    def _make(self, place: Path) -> None:
        """Make the key file, unless another process is first."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = place.with_name(f"key.{os.getpid()}")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(base64.b64encode(os.urandom(32)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            with suppress(FileExistsError):
                place.hardlink_to(part)
        finally:
            part.unlink()

    @property
    def public(self) -> str:
        """The public key in base64: who pins it can verify what this machine signed."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, ledger: str, seq: int, hash: str, at: str) -> Checkpoint:
        """Return a signed checkpoint."""
        bare = Checkpoint(ledger, seq, hash, at, self.public)
        signature = base64.b64encode(self._key.sign(bare.signed)).decode()
        return Checkpoint(ledger, seq, hash, at, bare.key, signature)

    def keep(self, head: Checkpoint) -> None:
        """Make it the newest head, unless a newer one is there: it only ever goes forward."""
        place = self._place(head.ledger)
        with self._alone(head.ledger):
            known = None
            with suppress(InvalidInput):  # torn by a power cut
                known = self.head(head.ledger)
            if known is None or known.seq < head.seq:
                part = place.with_suffix(".part")
                part.write_text(f"{head.line}\n", "ascii")
                part.replace(place)

    def head(self, ledger: str) -> Checkpoint | None:
        """Return the newest head of a ledger that was signed here, if any."""
        place = self._place(ledger)
        try:
            return parse(place.read_text("ascii"), str(place))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise InvalidInput(f"{place} holds no checkpoint of an audit trail") from error

    def _place(self, ledger: str) -> Path:
        # Who holds the database writes what he likes there.
        if not re.fullmatch(r"[0-9A-Za-z-]+", ledger):
            raise InvalidInput(f"the ledger's id {ledger!r} is none")
        return self.folder / f"{ledger}.head.json"

    @contextmanager
    def _alone(self, ledger: str) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._place(ledger).with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
