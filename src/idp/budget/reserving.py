"""Reserving of a budget and giving back: every change is an entry of the ledger.

What a key holds is only raised before an act, under the hard line, and only lowered after it, so
that taking back what has failed never lifts a team over its line. Whoever reserves writes an entry
even if nothing changes: the last act that reserved for a key is the one that may lower it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from idp.budget.holding import Hold, holds
from idp.budget.lines import NOTHING, Standing, money, stand, sums_of
from idp.config.costs import team_name
from idp.config.guardrails import CostSettings
from idp.errors import Refused
from idp.ledger import entries
from idp.ledger.records import Entry
from idp.plan import Facts

if TYPE_CHECKING:
    from idp.budget.pricing import Estimate
    from idp.ledger import Transaction


FAILED = ""
"""The currency of the entry that says of its act that it failed; it adds nothing."""


class OverBudget(Refused):
    """A team's budget does not hold what is asked of it."""

    code = "over_budget"


def reserve(
    tx: Transaction,
    costs: CostSettings,
    facts: Facts,
    cost: Estimate,
    act: str,
    at: datetime,
) -> Standing:
    """Let `facts.holds` hold at least what a plan costs a month; return how the team stands then.

    Again for the same key it adds only what is missing; `settle` gives back what is too much.

    Raises:
        OverBudget: more than the hard line would be committed.
        Refused: nobody owns it; or what the team holds is in another currency.
    """
    _lock(tx, [facts.holds], [_owner(facts)])
    more, stands = _foreseen(tx, costs, facts, cost, at)
    entries.add(tx, Entry(_owner(facts), facts.holds, more, cost.currency, at, act, facts.why))
    return stands


def foresee(
    tx: Transaction, costs: CostSettings, facts: Facts, cost: Estimate, at: datetime
) -> Standing:
    """Return how a team would stand if this were reserved now; raise what `reserve` would."""
    return _foreseen(tx, costs, facts, cost, at)[1]


def _owner(facts: Facts) -> str:
    if team := team_name(facts.owner):
        return team
    raise Refused(f"{facts.holds} costs money, and no team owns it", hint="give it an owner")


def _foreseen(
    tx: Transaction, costs: CostSettings, facts: Facts, cost: Estimate, at: datetime
) -> tuple[Decimal, Standing]:
    """Return how much more a key has to hold, and how its team will stand then."""
    team, key = _owner(facts), facts.holds
    sums, own = entries.sums(tx, team), sums_of(holds(tx, team, key))
    more = max(NOTHING, cost.amount - own.get(cost.currency, NOTHING))
    if more:
        # What the key holds in another currency is given back when this is done.
        counted = {
            name: amount - (NOTHING if name == cost.currency else own.get(name, NOTHING))
            for name, amount in sums.items()
        }
        _check(stand(costs, team, at, counted), key, cost.currency, more)
    after = sums | {cost.currency: sums.get(cost.currency, NOTHING) + more}
    return more, stand(costs, team, at, after)


def settle(tx: Transaction, facts: Facts, cost: Estimate | None, act: str, at: datetime) -> None:
    """Give back what an act that is done does not need any more.

    That is all that `facts.frees` hold; and of `facts.holds` what is beyond the cost, is in
    another currency or was another team's, unless a later act reserved for it.
    """
    team, key = team_name(facts.owner), facts.holds
    _lock(tx, [*facts.frees, key] if key else facts.frees)
    for freed in sorted(set(facts.frees) - {key}):
        _lower(tx, holds(tx, key=freed), act, at)
    if not key or cost is None or _last(tx, key) != act:
        return
    for hold in holds(tx, key=key):
        same = hold.team == team and hold.currency == cost.currency
        _lower(tx, (hold,), act, at, to=cost.amount if same else NOTHING)


def undo(tx: Transaction, act: str, at: datetime) -> None:
    """Take back what an act reserved that has failed, unless a later act reserved for that key."""
    mine = {one.key: one.team for one in entries.entries(tx, act=act)}
    _lock(tx, mine)
    for key, team in sorted(mine.items()):
        entries.add(tx, Entry(team, key, NOTHING, FAILED, at, act, "failed"))
        sums: dict[tuple[str, str], Decimal] = {}
        for one in _after_the_last(tx, key):
            place = (one.team, one.currency)
            sums[place] = sums.get(place, NOTHING) + one.amount
        for (holder, currency), amount in sums.items():
            if amount > 0:
                entries.add(tx, Entry(holder, key, -amount, currency, at, act, "failed"))


def _check(stands: Standing, key: str, currency: str, more: Decimal) -> None:
    """Refuse what the team's hard line does not hold."""
    team, hard, left = stands.team, stands.hard, stands.left
    if hard is None or left is None:
        return
    if stands.foreign:
        other = ", ".join(money(amount, name) for name, amount in sorted(stands.foreign.items()))
        raise Refused(
            f"{team} holds {other}, and the rate card is in {currency}: "
            "two currencies cannot be added up",
            hint=f"`idp budget show {team}` tells by what; apply those again, or "
            "`idp budget release KEY` what is gone",
        )
    if more > left:
        raise _over(stands, key, more, hard, max(NOTHING, left))


def _over(stands: Standing, key: str, more: Decimal, hard: Decimal, left: Decimal) -> OverBudget:
    team, currency = stands.team, stands.currency
    return OverBudget(
        f"{key} would add {money(more, currency)} a month, and {team} has "
        f"{money(left, currency)} left: {money(stands.committed, currency)} of the hard line of "
        f"{money(hard, currency)} are committed",
        hint=f"`idp budget show {team}` tells by what: tear down what nobody needs, or have the "
        "platform team raise the line (costs in idp-platform.yaml)",
    )


def _lock(tx: Transaction, keys: Iterable[str], teams: Iterable[str] = ()) -> None:
    """Lock keys, then their teams, each in order: whoever locks so never waits in a circle."""
    wanted = sorted({key for key in keys if key})
    for key in wanted:
        tx.lock(f"budget-key:{key}")
    holding = {one.team for key in wanted for one in holds(tx, key=key)}
    for team in sorted(holding | set(teams)):
        tx.lock(f"budget:{team}")


def _lower(
    tx: Transaction, held: Iterable[Hold], act: str, at: datetime, to: Decimal = NOTHING
) -> None:
    for one in held:
        if one.amount > to:
            lower = to - one.amount
            entries.add(tx, Entry(one.team, one.key, lower, one.currency, at, act, "released"))


def _after_the_last(tx: Transaction, key: str) -> list[Entry]:
    """Return the entries of a key after the last one of an act that has not failed."""
    every = list(entries.entries(tx, key=key))
    failed = _failed(every)
    alive = [place for place, one in enumerate(every) if one.act not in failed]
    return every[alive[-1] + 1 :] if alive else every


def _last(tx: Transaction, key: str) -> str:
    """Return the act, of those that have not failed, that entered something for a key last."""
    every = list(entries.entries(tx, key=key))
    failed = _failed(every)
    return next((one.act for one in reversed(every) if one.act not in failed), "")


def _failed(every: Iterable[Entry]) -> set[str]:
    return {one.act for one in every if one.currency == FAILED}
