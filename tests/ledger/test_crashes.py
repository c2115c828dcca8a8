"""Nothing is lost: many writers, a process that is killed, a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from idp.ledger import open_ledger

from ..clock import FakeClock
from .stories import append_next, made, numbers

ROOT = Path(__file__).parents[2]


def writer(place: str, who: str, count: int = 0, size: int = 0) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "tests.ledger.writer", place, who, str(count), str(size)]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    out = subprocess.PIPE
    return subprocess.Popen(words, stdout=out, stderr=out, text=True, cwd=ROOT, env=env)


def test_eight_writers_leave_no_gap(place: str) -> None:
    made(place).close()
    running = [writer(place, f"w{n}", 10) for n in range(8)]
    said = [(*process.communicate(), process.returncode) for process in running]
    assert [(err, code) for _, err, code in said] == [("", 0)] * 8
    ledger = open_ledger(place, FakeClock(), print)
    assert numbers(ledger) == list(range(1, 81))
    ledger.close()


def test_eight_that_come_first_at_once_make_one_file(tmp_path: Path) -> None:
    place = str(tmp_path / "ledger.db")
    running = [writer(place, f"w{n}", 1) for n in range(8)]
    said = [(*process.communicate(), process.returncode) for process in running]
    assert [(err, code) for _, err, code in said] == [("", 0)] * 8
    ledger = open_ledger(place, FakeClock(), print)
    assert numbers(ledger) == list(range(1, 9))
    ledger.close()


def test_what_was_committed_outlives_kill_9(place: str) -> None:
    made(place).close()
    process = writer(place, "pat")
    assert process.stdout and process.stderr
    first = [int(process.stdout.readline()) for _ in range(20)]
    process.kill()
    committed = first + [int(line) for line in process.stdout if line.endswith("\n")]
    process.stderr.close()
    process.stdout.close()
    process.wait()
    ledger = open_ledger(place, FakeClock(), print)
    there = numbers(ledger)
    assert there == list(range(1, len(there) + 1))
    assert len(there) in (len(committed), len(committed) + 1)
    assert append_next(ledger, "sam") == len(there) + 1
    ledger.close()


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    place = str(tmp_path / "ledger.db")
    made(place).close()
    said, err = (process := writer(place, "pat", 0, 400_000)).communicate()
    assert process.returncode == 1
    assert "InvalidInput" in err and "disk" in err
    ledger = open_ledger(place, FakeClock(), print)
    assert numbers(ledger) == [int(line) for line in said.split()]
    assert append_next(ledger, "sam") == len(said.split()) + 1
    ledger.close()
