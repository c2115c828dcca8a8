"""What is reserved of budgets, as the changes that came to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from idp.ledger import Transaction
from idp.ledger.records import Entry
from idp.ledger.tables import entry, read, written


def add(tx: Transaction, new: Entry) -> None:
    """Add a change."""
    values = {name: getattr(new, name) for name in ("team", "key", "currency", "act", "why")}
    values |= {"amount": str(new.amount), "at": written(new.at)}
    tx.connection.execute(sa.insert(entry), values)


def entries(
    tx: Transaction,
    *,
    team: str = "",
    key: str = "",
    act: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[Entry]:
    """Yield changes in the order in which they were made; `[since, until)`."""
    named = {"team": team, "key": key, "act": act}
    where: list[Any] = [entry.c[name] == value for name, value in named.items() if value]
    where += [entry.c.at >= written(since)] if since else []
    where += [entry.c.at < written(until)] if until else []
    for row in tx.connection.execute(sa.select(entry).where(*where).order_by(entry.c.id)):
        _, team_, key_, amount, currency, at, act_, why = row
        yield Entry(team_, key_, Decimal(amount), currency, read(at), act_, why)


def sums(tx: Transaction, team: str, until: datetime | None = None) -> dict[str, Decimal]:
    """Return what a team's changes come to, exactly, by currency.

    The database counts equal amounts, so that a long history is not read row by row.
    """
    where = [entry.c.team == team] + ([entry.c.at < written(until)] if until else [])
    alike = (entry.c.currency, entry.c.amount)
    found: dict[str, Decimal] = {}
    for currency, amount, count in tx.connection.execute(
        sa.select(*alike, sa.func.count()).where(*where).group_by(*alike)
    ):
        found[currency] = found.get(currency, Decimal(0)) + Decimal(amount) * count
    return found
