"""Race processes for one team's budget: `python bench/budget.py`.

    python bench/budget.py [--requests N] [--processes N] [--postgres postgresql://USER@HOST/DB]

DB is an empty database of its own, which is made into a ledger. Every process reserves as fast as
it can; half of the sum asked for fits. Prints a Markdown table: the wall time from the start of all
to the end of the last, how long a reservation took, and what came of it to the cent.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from idp.budget import OverBudget, estimate, reserve
from idp.clock import SystemClock
from idp.config.guardrails import Budget, CostSettings, RateCard
from idp.ledger import entries, migrate, open_ledger
from idp.plan import Facts, Use

CARD = RateCard("EUR", "bench", "2026-11-01", flat={"cent": Decimal("0.01")})


@dataclass(frozen=True)
class Told:
    """What a process tells: milliseconds of each reservation, and the cents it was refused."""

    milliseconds: list[float]
    refused: list[int]


def cents(number: int) -> int:
    return 1 + number * 7919 % 9973


def hard(requests: int) -> Decimal:
    return Decimal(sum(map(cents, range(requests))) // 2) / 100


def race(place: str, first: int, step: int, requests: int) -> Told:
    """Reserve every step-th request, from a first one on, once told to go."""
    costs = CostSettings(CARD, budgets={"pay": Budget(hard(requests))})
    ledger = open_ledger(place, SystemClock(), print)
    print("ready", flush=True)
    sys.stdin.readline()
    told = Told([], [])
    for number in range(first, requests, step):
        cost = estimate([Use("it", "cent", Decimal(cents(number)))], CARD)
        assert cost
        facts = Facts(owner="pay", holds=f"env:{number}")
        began = time.perf_counter()
        try:
            with ledger.writing() as tx:
                reserve(tx, costs, facts, cost, f"act-{number}", datetime.now(UTC))
        except OverBudget:
            told.refused.append(cents(number))
        told.milliseconds.append((time.perf_counter() - began) * 1000)
    return told


def measured(place: str, requests: int, processes: int) -> str:
    """Return a table's row of one race."""
    words = [sys.executable, __file__, "--race", place, "--requests", str(requests)]
    words += ["--processes", str(processes)]
    racers = [
        subprocess.Popen([*words, "--first", str(n)], stdin=-1, stdout=-1, text=True)
        for n in range(processes)
    ]
    for racer in racers:
        assert racer.stdout and racer.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("go\n")
        racer.stdin.flush()
    told = [Told(**json.loads(racer.communicate()[0])) for racer in racers]
    wall = time.perf_counter() - began
    ledger = open_ledger(place, SystemClock(), print)
    with ledger.reading() as tx:
        committed = sum((one.amount for one in entries.entries(tx, team="pay")), Decimal(0))
    line, refused = hard(requests), [one for racer in told for one in racer.refused]
    assert committed <= line, f"{committed} over {line}"
    assert not refused or Decimal(min(refused)) / 100 > line - committed, "refused what fitted"
    times = sorted(one for racer in told for one in racer.milliseconds)
    p95 = statistics.quantiles(times, n=20)[-1]
    kind = "PostgreSQL" if ledger.is_shared else "SQLite"
    return (
        f"| {kind} | {wall:.2f} | {statistics.median(times):.1f} | {p95:.1f} | "
        f"{committed:,} of {line:,} | {requests - len(refused)} of {requests} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--postgres", default="")
    parser.add_argument("--race", default="", help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.race:
        told = race(given.race, given.first, given.processes, given.requests)
        print(json.dumps(vars(told)))
        return
    print(f"{given.requests} requests by {given.processes} processes\n")
    print("| ledger | wall s | p50 ms | p95 ms | committed, EUR | accepted |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "ledger.db")
        open_ledger(place, SystemClock(), print).close()
        print(measured(place, given.requests, given.processes))
    if given.postgres:
        migrate(given.postgres, SystemClock(), print)
        print(measured(given.postgres, given.requests, given.processes))


if __name__ == "__main__":
    main()
