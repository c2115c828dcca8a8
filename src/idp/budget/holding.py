"""What is reserved, and by which keys: sums of the ledger's entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from idp.ledger import entries

if TYPE_CHECKING:
    from idp.ledger import Transaction
    from idp.ledger.records import Entry


@dataclass(frozen=True)
class Hold:
    """What a key holds of a team's budget.

    Attributes:
        amount: a month.
        since: when it began to hold something.
        act: by which act of the audit trail it came to this amount.
    """

    team: str
    key: str
    amount: Decimal
    currency: str
    since: datetime
    act: str
    why: str


def holds(
    tx: Transaction, team: str = "", key: str = "", until: datetime | None = None
) -> tuple[Hold, ...]:
    """Return what is held, of a team, of a key or of all, in the order it began.

    Args:
        until: leave out what was entered from then on.
    """
    return fold(entries.entries(tx, team=team, key=key, until=until))


def fold(entries: Iterable[Entry]) -> tuple[Hold, ...]:
    """Return what entries, in their order, come to; amounts of two currencies stay apart."""
    open: dict[tuple[str, str, str], Hold] = {}
    for one in entries:
        if not one.amount:
            continue
        at = (one.team, one.key, one.currency)
        before = open.get(at)
        amount = one.amount + (before.amount if before else 0)
        since = before.since if before else one.at
        if amount:
            why = one.why or (before.why if before else "")
            open[at] = Hold(one.team, one.key, amount, one.currency, since, one.act, why)
        else:
            open.pop(at, None)
    return tuple(open.values())
