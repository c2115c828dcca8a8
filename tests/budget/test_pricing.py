"""What things cost by the rate card: exact amounts, rounded up to the cent once, at the end."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from idp.budget import estimate
from idp.errors import InvalidInput
from idp.plan import Use

from .stories import CARD


def cost(*uses: Use) -> Decimal:
    found = estimate(uses, CARD)
    assert found
    return found.amount


def test_cpus_and_memory_cost_by_the_hour_storage_and_resources_by_the_month() -> None:
    cpu = Use("web", "cpu_hour", Decimal("0.5"))
    memory = Use("web", "gb_hour", Decimal(2), hours=Decimal(200))
    disk = Use("disk", "gb_month", Decimal(20), hours=Decimal(1))
    database = Use("db", "postgres", Decimal(2), hours=Decimal(1))
    assert cost(cpu) == Decimal("14.60")  # 0.5 * 730 * 0.04
    assert cost(memory) == Decimal("2.00")
    assert cost(disk) == Decimal("2.00")
    assert cost(database) == Decimal("29.00")
    assert cost(cpu, memory, disk, database) == Decimal("47.60")


def test_an_estimate_says_by_which_card_and_from_what_it_comes() -> None:
    found = estimate([Use("db", "postgres", Decimal(1))], CARD)
    assert found
    assert (found.currency, found.source, found.date) == ("EUR", "price list", "2026-11-01")
    (line,) = found.lines
    assert (line.name, line.price, line.amount) == ("db", Decimal("14.50"), Decimal("14.50"))


def test_the_sum_is_rounded_up_and_not_each_line() -> None:
    crumb = Use("crumb", "gb_month", Decimal("0.01"))  # a tenth of a cent
    assert cost(crumb) == Decimal("0.01")
    assert cost(*[crumb] * 10) == Decimal("0.01")
    assert cost(*[crumb] * 11) == Decimal("0.02")


def test_no_digit_of_a_long_price_is_lost() -> None:
    card = replace(CARD, flat={"big": Decimal("123456789012345.000000000001")})
    found = estimate([Use("it", "big", Decimal("1000.001"))], card)
    assert found
    assert found.lines[0].amount == Decimal("123456912469134012.345000001000001")
    assert found.amount == Decimal("123456912469134012.35")


def test_without_a_card_or_a_use_there_is_no_estimate() -> None:
    assert estimate([Use("it", "cpu_hour", Decimal(1))], None) is None
    assert estimate([], CARD) is None


@pytest.mark.parametrize(
    ("use", "told", "mend"),
    [
        (Use("db", "postgers", Decimal(1)), "has no 'postgers'", "did you mean 'postgres'?"),
        (Use("db", "kafka", Decimal(1)), "has no 'kafka'", "the card has cpu_hour, euro"),
        (Use("db", "postgres", Decimal(-1)), "-1 is no quantity", "from 0 on"),
        (Use("db", "postgres", Decimal("NaN")), "NaN is no quantity", "from 0 on"),
        (Use("w", "cpu_hour", Decimal(1), Decimal("Infinity")), "is no hours", "from 0 on"),
        (Use("w", "postgres", Decimal(10) ** 17), "1.45e+18 EUR a month", "look at the units"),
    ],
)
def test_what_cannot_be_priced_is_refused(use: Use, told: str, mend: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        estimate([use], CARD)
    assert told in caught.value.message
    assert mend in caught.value.hint


def test_a_price_that_the_card_does_not_give_is_not_nothing() -> None:
    card = replace(CARD, cpu_hour=None)
    with pytest.raises(InvalidInput, match="has no 'cpu_hour'") as caught:
        estimate([Use("web", "cpu_hour", Decimal(1))], card)
    assert "add `cpu_hour:` to costs.rates" in caught.value.hint
