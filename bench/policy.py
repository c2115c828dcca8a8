"""Figures of policies: 50 rules on one plan, and what the first plan of a process waits for.

    python bench/policy.py [RUNS]

Each run is a process of its own, as a command is: the first judgement imports CEL and compiles
the rules; the next ones are what a long-lived process pays.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

RULES = 50


def main(runs: int) -> None:
    """Print the median and the p95 of the first judgement, and of later ones, in milliseconds."""
    first: list[float] = []
    later: list[float] = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, __file__, "--one"], capture_output=True, check=True, text=True
        )
        told = json.loads(done.stdout)
        first.append(told["first"])
        later += told["later"]
    print(f"{RULES} rules on one plan, {runs} processes, ms")
    for name, figures in (("first, with CEL's import", first), ("later", later)):
        p95 = statistics.quantiles(figures, n=20)[-1]
        print(f"  {name:<26} p50 {statistics.median(figures):7.2f}  p95 {p95:7.2f}")


def one() -> None:
    """Judge one plan many times, and print how long each took."""
    from idp.config.guardrails import PolicyRule, PolicySettings
    from idp.config.policies import BUILT_IN
    from idp.plan import Facts, Plan, Use
    from idp.policy import Scene, judge, ready

    own = {
        f"own-{number}": PolicyRule(
            "warn",
            f'plan.images.all(image, image.contains("registry-{number}"))'
            f" || plan.totals.cpu_hour < {number}.0 && plan.tags.size() > 3",
            "an image is from elsewhere",
            filter='plan.environment != "" && limits.max_environments > 1',
            which="plan.images",
        )
        for number in range(RULES - len(BUILT_IN))
    }
    facts = Facts(
        "payments",
        "team-a",
        "production",
        "critical",
        {f"tag-{number}": "x" for number in range(8)},
        tuple(f"registry.example.com/payments/part-{number}:1.2.{number}" for number in range(6)),
        (Use("main cpu", "cpu_hour", Decimal(2)), Use("main memory", "gb_hour", Decimal(4))),
        new_dependencies=("component:default/ledger",),
        personal_data=True,
    )
    plan = Plan("deploy", "payments", facts=facts)
    settings = PolicySettings(rules=own)
    budget = {"hard": Decimal(100), "committed": Decimal(20)}
    cost = {"month": Decimal("12.50"), "currency": "EUR"}
    scene = Scene(datetime.now(UTC), budget=budget, cost=cost, settings=settings)
    took = []
    for _ in range(50):
        start = time.perf_counter()
        verdict = judge(ready(settings), plan, scene)
        took.append((time.perf_counter() - start) * 1000)
    assert verdict.asked >= RULES - 5, verdict.asked
    print(json.dumps({"first": took[0], "later": took[1:]}))


if __name__ == "__main__":
    if sys.argv[1:] == ["--one"]:
        one()
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 15)
