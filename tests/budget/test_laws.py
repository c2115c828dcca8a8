"""Whatever is begun, ended, torn down and failed: the sums are right, the line is kept."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from itertools import count

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from idp.budget import OverBudget, reserve, settle, standing, undo
from idp.config.guardrails import Budget, CostSettings
from idp.ledger import Ledger

from .stories import CARD, NOW, asking, euros, tear_down

HARD = Decimal(100)
AMOUNTS = st.integers(0, 6000).map(lambda cents: str(Decimal(cents) / 100))
KEYS = st.sampled_from(["a", "b", "c", "d"])
TEAMS = st.sampled_from(["pay", "web"])
TRIES = count()

Place = tuple[str, str]
"""A team and a key."""


class Budgets(RuleBasedStateMachine):
    """The ledger, and beside it what each key should hold of each team's budget.

    A key has one act in flight at a time: whoever works on an environment holds its lock.
    """

    ledger: Ledger

    def __init__(self) -> None:
        super().__init__()
        self.run = f"r{next(TRIES)}-"  # of one ledger each try has teams and keys of its own
        self.held: dict[Place, Decimal] = {}
        self.flying: dict[str, tuple[str, str, str, dict[Place, Decimal]]] = {}
        self.acts = 0
        budgets = {self.run + team: Budget(HARD) for team in ("pay", "web")}
        self.costs = CostSettings(CARD, budgets=budgets)

    def sum_of(self, team: str) -> Decimal:
        return sum((x for (one, _), x in self.held.items() if one == team), Decimal(0))

    @rule(team=TEAMS, key=KEYS, amount=AMOUNTS)
    def begin(self, team: str, key: str, amount: str) -> None:
        if key in self.flying:
            return
        self.acts += 1
        act = f"{self.run}{self.acts}"
        own = self.held.get((team, key), Decimal(0))
        more = max(Decimal(0), Decimal(amount) - own)
        fits = self.sum_of(team) + more <= HARD or not more
        facts = asking(self.run + key, self.run + team)
        accepted = False
        with suppress(OverBudget), self.ledger.writing() as tx:
            reserve(tx, self.costs, facts, euros(amount), act, NOW)
            accepted = True
        assert accepted == fits
        if accepted:
            self.flying[key] = (act, team, amount, dict(self.held))
            self.held[team, key] = own + more

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.flying)))
        act, team, amount, _ = self.flying.pop(key)
        with self.ledger.writing() as tx:
            settle(tx, asking(self.run + key, self.run + team), euros(amount), act, NOW)
        self.forget(key)
        self.held[team, key] = Decimal(amount)

    @precondition(lambda self: self.flying)
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.flying)))
        act, _, _, before = self.flying.pop(key)
        with self.ledger.writing() as tx:
            undo(tx, act, NOW)
        self.forget(key)
        self.held |= {place: x for place, x in before.items() if place[1] == key}

    @rule(key=KEYS)
    def tear_down(self, key: str) -> None:
        if key in self.flying:
            return
        self.acts += 1
        tear_down(self.ledger, self.run + key, act=f"{self.run}{self.acts}")
        self.forget(key)

    def forget(self, key: str) -> None:
        self.held = {place: x for place, x in self.held.items() if place[1] != key}

    @invariant()
    def sums_agree_and_no_line_is_passed(self) -> None:
        for team in ("pay", "web"):
            with self.ledger.reading() as tx:
                stands = standing(tx, self.costs, self.run + team, NOW)
            assert stands.committed == self.sum_of(team)
            assert stands.committed <= HARD


def test_a_naive_model_agrees(ledger: Ledger) -> None:
    often = settings(
        max_examples=40,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    machine = type("BudgetsOfIt", (Budgets,), {"ledger": ledger})
    run_state_machine_as_test(machine, settings=often)
