"""What the ledger keeps: rows that are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal


@dataclass(frozen=True)
class Link:
    """A record of the audit trail; the columns beside `body` repeat what is in it, for searching.

    Attributes:
        seq: 1, 2, 3 …, without a gap.
        hash: SHA-256 of `body`, in hex.
        act: what intent and outcome of one act share.
        kind: intent, outcome, refused or note.
        body: canonical JSON (RFC 8785), which holds the hash of the record before.
    """

    seq: int
    hash: str
    act: str
    kind: str
    at: datetime
    who: str
    action: str
    subject: str
    team: str
    body: bytes


@dataclass(frozen=True)
class Entry:
    """A change of what is reserved of a team's budget.

    Attributes:
        key: what holds it, such as `env:pay-pr-7`.
        amount: what it adds to what the key holds, a month; negative releases.
        act: the act of the audit trail that it belongs to.
    """

    team: str
    key: str
    amount: Decimal
    currency: str
    at: datetime
    act: str
    why: str = ""


EventKind = Literal[
    "opened", "approved", "refused", "cancelled", "expired", "fulfilling", "fulfilled", "failed"
]


@dataclass(frozen=True)
class Event:
    """Something that happened to a request; `step` counts from 1 for each request.

    Attributes:
        body: JSON: of `opened` the whole request, else what there is to say.
    """

    request: str
    step: int
    kind: EventKind
    at: datetime
    who: str
    body: bytes


@dataclass(frozen=True)
class Happening:
    """Something that happened to an environment, a deployment or a lease.

    Attributes:
        noun: environment, deployment or lease.
        step: counts up for each noun and name, perhaps with gaps.
        kind: what happened, in a word.
        body: JSON: how it stands from then on.
    """

    noun: str
    name: str
    step: int
    kind: str
    at: datetime
    who: str
    body: bytes
