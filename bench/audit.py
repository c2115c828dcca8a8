"""Add records to an audit trail and verify it: `python bench/audit.py`.

    python bench/audit.py [--appends N] [--records N] [--postgres postgresql://USER@HOST/DB]

DB is an empty database of its own, which is made into a ledger. An append is what a command does:
a transaction of its own, the record hashed, committed to disk, and the new head signed and kept.
What is verified is made by the same code in large transactions. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from idp.audit import Trail, new_act
from idp.audit.record import Record
from idp.audit.seal import Seals
from idp.audit.verify import verify
from idp.clock import SystemClock
from idp.identity import Identity
from idp.ledger import migrate, open_ledger
from idp.ledger import trail as rows

CLOCK = SystemClock()
ANN = Identity("github.com:ann", "forge")
AT_ONCE = 10_000


def record(number: int) -> Record:
    """Return a record as large as those of a real update of a service."""
    return Record(
        "intent" if number % 2 else "outcome",
        new_act(),
        ANN,
        "update-service",
        f"https://github.com/acme/service-{number % 1000}",
        team="payments",
        plan="0" * 64,
        why="the newest release of its template",
        cost="12.50 EUR",
        verdict={"outcome": "allowed", "asked": 14, "findings": [], "request": ""},
        proof="0" * 40,
        origin={"host": "runner-7", "run": "https://github.com/acme/platform/actions/runs/1"},
        details={"inputs": {"from": "1.0.0", "to": "1.1.0"}, "effects": 12, "risk": "remote"},
    )


def appended(trail: Trail, many: int) -> list[float]:
    """Return the milliseconds of each of so many appends."""
    times = []
    for number in range(many):
        one = record(number)
        began = time.perf_counter()
        with trail.writing() as writing:
            writing.append(one)
        times.append((time.perf_counter() - began) * 1000)
    return times


def fill(trail: Trail, many: int) -> None:
    """Add records, many in a transaction."""
    for first in range(0, many, AT_ONCE):
        with trail.writing() as writing:
            for number in range(first, min(first + AT_ONCE, many)):
                writing.append(record(number))


def verified(trail: Trail) -> tuple[int, float]:
    """Return how many records were verified, and in how many seconds."""
    head = trail.seals.head(trail.ledger.id)
    began = time.perf_counter()
    with trail.ledger.reading() as tx:
        found = verify(trail.ledger.id, rows.links(tx), head, (), {trail.seals.public})
    assert found.ok, found
    return found.records, time.perf_counter() - began


def measured(place: str, folder: Path, appends: int, records: int) -> str:
    """Return a table's row."""
    trail = Trail(open_ledger(place, CLOCK, print), Seals(folder), CLOCK)
    appended(trail, 20)
    times = appended(trail, appends)
    fill(trail, records - appends - 20)
    many, took = verified(trail)
    p95 = statistics.quantiles(times, n=20)[-1]
    kind = "PostgreSQL" if trail.ledger.is_shared else "SQLite"
    trail.ledger.close()
    return (
        f"| {kind} | {statistics.median(times):.2f} | {p95:.2f} | {max(times):.2f} | {many:,} | "
        f"{took:.1f} | {took / many * 1e6:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--appends", type=int, default=2000)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--postgres", default="")
    given = parser.parse_args()
    print("| ledger | append p50 ms | p95 ms | max ms | records | verify s | µs a record |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        here = Path(folder)
        print(measured(str(here / "ledger.db"), here / "a", given.appends, given.records))
        if given.postgres:
            migrate(given.postgres, CLOCK, print)
            print(measured(given.postgres, here / "b", given.appends, given.records))


if __name__ == "__main__":
    main()
