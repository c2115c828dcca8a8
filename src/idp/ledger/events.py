"""What happened to requests."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from idp.errors import Refused
from idp.ledger import Transaction
from idp.ledger.records import Event
from idp.ledger.tables import happened, read, written


def add(tx: Transaction, event: Event) -> None:
    """Add an event.

    Raises:
        Refused: somebody else has added this step since.
    """
    values = {name: getattr(event, name) for name in ("request", "step", "kind", "who", "body")}
    try:
        tx.connection.execute(sa.insert(happened), values | {"at": written(event.at)})
    except IntegrityError as error:
        raise Refused(
            f"somebody else has just changed {event.request}", hint="look at it again"
        ) from error


def events(tx: Transaction, request: str = "") -> list[Event]:
    """Return the events of a request, or of all, in their order."""
    wanted = sa.select(happened).order_by(happened.c.request, happened.c.step)
    if request:
        wanted = wanted.where(happened.c.request == request)
    return [
        Event(request, step, kind, read(at), who, bytes(body))
        for request, step, kind, at, who, body in tx.connection.execute(wanted)
    ]
