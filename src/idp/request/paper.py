"""A request as it is written down: its whole plan, and an id that is drawn from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from idp.errors import InvalidInput
from idp.identity import Identity
from idp.request.base import Asked
from idp.request.people import are_same, names_of

LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
HALF = 5
LONGEST = 1_000_000
"""Bytes of a request; a plan is far shorter."""


@dataclass(frozen=True)
class Paper:
    """What was asked for, as its requester wrote it.

    Attributes:
        plan: the plan's canonical JSON, as it was digested.
        names: every name the requester goes by (`people.names_of`).
    """

    id: str
    plan: bytes
    requester: str
    names: frozenset[str]
    why: str
    created_at: datetime
    expires_at: datetime

    @property
    def digest(self) -> str:
        """What is approved: SHA-256 of the plan, never taken from what is written."""
        return hashlib.sha256(self.plan).hexdigest()

    @cached_property
    def read_plan(self) -> Mapping[str, Any]:
        """The plan, read."""
        return dict(json.loads(self.plan))

    def written(self) -> bytes:
        """Return it as JSON for people to review, which is YAML too."""
        told = {
            "version": 1,
            "id": self.id,
            "action": self.read_plan["action"],
            "subject": self.read_plan["subject"],
            "why": self.why,
            "requester": self.requester,
            "names": sorted(self.names),
            "created_at": self.created_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "digest": self.digest,
            "plan": self.read_plan,
        }
        # In ASCII: what turns the direction of text, or cannot be seen, is seen by who reviews it.
        return json.dumps(told, indent=2).encode() + b"\n"


def prefix_of(digest: str) -> str:
    """Return how the id of every request of a plan begins."""
    return f"req-{_letters(bytes.fromhex(digest))}"


def drawn(asked: Asked, at: datetime, expires_days: int) -> Paper:
    """Draw up a request: half of its id is the plan's digest, half the time.

    Raises:
        InvalidInput: the digest is not the plan's.
    """
    if hashlib.sha256(asked.plan).hexdigest() != asked.digest:
        raise InvalidInput("the digest is not that of the plan", hint="ask again")
    time = hashlib.sha256(f"{asked.digest} {at.isoformat()}".encode()).digest()
    return Paper(
        id=prefix_of(asked.digest) + _letters(time),
        plan=asked.plan,
        requester=asked.requester.id,
        names=names_of(asked.requester),
        why=asked.why,
        created_at=at.astimezone(UTC),
        expires_at=at.astimezone(UTC) + timedelta(days=expires_days),
    )


def read(raw: bytes, where: str) -> Paper:
    """Read a request.

    Raises:
        InvalidInput: it is none, or its plan was changed since it was drawn up.
    """
    if len(raw) > LONGEST:
        raise InvalidInput(f"{where} is too large for a request: {len(raw)} bytes")
    try:
        said = json.loads(raw)
        plan = json.dumps(said["plan"], sort_keys=True, separators=(",", ":")).encode()
        paper = Paper(
            id=str(said["id"]),
            plan=plan,
            requester=str(said["requester"]),
            names=frozenset(map(str, said["names"])),
            why=str(said["why"]),
            created_at=_moment(said["created_at"]),
            expires_at=_moment(said["expires_at"]),
        )
        digest, what = said["digest"], (said["action"], said["subject"])
        inside = (paper.read_plan["action"], paper.read_plan["subject"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInput(f"{where} is no request: {error!r}", hint="ask again") from error
    if paper.digest != digest or what != inside or not paper.id.startswith(prefix_of(digest)):
        raise InvalidInput(
            f"{where} was changed since it was asked for: its plan has another digest",
            hint="what is approved is the plan as it was asked for; ask again",
        )
    return paper


def who_asks(paper: Paper, who: Identity) -> bool:
    """Tell whether somebody is the one who asked."""
    return are_same(paper.names, names_of(who))


def _moment(written: str) -> datetime:
    read = datetime.fromisoformat(written)
    if read.tzinfo is None:
        raise ValueError(f"{written} has no time zone")
    return read.astimezone(UTC)


def _letters(raw: bytes) -> str:
    number, letters = int.from_bytes(raw[:8], "big"), ""
    for _ in range(HALF):
        number, rest = divmod(number, len(LETTERS))
        letters += LETTERS[rest]
    return letters
