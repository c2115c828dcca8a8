"""Killed at any moment: after the next idp command it is all old or all new, never half.

The moments are random, spread over the whole run and, more densely, over the time in which the
work tree is written. The seed is printed; IDP_KILL_SEED replays it, IDP_KILL_TRIES asks for more.
"""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Create
from .stories import (
    ANSWERS,
    Service,
    Template,
    difference,
    fingerprint,
    git,
    idp,
    idp_process,
    leftovers,
    numbered,
    settings,
)

SEED = int(os.environ.get("IDP_KILL_SEED") or random.SystemRandom().randrange(10**6))
TRIES = int(os.environ.get("IDP_KILL_TRIES") or 4)
FILES = 130


def story(release: int) -> dict[str, str | None]:
    """Return what a release of many files changes: edits, renames, additions, deletions."""
    body = numbered(20, {2: f"release {release}"})
    files: dict[str, str | None] = {f"src/{n:03}.py": f"# {n}\n{body}" for n in range(FILES)}
    files |= {f"gone/{n}": "x\n" if release == 1 else None for n in range(10)}
    files |= {f"old/{n}": f"{n}\n{numbered(30)}" if release == 1 else None for n in range(10)}
    if release == 2:
        files |= {f"new/{n}": f"{n}\n{numbered(30)}" for n in range(10)}
        files |= {f"fresh/{n}/file": "2\n" for n in range(10)}
    return files


class Crime:
    """A service before and after its update, and a fresh copy for every attempt on it."""

    def __init__(self, pristine: Service, after: dict[str, str], took: float, place: Path) -> None:
        self.old = pristine.fingerprint()
        self.new = after
        self.took = took
        self.random = random.Random(SEED)
        self._pristine = pristine
        self._place = place
        print(f"IDP_KILL_SEED={SEED}")

    def scene(self, number: int) -> Service:
        return self._pristine.copy(self._place / f"try-{number}")


@pytest.fixture
def crime(template: Template, create: Create, tmp_path: Path) -> Crime:
    template.release("v1", story(1))
    template.release("v2", story(2))
    pay = create()
    lines = pay.read("src/007.py").replace("line 15", "ours")
    pay.commit({"src/007.py": lines, "src/008.py": None, "ours": "ours\n"})
    pay.commit({"old/3": pay.read("old/3").replace("line 20", "ours")})
    pay.write({"wip": "staged\n", "notes": "untracked\n"})
    pay.git("add", "wip")
    rehearsal = pay.copy(tmp_path / "rehearsal")
    started = time.monotonic()
    run = idp_process("update-service", rehearsal.path, "--to", "v2", "--json")
    run.communicate()
    assert run.returncode == 0
    return Crime(pay, rehearsal.fingerprint(), time.monotonic() - started, tmp_path / "scenes")


def kill(run: subprocess.Popen[bytes], *, group: bool) -> None:
    """Kill a run, with all its children or leaving them to themselves."""
    if group:
        os.killpg(run.pid, signal.SIGKILL)
    else:
        run.kill()
    run.communicate()


def written(service: Service) -> Callable[[], bool]:
    """Return a test for whether the update has begun to write."""
    watched = [service.path / name for name in ("src/000.py", "gone/0", "old/0", ANSWERS)]
    marks = [path.lstat().st_mtime_ns for path in watched]
    fresh = [service.path / name for name in ("new", "fresh", ".git/index.lock")]

    def begun() -> bool:
        if any(path.exists() for path in fresh):
            return True
        try:
            return [path.lstat().st_mtime_ns for path in watched] != marks
        except FileNotFoundError:
            return True

    return begun


def kill_after(run: subprocess.Popen[bytes], seconds: float, *, group: bool) -> None:
    time.sleep(seconds)
    kill(run, group=group)


def kill_while_writing(
    run: subprocess.Popen[bytes], service: Service, more: float, *, group: bool
) -> None:
    begun = written(service)
    while run.poll() is None and not begun():
        pass
    time.sleep(more)
    kill(run, group=group)


def state(service: Service, crime: Crime) -> str:
    now = service.fingerprint()
    if now == crime.old:
        return "old"
    if now == crime.new:
        return "new"
    from_old, from_new = difference(crime.old, now), difference(crime.new, now)
    return (
        f"half: {len(from_old)} from old, {len(from_new)} from new: {from_old[:5]} {from_new[:5]}"
    )


NEXT: dict[str, tuple[str, ...]] = {
    "status": ("--status",),
    "again": ("--to", "v2"),
    "abort": ("--abort",),
    "dry run": ("--to", "v2", "--dry-run"),
}


@pytest.mark.parametrize("group", [True, False], ids=["all", "leader"])
@pytest.mark.parametrize("when", ["any time", "while writing"])
def test_killed_it_is_old_or_new_after_the_next_command(
    crime: Crime, when: str, group: bool
) -> None:
    for number, then in zip(range(TRIES), itertools.cycle(NEXT), strict=False):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        if when == "any time":
            kill_after(run, crime.random.uniform(0, crime.took * 1.1), group=group)
        else:
            kill_while_writing(run, pay, crime.random.uniform(0, 0.03), group=group)
        after = idp("update-service", pay.path, *NEXT[then], "--json")
        found = state(pay, crime)
        assert found in ("old", "new"), after.everything
        if then == "again":
            assert (after.code, found) == (0, "new"), after.everything
        if then == "status":
            assert after.code == 0, after.everything
        assert leftovers(pay.repo) == []
        assert pay.update("v2").code == 0
        assert state(pay, crime) == "new"


@pytest.mark.parametrize("group", [True, False], ids=["all", "leader"])
def test_abort_after_a_kill_brings_exactly_the_old_back(crime: Crime, group: bool) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        kill_while_writing(run, pay, crime.random.uniform(0, 0.02), group=group)
        was = state(pay, crime)
        idp("update-service", pay.path, "--abort", "--json")
        expected = ("old",) if was.startswith("half") else ("old", "new")
        assert state(pay, crime) in expected, was
        assert leftovers(pay.repo) == []
        assert pay.update("v2").code == 0
        assert state(pay, crime) == "new"


def test_the_recovery_may_be_killed_too(crime: Crime) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        kill_while_writing(run, pay, crime.random.uniform(0, 0.02), group=True)
        for _ in range(3):
            run = idp_process("update-service", pay.path, "--status", "--json")
            kill_after(run, crime.random.uniform(0, crime.took / 2), group=True)
        assert idp("update-service", pay.path, "--status", "--json").code == 0
        assert state(pay, crime) in ("old", "new")
        assert leftovers(pay.repo) == []


def test_work_done_after_a_kill_is_not_lost(crime: Crime) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        kill_while_writing(run, pay, crime.random.uniform(0, 0.02), group=True)
        pay.write({"src/050.py": "written by hand after the crash\n", "later": "later\n"})
        idp("update-service", pay.path, "--status", "--json")
        texts = [
            p.read_bytes() for p in pay.repo.rglob("*") if p.is_file() and p.stat().st_size < 99
        ]
        assert b"written by hand after the crash\n" in texts
        assert pay.read("later") == "later\n"


def test_a_kill_while_a_release_is_rendered_spoils_no_cache(crime: Crime, home: Path) -> None:
    for number in range(TRIES * 2):
        pay = crime.scene(number)
        shutil.rmtree(home / "cache", ignore_errors=True)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        kill_after(run, crime.random.uniform(0.2, 1.1) * crime.took, group=number % 2 == 0)
        assert pay.update("v2").code == 0
        assert state(pay, crime) == "new"
        assert leftovers(pay.repo) == []


def test_terminated_it_is_old_or_new_after_the_next_command(crime: Crime) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        time.sleep(crime.random.uniform(0.2, 1) * crime.took)
        os.kill(run.pid, signal.SIGTERM)
        _, err = run.communicate()
        assert b"Traceback" not in err, err.decode()
        assert idp("update-service", pay.path, "--status", "--json").code == 0
        assert state(pay, crime) in ("old", "new")
        assert leftovers(pay.repo) == []


@pytest.mark.parametrize("reaction", ["reset", "commit", "stash"])
def test_what_people_do_first_after_a_kill_breaks_nothing(crime: Crime, reaction: str) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        kill_while_writing(run, pay, crime.random.uniform(0, 0.02), group=True)
        (pay.path / ".git/index.lock").unlink(missing_ok=True)
        match reaction:
            case "reset":
                pay.git("reset", "--quiet", "--hard")
            case "commit":
                pay.commit(message="whatever is there")
            case _:
                pay.git("stash", "--quiet", "--include-untracked")
        head = pay.head
        status = idp("update-service", pay.path, "--status", "--json")
        assert status.code in (0, 3, 5), status.everything
        assert pay.head == head
        pay.git("fsck", "--strict")
        assert leftovers(pay.repo) == []
        pay.git("reset", "--quiet", "--hard")
        pay.git("clean", "--quiet", "-fd")
        after = pay.update("v2")
        assert after.code in (0, 7), after.everything
        assert pay.answers["_commit"] == "v2"


@pytest.mark.parametrize("group", [True, False], ids=["all", "leader"])
def test_killed_on_the_way_to_a_commit(crime: Crime, group: bool) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        head = pay.head
        run = idp_process("update-service", pay.path, "--to", "v2", "--commit", "--json")
        kill_while_writing(run, pay, crime.random.uniform(0, 0.06), group=group)
        idp("update-service", pay.path, "--status", "--json")
        if pay.head == head:
            assert state(pay, crime) in ("old", "new")
        else:
            assert pay.git("rev-parse", "HEAD~1").strip() == head
            assert pay.status() == {"wip": "A ", "notes": "??"}
            new = {k: v for k, v in crime.new.items() if k.startswith("file ")}
            assert {k: v for k, v in pay.fingerprint().items() if k.startswith("file ")} == new
        assert leftovers(pay.repo) == []


def test_interrupted_it_says_so_and_leaves_the_old(crime: Crime) -> None:
    for number in range(TRIES):
        pay = crime.scene(number)
        run = idp_process("update-service", pay.path, "--to", "v2", "--json")
        time.sleep(crime.random.uniform(0.15, 1) * crime.took)
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate()
        assert b"Traceback" not in err, err.decode()
        found = state(pay, crime)
        if run.returncode == 0:
            assert found == "new"
        else:
            # An interpreter that is still starting up dies of the signal itself.
            assert run.returncode in (130, -signal.SIGINT), err.decode()
            assert found == "old"
        assert leftovers(pay.repo) == []


def test_an_update_with_conflicts_is_all_there_or_not_at_all(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", story(1))
    template.release("v2", story(2))
    pay = create()
    for n in (3, 60, 120):
        text = pay.read(f"src/{n:03}.py").replace("release 1", "ours")
        pay.write({f"src/{n:03}.py": text})
    pay.commit()
    rehearsal = pay.copy(tmp_path / "rehearsal")
    started = time.monotonic()
    assert rehearsal.update("v2").code == 7
    crime = Crime(pay, rehearsal.fingerprint(), time.monotonic() - started, tmp_path / "scenes")
    for number in range(TRIES):
        scene = crime.scene(number)
        run = idp_process("update-service", scene.path, "--to", "v2", "--json")
        kill_while_writing(run, scene, crime.random.uniform(0, 0.03), group=number % 2 == 0)
        idp("update-service", scene.path, "--status", "--json")
        assert state(scene, crime) in ("old", "new")
        assert leftovers(scene.repo) == []


# --- create ------------------------------------------------------------------------------------


def start_create(template: Template, dest: Path, *options: str) -> subprocess.Popen[bytes]:
    return idp_process(
        *("create-service", "pay", "--template", template.at("v1"), "--dest", dest),
        *("--defaults", "--json", *options),
    )


@pytest.mark.parametrize("group", [True, False], ids=["all", "leader"])
def test_a_create_that_is_killed_is_made_by_the_next(
    template: Template, tmp_path: Path, group: bool
) -> None:
    template.release("v1", story(1))
    chance = random.Random(SEED)
    started = time.monotonic()
    run = start_create(template, tmp_path / "model/pay")
    assert (run.communicate(), run.returncode)[1] == 0
    took = time.monotonic() - started
    whole = set(fingerprint(tmp_path / "model/pay")) - {"ref refs/heads/main"}
    for number in range(TRIES):
        dest = tmp_path / f"try-{number}" / "pay"
        dest.parent.mkdir()
        run = start_create(template, dest)
        kill_after(run, chance.uniform(0, took * 1.1), group=group)
        if os.path.lexists(dest):
            assert set(fingerprint(dest)) - {"ref refs/heads/main"} == whole
            continue
        assert all(path.name.startswith(".idp-") for path in dest.parent.iterdir())
        run = start_create(template, dest)
        _, err = run.communicate()
        assert run.returncode == 0, err
        assert [path.name for path in dest.parent.iterdir()] == ["pay"]
        assert set(fingerprint(dest)) - {"ref refs/heads/main"} == whole


def test_a_create_that_is_interrupted_leaves_nothing(template: Template, tmp_path: Path) -> None:
    template.release("v1", story(1))
    chance = random.Random(SEED)
    (tmp_path / "services").mkdir()
    for number in range(TRIES):
        dest = tmp_path / "services" / f"pay-{number}"
        run = start_create(template, dest)
        time.sleep(chance.uniform(0.1, 1.2))
        os.killpg(run.pid, signal.SIGINT)
        _, err = run.communicate()
        assert b"Traceback" not in err, err.decode()
        if run.returncode == 0:
            assert git(dest, "rev-list", "--count", "HEAD").strip() == "1"
        else:
            assert run.returncode in (130, -signal.SIGINT), err.decode()
            assert not os.path.lexists(dest)
        hidden = [p.name for p in (tmp_path / "services").iterdir() if p.name[0] == "."]
        assert hidden == []


@pytest.mark.parametrize("what", ["create", "update"])
def test_an_interrupted_task_takes_its_children_along(
    template: Template, create: Create, tmp_path: Path, what: str
) -> None:
    marker = tmp_path / "task-pid"
    tasks = settings(tasks=[f"echo $$ > {marker}; sleep 600"])
    template.release("v1", {"a": "1\n"} if what == "update" else {"copier.yml": tasks})
    if what == "update":
        pay = create("v1", "--trust")
        template.release("v2", {"a": "2\n", "copier.yml": tasks})
        before = pay.fingerprint()
        run = idp_process("update-service", pay.path, "--to", "v2", "--json", "--trust")
    else:
        run = start_create(template, tmp_path / "services/pay", "--trust")
    while not (marker.exists() and marker.read_text().strip()):
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    os.kill(run.pid, signal.SIGINT)
    run.communicate()
    assert run.returncode == 130
    pid = int(marker.read_text())
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
    if what == "update":
        assert pay.fingerprint() == before
        assert leftovers(pay.repo) == []
    else:
        assert not os.path.lexists(tmp_path / "services/pay")
