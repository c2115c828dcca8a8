"""What every provider of environments must do: one contract, told of whichever is given.

A module of a provider's tests gives a fixture `world` and a class that inherits `Contract`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from idp.errors import IdpError
from idp.provider.base import Fenced, Observed, Provider, Release
from idp.workload.model import Workload

NAME = "shop-pr-7"
TAGS = {
    "environment": NAME,
    "service": "shop",
    "owner": "team-shop",
    "team": "shop",
    "cost-centre": "4711",
    "author": "dependabot[bot]",
    "repository": "acme/shop",
    "pull": "7",
}
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=72)


class World(Protocol):
    """A provider, with what it runs on and how one waits for it."""

    provider: Provider

    def workload(self) -> Workload:
        """Return one whose service becomes ready."""

    def demanding(self) -> Workload:
        """Return one with a resource whose output a variable of its container holds."""

    def broken(self) -> Workload:
        """Return one whose service does not become ready, and leaves words in its log."""

    def impossible(self) -> Workload:
        """Return one with a resource of type `teapot`, which nobody has."""

    def build(self, release: Release) -> Release:
        """Build a release; return it with its artefact."""

    def until(self, name: str, state: str) -> Observed:
        """Wait until an environment is in a state; fail after a time."""

    def until_gone(self, name: str) -> None:
        """Wait until nothing of an environment is there."""

    def left(self, name: str) -> list[str]:
        """Return whatever is still there of an environment: processes, ports, objects."""


@dataclass(frozen=True)
class Story:
    """Releases, applied one after the other."""

    world: World
    made: list[Release] = field(default_factory=list)

    def release(self, name: str = NAME, **changes: Any) -> Release:
        """Return the next release, built."""
        made = Release(
            id=f"r{len(self.made) + 1:03}",
            environment=name,
            service="shop",
            commit="c" * 40,
            workload=changes.pop("workload", None) or self.world.workload(),
            created_at=NOW,
            expires_at=LATER,
            plan="d" * 64,
            tags={**TAGS, "environment": name},
        )
        built = self.world.build(replace(made, **changes))
        self.made.append(built)
        return built


@pytest.fixture
def story(world: World) -> Story:
    return Story(world)


class Contract:
    """The tests; `world` is the provider's own fixture."""

    def test_a_release_becomes_ready_and_says_all_of_itself(self, story: Story) -> None:
        world, release = story.world, story.release()
        first = world.provider.apply(release, 3)
        assert (first.name, first.release, first.fence) == (NAME, release.id, 3)
        assert first.state in ("starting", "ready")
        seen = world.until(NAME, "ready")
        assert (seen.release, seen.previous, seen.fence) == (release.id, "", 3)
        assert seen.expires_at == LATER
        assert seen.created_at.tzinfo is not None
        assert seen.updated_at >= seen.created_at
        assert TAGS.items() <= seen.tags.items()
        assert seen.url.startswith("http")

    def test_its_tags_are_there_from_the_first_moment(self, story: Story) -> None:
        story.world.provider.apply(story.release(), 1)
        (seen,) = story.world.provider.list({"pull": "7", "repository": "acme/shop"})
        assert TAGS.items() <= seen.tags.items()
        assert seen.expires_at == LATER

    def test_applying_again_changes_nothing(self, story: Story) -> None:
        world, release = story.world, story.release()
        world.provider.apply(release, 1)
        before = world.until(NAME, "ready")
        world.provider.apply(release, 1)
        after = world.until(NAME, "ready")
        assert (after.url, after.release, after.created_at, after.previous) == (
            before.url, before.release, before.created_at, before.previous,
        )  # fmt: skip
        assert len(list(world.provider.list({"environment": NAME}))) == 1

    def test_a_second_release_takes_the_place_of_the_first(self, story: Story) -> None:
        world, first = story.world, story.release()
        world.provider.apply(first, 1)
        before = world.until(NAME, "ready")
        second = story.release(previous=first.id, settings={"LOG_LEVEL": "DEBUG"})
        world.provider.apply(second, 2)
        seen = world.until(NAME, "ready")
        assert (seen.release, seen.previous, seen.fence) == (second.id, first.id, 2)
        assert (seen.url, seen.created_at) == (before.url, before.created_at)

    def test_the_present_and_the_previous_release_are_kept_whole(self, story: Story) -> None:
        world, first = story.world, story.release(settings={"LOG_LEVEL": "DEBUG"})
        world.provider.apply(first, 1)
        world.until(NAME, "ready")
        second = story.release(previous=first.id)
        world.provider.apply(second, 1)
        assert world.provider.stored(NAME, first.id) == first
        assert world.provider.stored(NAME, second.id) == second
        assert world.provider.stored(NAME, "r999") is None
        assert world.provider.stored("nobody", first.id) is None

    def test_the_previous_release_can_be_applied_again(self, story: Story) -> None:
        world, first = story.world, story.release()
        world.provider.apply(first, 1)
        world.until(NAME, "ready")
        world.provider.apply(story.release(previous=first.id, workload=world.broken()), 1)
        world.until(NAME, "failed")
        world.provider.apply(first, 1)
        assert world.until(NAME, "ready").release == first.id

    def test_one_that_fails_says_why(self, story: Story) -> None:
        world = story.world
        world.provider.apply(story.release(workload=world.broken()), 1)
        seen = world.until(NAME, "failed")
        assert seen.reason
        assert seen.log

    def test_resources_reach_the_service(self, story: Story) -> None:
        world = story.world
        world.provider.apply(story.release(workload=world.demanding()), 1)
        assert world.until(NAME, "ready").release == "r001"

    def test_what_it_cannot_supply_is_named_and_nothing_is_left(self, story: Story) -> None:
        world = story.world
        with pytest.raises(IdpError, match="teapot"):
            world.provider.apply(story.release(workload=world.impossible()), 1)
        world.provider.delete(NAME, 1)
        world.until_gone(NAME)
        assert world.left(NAME) == []

    def test_a_lower_fence_is_refused_and_an_equal_one_is_not(self, story: Story) -> None:
        world, release = story.world, story.release()
        world.provider.apply(release, 5)
        world.provider.apply(release, 5)
        with pytest.raises(Fenced):
            world.provider.apply(story.release(), 4)
        with pytest.raises(Fenced):
            world.provider.extend(NAME, LATER, 4)
        with pytest.raises(Fenced):
            world.provider.delete(NAME, 4)
        seen = world.until(NAME, "ready")
        assert (seen.release, seen.fence) == (release.id, 5)

    def test_it_can_live_longer_or_for_good(self, story: Story) -> None:
        world = story.world
        world.provider.apply(story.release(), 1)
        world.until(NAME, "ready")
        world.provider.extend(NAME, LATER + timedelta(hours=24), 2)
        seen = world.provider.observe(NAME)
        assert seen is not None
        assert (seen.expires_at, seen.fence) == (LATER + timedelta(hours=24), 2)
        world.provider.extend(NAME, None, 2)
        assert (world.provider.observe(NAME) or seen).expires_at is None

    def test_deleting_removes_everything_and_may_be_asked_for_twice(self, story: Story) -> None:
        world = story.world
        world.provider.apply(story.release(workload=world.demanding()), 1)
        world.until(NAME, "ready")
        world.provider.delete(NAME, 2)
        seen = world.provider.observe(NAME)
        assert seen is None or seen.state == "stopping"
        world.provider.delete(NAME, 2)
        world.until_gone(NAME)
        assert world.left(NAME) == []
        world.provider.delete(NAME, 2)
        assert list(world.provider.list({"environment": NAME})) == []

    def test_one_that_was_deleted_can_be_made_again(self, story: Story) -> None:
        world, release = story.world, story.release()
        world.provider.apply(release, 7)
        world.provider.delete(NAME, 8)
        world.until_gone(NAME)
        world.provider.apply(release, 1)
        assert world.until(NAME, "ready").fence == 1

    def test_nobody_knows_an_environment_that_was_never_there(self, story: Story) -> None:
        assert story.world.provider.observe("nobody") is None
        story.world.provider.delete("nobody", 1)
        assert list(story.world.provider.list({})) == []

    def test_listing_tells_environments_apart_by_their_tags(self, story: Story) -> None:
        provider = story.world.provider
        provider.apply(story.release(), 1)
        other = {**TAGS, "environment": "shop-pr-8", "pull": "8"}
        provider.apply(story.release("shop-pr-8", tags=other), 1)
        assert [one.name for one in provider.list({"pull": "8"})] == ["shop-pr-8"]
        assert {one.name for one in provider.list({"service": "shop"})} == {NAME, "shop-pr-8"}
        assert list(provider.list({"pull": "9"})) == []
