"""What needs no CEL: told at once, and never otherwise than the expressions would."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from idp.config.guardrails import PolicySettings
from idp.config.policies import BUILT_IN
from idp.plan import Facts, Plan, Use
from idp.policy import Scene, judge, ready

from .stories import NOW

AMOUNTS = st.sampled_from([Decimal(0), Decimal("12.50"), Decimal(500)])
FACTS = st.builds(
    Facts,
    owner=st.sampled_from(["", "team-a"]),
    environment=st.sampled_from(["", "production", "pr-7"]),
    tier=st.sampled_from(["", "critical"]),
    tags=st.sampled_from([{}, {"owner": "team-a"}]),
    images=st.sampled_from([(), ("a:1",), ("a:latest", "b")]),
    uses=st.sampled_from([(), (Use("main cpu", "cpu_hour", Decimal(9)),)]),
    ttl_hours=st.sampled_from([None, 1, 400]),
    environments=st.sampled_from([0, 1, 11]),
    public=st.booleans(),
    personal_data=st.booleans(),
    new_dependencies=st.sampled_from([(), ("component:default/new",)]),
    plain_secrets=st.sampled_from([(), ("score.yaml:8",)]),
)
SCENES = st.builds(
    Scene,
    now=st.just(NOW),
    team=st.sampled_from([None, {"kind": "Group"}]),
    catalog_read=st.booleans(),
    budget=st.none() | st.fixed_dictionaries({"hard": AMOUNTS, "committed": AMOUNTS}),
    cost=st.none() | st.fixed_dictionaries({"month": AMOUNTS, "currency": st.just("EUR")}),
    approval_over=st.none() | AMOUNTS,
)


@given(FACTS, SCENES)
def test_it_says_what_the_expressions_come_to(facts: Facts, scene: Scene) -> None:
    asked = Plan("deploy", "payments", facts=facts)
    shipped = ready(PolicySettings())
    by_cel = {name: replace(one, origin="platform") for name, one in shipped.rules.items()}
    assert judge(shipped, asked, scene) == judge(replace(shipped, rules=by_cel), asked, scene)
    assert set(shipped.rules) == set(BUILT_IN)


def test_a_plan_that_makes_nothing_that_runs_does_not_wait_for_cel() -> None:
    story = """
import sys
from datetime import UTC, datetime
from idp.config.guardrails import PolicySettings
from idp.plan import Facts, Plan
from idp.policy import Scene, judge, ready

created = Plan("create-service", "payments", facts=Facts("payments", "team-a"))
assert judge(ready(PolicySettings()), created, Scene(datetime.now(UTC))).outcome == "allowed"
heavy = {"cel", "idp.rules", "logging", "pydantic", "regopy", "idp.catalog"}
print(*sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", story], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout == "\n"
