"""What happened to environments, deployments and leases; the newest of each says how it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from idp.errors import Refused
from idp.ledger import Transaction
from idp.ledger.records import Happening
from idp.ledger.tables import happening, read, written


def add(tx: Transaction, new: Happening) -> None:
    """Add one.

    Raises:
        Refused: somebody else has added this step since.
    """
    values = {name: getattr(new, name) for name in ("noun", "name", "step", "kind", "who", "body")}
    try:
        tx.connection.execute(sa.insert(happening), values | {"at": written(new.at)})
    except IntegrityError as error:
        raise Refused(
            f"somebody else has just changed the {new.noun} {new.name}", hint="look at it again"
        ) from error


def newest(tx: Transaction, noun: str, name: str) -> Happening | None:
    """Return the newest of a name; None where there is none."""
    wanted = _of(noun).where(happening.c.name == name).order_by(happening.c.step.desc()).limit(1)
    return next(_rows(tx, wanted), None)


def of(tx: Transaction, noun: str, name: str) -> Iterator[Happening]:
    """Yield all of a name, the oldest first."""
    return _rows(tx, _of(noun).where(happening.c.name == name).order_by(happening.c.step))


def newest_of_each(tx: Transaction, noun: str) -> Iterator[Happening]:
    """Yield the newest of each name, by name."""
    last = (
        sa.select(happening.c.name, sa.func.max(happening.c.step).label("step"))
        .where(happening.c.noun == noun)
        .group_by(happening.c.name)
        .subquery()
    )
    both = sa.and_(happening.c.name == last.c.name, happening.c.step == last.c.step)
    return _rows(tx, _of(noun).join(last, both).order_by(happening.c.name))


def _of(noun: str) -> Any:
    return sa.select(happening).where(happening.c.noun == noun)


def _rows(tx: Transaction, wanted: Any) -> Iterator[Happening]:
    for noun, name, step, kind, at, who, body in tx.connection.execute(wanted):
        yield Happening(noun, name, step, kind, read(at), who, bytes(body))
