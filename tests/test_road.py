"""Nothing is changed but by the road, and the road refuses rather than guess."""

from __future__ import annotations

import itertools
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idp.context import Context
from idp.errors import IdpError, Interrupted, Refused, UsageError
from idp.plan import Plan, Risk
from idp.road import Ask, Road

from .roads import Open
from .service.stories import Run, Template, git, idp

RISKY: list[Risk] = ["remote", "destroys"]


@dataclass
class World:
    """A thing to be changed, and who is asked first."""

    head: str = "abc"
    says: bool = True
    asked: list[str] = field(default_factory=list)
    changed: int = 0
    guard: Open = field(default_factory=Open)

    def ask(self, question: str) -> bool:
        self.asked.append(question)
        return self.says

    def observe(self) -> dict[str, str]:
        return {"HEAD": self.head, "something else": "as ever"}

    def apply(self) -> str:
        self.changed += 1
        return "done"

    def take(self, plan: Plan, digest: str = "", ask: Ask | None = None) -> str:
        give: Callable[[], str] = self.apply
        road = Road(ask or self.ask, self.guard)
        return road.carry_out(plan, give, observe=self.observe, digest=digest, proof=str.upper)


def plan(risk: Risk = "local") -> Plan:
    return Plan("deploy", "payments", preconditions={"HEAD": "abc"}, risk=risk)


def test_a_local_plan_is_carried_out_once_and_nobody_is_asked() -> None:
    world = World()
    assert world.take(plan()) == "done"
    assert (world.changed, world.asked) == (1, [])


def test_the_digest_that_was_shown_lets_it_pass() -> None:
    assert World().take(plan(), plan().digest) == "done"


def test_another_digest_is_refused() -> None:
    world = World()
    with pytest.raises(Refused, match="changed since it was shown") as caught:
        world.take(plan("remote"), plan("local").digest)
    assert "--dry-run" in caught.value.hint
    assert (world.changed, world.asked) == (0, [])


def test_a_world_that_has_moved_is_refused_by_name() -> None:
    world = World(head="def")
    with pytest.raises(Refused, match="HEAD changed while deploy was preparing"):
        world.take(plan())
    assert world.changed == 0


def test_a_precondition_nobody_can_observe_is_refused() -> None:
    world = World()
    odd = Plan("deploy", "payments", preconditions={"version": "3"})
    with pytest.raises(Refused, match="version changed"):
        world.take(odd)
    assert world.changed == 0


@pytest.mark.parametrize("risk", RISKY)
def test_a_risky_plan_asks_first(risk: Risk) -> None:
    world = World()
    assert world.take(plan(risk)) == "done"
    assert world.asked == ["deploy payments: go on?"]


@pytest.mark.parametrize("risk", RISKY)
def test_a_no_is_a_no(risk: Risk) -> None:
    world = World(says=False)
    with pytest.raises(Interrupted, match="nothing was changed"):
        world.take(plan(risk))
    assert world.changed == 0


@pytest.mark.parametrize("risk", RISKY)
def test_where_nobody_can_be_asked_the_flag_is_named(risk: Risk) -> None:
    world = World()
    with pytest.raises(UsageError) as caught:
        world.take(plan(risk), ask=Context(no_input=True).ask)
    assert caught.value.hint == "--yes"
    assert world.changed == 0
    assert world.take(plan(risk), ask=Context(no_input=True, yes=True).ask) == "done"


def test_what_changes_while_a_person_thinks_is_noticed() -> None:
    world = World()

    def slow(_question: str) -> bool:
        world.head = "def"
        return True

    with pytest.raises(Refused):
        world.take(plan("remote"), ask=slow)
    assert world.changed == 0


def test_whatever_is_wrong_nothing_is_applied() -> None:
    wrong = itertools.product(("", "another"), ("abc", "def"), (True, False), ("local", *RISKY))
    for digest, head, says, risk in wrong:
        world = World(head=head, says=says)
        fine = not digest and head == "abc" and (says or risk == "local")
        if fine:
            world.take(plan(risk))
        else:
            with pytest.raises(IdpError):
                world.take(plan(risk), digest)
        assert world.changed == fine


def test_what_the_apply_raises_goes_up_as_it_is_and_is_recorded() -> None:
    def broken() -> str:
        raise OSError("disk full")

    guard = Open()
    with pytest.raises(OSError, match="disk full"):
        Road(World().ask, guard).carry_out(plan(), broken, observe=World().observe)
    assert guard.told == ["admitted", "begun", "failed OSError"]


def test_intent_comes_before_the_act_and_the_outcome_with_its_proof_after() -> None:
    world = World()
    world.take(plan())
    assert world.guard.told == ["admitted", "begun", "ended DONE"]


def test_nothing_is_begun_that_is_refused() -> None:
    world = World(head="def")
    with pytest.raises(Refused):
        world.take(plan())
    assert world.guard.told == ["admitted"]


def test_a_dry_run_is_rehearsed() -> None:
    guard = Open()
    Road(World().ask, guard).rehearse(plan())
    assert guard.told == ["rehearsed"]


@pytest.fixture
def push(tmp_path: Path) -> list[str]:
    """The words of a command that is risky: it pushes."""
    template = Template(tmp_path / "golden")
    template.release("v1", {"README.md": "hello\n"})
    git(tmp_path, "init", "--quiet", "--bare", "server.git")
    words = ["create-service", "pay", "--template", template.at("v1"), "--defaults"]
    return [*words, "--dest", str(tmp_path / "pay"), "--remote", str(tmp_path / "server.git")]


def pushed(tmp_path: Path) -> bool:
    return bool(git(tmp_path / "server.git", "for-each-ref").strip())


def test_without_a_terminal_a_push_names_yes(push: list[str], tmp_path: Path) -> None:
    run = idp(*push, "--json")
    assert (run.code, run.error["hint"]) == (2, "--yes")
    assert not pushed(tmp_path)
    assert not (tmp_path / "pay").exists()


def test_yes_answers(push: list[str], tmp_path: Path) -> None:
    assert idp(*push, "--yes").code == 0
    assert pushed(tmp_path)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("yes", 0), ("n", 130), ("", 130)])
def test_at_a_terminal_a_person_is_asked(
    answer: str, code: int, push: list[str], tmp_path: Path
) -> None:
    run = at_a_terminal(push, answer)
    assert "go on? [y/N]" in run.err
    assert run.code == code, run.err
    assert pushed(tmp_path) == (code == 0)
    assert (tmp_path / "pay").exists() == (code == 0)


@pytest.mark.parametrize("flag", ["--no-input"])
def test_no_input_is_as_good_as_no_terminal(flag: str, push: list[str], tmp_path: Path) -> None:
    assert at_a_terminal([*push, flag], "y").code == 2
    assert not pushed(tmp_path)


def at_a_terminal(words: list[str], answer: str) -> Run:
    """Run idp with a terminal for stdin and stderr, and a person who types one line."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    process = subprocess.Popen(
        [sys.executable, "-m", "idp", *words],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    out = process.communicate()[0].decode()
    said = b""
    try:
        while block := os.read(ours, 4096):
            said += block
    except OSError:  # how Linux says that nobody holds the other end any more
        pass
    os.close(ours)
    return Run(process.returncode, out, said.decode())
