"""Building once for each tree, whoever is killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from idp.errors import InvalidInput
from idp.proc import CommandFailed
from idp.provider.base import Release
from idp.provider.document import to_json
from tests.provider.contract import NAME, Story
from tests.provider.local.world import LocalWorld, workload
from tests.provider.waiting import until


def test_a_tree_is_built_once(story: Story, world: LocalWorld, tmp_path: Path) -> None:
    count = tmp_path / "count"
    wanted = workload(build=f"echo once >> {count}; sleep 0.2")
    first = story.release(workload=wanted)
    threads = [threading.Thread(target=world.build, args=(first,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert story.release("other", workload=wanted).artefact == first.artefact
    assert count.read_text() == "once\n"


def test_a_build_that_fails_says_why_and_is_begun_again(
    story: Story, world: LocalWorld, tmp_path: Path
) -> None:
    good = tmp_path / "good"
    wanted = workload(build=f"touch started; echo 'no wheel for left-pad'; test -e {good}")
    with pytest.raises(CommandFailed) as raised:
        story.release(workload=wanted)
    assert "the build failed" in raised.value.message
    assert raised.value.details == ("no wheel for left-pad",)
    good.touch()
    assert story.release(workload=wanted).artefact


def test_it_knows_nothing_of_the_shell_but_where_it_is(story: Story, world: LocalWorld) -> None:
    made = story.release(workload=workload(build="env > told; pwd >> told"))
    told = (world.folder / "artefacts" / made.artefact / "files" / "told").read_text()
    assert "SECRET_OF_THE_SHELL" not in told
    assert f"PATH={os.environ['PATH']}\n" in told
    assert told.endswith(f"{made.artefact}/files\n")


BUILD = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from idp.provider.base import Source
from idp.provider.document import from_json
from idp.provider.local.provider import Local
provider = Local(Path(sys.argv[1]), dict(os.environ), lambda: datetime.now(UTC))
source = Source("e" * 40, "c" * 40, False, lambda folder: (folder / "service.py").touch())
provider.build(from_json(sys.stdin.read()), source, print)
"""


def building(world: LocalWorld, release: Release) -> subprocess.Popen[str]:
    """Build in a process of its own, which can be killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(world.folder)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdin
    process.stdin.write(to_json(release))
    process.stdin.close()
    return process


def killed_midway(story: Story, world: LocalWorld, began: Path) -> Release:
    """Kill a build whose own processes live on."""
    wanted = workload(build=f"touch half; if test ! -e {began}; then touch {began}; sleep 60; fi")
    release = Release("r001", NAME, "shop", "c" * 40, wanted, world.clock.now())
    process = building(world, release)
    until(began.exists, "the build has not begun")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert world.processes(NAME)
    return release


def test_one_that_was_killed_midway_is_begun_again(
    story: Story, world: LocalWorld, tmp_path: Path
) -> None:
    release = killed_midway(story, world, tmp_path / "began")
    built = world.build(release)
    assert world.processes(NAME) == []
    files = world.folder / "artefacts" / built.artefact / "files"
    assert (files / "service.py").stat().st_size > 0
    world.provider.apply(built, 1)
    world.until(NAME, "ready")


def test_deleting_the_environment_ends_its_build(
    story: Story, world: LocalWorld, tmp_path: Path
) -> None:
    killed_midway(story, world, tmp_path / "began")
    world.provider.delete(NAME, 1)
    until(lambda: world.left(NAME) == [], "the build lives on")


def test_what_was_not_built_here_cannot_be_run(story: Story, world: LocalWorld) -> None:
    release = Release("r1", NAME, "shop", "c", workload(), world.clock.now(), artefact="shop/no")
    with pytest.raises(InvalidInput, match="not built here"):
        world.provider.apply(release, 1)
    assert world.left(NAME) == []


@pytest.mark.parametrize("artefact", ["../../etc", "/etc/passwd", "..", "shop/.."])
def test_an_artefact_leads_nowhere_else(story: Story, world: LocalWorld, artefact: str) -> None:
    release = Release("r1", NAME, "shop", "c", workload(), world.clock.now(), artefact=artefact)
    with pytest.raises(InvalidInput, match="nothing that the local provider has built"):
        world.provider.apply(release, 1)


@pytest.mark.parametrize("name", ["", "..", "A", "a/b", "x" * 54, "-a"])
def test_a_name_leads_nowhere_else(story: Story, world: LocalWorld, name: str) -> None:
    with pytest.raises(InvalidInput, match="no name of an environment"):
        story.release(name)
    with pytest.raises(InvalidInput, match="no name of an environment"):
        world.provider.delete(name, 1)
