"""At a terminal idp asks, by Copier's own questions; here a pseudo-terminal answers."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from .stories import Service, Template, clean_env

QUESTIONS = {
    "copier.yml": "name: str\nport: {type: int, default: 80}\n"
    "kind: {type: str, choices: [web, batch], default: web}\n",
    "a": "1\n",
}


class Terminal:
    """A program at a terminal; `answer` types when a text has appeared."""

    def __init__(self, *argv: str | Path) -> None:
        mine, theirs = pty.openpty()
        self.screen, self.fd = "", mine
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
                    self.screen += os.read(self.fd, 4096).decode(errors="replace")
                except OSError:  # Linux says so when the other end is closed
                    time.sleep(0.05)


def test_what_is_not_answered_is_asked(template: Template, tmp_path: Path) -> None:
    template.release("v1", QUESTIONS)
    pay = Service(tmp_path / "pay")
    run = Terminal("create-service", "pay", "--template", template.path, "--dest", pay.path)
    run.answer("port", "\x7f\x7f8080\r")
    run.answer("kind", "\x1b[B\r")
    assert run.end() == 0, run.screen
    assert "port: 8080" in pay.read(".copier-answers.yml")
    assert "kind: batch" in pay.read(".copier-answers.yml")


def test_an_update_asks_only_what_is_new(template: Template, tmp_path: Path) -> None:
    template.release("v1", QUESTIONS)
    pay = Service(tmp_path / "pay")
    made = ("create-service", "pay", "--template", template.path, "--dest", pay.path, "--defaults")
    assert Terminal(*made).end() == 0
    more = {"copier.yml": QUESTIONS["copier.yml"] + "zone: {type: str, default: north}\n"}
    template.release("v2", more)
    run = Terminal("update-service", pay.path)
    run.answer("zone", "\r")
    assert run.end() == 0, run.screen
    assert "port" not in run.screen
    assert "zone: north" in pay.read(".copier-answers.yml")


def test_ctrl_c_at_a_question_leaves_nothing(template: Template, tmp_path: Path) -> None:
    template.release("v1", QUESTIONS)
    place = tmp_path / "services"
    place.mkdir()
    run = Terminal("create-service", "p", "--template", template.path, "--dest", place / "p")
    run.answer("port", "\x03")
    assert run.end() == 130
    assert list(place.iterdir()) == []
