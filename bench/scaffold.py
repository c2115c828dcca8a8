"""Time idp against Copier, whole processes, in turn: `python bench/scaffold.py [RUNS]`.

Prints the median CPU (user and system, children included) and wall seconds of each, and idp's
ratio to its peer, run by run, as a Markdown table. Peak memory is the largest single process.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from templates import git, make

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    cpu: float
    wall: float
    memory: float


def timed(command: Sequence[str], cwd: Path, env: dict[str, str]) -> Run:
    """Run a command in a fork and return what the kernel says of it and its children."""
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os.chdir(cwd)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.execvpe(command[0], list(command), env)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} exited {os.waitstatus_to_exitcode(status)}")
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


@dataclass(frozen=True)
class Stage:
    """A place to measure in: a template and a cache that is cold, or warm from create."""

    root: Path
    template: Path

    def env(self, name: str) -> dict[str, str]:
        cache = self.root / f"cache-{name}"
        return os.environ | {
            "XDG_CACHE_HOME": str(cache),
            "GIT_CONFIG_GLOBAL": str(self.root / "gitconfig"),
            "COPIER_CACHE_DIR": str(cache / "copier"),
        }

    def fresh(self, name: str) -> Path:
        folder = self.root / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def create_idp(self, place: str = "idp") -> tuple[list[str], Path]:
        return [
            str(BIN / "idp"),
            "create-service",
            "pay",
            "--template",
            f"{self.template}@v1.0.0",
            "--dest",
            str(self.fresh(place)),
            "--defaults",
        ], self.root

    def create_copier(self) -> tuple[list[str], Path]:
        return [
            str(BIN / "copier"),
            "copy",
            "--vcs-ref",
            "v1.0.0",
            "--defaults",
            "--quiet",
            str(self.template),
            str(self.fresh("copier")),
        ], self.root

    def service(self, name: str, how: str) -> Path:
        """Make a service, commit it, and edit a fifth of its files in a line of their own."""
        command, cwd = self.create_idp(name) if how == "idp" else self.create_copier()
        timed(command, cwd, self.env(how))
        folder = self.root / name
        if how == "copier":
            git(folder, "init", "--quiet", "--initial-branch=main")
        for path in sorted(folder.rglob("file*.txt"))[::5]:
            path.write_text("mine\n" + path.read_text())
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "-m", "mine")
        return folder

    def update_idp(self, *, cold: bool) -> tuple[list[str], Path]:
        renders = self.root / "cache-idp" / "idp" / "renders"
        shutil.rmtree(renders, ignore_errors=True)  # else the last run's update is cached too
        folder = self.service("idp", "idp")
        if cold:
            shutil.rmtree(renders)
        return [str(BIN / "idp"), "update-service", "--to", "v2.0.0"], folder

    def update_copier(self) -> tuple[list[str], Path]:
        folder = self.service("copier", "copier")
        return [
            str(BIN / "copier"),
            "update",
            "--defaults",
            "--quiet",
            "--vcs-ref",
            "v2.0.0",
        ], folder


Maker = Callable[[], tuple[list[str], Path]]


def compare(what: str, runs: int, stage: Stage, ours: Maker, peer: Maker) -> None:
    """Print a table row: medians, and the medians of the ratios of each pair of runs."""
    pairs = []
    for number in range(runs + 1):
        command, cwd = ours()
        mine = timed(command, cwd, stage.env("idp"))
        command, cwd = peer()
        theirs = timed(command, cwd, stage.env("copier"))
        if number:  # the first pair warms the disk's cache
            pairs.append((mine, theirs))
    row = [what]
    for key in ("cpu", "wall", "memory"):
        a, b = ([getattr(run, key) for run in side] for side in zip(*pairs, strict=True))
        ratio = statistics.median(x / y for x, y in zip(a, b, strict=True))
        digits = 0 if key == "memory" else 2
        row.append(
            f"{statistics.median(a):.{digits}f} / {statistics.median(b):.{digits}f} = {ratio:.2f}"
        )
    print("| " + " | ".join(row) + " |", flush=True)


def startup(runs: int, root: Path) -> None:
    idp = [str(BIN / "idp"), "--help"]
    typer = [sys.executable, "-c", "import typer"]
    compare(
        "`idp --help` against `import typer`",
        runs,
        Stage(root, root),
        lambda: (idp, root),
        lambda: (typer, root),
    )


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print("| what | CPU s | wall s | peak MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        root = Path(name)
        (root / "gitconfig").write_text("[user]\n\tname = bench\n\temail = bench@localhost\n")
        startup(3 * runs, root)
        for count in (30, 300, 1000):
            stage = Stage(root / str(count), root / f"template{count}")
            stage.root.mkdir()
            shutil.copy(root / "gitconfig", stage.root)
            make(stage.template, count)
            times = runs if count < 1000 else 3
            compare(
                f"create-service, {count} files",
                times,
                stage,
                stage.create_idp,
                stage.create_copier,
            )
            for how, cold in (("as after create-service", False), ("no render cached", True)):
                what = f"update-service, {count} files, {how}"
                compare(
                    what, times, stage, partial(stage.update_idp, cold=cold), stage.update_copier
                )


if __name__ == "__main__":
    main()
