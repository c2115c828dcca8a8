"""Environments of the local provider brought up, updated, taken away and reaped under SIGKILL.

Kills idp itself and what it started, at random; afterwards nothing may be left: no process, no
port, no folder, no record without a thing and no thing without a record.

    python bench/storm.py [--environments 50] [--kills 200] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.env.stories import Shop, new_shop

MARK = "IDP_ENVIRONMENT"


class Storm:
    """A home of its own, with one service and many environments."""

    def __init__(self, room: Path, count: int, seed: int) -> None:
        self.home, self.random = room / "home", random.Random(seed)
        (self.home / "tmp").mkdir(parents=True)
        self.env = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "TMPDIR": str(self.home / "tmp"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            self.env[f"XDG_{name}_HOME"] = str(self.home / name.lower())
        (self.home / ".gitconfig").write_text(
            "[user]\n name = Pat\n email = pat@example.com\n[init]\n defaultBranch = main\n"
        )
        os.environ |= self.env
        self.shop: Shop = new_shop(room / "shop")
        self.platform = room / "idp-platform.yaml"
        self.platform.write_text(
            "version: 1\nname: storm\nproviders: {local: {kind: local}}\n"
            "policies: {max_environments: 1000}\n"
            "environments: {health: {passes: 1, every: 0.1, deadline: 20}}\n"
        )
        self.names = [f"storm-{number}" for number in range(count)]
        self.going: list[subprocess.Popen[bytes]] = []

    def start(self, *argv: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "idp", "--platform", str(self.platform)]
        command += ["-C", str(self.shop.folder), *argv]
        return subprocess.Popen(
            command,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def act(self) -> None:
        """Begin one of what people do, on one of the environments."""
        name = self.random.choice(self.names)
        version = f"VERSION={self.random.randrange(9)}"
        up = ("env", "up", "--name", name, "--set", version)
        down = ("env", "down", name, "--yes")
        reap = ("env", "reap", "--yes")
        self.going.append(self.start(*self.random.choices((up, down, reap), (6, 3, 1))[0]))

    def kill(self) -> bool:
        """Kill one process at random: an idp at work, or something that it started."""
        self.going = [one for one in self.going if one.poll() is None]
        ours = [one.pid for one in self.going]
        theirs = [process.pid for process in marked(self.home)]
        pids = ours if self.random.random() < 0.5 and ours else theirs or ours
        if not pids:
            return False
        try:
            os.kill(self.random.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def run(self, kills: int) -> float:
        began, done = time.monotonic(), 0
        while done < kills:
            while len([one for one in self.going if one.poll() is None]) < 4:
                self.act()
            time.sleep(self.random.uniform(0.05, 0.6))
            done += self.kill()
            print(f"\r{done} kills", end="", file=sys.stderr, flush=True)
        for one in self.going:
            one.communicate()
        return time.monotonic() - began

    def clear(self) -> int:
        """Take all away by what a user has: list, down, reap; return how many times it took."""
        for attempt in range(1, 6):
            listed = json.loads(self.start("env", "list", "--json").communicate()[0])
            if not listed:
                return attempt
            for one in listed:
                self.start("env", "down", one["name"], "--yes").communicate()
        return 99


def marked(home: Path) -> list[psutil.Process]:
    """Return the processes that run for environments of this home."""
    found = []
    for process in psutil.process_iter():
        try:
            environ = process.environ()
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
        except psutil.Error:
            continue
        if any(str(home) in value for key, value in environ.items() if key.startswith(MARK)):
            found.append(process)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--environments", type=int, default=50)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    room = Path(tempfile.mkdtemp(prefix="idp-storm-"))
    storm = Storm(room, asked.environments, asked.seed)
    seconds = storm.run(asked.kills)
    before = len(json.loads(storm.start("env", "list", "--json").communicate()[0]))
    rounds = storm.clear()
    time.sleep(1)
    state = room / "home" / "state" / "idp" / "local"
    left = {
        "processes": len(marked(storm.home)),
        "environments": len(list((state / "environments").iterdir())),
        "listed": len(json.loads(storm.start("env", "list", "--json").communicate()[0])),
    }
    print(f"\n{asked.kills} kills in {seconds:.0f} s, {before} stood, {rounds} rounds: left {left}")
    if not any(left.values()):
        shutil.rmtree(room)
    return 1 if any(left.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
