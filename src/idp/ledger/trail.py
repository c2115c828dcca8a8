"""The audit trail's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from idp.ledger import Transaction
from idp.ledger.records import Link
from idp.ledger.tables import read, record, written

LOCK = "audit"
_BATCH = 1000
_INSERT = sa.insert(record)
_HEAD = sa.select(record).order_by(record.c.seq.desc()).limit(1)


def head(tx: Transaction) -> Link | None:
    """Return the last link; who adds one after it holds LOCK."""
    row = tx.connection.execute(_HEAD).one_or_none()
    return _link(row) if row else None


def append(tx: Transaction, link: Link) -> None:
    """Add a link."""
    values = {column: getattr(link, column) for column in record.columns.keys()}  # noqa: SIM118
    tx.connection.execute(_INSERT, values | {"at": written(link.at)})


def links(
    tx: Transaction,
    *,
    after: int = 0,
    until: int | None = None,
    kinds: Sequence[str] = (),
    who: str = "",
    action: str = "",
    subject: str = "",
    team: str = "",
    act: str = "",
    since: datetime | None = None,
    before: datetime | None = None,
    newest_first: bool = False,
    limit: int | None = None,
) -> Iterator[Link]:
    """Yield links by number, a batch in memory at a time; an empty filter lets all pass.

    Args:
        after, until: numbers: `after` itself is left out.
        since, before: `[since, before)`.
    """
    where: list[Any] = [record.c.seq > after]
    named = {"who": who, "action": action, "subject": subject, "team": team, "act": act}
    where += [record.c[name] == value for name, value in named.items() if value]
    where += [record.c.kind.in_(kinds)] if kinds else []
    where += [record.c.seq <= until] if until is not None else []
    where += [record.c.at >= written(since)] if since else []
    where += [record.c.at < written(before)] if before else []
    order = record.c.seq.desc() if newest_first else record.c.seq
    yield from _streamed(tx, sa.select(record).where(*where).order_by(order).limit(limit))


def open_acts(tx: Transaction) -> Iterator[Link]:
    """Yield the intents that have no outcome."""
    other = record.alias()
    ended = sa.exists().where(other.c.act == record.c.act, other.c.kind == "outcome")
    wanted = sa.select(record).where(record.c.kind == "intent", ~ended).order_by(record.c.seq)
    yield from _streamed(tx, wanted)


def count(tx: Transaction) -> int:
    """Return how many links there are."""
    return tx.connection.execute(sa.select(sa.func.count()).select_from(record)).scalar_one()


def _streamed(tx: Transaction, wanted: sa.Select[Any]) -> Iterator[Link]:
    options = {"stream_results": True, "yield_per": _BATCH}
    with tx.connection.execute(wanted, execution_options=options) as found:
        for row in found:
            yield _link(row)


def _link(row: Any) -> Link:
    seq, hash, act, kind, at, who, action, subject, team, body = row
    return Link(seq, hash, act, kind, read(at), who, action, subject, team, bytes(body))
