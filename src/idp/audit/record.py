"""A record of the audit trail, and its canonical bytes (JSON as RFC 8785 writes it)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from idp.identity import Identity
from idp.ledger.records import Link
from idp.ledger.tables import written

Kind = Literal["intent", "outcome", "refused", "note"]

FIRST = "0" * 64
"""What the first record says of the one before it."""


@dataclass(frozen=True)
class Record:
    """What is recorded of an act; never a secret's value.

    Attributes:
        act: what its intent and its outcome share.
        plan: the plan's digest.
        cost: its estimate a month, with the currency.
        verdict: what the policies said.
        outcome: done, failed or interrupted; of a refusal, why.
        proof: the git commit, or what a server called it.
        origin: from where: the host, the CI's run.
    """

    kind: Kind
    act: str
    who: Identity
    action: str
    subject: str
    team: str = ""
    plan: str = ""
    why: str = ""
    cost: str = ""
    verdict: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""
    proof: str = ""
    origin: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def linked(record: Record, before: Link | None, at: datetime) -> Link:
    """Return the link of the chain that a record is, after the one before it."""
    import rfc8785

    seq = before.seq + 1 if before else 1
    told = asdict(record) | {
        "v": 1,
        "seq": seq,
        "prev": before.hash if before else FIRST,
        "at": written(at),
    }
    body = rfc8785.dumps(_sayable(told))
    return Link(
        seq,
        hashlib.sha256(body).hexdigest(),
        record.act,
        record.kind,
        at,
        record.who.id,
        _sayable(record.action),
        _sayable(record.subject),
        _sayable(record.team),
        body,
    )


def _sayable(value: Any) -> Any:
    """Return a value as canonical JSON can hold it: text that is no Unicode is escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_sayable(str(key)): _sayable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_sayable(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
