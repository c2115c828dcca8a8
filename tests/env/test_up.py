"""From a folder to a URL that answers, and from release to release."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ..service.stories import idp
from .stories import Shop, answer, runs


def test_a_folder_becomes_a_url_that_answers(shop: Shop) -> None:
    told = shop.up()
    assert answer(told["url"]) == (200, "1")
    assert told["name"].startswith("shop-main-")
    assert (told["state"], told["provider"], told["service"]) == ("live", "local", "shop")
    assert (told["owner"], told["team"]) == ("group:default/team-shop", "team-shop")
    [listed] = shop.environments()
    assert listed == told


def test_up_again_brings_changes_at_the_same_url_committed_or_not(shop: Shop) -> None:
    first = shop.up()
    second = shop.changed("2").up()
    assert (second["url"], second["created_at"]) == (first["url"], first["created_at"])
    assert answer(second["url"]) == (200, "2")
    assert second["release"] > first["release"]


def test_a_variable_is_set_over_the_workload_s(shop: Shop) -> None:
    assert answer(shop.up("--set", "VERSION=9")["url"]) == (200, "9")


def test_what_the_provider_does_not_act_on_is_told(shop: Shop) -> None:
    text = (shop.folder / "score.yaml").read_text()
    limits = "    resources: {limits: {memory: 256Mi}}\n    variables"
    (shop.folder / "score.yaml").write_text(text.replace("    variables", limits))
    done = shop.idp("env", "up")
    assert done.code == 0
    assert "local does not act on containers.main.resources.limits" in done.err


def test_a_secret_is_never_set_by_an_argument(shop: Shop) -> None:
    done = shop.idp("env", "up", "--set", "DB_PASSWORD=hunter2hunter2")
    assert done.code == 3
    assert "seems to be a secret" in done.err
    assert "hunter2" not in done.err
    assert shop.environments() == []


def test_a_secret_reaches_the_service_and_no_file(shop: Shop, home: Path) -> None:
    asked = ("secret", "request", "db", "--service", "shop", "--env", "preview")
    command = [sys.executable, "-m", "idp", *asked, "--why", "tests", "--stdin"]
    subprocess.run(command, input=b"canary-7f3a91c2", check=True, capture_output=True)
    text = (shop.folder / "score.yaml").read_text()
    text = text.replace("MANNERS:", "DB: '${resources.db.value}', MANNERS:")
    (shop.folder / "score.yaml").write_text(text + "resources:\n  db: {type: secret}\n")
    told = shop.up()
    assert answer(told["url"], "/env/DB") == (200, "canary-7f3a91c2")
    files = [path for path in (*home.rglob("*"), *shop.folder.rglob("*")) if path.is_file()]
    assert [path for path in files if b"canary-7f3a91c2" in path.read_bytes()] == []


@pytest.mark.parametrize("manners", ["sick", "mute", "nothing"])
def test_a_release_that_fails_leaves_the_one_before_answering(shop: Shop, manners: str) -> None:
    first = shop.up()
    quick = "environments: {health: {deadline: 3}}\n"
    platform = shop.folder.parent / "platform.yaml"
    platform.write_text(f"version: 1\n{quick}")
    shop.changed("2", manners)
    if manners == "nothing":
        (shop.folder / "service.py").write_text("raise SystemExit('no such table: orders')\n")
    done = shop.idp("--platform", platform, "env", "up", "--json")
    assert done.code == 8
    assert "answers again" in done.err
    assert answer(first["url"]) == (200, "1")
    [now] = shop.environments()
    assert (now["state"], now["release"]) == ("live", first["release"])
    if manners == "nothing":
        assert "no such table: orders" in done.err


def test_a_first_release_that_fails_stands_as_failed_for_whoever_looks(shop: Shop) -> None:
    (shop.folder / "service.py").write_text("raise SystemExit('no such table: orders')\n")
    done = shop.idp("env", "up")
    assert done.code == 8
    assert "no release before it" in done.err
    [now] = shop.environments()
    assert now["state"] == "failed"
    assert "no such table" in shop.idp("env", "logs").out


def test_a_build_that_fails_changes_nothing(shop: Shop) -> None:
    first = shop.up()
    done = shop.changed("2", build="echo no compiler here >&2; exit 3").idp("env", "up")
    assert done.code == 6
    assert "no compiler here" in done.err
    assert answer(first["url"]) == (200, "1")
    [now] = shop.environments()
    assert now["state"] == "live"


def test_a_dry_run_makes_nothing(shop: Shop, home: Path) -> None:
    done = shop.idp("env", "up", "--dry-run")
    assert done.code == 0
    assert "would bring up shop-main-" in done.out
    assert shop.environments() == []
    assert json.loads(idp("audit", "log", "--json").out) == []


def test_pull_requests_have_environments_of_their_own(shop: Shop) -> None:
    seven, eight = shop.up("--pr", "7"), shop.up("--pr", "8")
    assert seven["name"] != eight["name"]
    assert seven["url"] != eight["url"]
    assert "-pr-7-" in seven["name"]
    assert json.loads(idp("env", "show", "--pr", "7", "--json").out)["name"] == seven["name"]


def test_what_runs_can_be_looked_at_and_entered(shop: Shop) -> None:
    told = shop.up()
    assert "version 1 listens" in idp("env", "logs", told["name"]).out
    shown = idp("env", "show", told["name"]).out
    assert told["url"] in shown
    assert "team-shop" in shown
    assert idp("env", "open", told["name"]).out.strip() == told["url"]


def test_a_service_lives_on_after_the_command_and_ends_with_down(shop: Shop) -> None:
    told = shop.up()
    process = int(answer(told["url"], "/where")[1])
    assert runs(process)
    done = idp("env", "down", told["name"], "--yes")
    assert done.code == 0, done.err
    assert not runs(process)
    assert shop.environments() == []


def test_down_twice_and_down_of_nothing_say_so(shop: Shop) -> None:
    name = shop.up()["name"]
    assert idp("env", "down", name, "--yes").code == 0
    again = idp("env", "down", name, "--yes")
    assert again.code == 3
    assert f"no environment called '{name}'" in again.err


def test_taking_away_asks_first(shop: Shop) -> None:
    name = shop.up()["name"]
    done = idp("env", "down", name)
    assert done.code == 2
    assert "--yes" in done.err
    assert len(shop.environments()) == 1


def test_every_act_is_in_the_audit_trail(shop: Shop) -> None:
    name = shop.up()["name"]
    idp("env", "down", name, "--yes")
    told = json.loads(idp("audit", "log", "--json").out)
    said = [(one["kind"], one["action"]) for one in told]
    assert said == [
        ("intent", "env up"),
        ("outcome", "env up"),
        ("intent", "env down"),
        ("outcome", "env down"),
    ]


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["--ttl", "soon"], 2, "--ttl 'soon' is no time"),
        (["--pr", "x"], 2, "--pr 'x' is no number"),
        (["--name", "Shop!"], 3, "cannot be an environment's name"),
        (["--provider", "moon"], 3, "no provider called 'moon'"),
        (["--set", "VERSION"], 3, "no NAME=VALUE"),
        (["--ttl", "400d"], 5, "has to end"),
        (["--wait", "a while"], 2, "--wait 'a while' is no time"),
    ],
)
def test_what_cannot_be_is_told(shop: Shop, argv: list[str], code: int, said: str) -> None:
    done = shop.idp("env", "up", *argv)
    assert (done.code, said in done.err) == (code, True), done.err
    assert shop.environments() == []


def test_bots_get_no_environment_where_the_platform_says_so(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "idp-platform.yaml"
    file.write_text("version: 1\nenvironments: {authors: ['dependabot[bot]']}\n")
    done = shop.idp("--platform", file, "env", "up", "--pr", "7", "--author", "dependabot[bot]")
    assert (done.code, "dependabot[bot] gets no environment" in done.err) == (5, True)


def test_a_folder_without_a_workload_is_told(tmp_path: Path) -> None:
    done = idp("-C", tmp_path, "env", "up")
    assert done.code == 3
    assert "no score.yaml" in done.err
