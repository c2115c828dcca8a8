"""What `idp env` adds to a service's own build and start, on the local provider.

    python bench/environments.py [--runs 5]

Prints Markdown tables: from nothing to a live URL by golden path and step; what `up` adds to
building and starting by hand; `down`; `list` with 500 environments.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.env.stories import new_shop  # noqa: E402

STEP = re.compile(r"^(\w[\w ]*?) +([\d.]+) s$", re.M)


class Home:
    """A home of its own, in which idp is run as a process."""

    def __init__(self, room: Path) -> None:
        self.env = {"HOME": str(room), "PATH": os.environ["PATH"], "TMPDIR": str(room)}
        (room / ".gitconfig").write_text(
            "[user]\n name = Pat\n email = pat@example.com\n[init]\n defaultBranch = main\n"
        )
        os.environ |= self.env

    def idp(self, *argv: str | Path) -> tuple[float, str]:
        """Run idp; return the seconds it took and all it said."""
        command = [sys.executable, "-m", "idp", *map(str, argv)]
        began = time.perf_counter()
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(f"{' '.join(map(str, argv))}: {done.stderr}")
        return seconds, done.stdout + done.stderr


def from_nothing(home: Home, room: Path) -> None:
    """Print the time from nothing to a live URL, for each golden path."""
    print("| golden path | create s | build s | start s | health s | whole s |")
    print("|---|---|---|---|---|---|")
    for kind in ("python-api", "node-ts-api"):
        folder = room / kind
        made, _ = home.idp(
            "create-service", "shop", "--type", kind, "--defaults", "--owner", "a", "--dest", folder
        )
        up, said = home.idp("-C", folder, "env", "up")
        steps = dict(STEP.findall(said))
        row = [f"{made:.1f}", *(steps[name] for name in ("build", "start", "health"))]
        print(f"| {kind} | {' | '.join(row)} | {made + up:.1f} |")
        home.idp("-C", folder, "env", "down", "--yes")


def by_hand(folder: Path) -> float:
    """Return the seconds in which the service starts and answers without idp."""
    port = "18431"
    began = time.perf_counter()
    env = {**os.environ, "PORT": port, "BIND_ADDRESS": "127.0.0.1", "VERSION": "1", "MANNERS": ""}
    process = subprocess.Popen([sys.executable, "service.py"], cwd=folder, env=env)
    try:
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", timeout=1)
                return time.perf_counter() - began
            except httpx.HTTPError:
                time.sleep(0.005)
    finally:
        process.kill()
        process.wait()


def overhead(home: Home, room: Path, runs: int) -> None:
    """Print what up, down and list cost beside the service itself."""
    shop = new_shop(room / "overhead").folder
    ups, downs, starts = [], [], []
    for _ in range(runs):
        starts.append(by_hand(shop))
        ups.append(home.idp("-C", shop, "env", "up")[0])
        downs.append(home.idp("-C", shop, "env", "down", "--yes")[0])
    home.idp("-C", shop, "env", "up", "--name", "original")
    kept = room / ".local/state/idp/local/environments"
    for number in range(499):
        copy = kept / f"copy-{number}"
        shutil.copytree(kept / "original", copy)
        file = copy / "environment.json"
        file.write_text(file.read_text().replace("original", copy.name))
    lists = [home.idp("env", "list", "--json")[0] for _ in range(runs)]
    for copy in kept.glob("copy-*"):
        shutil.rmtree(copy)
    home.idp("env", "down", "original", "--yes")
    print("\n| what | s, median | to reach |")
    print("|---|---|---|")
    start, up = statistics.median(starts), statistics.median(ups)
    print(f"| up, over the service's own start of {start:.2f} s | {up - start:.2f} | 1.5 |")
    print(f"| down | {statistics.median(downs):.2f} | 2 |")
    print(f"| list, 500 environments | {statistics.median(lists):.2f} | 0.3 |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="idp-bench-") as name:
        room = Path(name)
        home = Home(room)
        from_nothing(home, room)
        overhead(home, room, runs)


if __name__ == "__main__":
    main()
