"""Whatever is killed, whenever: looking tells the truth, applying mends, deleting ends it all."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest

from idp import daemon
from idp.errors import IdpError
from idp.provider.base import Release
from idp.provider.local import looking, state
from idp.workload.model import Resource
from tests.provider.contract import NAME, Story
from tests.provider.local.test_front import begin, running, shown
from tests.provider.local.world import LocalWorld, listens, workload
from tests.provider.waiting import until

DATABASE = Resource("db", "postgres")


def killed(world: LocalWorld, words: str) -> None:
    """Kill the processes of the environment whose command line has these words."""
    found = [one for one in world.processes(NAME) if words in " ".join(one.cmdline())]
    assert found, f"nothing runs {words}"
    for one in found:
        one.kill()
    until(lambda: not any(_runs(one) for one in found), "it lives on")


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(world: LocalWorld, ports: set[int]) -> None:
    world.provider.delete(NAME, 99)
    world.until_gone(NAME)
    assert world.left(NAME) == []
    assert not any(listens(port) for port in ports)


def ports_of(world: LocalWorld) -> set[int]:
    kept = state.read(world.folder / "environments" / NAME)
    assert kept
    return {kept.port, *(port for unit in kept.units.values() for port in unit.ports)}


@pytest.mark.parametrize(
    ("what", "reason"),
    [("local.runner", "its supervisor was killed"), ("local.front", "its front is gone")],
)
def test_what_is_killed_is_told_and_mended(
    story: Story, world: LocalWorld, what: str, reason: str
) -> None:
    url = begin(story, world).url
    killed(world, what)
    seen = world.until(NAME, "failed")
    assert seen.reason == reason
    assert [one.state for one in world.provider.list({})] == ["failed"]
    world.provider.apply(story.made[0], 2)
    seen = world.until(NAME, "ready")
    assert (seen.url, httpx.get(url).text) == (url, "1")
    assert len(running(world)) == 1
    gone(world, ports_of(world))


def test_a_killed_service_is_started_again(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    killed(world, "service.py")
    assert httpx.get(url, timeout=20).text == "1"
    world.until(NAME, "ready")


def test_all_at_once_is_mended_too(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    for one in world.processes(NAME):
        one.kill()
    world.until(NAME, "failed")
    world.provider.apply(story.made[0], 2)
    world.until(NAME, "ready")
    assert httpx.get(url).text == "1"


def test_what_left_its_session_and_ignores_its_end_is_found(
    story: Story, world: LocalWorld
) -> None:
    world.provider.apply(story.release(settings=shown("1", MANNERS="spawns hangs")), 1)
    world.until(NAME, "ready")
    ports = ports_of(world)
    killed(world, "local.runner")
    gone(world, ports)


def test_what_left_its_session_ends_with_its_release(story: Story, world: LocalWorld) -> None:
    world.provider.apply(story.release(settings=shown("1", MANNERS="spawns")), 1)
    world.until(NAME, "ready")
    assert len(running(world)) == 2
    world.provider.apply(story.release(settings=shown("2")), 2)
    world.until(NAME, "ready")
    until(lambda: len(running(world)) == 1, "it lives on")


def test_a_removal_that_was_killed_is_told_and_begun_again(story: Story, world: LocalWorld) -> None:
    world.provider.apply(story.release(settings=shown("1", MANNERS="hangs")), 1)
    world.until(NAME, "ready")
    ports = ports_of(world)
    world.provider.delete(NAME, 2)
    for one in psutil.process_iter(["cmdline"]):
        if {"idp.provider.local.removal", str(world.folder)} <= set(one.info["cmdline"] or ()):
            one.kill()
    until(lambda: not looking.is_alive(world.folder / "environments" / NAME / "removing"), "lives")
    seen = world.provider.observe(NAME)
    assert seen is not None
    assert (seen.state, seen.reason) == ("stopping", "its removal was cut short: begin it again")
    gone(world, ports)


def test_applying_to_what_is_being_removed_makes_it_anew(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    before = running(world)
    world.provider.delete(NAME, 2)
    world.provider.apply(story.made[0], 3)
    seen = world.until(NAME, "ready")
    assert httpx.get(seen.url or url).text == "1"
    assert not {one.pid for one in before} & {one.pid for one in running(world)}


def test_a_pid_that_another_process_has_by_now_is_left_alone(
    story: Story, world: LocalWorld
) -> None:
    begin(story, world)
    killed(world, "local.runner")
    place = world.folder / "environments" / NAME / "units" / "r001" / state.RUNNER
    with subprocess.Popen(["sleep", "60"]) as other:
        told = state.read_json(place) | {"pid": other.pid}
        state.replace(place, str(told).replace("'", '"').encode())
        world.provider.apply(story.made[0], 2)
        world.until(NAME, "ready")
        gone(world, set())
        assert other.poll() is None
        other.kill()


def test_after_the_machine_was_started_anew_it_is_stopped(story: Story, world: LocalWorld) -> None:
    begin(story, world)
    killed(world, "local.")
    place = world.folder / "environments" / NAME / "units" / "r001" / state.RUNNER
    text = place.read_text().replace(daemon.boot(), "former00")
    place.write_text(text)
    for one in world.processes(NAME):
        one.kill()
    assert world.until(NAME, "stopped").reason == "this machine was started anew since"
    world.provider.apply(story.made[0], 2)
    world.until(NAME, "ready")


def test_a_port_that_another_program_took_meanwhile_is_drawn_anew(
    story: Story, world: LocalWorld
) -> None:
    url = begin(story, world).url
    killed(world, "local.front")
    with socket.create_server(("127.0.0.1", httpx.URL(url).port or 0)):
        world.provider.apply(story.made[0], 2)
        seen = world.until(NAME, "ready")
        assert seen.url != url
        assert httpx.get(seen.url).text == "1"


def test_two_who_apply_at_once_take_turns(story: Story, world: LocalWorld) -> None:
    releases = [story.release(settings=shown(str(n))) for n in range(1, 5)]
    threads = [threading.Thread(target=world.provider.apply, args=(one, 1)) for one in releases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = world.until(NAME, "ready")
    number = str(int(seen.release[1:]))
    assert httpx.get(seen.url).text == number
    until(lambda: len(running(world)) == 1, "another runs too")


APPLY = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from idp.provider.document import from_json
from idp.provider.local.provider import Local
provider = Local(Path(sys.argv[1]), dict(os.environ), lambda: datetime.now(UTC))
provider.apply(from_json(sys.stdin.read()), 1)
"""


def applying(world: LocalWorld, release: Release) -> subprocess.Popen[str]:
    """Apply a release in a process of its own, which can be killed."""
    from idp.provider.document import to_json

    process = subprocess.Popen(
        [sys.executable, "-c", APPLY, str(world.folder)],
        stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(to_json(release))
    process.stdin.close()
    return process


@pytest.mark.parametrize("seed", range(8))
def test_killed_at_random_nothing_is_left(story: Story, world: LocalWorld, seed: int) -> None:
    chance = random.Random(seed)
    for turn in range(6):
        manners = chance.choice(["", "spawns", "hangs", "dies"])
        wanted = workload(resources=[DATABASE] if chance.random() < 0.2 else [])
        strategy = chance.choice(["rolling", "blue-green"])
        release = story.release(
            workload=wanted, settings=shown(str(turn), MANNERS=manners), strategy=strategy
        )
        process = applying(world, release)
        try:
            process.wait(timeout=chance.random() * 0.8)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        alive = world.processes(NAME)
        for one in chance.sample(alive, min(len(alive), chance.randint(0, 2))):
            one.kill() if _runs(one) else None
        world.provider.observe(NAME)
        list(world.provider.list({}))
    last = replace(story.release(settings=shown("9")), strategy="rolling")
    world.provider.apply(last, 2)
    seen = world.until(NAME, "ready")
    assert httpx.get(seen.url, timeout=20).text == "9"
    outside = Path(state.read(world.folder / "environments" / NAME).outside)  # type: ignore[union-attr]
    gone(world, ports_of(world))
    assert not outside.exists()


def test_a_service_knows_nothing_of_the_shell(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    assert httpx.get(f"{url}/env/SECRET_OF_THE_SHELL").text == "-"
    assert httpx.get(f"{url}/env/IDP_ENVIRONMENT").text == NAME
    assert httpx.get(f"{url}/env/PATH").text == os.environ["PATH"]


def test_hanging_up_the_terminal_ends_nothing(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    for one in world.processes(NAME):
        if "idp.provider" in " ".join(one.cmdline()):
            one.send_signal(signal.SIGHUP)
            one.send_signal(signal.SIGINT)
    assert httpx.get(url).text == "1"
    assert world.until(NAME, "ready").release == "r001"


def test_a_damaged_file_is_told_and_does_not_keep_it_alive(story: Story, world: LocalWorld) -> None:
    begin(story, world)
    ports = ports_of(world)
    (world.folder / "environments" / NAME / state.FILE).write_text("{")
    with pytest.raises(IdpError, match="is damaged"):
        world.provider.observe(NAME)
    gone(world, ports)
