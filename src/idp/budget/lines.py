"""How a team stands against its soft and hard line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from idp.budget.holding import Hold, holds
from idp.config.costs import team_name
from idp.config.guardrails import Budget, CostSettings
from idp.errors import Refused
from idp.ledger import entries
from idp.plan import Facts

if TYPE_CHECKING:
    from idp.budget.pricing import Estimate
    from idp.ledger import Ledger, Transaction
    from idp.ledger.records import Entry

NOTHING = Decimal(0)


@dataclass(frozen=True)
class Standing:
    """How a team stands; amounts a month, None where the team has no such line.

    Attributes:
        month: YYYY-MM.
        currency: the rate card's; without a card, of what is held.
        left: up to the hard line; negative where the line was lowered below what is committed.
        foreign: what is held in other currencies, which is never added up.
    """

    team: str
    month: str
    currency: str
    soft: Decimal | None
    hard: Decimal | None
    committed: Decimal
    left: Decimal | None
    over_soft: bool
    foreign: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def told(self) -> str:
        """How it stands, in a sentence."""
        told = f"{self.team} has {money(self.committed, self.currency)} a month committed"
        if self.hard is not None:
            told += f" of {money(self.hard, self.currency)}"
        if self.over_soft and self.soft is not None:
            told += f", over the soft line of {money(self.soft, self.currency)}"
        return told


def money(amount: Decimal, currency: str) -> str:
    """Return an amount for people: with two digits behind the point, or more if it has more."""
    cents = max(2, -int(amount.normalize().as_tuple().exponent))
    return f"{amount:,.{cents}f} {currency}".rstrip()


def budget_of(costs: CostSettings, team: str) -> Budget | None:
    """Return a team's budget, however its name is written; None where it has none."""
    named = {team_name(name): budget for name, budget in costs.budgets.items()}
    return named.get(team_name(team), costs.default)


def standing(
    tx: Transaction, costs: CostSettings, team: str, at: datetime, until: datetime | None = None
) -> Standing:
    """Return how a team stands.

    Args:
        at: in the month that is asked for.
        until: leave out what was reserved or released from then on: the end of a past month.
    """
    return stand(costs, team, at, entries.sums(tx, team_name(team), until=until))


def stand(costs: CostSettings, team: str, at: datetime, sums: Mapping[str, Decimal]) -> Standing:
    """Return how a team stands that holds these amounts, by currency."""
    budget = budget_of(costs, team)
    soft, hard = (budget.soft, budget.hard) if budget else (None, None)
    currency = costs.rates.currency if costs.rates else next(iter(sorted(sums)), "")
    committed = sums.get(currency, NOTHING)
    return Standing(
        team_name(team),
        f"{at:%Y-%m}",
        currency,
        soft,
        hard,
        committed,
        None if hard is None else hard - committed,
        soft is not None and committed > soft,
        {other: amount for other, amount in sums.items() if amount and other != currency},
    )


def scene(
    tx: Transaction, costs: CostSettings, facts: Facts, cost: Estimate, at: datetime
) -> dict[str, Any] | None:
    """Return what the policies' variable `budget` holds; None for a team without a budget.

    Money is a float there, which CEL can compare: `over_soft` and `over_hard` are worked out
    in exact amounts, and reserving checks the hard line again.
    """
    stands = standing(tx, costs, facts.owner, at)
    if stands.hard is None:
        return None
    mine = holds(tx, team_name(facts.owner), facts.holds) if facts.holds else ()
    own = sums_of(mine).get(cost.currency, NOTHING)
    after = stands.committed + max(NOTHING, cost.amount - own)
    return {
        "team": stands.team,
        "month": stands.month,
        "currency": stands.currency,
        "soft": None if stands.soft is None else float(stands.soft),
        "hard": float(stands.hard),
        "committed": float(stands.committed),
        "left": float(stands.hard - stands.committed),
        "after": float(after),
        "over_soft": stands.soft is not None and after > stands.soft,
        "over_hard": after > stands.hard,
    }


def check_shared(ledger: Ledger, costs: CostSettings, *, in_ci: bool) -> None:
    """Refuse that CI holds a budget in a ledger that nobody else sees."""
    if in_ci and (costs.budgets or costs.default) and not ledger.is_shared:
        raise Refused(
            f"budgets are set, and CI's ledger {ledger.place} is seen by this machine alone",
            hint="set ledger.url in idp-platform.yaml to a PostgreSQL that all share, "
            "like postgresql://idp@ledger.example.com/idp",
        )


def sums_of(amounts: Iterable[Hold | Entry]) -> dict[str, Decimal]:
    """Return the sum of amounts in each currency."""
    sums: dict[str, Decimal] = {}
    for one in amounts:
        sums[one.currency] = sums.get(one.currency, NOTHING) + one.amount
    return sums
