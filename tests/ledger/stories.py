"""The words our stories of the ledger are told in."""

from __future__ import annotations

from datetime import UTC, datetime

from idp.ledger import Ledger, migrate, open_ledger, trail
from idp.ledger.records import Link

from ..clock import FakeClock

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def made(place: str) -> Ledger:
    """Make a ledger, as its owner does, and open it."""
    migrate(place, FakeClock(), print)
    return open_ledger(place, FakeClock(), print)


def link(seq: int, kind: str = "note", act: str = "a", who: str = "pat") -> Link:
    return Link(seq, f"{seq:064}", act, kind, NOW, who, "create", "pay", "team-a", b"{}")


def append_next(ledger: Ledger, who: str) -> int:
    """Append a link after the last one; return its number."""
    with ledger.writing() as tx:
        tx.lock(trail.LOCK)
        last = trail.head(tx)
        seq = last.seq + 1 if last else 1
        trail.append(tx, link(seq, who=who))
    return seq


def numbers(ledger: Ledger) -> list[int]:
    with ledger.reading() as tx:
        return [one.seq for one in trail.links(tx)]
