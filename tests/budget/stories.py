"""The words that stories of budgets are told in."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from idp.budget import Estimate, Standing, estimate, reserve, settle, standing
from idp.config.guardrails import Budget, CostSettings, RateCard
from idp.ledger import Ledger
from idp.plan import Facts, Use

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CARD = RateCard(
    "EUR",
    "price list",
    "2026-11-01",
    cpu_hour=Decimal("0.04"),
    gb_hour=Decimal("0.005"),
    gb_month=Decimal("0.10"),
    flat={"postgres": Decimal("14.50"), "euro": Decimal(1)},
)
COSTS = CostSettings(CARD, budgets={"pay": Budget(Decimal(100), Decimal(80))})


def euros(amount: str, card: RateCard = CARD) -> Estimate:
    """Return what something costs that costs so much."""
    found = estimate([Use("it", "euro", Decimal(amount))], card)
    assert found
    return found


def asking(key: str, team: str = "pay", frees: tuple[str, ...] = ()) -> Facts:
    return Facts(service="pay", owner=team, holds=key, frees=frees, why="a try")


def take(
    ledger: Ledger,
    key: str,
    amount: str,
    *,
    act: str = "",
    team: str = "pay",
    costs: CostSettings = COSTS,
    at: datetime = NOW,
) -> Standing:
    """Reserve, as an act begins."""
    with ledger.writing() as tx:
        cost = euros(amount, costs.rates or CARD)
        return reserve(tx, costs, asking(key, team), cost, act or f"act-{key}", at)


def done(ledger: Ledger, key: str, amount: str, *, act: str = "", team: str = "pay") -> None:
    """Settle, as an act ends."""
    with ledger.writing() as tx:
        settle(tx, asking(key, team), euros(amount), act or f"act-{key}", NOW)


def committed(ledger: Ledger, team: str = "pay", costs: CostSettings = COSTS) -> Decimal:
    with ledger.reading() as tx:
        return standing(tx, costs, team, NOW).committed


def tear_down(ledger: Ledger, *keys: str, act: str = "down", at: datetime = NOW) -> None:
    """Settle, as an act ends that tore something down."""
    with ledger.writing() as tx:
        settle(tx, Facts(frees=keys), None, act, at)
