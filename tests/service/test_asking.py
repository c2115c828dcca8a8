"""At a terminal idp asks, by Copier's own questions; here a pseudo-terminal answers."""

from __future__ import annotations

from pathlib import Path

from .stories import Service, Template
from .terminal import Terminal

QUESTIONS = {
    "copier.yml": "name: str\nport: {type: int, default: 80}\n"
    "kind: {type: str, choices: [web, batch], default: web}\n",
    "a": "1\n",
}


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
