"""What a team's budget is spent on: by what, since when, by whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING

from idp.budget.holding import Hold, holds
from idp.budget.lines import Standing, money, stand, sums_of
from idp.config.costs import team_name
from idp.config.guardrails import CostSettings
from idp.errors import InvalidInput, NotFound
from idp.ledger import trail

if TYPE_CHECKING:
    from idp.ledger import Transaction


@dataclass(frozen=True)
class Held:
    """What holds a part of a budget.

    Attributes:
        who: whose act it came from; empty where the audit trail does not say.
    """

    key: str
    amount: Decimal
    currency: str
    since: datetime
    who: str
    why: str
    act: str


@dataclass(frozen=True)
class Statement:
    """How a team stands in a month, and by what; the fields are a `Standing`'s, and `holds`."""

    team: str
    month: str
    currency: str
    soft: Decimal | None
    hard: Decimal | None
    committed: Decimal
    left: Decimal | None
    over_soft: bool
    foreign: dict[str, Decimal]
    holds: tuple[Held, ...]


@dataclass(frozen=True)
class Month:
    """A month; `until` is its end where it is over, else None: all that is held counts."""

    at: datetime
    until: datetime | None


def month(written: str | None, now: datetime) -> Month:
    """Return the month YYYY-MM; without one, today's.

    Raises:
        InvalidInput: it is no month.
    """
    if written is None:
        return Month(now, None)
    try:
        first = datetime.strptime(written, "%Y-%m").replace(tzinfo=UTC)
        end = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    except ValueError as error:  # one that ends after all that a calendar has, too
        raise InvalidInput(f"--month {written!r} is no month", hint="like 2026-11") from error
    return Month(first, end if end <= now else None)


def standings(tx: Transaction, costs: CostSettings, asked: Month) -> tuple[Standing, ...]:
    """Return how all teams stand that have a budget or hold something, by name."""
    teams: dict[str, list[Hold]] = {team_name(team): [] for team in costs.budgets}
    for hold in holds(tx, until=asked.until):
        teams.setdefault(hold.team, []).append(hold)
    return tuple(stand(costs, team, asked.at, sums_of(teams[team])) for team in sorted(teams))


def statement(tx: Transaction, costs: CostSettings, team: str, asked: Month) -> Statement:
    """Return how a team stands, and by what.

    Raises:
        NotFound: it has neither a budget nor anything reserved.
    """
    name = team_name(team)
    mine = holds(tx, name, until=asked.until)
    known = {one.team: one for one in standings(tx, costs, asked)}
    if name not in known and (costs.default is None or not name):
        near = get_close_matches(name, known, n=1)
        told = f"did you mean {near[0]!r}?" if near else f"teams: {', '.join(known) or 'none'}"
        raise NotFound(f"team {team!r} has no budget, and holds nothing", hint=told)
    stands = known.get(name) or stand(costs, name, asked.at, {})
    listed = tuple(_held(tx, one) for one in sorted(mine, key=lambda one: -one.amount))
    fields = vars(stands) | {"foreign": dict(stands.foreign)}
    return Statement(**fields, holds=listed)


def holders(tx: Transaction, key: str) -> tuple[Hold, ...]:
    """Return what a key holds, of each team and currency.

    Raises:
        NotFound: it holds nothing.
    """
    found = holds(tx, key=key)
    if not found:
        keys = sorted({one.key for one in holds(tx)})
        near = get_close_matches(key, keys, n=1)
        told = f"did you mean {near[0]!r}?" if near else "`idp budget show TEAM` lists the keys"
        raise NotFound(f"{key!r} holds nothing of a budget", hint=told)
    return found


def notes(costs: CostSettings) -> Iterator[str]:
    """Yield what a person should know of the figures."""
    if costs.rates is None:
        yield "the platform has no rate card (costs.rates): nothing is estimated or reserved"
    else:
        yield f"amounts a month in {costs.rates.currency}, by the rate card of {costs.rates.date}"


def text(told: Statement) -> Iterator[str]:
    """Yield a statement as lines for people."""
    currency = told.currency
    yield f"{told.team}, {told.month}"
    for name in ("soft", "hard", "committed", "left"):
        amount = getattr(told, name)
        yield f"  {name:<9} {'none' if amount is None else money(amount, currency):>18}"
    for other, amount in sorted(told.foreign.items()):
        yield f"  besides   {money(amount, other):>18}, which is not added up"
    if not told.holds:
        yield "nothing is reserved"
        return
    yield "held by"
    width = max(len(one.key) for one in told.holds)
    for one in told.holds:
        since = f"since {one.since:%Y-%m-%d %H:%M} UTC"
        by = f" by {one.who}" if one.who else ""
        why = f": {one.why}" if one.why else ""
        yield f"  {one.key:<{width}} {money(one.amount, one.currency):>18}  {since}{by}{why}"


def _held(tx: Transaction, hold: Hold) -> Held:
    who = next((link.who for link in trail.links(tx, act=hold.act)), "")
    return Held(hold.key, hold.amount, hold.currency, hold.since, who, hold.why, hold.act)
