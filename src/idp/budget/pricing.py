"""What a plan will cost a month, by the platform's rate card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, localcontext
from difflib import get_close_matches

from idp.config.guardrails import METERED, RateCard
from idp.errors import InvalidInput
from idp.plan import Use

CENT = Decimal("0.01")
MOST = Decimal(10) ** 18
"""No estimate is as large; beyond it somebody mistook a unit."""


@dataclass(frozen=True)
class Line:
    """What one thing costs a month; `amount` is exact.

    Attributes:
        price: of the card: for an hour, a month, or one of a flat resource.
    """

    name: str
    rate: str
    quantity: Decimal
    hours: Decimal
    price: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Estimate:
    """What a plan will cost a month.

    Attributes:
        amount: the lines' sum, rounded up to the cent.
        source, date: of the rate card.
    """

    amount: Decimal
    currency: str
    lines: tuple[Line, ...]
    source: str
    date: str


def estimate(uses: Sequence[Use], card: RateCard | None) -> Estimate | None:
    """Return what things cost a month; None without a rate card, or where nothing is used.

    Raises:
        InvalidInput: the card has no such rate, or a quantity is no quantity.
    """
    if card is None or not uses:
        return None
    with localcontext(prec=100):
        lines = tuple(_line(use, card) for use in uses)
        exact = sum((line.amount for line in lines), Decimal(0))
        if exact >= MOST:
            raise InvalidInput(
                f"an estimate of {exact:.2e} {card.currency} a month", hint="look at the units"
            )
        amount = exact.quantize(CENT, rounding=ROUND_CEILING)
    return Estimate(amount, card.currency, lines, card.source, card.date)


def _line(use: Use, card: RateCard) -> Line:
    for what, number in (("quantity", use.quantity), ("hours", use.hours)):
        if not number.is_finite() or number < 0 or number >= MOST:
            raise InvalidInput(f"{use.name}: {number} is no {what}", hint="a number from 0 on")
    price = _price(use, card)
    hourly = use.rate in METERED and use.rate.endswith("_hour")
    times = use.quantity * use.hours if hourly else use.quantity
    return Line(use.name, use.rate, use.quantity, use.hours, price, times * price)


def _price(use: Use, card: RateCard) -> Decimal:
    metered = {"cpu_hour": card.cpu_hour, "gb_hour": card.gb_hour, "gb_month": card.gb_month}
    known = {**card.flat, **{name: price for name, price in metered.items() if price is not None}}
    if use.rate in known:
        return known[use.rate]
    if use.rate in METERED:
        mend = f"add `{use.rate}:` to costs.rates; 0 is free"
    elif near := get_close_matches(use.rate, known, n=1):
        mend = f"did you mean {near[0]!r}?"
    else:
        mend = f"the card has {', '.join(sorted(known)) or 'nothing'}; see costs.rates.flat"
    raise InvalidInput(f"{use.name}: the rate card has no {use.rate!r}", hint=mend)
