"""A platform with policies, budgets and approvals, and a thing on it that can be changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from idp.audit import Trail
from idp.audit.seal import Seals
from idp.budget import standing
from idp.config import load_platform
from idp.guard import PlatformGuard
from idp.identity import Identity
from idp.ledger import Ledger, trail
from idp.plan import Facts, Plan, Risk, Use
from idp.policy import ready
from idp.request.base import Decision, Request
from idp.request.desk import LedgerDesk
from idp.road import Road

from ..clock import FakeClock

PLATFORM = """\
version: 1
costs:
  rates: {currency: EUR, source: price list, date: 2026-11-01, flat: {euro: 1}}
  budgets:
    pay: {soft: 80, hard: 100}
  approval_over: 50
policies:
  built_in: [cost-approval]
  rules:
    no-friday:
      severity: deny
      when: plan.inputs.day != "friday"
      filter: '"day" in plan.inputs'
      message: nothing is changed on a friday
      hint: come back on monday
    thursday:
      severity: warn
      when: plan.inputs.day != "thursday"
      filter: '"day" in plan.inputs'
      message: it is nearly friday
"""

PAT = Identity("github.com:pat", "forge")
ADA = Identity("github.com:ada", "forge")


def plan(day: str = "monday", euros: str = "", risk: Risk = "remote", **inputs: str) -> Plan:
    """Return the plan of an environment, which costs so much a month."""
    uses = (Use("it", "euro", Decimal(euros)),) if euros else ()
    facts = Facts("pay", "pay", uses=uses, holds="env:pay-1" if euros else "", why="a try")
    return Plan("deploy", "pay", {"day": day, **inputs}, {"HEAD": "abc"}, risk=risk, facts=facts)


@dataclass
class World:
    """A thing to be changed, whoever changes it, and what was said meanwhile."""

    ledger: Ledger
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)
    asked_who: int = 0
    changed: int = 0
    broken: BaseException | None = None
    trail_fails: Exception | None = None
    in_ci: bool = False

    @property
    def desk(self) -> LedgerDesk:
        return LedgerDesk(self.ledger, self.guard().platform.guardrails.requests, self.clock)

    def who(self) -> Identity:
        self.asked_who += 1
        return PAT

    def trail(self) -> Trail:
        if self.trail_fails:
            raise self.trail_fails
        return Trail(self.ledger, Seals(self.folder / "audit", ""), self.clock)

    def guard(self) -> PlatformGuard:
        platform = load_platform(PLATFORM.encode(), str(self.folder / "idp-platform.yaml"), None)
        return PlatformGuard(
            platform,
            lambda: ready(platform.guardrails.policies, []),
            self.trail,
            self.who,
            lambda: LedgerDesk(self.ledger, platform.guardrails.requests, self.clock),
            lambda: self.folder / "no-index.db",
            self.clock,
            self.said.append,
            lambda _: True,
            {"host": "laptop"},
            self.in_ci,
        )

    def road(self) -> Road:
        return Road(lambda _: True, self.guard())

    def apply(self) -> str:
        if self.broken:
            raise self.broken
        self.changed += 1
        return "done"

    def carry_out(self, wanted: Plan, *, late: bool = False) -> str:
        road, give = self.road(), self.apply
        seen = {"HEAD": "abc"}
        return road.carry_out(wanted, give, observe=lambda: seen, proof=str.upper, late=late)

    def during(self, act: Callable[[], object]) -> World:
        """Return this world, in which something else happens while a plan is carried out."""

        class Meanwhile(World):
            def apply(self) -> str:
                act()
                return super().apply()

        return Meanwhile(**vars(self))

    def approve(self, request: Request) -> Request:
        decision = Decision("", "approved", None, request.digest, "seen")
        return self.desk.decide(request.id, decision, ADA)

    def records(self) -> list[str]:
        """Return what is recorded: kind, outcome and who."""
        with self.ledger.reading() as tx:
            found = [(link, json.loads(link.body)) for link in trail.links(tx)]
        return [" ".join([link.kind, body["outcome"], link.who]) for link, body in found]

    def bodies(self) -> list[dict[str, Any]]:
        with self.ledger.reading() as tx:
            return [json.loads(link.body) for link in trail.links(tx)]

    def committed(self) -> Decimal:
        with self.ledger.reading() as tx:
            costs = self.guard().platform.guardrails.costs
            return standing(tx, costs, "pay", self.clock.now()).committed


def another_day(wanted: Plan) -> Plan:
    """Return the same plan of another day."""
    return replace(wanted, inputs={**wanted.inputs, "day": "tuesday"})
