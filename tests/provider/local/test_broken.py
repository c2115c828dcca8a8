"""Releases that break, each in its own way: the one before goes on answering, or does so again."""

from __future__ import annotations

import httpx
import pytest

from idp.provider.base import Observed, Release
from idp.workload.model import Port, Resource, Workload
from tests.provider.contract import NAME, Story
from tests.provider.local.test_front import begin, running, shown
from tests.provider.local.world import LocalWorld, workload
from tests.provider.waiting import until


def test_one_that_ends_at_its_start_never_gets_a_request(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    world.provider.apply(story.release(workload=world.broken(), previous="r001"), 2)
    seen = world.until(NAME, "failed")
    assert seen.reason == "main exited 3 (3 times)"
    assert seen.log[-1] == "no such table: users"
    assert httpx.get(url).text == "1"
    again(story, world, url)


def again(story: Story, world: LocalWorld, url: str) -> None:
    """Go back to the first release."""
    world.provider.apply(story.made[0], 3)
    assert world.until(NAME, "ready").release == "r001"
    assert httpx.get(url, timeout=20).text == "1"
    until(lambda: len(running(world)) == 1, "the broken one has not ended")


@pytest.mark.parametrize("manners", ["sick", "mute"])
def test_one_that_never_gets_ready_never_gets_a_request(
    story: Story, world: LocalWorld, manners: str
) -> None:
    url = begin(story, world).url
    bad = story.release(settings=shown("2", MANNERS=manners), previous="r001")
    assert world.provider.apply(bad, 2).state == "starting"
    assert httpx.get(url).text == "1"
    until(lambda: len(running(world)) == 2, "it does not run beside")
    assert httpx.get(url).text == "1"
    again(story, world, url)


def test_one_that_sickens_later_is_not_ready_any_more(story: Story, world: LocalWorld) -> None:
    url = begin(story, world).url
    world.provider.apply(story.release(settings=shown("2", MANNERS="sickens")), 2)
    world.until(NAME, "ready")
    seen = world.until(NAME, "starting")
    assert seen.reason == "main: GET /readyz: 500"
    again(story, world, url)


def test_one_that_hangs_on_stop_is_killed(story: Story, world: LocalWorld) -> None:
    begin(story, world)
    world.provider.apply(story.release(settings=shown("2", MANNERS="hangs")), 2)
    world.until(NAME, "ready")
    world.provider.delete(NAME, 3)
    world.until_gone(NAME)
    assert world.left(NAME) == []


def test_one_that_dies_is_started_again(story: Story, world: LocalWorld) -> None:
    world.provider.apply(story.release(settings=shown("1", MANNERS="dies")), 1)
    before = httpx.get(world.until(NAME, "ready").url + "/where").text
    assert "main" in world.until(NAME, "starting").reason
    assert httpx.get(world.until(NAME, "ready").url + "/where", timeout=20).text != before


def test_a_command_that_is_not_there_is_told_at_once(story: Story, world: LocalWorld) -> None:
    world.provider.apply(story.release(workload=workload("unheard-of --port 1")), 1)
    seen = world.until(NAME, "failed")
    assert seen.reason == "main exited 127"
    assert "unheard-of: not found" in seen.log[-1]


def exclusive() -> Workload:
    """Return one of which no two releases can run at once: both would write to its volume."""
    data = Resource("data", "volume")
    return workload(resources=[data], variables={"DATA": "${resources.data.source}"})


def test_where_two_cannot_run_at_once_the_old_one_ends_first(
    story: Story, world: LocalWorld
) -> None:
    def release(version: str) -> Release:
        return story.release(workload=exclusive(), settings=shown(version))

    world.provider.apply(release("1"), 1)
    url = world.until(NAME, "ready").url
    world.provider.apply(release("2"), 2)
    assert httpx.get(url, timeout=20).text in ("1", "2")
    assert world.until(NAME, "ready").release == "r002"
    assert httpx.get(url).text == "2"
    assert len(running(world)) == 1
    again(story, world, url)


def test_a_service_without_ports_is_replaced(story: Story, world: LocalWorld) -> None:
    def release(version: str) -> Release:
        silent = workload(f"echo {version}; exec sleep 600", ports=(), readiness=None)
        return story.release(workload=silent)

    world.provider.apply(release("1"), 1)
    assert world.until(NAME, "ready").url == ""
    world.provider.apply(release("2"), 2)
    seen: Observed = world.until(NAME, "ready")
    assert seen.release == "r002"
    assert list(world.provider.logs(NAME, follow=False, lines=5)) == ["2"]


def test_several_ports_are_each_given_their_own(story: Story, world: LocalWorld) -> None:
    ports = (Port("http", 8080, 8080), Port("admin", 9090, 9090))
    world.provider.apply(story.release(workload=workload(ports=ports)), 1)
    url = world.until(NAME, "ready").url
    main, admin = httpx.get(f"{url}/env/PORT_HTTP").text, httpx.get(f"{url}/env/PORT_ADMIN").text
    assert main == httpx.get(f"{url}/env/PORT").text
    assert admin.isdigit() and admin != main
