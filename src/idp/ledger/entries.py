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


def held(
    tx: Transaction, *, team: str = "", key: str = "", until: datetime | None = None
) -> dict[tuple[str, str], Entry]:
    """Return what is held now, by team and key: the newest change of each, with the whole amount.

    What was given back is left out.
    """
    sums: dict[tuple[str, str], Entry] = {}
    for one in entries(tx, team=team, key=key, until=until):
        before = sums.get((one.team, one.key))
        amount = one.amount + (before.amount if before else Decimal(0))
        sums[one.team, one.key] = Entry(
            one.team, one.key, amount, one.currency, one.at, one.act, one.why
        )
    return {place: one for place, one in sums.items() if one.amount}
