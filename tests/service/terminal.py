"""A pseudo-terminal at which idp asks and a test answers."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .stories import clean_env


class Terminal:
    """A program at a terminal; `answer` types when a text has appeared.

    Attributes:
        screen: what came since the last answer; `seen` is all of it.
    """

    def __init__(self, *argv: str | Path) -> None:
        mine, theirs = pty.openpty()
        self.screen, self.seen, self.fd = "", "", mine
        self.process = subprocess.Popen(
            [sys.executable, "-m", "idp", *map(str, argv)],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env=clean_env(TERM="xterm", COLUMNS="80"),
        )  # fmt: skip
        os.close(theirs)

    def answer(self, seen: str, typed: str) -> None:
        self._read_until(lambda: seen in self.screen)
        self.screen = ""
        time.sleep(0.2)  # the prompt is drawn before it listens
        os.write(self.fd, typed.encode())

    def end(self) -> int:
        self._read_until(lambda: self.process.poll() is not None)
        os.close(self.fd)
        return self.process.wait()

    def _read_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not done():
            assert time.monotonic() < deadline, self.screen
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    came = os.read(self.fd, 4096).decode(errors="replace")
                    self.screen += came
                    self.seen += came
                except OSError:  # Linux says so when the other end is closed
                    time.sleep(0.05)
