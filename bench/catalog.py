"""Time the catalog on an organisation of 100,000 documents: `python bench/catalog.py`.

    python bench/catalog.py [--org FOLDER] [--runs N] [--only ingest,questions,shell,shards]

FOLDER is what the test bed's `gen_org.py FOLDER 50000 --seed 1` made; without it, it is made.
Prints Markdown tables. CPU is user and system of idp and all its processes; *others* is the CPU
that all else on the machine took meanwhile: where it is much, the wall time means nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from questions import measured

from idp.catalog.index.opened import opened
from idp.catalog.query.counting import count_by
from idp.catalog.query.run import written
from scaffold import BIN, Run, timed

SERVICES, SEED = 50_000, 1
CHANGED = 100
SHARDS = 4
ROWS = 60
"""Rows of the question that the shell asks."""

QUESTIONS = 200
EVERY = 0.1
"""Seconds between two looks at the memory."""

TICKS = os.sysconf("SC_CLK_TCK")
BUSY = slice(1, 4)
STEAL = 8


@dataclass
class Bench:
    """Where things are, and what children are given.

    Attributes:
        org: the organisation, our own copy: files in it are changed.
    """

    root: Path
    org: Path
    runs: int
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Installed programs have their bytecode; PYTHONDONTWRITEBYTECODE would take it away.
        usual = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        own = {"XDG_CACHE_HOME": "cache", "XDG_CONFIG_HOME": "config", "PYTHONPYCACHEPREFIX": "pyc"}
        self.env = usual | {name: str(self.root / place) for name, place in own.items()}

    def run(self, *words: str) -> Run:
        """Run `idp catalog` with these words."""
        return timed([str(BIN / "idp"), "catalog", *words], self.root, self.env)

    @property
    def index(self) -> Path:
        """The index that questions are asked of: the platform's own."""
        return self.root / "cache" / "idp" / "catalog" / "default" / "index.db"

    def ingest(self, *words: str) -> Run:
        """Bring the index up to date."""
        return self.run("ingest", str(self.org), *words)


@dataclass
class Machine:
    """What the processors did, as /proc/stat has it."""

    busy: float = 0
    steal: float = 0

    @classmethod
    def now(cls) -> Machine:
        """Return the seconds since the machine began."""
        words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        busy = sum(map(int, words[BUSY])) + sum(map(int, words[6:8]))
        return cls(busy / TICKS, int(words[STEAL]) / TICKS)


def others(work: Callable[[], Run]) -> tuple[Run, float]:
    """Run something; tell too what CPU all other processes took, and what the host stole."""
    before = Machine.now()
    run = work()
    after = Machine.now()
    return run, max(0.0, after.busy - before.busy - run.cpu) + after.steal - before.steal


def row(what: str, work: Callable[[], Run], runs: int, before: Callable[[], None]) -> None:
    """Print a table row: the best and the median of several runs."""
    found = []
    for _ in range(runs):
        before()
        found.append(others(work))
    cpu, wall = [run.cpu for run, _ in found], [run.wall for run, _ in found]
    times = " | ".join(f"{min(one):.2f} ({statistics.median(one):.2f})" for one in (cpu, wall))
    noise = statistics.median(other for _, other in found)
    print(f"| {what} | {times} | {noise:.1f} |", flush=True)


@contextmanager
def sampled() -> Iterator[list[float]]:
    """Look at the memory of our children, all together, for as long as the block lasts.

    Yields megabytes: of each look, the pages of all of them, shared ones counted once (PSS).
    """
    peaks: list[float] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(EVERY):
            peaks.append(sum(map(_pss, _descendants(os.getpid()))) / 1024)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            yield child
            yield from _descendants(child)


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def ingests(bench: Bench) -> None:
    """Print how long ingests take, what memory they need and how large the index is."""
    print("\n| ingest | CPU s: best (median) | wall s | others, CPU s |\n|---|---|---|---|")
    bench.index.unlink(missing_ok=True)
    with sampled() as peaks:
        bench.ingest()  # the first run fills the disk's cache, and is not timed

    def again() -> None:
        return None

    cold = partial(bench.index.unlink, missing_ok=True)
    row("cold", bench.ingest, bench.runs, cold)
    row("again, nothing changed", bench.ingest, bench.runs, again)
    files = sorted(bench.org.glob("*/*/catalog-info.yaml"))
    change = partial(_change, files[:: len(files) // CHANGED][:CHANGED])
    row(f"again, {CHANGED} files changed", bench.ingest, bench.runs, change)
    with opened(bench.index) as index:
        (documents,) = index.connection.execute("SELECT sum(documents) FROM file").fetchone()
    size = bench.index.stat().st_size
    print(f"\npeak memory of a cold ingest, all processes together: {max(peaks):.0f} MB")
    print(f"index: {size / 1e6:.0f} MB of {documents:,} documents, {size / documents:.0f} B each")


def _change(files: Sequence[Path]) -> None:
    """Give each file a line more, so that its entities are written anew."""
    for path in files:
        path.write_bytes(b"# %d\n%b" % (time.time_ns(), path.read_bytes()))


def questions(bench: Bench) -> None:
    """Print how long questions take inside a process."""
    truth = json.loads((bench.org / "TRUTH.json").read_text())
    popular = [ref for ref, _ in truth["top_dependents"]]
    print("\n| question | wall ms p50 | p95 | CPU ms p50 | p95 | rows |\n|---|---|---|---|---|---|")
    for one in measured(bench.index, popular, QUESTIONS):
        times = f"{one.p50:.2f} | {one.p95:.2f} | {one.cpu50:.2f} | {one.cpu95:.2f}"
        print(f"| {one.kind} | {times} | {one.rows:,.0f} |", flush=True)


def shell(bench: Bench) -> None:
    """Print what commands cost from the shell, against importing Typer, in turn."""
    with opened(bench.index) as index:
        counts = count_by(index, written(), "owner").rows
    owner, rows = min(counts, key=lambda one: (abs(one[1] - ROWS), one[0]))
    truth = json.loads((bench.org / "TRUTH.json").read_text())
    ref = truth["top_dependents"][0][0]
    file = next(bench.org.glob("*/*/catalog-info.yaml"))
    print("\n| from the shell | CPU s, idp / import typer = ratio |\n|---|---|")
    for what, words in (
        (f"query, {rows} rows", ["query", f"owner={owner}"]),
        ("query of an index that is named", ["query", f"owner={owner}", "--index", "INDEX"]),
        ("show", ["show", ref]),
        ("validate, one file", ["validate", str(file)]),
    ):
        _against_typer(bench, what, [str(bench.index) if w == "INDEX" else w for w in words])


def _against_typer(bench: Bench, what: str, words: Sequence[str]) -> None:
    pairs = []
    for number in range(3 * bench.runs + 1):
        ours = bench.run(*words)
        typer = timed([sys.executable, "-c", "import typer"], bench.root, bench.env)
        if number:  # the first pair writes the bytecode
            pairs.append((ours.cpu, typer.cpu))
    mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(x / y for x, y in pairs)
    print(f"| {what} | {mine:.3f} / {theirs:.3f} = {ratio:.2f} |", flush=True)


def shards(bench: Bench) -> None:
    """Print how long an ingest in parts takes, one after the other, and joining them."""
    print("\n| in parts | CPU s: best (median) | wall s | others, CPU s |\n|---|---|---|---|")
    parts = [bench.root / f"part-{number}" / "part.db" for number in range(1, SHARDS + 1)]

    def clear() -> None:
        for part in parts:
            part.unlink(missing_ok=True)

    def each() -> Run:
        done = [
            bench.ingest("--shard", f"{number}/{SHARDS}", "--out", str(part))
            for number, part in enumerate(parts, 1)
        ]
        return Run(sum(run.cpu for run in done), sum(run.wall for run in done), 0)

    row(f"{SHARDS} shards, one after the other", each, 1, clear)
    whole = bench.root / "merged" / "index.db"
    merge = partial(bench.run, "merge", *map(str, parts), "--out", str(whole))
    row("merge", merge, bench.runs, partial(whole.unlink, missing_ok=True))


def _organisation(given: Path | None, root: Path) -> Path:
    """Return a copy of the organisation, or make it."""
    folder = root / "org"
    if given:
        return Path(shutil.copytree(given, folder))
    if "IDP_TESTBED" not in os.environ:
        raise SystemExit("where is gen_org.py? Set IDP_TESTBED to its folder, or give --org")
    maker = Path(os.environ["IDP_TESTBED"]) / "gen_org.py"
    subprocess.run(
        [sys.executable, str(maker), str(folder), str(SERVICES), "--seed", str(SEED)], check=True
    )
    return folder


KINDS = {"ingest": ingests, "questions": questions, "shell": shell, "shards": shards}


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--org", type=Path, help="what gen_org.py made")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default=",".join(KINDS), help="some of these, with commas")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name)
        bench = Bench(root, _organisation(asked.org, root), asked.runs)
        if "ingest" not in asked.only:
            bench.ingest()
        for kind, measure in KINDS.items():
            if kind in asked.only:
                measure(bench)


if __name__ == "__main__":
    main()
