"""Keeps the programs of a release, or one server of a resource, running: one process for each.

Started by `provider.py` with an `Order` on its standard input; ended by SIGTERM, or when its folder
is gone. It imports little, for there is one for each release.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from idp import daemon
from idp.daemon import Process, Program
from idp.errors import IdpError
from idp.provider.local.state import ALIVE, RUNNER, read_json, replace

TICK = 1.0
SOON = 0.05
LONGEST = 30.0
STEADY = 30.0
"""Seconds after which a program counts as started for good, and its failures are forgotten."""

MUCH = 10 * 2**20
"""Bytes of a log; what is more goes to a second file, which the next such lot replaces."""


@dataclass
class One:
    """A program that is kept running.

    Attributes:
        after: programs that must have been started, or have ended well (complete), before.
        ends: others wait for its end, so it is not started again when it ended well.
        phase: waiting, running, backoff, done.
        exits: how often in a row it ended soon after its start.
    """

    name: str
    program: Program
    after: dict[str, str] = field(default_factory=dict)
    ends: bool = False
    phase: str = "waiting"
    exits: int = 0
    why: str = ""
    began: float = 0.0
    again: float = 0.0
    child: subprocess.Popen[bytes] | None = None

    @property
    def told(self) -> dict[str, Any]:
        """What observers are told of it."""
        pid = self.child.pid if self.child else 0
        known = {"phase": self.phase, "exits": self.exits, "why": self.why, "pid": pid}
        return known | {"born": daemon.born(pid) if pid else ""}


class Runner:
    """Supervises programs until it is told to end."""

    def __init__(self, folder: str, order: dict[str, Any]) -> None:
        self.folder = folder
        self.order = order
        self.ones = {
            name: One(name, _program(part), part.get("after", {}), part.get("ends", False))
            for name, part in order["programs"].items()
        }
        self.is_ending = False
        self.phase = "waiting"
        self.why = ""
        self.me = daemon.this()
        self.waking, waker = os.pipe()
        for end in (self.waking, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._end)
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.is_ending = True

    def run(self) -> None:
        """Prepare, wait for what is needed, and keep all running until the end."""
        try:
            self._await_turn()
            self._prepare()
            self._await_needed()
            self.phase = "running"
            while not self._is_over():
                self._turn()
            self.phase = "ended"
        except IdpError as error:
            self.phase, self.why = "failed", error.message
        except _Over:
            self.phase = "ended"
        self._stop_all()
        self.tell()

    def _is_over(self) -> bool:
        return self.is_ending or not os.path.isdir(self.folder)  # noqa: PTH112 - a path as text

    def _wait(self, seconds: float) -> None:
        if self._is_over():
            raise _Over
        select.select([self.waking], [], [], seconds)
        with suppress(BlockingIOError):
            os.read(self.waking, 4096)
        if self._is_over():
            raise _Over

    def _await_turn(self) -> None:
        """Let the release before end first, where both cannot run at once; it has its grace."""
        for other in self.order["behind"]:
            give_up = time.monotonic() + self.order["grace"] + 35
            while daemon.is_held(f"{other}/{ALIVE}"):
                if time.monotonic() > give_up:
                    _runner(other).send(signal.SIGKILL)
                self._wait(SOON)

    def _prepare(self) -> None:
        """Run what a server needs before its first start, anew if it was cut short."""
        done = f"{self.folder}/prepared"
        if not self.order["prepare"] or os.path.exists(done):  # noqa: PTH110 - a path as text
            return
        self.phase = "preparing"
        self.tell()
        if self.order["wipe"]:
            shutil.rmtree(self.order["wipe"], ignore_errors=True)
        for part in self.order["prepare"]:
            self._run_once(_program(part), part["stdin"])
        replace(done, b"")

    def _run_once(self, program: Program, stdin: str) -> None:
        child = daemon.start(program, f"{self.folder}/main.log", subprocess.PIPE)
        assert child.stdin
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(stdin.encode())
        try:
            while child.poll() is None:
                self._wait(TICK)
        except _Over:
            daemon.end_group(child.pid)
            child.wait()
            raise
        if child.returncode:
            raise IdpError(f"{os.path.basename(program.argv[0])} {_ended(child.returncode)}")  # noqa: PTH119 - a path as text

    def _await_needed(self) -> None:
        """Wait until the servers that the programs need answer."""
        for need in self.order["needs"]:
            while not _answers(need):
                self.why = f"waits for {need['name']}"
                self.tell()
                self._wait(SOON)
        self.why = ""

    def _turn(self) -> None:
        for one in self.ones.values():
            self._look_at(one)
        self.tell()
        due = [one.again for one in self.ones.values() if one.phase == "backoff"]
        waiting = any(one.phase == "waiting" for one in self.ones.values())
        pause = min([TICK, *(max(0.0, at - time.monotonic()) for at in due)])
        with suppress(_Over):
            self._wait(min(pause, SOON) if waiting else pause)

    def _look_at(self, one: One) -> None:
        if one.child and one.child.poll() is not None:
            self._ended(one, one.child)
        elif one.phase == "running" and time.monotonic() - one.began > STEADY:
            one.exits, one.why = 0, ""
        due = one.phase == "backoff" and time.monotonic() >= one.again
        if due or (one.phase == "waiting" and self._may_start(one)):
            self._start(one)
        _turn_over(f"{self.folder}/{one.name}.log")

    def _may_start(self, one: One) -> bool:
        reached = {"started": ("running", "backoff", "done"), "complete": ("done",)}
        return all(self.ones[name].phase in reached[state] for name, state in one.after.items())

    def _start(self, one: One) -> None:
        one.began = time.monotonic()
        try:
            one.child = daemon.start(one.program, f"{self.folder}/{one.name}.log")
            one.phase = "running"
        except IdpError as error:
            self._again(one, error.message)

    def _ended(self, one: One, child: subprocess.Popen[bytes]) -> None:
        daemon.end_group(child.pid)  # what it left behind may hold its port
        one.child = None
        if one.ends and child.returncode == 0:
            one.phase = "done"
            return
        if time.monotonic() - one.began > STEADY:
            one.exits = 0
        self._again(one, _ended(child.returncode))

    def _again(self, one: One, why: str) -> None:
        one.phase, one.why = "backoff", why
        one.exits += 1
        one.again = time.monotonic() + min(2.0 ** (one.exits - 1), LONGEST)

    def tell(self) -> None:
        """Write down how all stands, where it has changed."""
        told = {"pid": self.me.pid, "born": self.me.born, "phase": self.phase, "why": self.why}
        told["programs"] = {name: one.told for name, one in self.ones.items()}
        path = f"{self.folder}/{RUNNER}"
        if told != getattr(self, "told", None):
            self.told = told
            with suppress(OSError, IdpError):  # it is being removed, or the disk is full
                replace(path, json.dumps(told).encode())

    def _stop_all(self) -> None:
        """Ask all to end, and kill what has not when its grace is over."""
        leaders = {one.child.pid for one in self.ones.values() if one.child}
        for leader in leaders:
            daemon.end_group(leader, signal.SIGTERM)
        give_up = time.monotonic() + self.order["grace"]
        while time.monotonic() < give_up and (leaders := self._left(leaders)):
            time.sleep(daemon.LOOK)
        for leader in leaders:
            daemon.end_group(leader)
        for one in self.ones.values():
            if one.child:
                one.child.wait()
                one.child, one.phase = None, "ended"
        from pathlib import Path  # what follows is imported at the end only, where it is needed

        from idp.provider.local import processes

        processes.end(Path(self.folder), 0)

    def _left(self, leaders: set[int]) -> set[int]:
        for one in self.ones.values():
            if one.child:
                one.child.poll()
        return {leader for leader in leaders if daemon.is_group_there(leader)}


class _Over(Exception):
    """It is time to end."""


def _program(part: dict[str, Any]) -> Program:
    return Program(tuple(part["argv"]), part["cwd"], part["env"], part.get("user", ""))


def _ended(code: int) -> str:
    if code >= 0:
        return f"exited {code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def _answers(need: dict[str, Any]) -> bool:
    """Tell whether a server takes connections, and says so itself where it has a file for that."""
    if need["file"]:
        try:
            with open(need["file"], "rb") as file:  # noqa: PTH123 - a path as text
                if need["says"].encode() not in file.read():
                    return False
        except OSError:
            return False
    try:
        with socket.create_connection(("127.0.0.1", need["port"]), timeout=1):
            return True
    except OSError:
        return False


def _runner(folder: str) -> Process:
    told = read_json(f"{folder}/{RUNNER}")
    return Process(int(told.get("pid", 0)), str(told.get("born", "")))


def _turn_over(log: str) -> None:
    """Keep a log small: programs append to it, so it can be copied away and emptied."""
    with suppress(OSError):
        if os.stat(log).st_size > MUCH:  # noqa: PTH116 - a path as text
            shutil.copyfile(log, f"{log}.1")
            os.truncate(log, 0)


def main(folder: str) -> None:
    """Supervise what the order on standard input says, in a folder of its own."""
    order = json.loads(daemon.detach())
    daemon.be_alone(f"{folder}/{ALIVE}")
    runner = Runner(folder, order)
    runner.tell()
    daemon.begun()
    runner.run()


if __name__ == "__main__":
    main(sys.argv[1])
