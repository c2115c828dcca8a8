"""Many at once: 200 requests by 16 processes come to the hard line and not a cent over it."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

from idp.ledger import Ledger, entries

from .stories import COSTS, committed

PROCESSES, REQUESTS = 16, 200

RACER = """
import sys
from datetime import UTC, datetime
from decimal import Decimal

from idp.budget import OverBudget, estimate, reserve
from idp.clock import SystemClock
from idp.config.guardrails import Budget, CostSettings, RateCard
from idp.ledger import open_ledger
from idp.plan import Facts, Use

place, first, step, last = sys.argv[1], *map(int, sys.argv[2:])
card = RateCard("EUR", "price list", "2026-11-01", flat={"cent": Decimal("0.01")})
costs = CostSettings(card, budgets={"pay": Budget(Decimal(100), Decimal(80))})
ledger = open_ledger(place, SystemClock(), print)
print("ready", flush=True)
sys.stdin.readline()
for number in range(first, last, step):
    cost = estimate([Use("it", "cent", Decimal(1 + number * 37 % 149))], card)
    facts = Facts(owner="pay", holds=f"env:{number}")
    try:
        with ledger.writing() as tx:
            reserve(tx, costs, facts, cost, f"act-{number}", datetime.now(UTC))
    except OverBudget:
        print(f"env:{number} {cost.amount}", flush=True)
"""


def test_200_requests_by_16_processes_stay_within_the_hard_line(ledger: Ledger, place: str) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, place, str(n), str(PROCESSES), str(REQUESTS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(PROCESSES)
    ]
    for racer in racers:
        assert racer.stdout
        assert racer.stdout.readline() == "ready\n"
    told = []  # what was begun is not waited for: all set out together
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    for racer in racers:
        out, _ = racer.communicate()
        assert racer.returncode == 0
        told += out.splitlines()

    refused = {key: Decimal(amount) for key, amount in (line.split() for line in told)}
    with ledger.reading() as tx:
        reserved = {one.key: one.amount for one in entries.entries(tx, team="pay")}
    hard = COSTS.budgets["pay"].hard
    assert len(reserved) + len(refused) == REQUESTS
    assert not set(reserved) & set(refused)
    assert sum(reserved.values()) == committed(ledger) <= hard
    # And nobody was refused what there was room for.
    assert refused
    assert min(refused.values()) > hard - committed(ledger)
