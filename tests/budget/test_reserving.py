"""Reserving of a team's budget and giving back, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from idp.budget import OverBudget, budget_of, check_shared, scene, settle, standing, undo
from idp.config.guardrails import Budget, CostSettings
from idp.errors import Refused
from idp.ledger import Ledger

from .stories import CARD, COSTS, NOW, asking, committed, done, euros, take, tear_down


def test_the_hard_line_is_reached_to_the_cent_and_not_passed(ledger: Ledger) -> None:
    take(ledger, "env:a", "99.99")
    with pytest.raises(OverBudget) as caught:
        take(ledger, "env:b", "0.02")
    assert caught.value.exit_code == 5
    assert caught.value.message == (
        "env:b would add 0.02 EUR a month, and pay has 0.01 EUR left: "
        "99.99 EUR of the hard line of 100.00 EUR are committed"
    )
    assert "idp budget show pay" in caught.value.hint
    assert take(ledger, "env:b", "0.01").left == 0
    assert committed(ledger) == 100


def test_the_soft_line_only_warns(ledger: Ledger) -> None:
    assert not take(ledger, "env:a", "80").over_soft
    stands = take(ledger, "env:b", "0.01")
    assert stands.over_soft
    assert stands.told == (
        "pay has 80.01 EUR a month committed of 100.00 EUR, over the soft line of 80.00 EUR"
    )


def test_the_same_again_adds_nothing_and_more_adds_the_difference(ledger: Ledger) -> None:
    for _ in range(3):
        take(ledger, "env:a", "60")
    assert committed(ledger) == 60
    take(ledger, "env:a", "100")
    assert committed(ledger) == 100
    with pytest.raises(OverBudget, match=r"would add 0\.01 EUR"):
        take(ledger, "env:a", "100.01")


def test_less_is_given_back_only_when_it_is_done(ledger: Ledger) -> None:
    take(ledger, "env:a", "90", act="one")
    take(ledger, "env:a", "30", act="two")
    with pytest.raises(OverBudget):
        take(ledger, "env:b", "20")
    done(ledger, "env:a", "30", act="two")
    assert committed(ledger) == 30
    take(ledger, "env:b", "20")


def test_what_failed_gives_back_what_it_added_and_no_more(ledger: Ledger) -> None:
    take(ledger, "env:a", "30", act="one")
    take(ledger, "env:a", "50", act="two")
    with ledger.writing() as tx:
        undo(tx, "two", NOW)
    assert committed(ledger) == 30
    with ledger.writing() as tx:
        undo(tx, "no such act", NOW)
    assert committed(ledger) == 30


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_two_acts_on_one_key_that_both_fail_leave_nothing(
    ledger: Ledger, order: tuple[str, str]
) -> None:
    take(ledger, "env:a", "30", act="one")
    take(ledger, "env:a", "50", act="two")
    for act in order:
        with ledger.writing() as tx:
            undo(tx, act, NOW)
    assert committed(ledger) == 0


def test_an_act_that_failed_takes_nothing_from_one_that_reserved_after_it(ledger: Ledger) -> None:
    take(ledger, "env:a", "50", act="one")
    take(ledger, "env:a", "40", act="two")
    with ledger.writing() as tx:
        undo(tx, "one", NOW)
    assert committed(ledger) == 50
    done(ledger, "env:a", "40", act="two")
    assert committed(ledger) == 40


def test_an_act_that_ends_late_takes_nothing_from_a_later_one(ledger: Ledger) -> None:
    take(ledger, "env:a", "30", act="one")
    take(ledger, "env:a", "50", act="two")
    done(ledger, "env:a", "30", act="one")
    assert committed(ledger) == 50


def test_teardown_frees_a_key_once_and_for_all(ledger: Ledger) -> None:
    take(ledger, "env:a", "30")
    take(ledger, "env:b", "20")
    for _ in range(2):
        tear_down(ledger, "env:a", "env:none")
    assert committed(ledger) == 20
    tear_down(ledger, "env:b")
    assert committed(ledger) == 0


def test_what_replaces_something_frees_it_when_it_is_done(ledger: Ledger) -> None:
    take(ledger, "env:old", "30")
    take(ledger, "env:new", "40", act="swap")
    with ledger.writing() as tx:
        settle(tx, asking("env:new", frees=("env:old",)), euros("40"), "swap", NOW)
    assert committed(ledger) == 40


def test_a_service_that_changes_hands_is_paid_by_one_team(ledger: Ledger) -> None:
    costs = replace(COSTS, budgets={**COSTS.budgets, "web": Budget(Decimal(50))})
    take(ledger, "env:a", "40", act="one", costs=costs)
    take(ledger, "env:a", "45", act="two", team="web", costs=costs)
    assert committed(ledger) == 40
    assert committed(ledger, "web") == 45
    done(ledger, "env:a", "45", act="two", team="web")
    assert committed(ledger) == 0
    assert committed(ledger, "web") == 45


@pytest.mark.parametrize("owner", ["pay", "Pay", "group:pay", "group:default/PAY", "default/pay"])
def test_a_team_is_one_team_however_it_is_written(ledger: Ledger, owner: str) -> None:
    take(ledger, "env:a", "99", team="group:default/pay")
    with pytest.raises(OverBudget):
        take(ledger, "env:b", "2", team=owner)
    assert committed(ledger, owner) == 99


def test_a_team_without_a_budget_of_its_own_has_the_default(ledger: Ledger) -> None:
    costs = replace(COSTS, default=Budget(Decimal(10)))
    assert budget_of(costs, "web") == Budget(Decimal(10))
    with pytest.raises(OverBudget):
        take(ledger, "env:w", "11", team="web", costs=costs)


def test_what_nobody_owns_is_not_reserved(ledger: Ledger) -> None:
    with pytest.raises(Refused, match="env:w costs money, and no team owns it"):
        take(ledger, "env:w", "1", team="group:")


def test_without_any_budget_all_is_held_and_nothing_refused(ledger: Ledger) -> None:
    stands = take(ledger, "env:w", "5000", team="web", costs=CostSettings(CARD))
    assert stands.committed == 5000
    assert (stands.hard, stands.left) == (None, None)
    assert stands.told == "web has 5,000.00 EUR a month committed"


def test_a_line_that_was_lowered_refuses_more_and_lets_go(ledger: Ledger) -> None:
    take(ledger, "env:a", "90", act="one")
    lower = replace(COSTS, budgets={"pay": Budget(Decimal(50))})
    with ledger.reading() as tx:
        assert standing(tx, lower, "pay", NOW).left == -40
    with pytest.raises(OverBudget, match=r"pay has 0\.00 EUR left"):
        take(ledger, "env:b", "1", costs=lower)
    take(ledger, "env:a", "60", act="two", costs=lower)
    done(ledger, "env:a", "60", act="two")
    assert committed(ledger) == 60


def test_two_currencies_are_never_added_up(ledger: Ledger) -> None:
    take(ledger, "env:a", "90", act="one")
    dollars = replace(COSTS, rates=replace(CARD, currency="USD"))
    with pytest.raises(Refused, match=r"pay holds 90\.00 EUR, and the rate card is in USD"):
        take(ledger, "env:b", "1", costs=dollars)
    with ledger.reading() as tx:
        stands = standing(tx, dollars, "pay", NOW)
    assert stands.committed == 0
    assert stands.foreign == {"EUR": 90}
    # The same again, at the new prices, takes the place of what was held.
    assert take(ledger, "env:a", "99", act="two", costs=dollars).committed == 99
    with ledger.writing() as tx:
        assert dollars.rates
        settle(tx, asking("env:a"), euros("99", dollars.rates), "two", NOW)
    assert take(ledger, "env:b", "1", costs=dollars).foreign == {}


def test_a_past_month_counts_what_was_held_at_its_end(ledger: Ledger) -> None:
    take(ledger, "env:a", "30", at=datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC))
    take(ledger, "env:b", "20", at=datetime(2026, 11, 1, tzinfo=UTC))
    tear_down(ledger, "env:a", at=datetime(2026, 11, 2, tzinfo=UTC))
    with ledger.reading() as tx:
        october = standing(
            tx, COSTS, "pay", NOW.replace(month=10), datetime(2026, 11, 1, tzinfo=UTC)
        )
        november = standing(tx, COSTS, "pay", NOW)
    assert october.month == "2026-10"
    assert october.committed == 30
    assert november.month == "2026-11"
    assert november.committed == 20


def test_policies_see_what_would_be_committed(ledger: Ledger) -> None:
    take(ledger, "env:a", "75")
    with ledger.reading() as tx:
        more = scene(tx, COSTS, asking("env:b"), euros("25.01"), NOW)
        same = scene(tx, COSTS, asking("env:a"), euros("75"), NOW)
        none = scene(tx, COSTS, asking("env:c", "nobody"), euros("1"), NOW)
    assert more == {
        "team": "pay", "month": "2026-11", "currency": "EUR", "soft": 80.0, "hard": 100.0,
        "committed": 75.0, "left": 25.0, "after": 100.01, "over_soft": True, "over_hard": True,
    }  # fmt: skip
    assert same and (same["after"], same["over_soft"]) == (75.0, False)
    assert none is None


def test_ci_holds_no_budget_in_a_ledger_of_its_own(ledger: Ledger) -> None:
    check_shared(ledger, COSTS, in_ci=False)
    check_shared(ledger, CostSettings(CARD), in_ci=True)
    if ledger.is_shared:
        check_shared(ledger, COSTS, in_ci=True)
        return
    with pytest.raises(Refused, match="seen by this machine alone") as caught:
        check_shared(ledger, COSTS, in_ci=True)
    assert "ledger.url" in caught.value.hint
