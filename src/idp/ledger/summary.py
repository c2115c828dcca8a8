"""What there is to say of a ledger: where it is, and how much it holds."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from idp.ledger import Ledger, revision, tables


@dataclass(frozen=True)
class Summary:
    """A ledger in figures.

    Attributes:
        revision: of its tables.
        records: of the audit trail.
        entries: changes of what is reserved of budgets.
        events: of requests.
    """

    place: str
    id: str
    shared: bool
    revision: str
    made_at: str
    records: int
    entries: int
    events: int


def summary(ledger: Ledger) -> Summary:
    """Count what a ledger holds."""
    with ledger.reading() as tx:
        made_at = tx.connection.execute(sa.select(tables.ledger.c.made_at)).scalar_one()
        records, entries, events = (
            tx.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in (tables.record, tables.entry, tables.happened)
        )
    known = (ledger.place, ledger.id, ledger.is_shared, revision.NEWEST, made_at)
    return Summary(*known, records, entries, events)
