"""Shipping commits to lasting environments, promoting them, and going back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..env.stories import Shop, answer, new_shop
from ..service.stories import Run, git, idp

PLATFORM = """\
version: 1
name: acme
providers:
  here: {kind: local}
environments: {health: {passes: 2, every: 0.1, deadline: 4}}
deploy:
  staging:
    provider: here
    health: {passes: 2, every: 0.1, deadline: 4}
  production:
    provider: here
    after: staging
    strategy: blue-green
    production: true
    health: {passes: 2, every: 0.1, deadline: 4}
"""


class Shipped(Shop):
    """A service whose platform has staging and production."""

    def deploy(self, *argv: str) -> dict[str, Any]:
        done = self.idp("deploy", "--json", *argv)
        assert done.code == 0, done.err
        told: dict[str, Any] = json.loads(done.out)
        return told

    def pushed(self, version: str, manners: str = "") -> str:
        commit = self.committed(version, manners)
        git(self.folder, "push", "--quiet", "origin", "main")
        return commit


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shipped]:
    """Give a service with a remote, on a platform with two targets."""
    file = tmp_path / "idp-platform.yaml"
    file.write_text(PLATFORM)
    monkeypatch.setenv("IDP_PLATFORM", str(file))
    made = new_shop(tmp_path / "shop")
    git(tmp_path, "init", "--quiet", "--bare", "origin.git")
    git(made.folder, "remote", "add", "origin", str(tmp_path / "origin.git"))
    git(made.folder, "push", "--quiet", "origin", "main")
    yield Shipped(made.folder)
    for one in made.environments():
        idp("env", "down", one["name"], "--yes")


def test_a_commit_is_shipped_and_recorded(shop: Shipped) -> None:
    commit = git(shop.folder, "rev-parse", "HEAD").strip()
    told = shop.deploy()
    assert (told["target"], told["outcome"], told["commit"]) == ("staging", "live", commit)
    assert answer(told["url"]) == (200, "1")
    [status] = json.loads(shop.idp("deploy", "status", "--json").out)
    assert status == told


def test_production_gets_the_very_artefact_of_staging(shop: Shipped) -> None:
    staged = shop.deploy()
    shop.pushed("2")
    promoted = shop.deploy("--to", "production")
    assert promoted["artefact"] == staged["artefact"]
    assert promoted["commit"] == staged["commit"]
    assert promoted["production"] is True
    assert answer(promoted["url"]) == (200, "1")


def test_nothing_is_promoted_that_was_never_live(shop: Shipped) -> None:
    done = shop.idp("deploy", "--to", "production")
    assert done.code == 3
    assert "nothing is live on staging" in done.err
    assert "idp deploy --to staging" in done.err


@pytest.mark.parametrize("manners", ["sick", "mute", "sick hangs"])
def test_a_broken_release_goes_back_by_itself(shop: Shipped, manners: str) -> None:
    first = shop.deploy()
    shop.pushed("2", manners)
    done = shop.idp("deploy", "--json")
    assert done.code == 8
    assert "answers again" in done.err
    assert json.loads(done.out)["outcome"] == "rolled_back"
    assert answer(first["url"]) == (200, "1")
    history = json.loads(shop.idp("deploy", "history", "--json").out)
    assert [one["outcome"] for one in history] == ["rolled_back", "live"]


def test_a_release_that_sickens_within_its_gate_goes_back(shop: Shipped, tmp_path: Path) -> None:
    file = tmp_path / "idp-platform.yaml"
    file.write_text(PLATFORM.replace("passes: 2, every: 0.1", "passes: 25, every: 0.1"))
    first = shop.deploy()
    shop.pushed("2", "sickens")
    done = shop.idp("deploy")
    assert done.code == 8
    assert "answers again" in done.err
    assert answer(first["url"]) == (200, "1")


def test_blue_green_keeps_the_old_one_until_the_new_one_is_healthy(shop: Shipped) -> None:
    shop.deploy()
    first = shop.deploy("--to", "production")
    shop.pushed("2")
    shop.deploy()
    second = shop.deploy("--to", "production")
    assert second["url"] == first["url"]
    assert answer(first["url"]) == (200, "2")
    shop.pushed("3", "sick")
    assert shop.idp("deploy").code == 8
    assert (
        shop.idp("deploy", "--to", "production").code == 0
    )  # what is live on staging is version 2
    assert answer(first["url"]) == (200, "2")


def test_a_release_is_brought_back_by_hand(shop: Shipped) -> None:
    first = shop.deploy()
    shop.pushed("2")
    second = shop.deploy()
    assert answer(second["url"]) == (200, "2")
    back = json.loads(shop.idp("rollback", "--json").out)
    assert (back["outcome"], back["commit"]) == ("live", first["commit"])
    assert back["rolled_back_from"] == second["id"]
    assert answer(first["url"]) == (200, "1")
    again = shop.idp("rollback", "--to", second["commit"][:10], "--json")
    assert again.code == 0, again.err
    assert answer(first["url"]) == (200, "2")


def test_there_is_nothing_to_go_back_to_at_first(shop: Shipped) -> None:
    shop.deploy()
    done = shop.idp("rollback")
    assert done.code == 3
    assert "no release before was live" in done.err


def refused(done: Run, *said: str) -> None:
    assert done.code == 5, done.everything
    assert all(words in done.err for words in said), done.err


def test_what_is_not_committed_or_not_pushed_is_not_deployed(shop: Shipped) -> None:
    shop.changed("2")
    refused(shop.idp("deploy"), "there are uncommitted changes", "commit them")
    shop.committed("2")
    refused(shop.idp("deploy"), "is not pushed", "git push")
    git(shop.folder, "push", "--quiet", "origin", "main")
    assert shop.deploy()["outcome"] == "live"


def test_nothing_is_deployed_in_a_freeze(shop: Shipped, tmp_path: Path) -> None:
    frozen = "    freezes: [{begin: 2020-01-01, end: 2199-01-01, why: end of year}]\n"
    file = tmp_path / "idp-platform.yaml"
    file.write_text(PLATFORM.replace("  production:\n", frozen + "  production:\n"))
    refused(shop.idp("deploy"), "frozen until 2199-01-01", "end of year")


def test_a_lasting_environment_is_never_reaped(shop: Shipped) -> None:
    told = shop.deploy()
    assert json.loads(idp("env", "reap", "--yes", "--json").out) == []
    assert answer(told["url"])[0] == 200
    [listed] = shop.environments()
    assert listed["expires_at"] is None


def test_a_dry_run_deploys_nothing(shop: Shipped) -> None:
    done = shop.idp("deploy", "--dry-run")
    assert done.code == 0
    assert "would deploy shop" in done.out
    assert shop.environments() == []
    assert json.loads(shop.idp("deploy", "history", "--json").out) == []
