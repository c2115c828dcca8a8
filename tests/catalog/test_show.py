"""`idp catalog show`: one screen that answers "who do I ask?"."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from ..service.stories import Run, idp
from .index_stories import ingested, written
from .org_stories import entity, group, org, service, user


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return org(tmp_path)


def show(index: Path, *words: str) -> Run:
    return idp("catalog", "show", *words, "--index", index)


def told(index: Path, ref: str) -> dict[str, Any]:
    return show(index, ref, "--json").json


def test_a_component_tells_whom_to_ask(index: Path) -> None:
    found = told(index, "payments")
    team = found["team"]
    assert (team["name"], team["parents"]) == ("Team Pay", ["group:default/shop"])
    assert [one["name"] for one in team["members"]] == ["Ann", "Bob"]
    assert [(one["name"], one["email"]) for one in team["leads"]] == [("Ann", "ann@example.com")]
    assert [(one["kind"], one["address"]) for one in found["contacts"]] == [
        ("chat", "#pay"),
        ("email", "pay@example.com"),
    ]
    assert [(one["what"], one["id"], one["of"]) for one in found["on_call"]] == [
        ("service", "PSERVICE", "component:default/payments"),
        ("team", "PTEAM", "group:default/team-pay"),
    ]
    assert (found["system"], found["domain"]) == (
        "system:default/checkout",
        "domain:default/commerce",
    )


def test_it_tells_what_to_read_and_where_it_comes_from(index: Path) -> None:
    found = told(index, "payments")
    assert [(one["kind"], one["place"]) for one in found["documents"]] == [
        ("docs", "dir:."),
        ("adr", "payments/docs/adr/0001-postgres.md"),
        ("runbook", "payments/docs/runbooks/refused-cards.md"),
        ("runbook", "https://wiki.example.com/run/payments"),
    ]
    assert found["repository"] == "https://github.com/acme/payments"
    assert (found["template"], found["release"]) == ("python-api", "1.2.0")
    assert found["compliance"] == [
        {"name": "compliance", "value": "sox"},
        {"name": "tag", "value": "pci"},
    ]


def test_relations_are_told_both_ways_and_what_is_missing_is_marked(index: Path) -> None:
    found = {one["relation"]: one["entities"] for one in told(index, "payments")["related"]}
    needs = [(one["ref"], one["missing"]) for one in found["dependsOn"]]
    assert needs == [("component:default/retired-tax", True), ("resource:default/ledger", False)]
    needed_by = [one["ref"] for one in found["dependencyOf"]]
    assert needed_by == ["component:default/basket", "component:default/newsletter"]
    assert "component:retired-tax (missing)" in show(index, "payments").out


def test_an_integration_key_is_printed_nowhere(index: Path) -> None:
    for words in ([], ["--json"], ["--offline"]):
        assert "e6b688b19277fae59c9a8c15edb23ade" not in show(index, "payments", *words).out


def test_a_group_tells_its_people_its_teams_and_what_it_owns(index: Path) -> None:
    out = show(index, "team-pay").out
    assert re.search(r"lead +Ann <ann@example.com>", out)
    assert re.search(r"component 3 +component:mail, component:payments, component:refunds", out)
    assert re.search(r"sub-teams 2 +group:team-cart, group:team-pay", show(index, "shop").out)


@pytest.mark.parametrize("ref", ["ann", "checkout", "ledger", "commerce", "payments-api", "shop"])
def test_every_kind_has_a_screen(index: Path, ref: str) -> None:
    run = show(index, ref)
    assert (run.code, run.err) == (0, "")
    assert ref in run.out.splitlines()[0]
    assert json.loads(show(index, ref, "--json").out)["name"] == ref


def test_a_lead_is_told_only_where_something_says_so(tmp_path: Path) -> None:
    by_annotation = entity("Group", "one", annotations={"example.com/tech-lead": "user:eve, fay"})
    people = [user("eve", "one"), user("gil", "two"), user("hal", "two")]
    teams = "---\n".join([by_annotation, group("two"), *people])
    index = org(tmp_path, more=teams)
    leads = [(one["ref"], one["missing"]) for one in told(index, "group:one")["team"]["leads"]]
    assert leads == [("user:default/eve", False), ("user:default/fay", True)]
    assert [one["name"] for one in told(index, "team-cart")["team"]["leads"]] == ["Cy"], "by role"
    assert told(index, "group:two")["team"]["leads"] == []
    assert re.search("lead +the catalog does not say", show(index, "group:two").out)


def test_an_owner_that_nobody_has_is_told(tmp_path: Path) -> None:
    index = org(tmp_path)
    assert re.search(r"owner +group:team-gone \(missing\)", show(index, "newsletter").out)
    assert told(index, "newsletter")["team"]["missing"]


def test_many_dependants_are_counted_and_a_few_named(tmp_path: Path) -> None:
    many = "---\n".join(service(f"user-{number:02}", "ledger-reader") for number in range(30))
    index = org(tmp_path, many=many, reader=service("ledger-reader"))
    out = show(index, "ledger-reader").out
    assert re.search(r"needed by 30 +component:user-00", out)
    assert re.search(r"and\s+22\s+more", out) and "user-08" not in out
    listed = told(index, "ledger-reader")["related"]
    assert len(next(one for one in listed if one["relation"] == "dependencyOf")["entities"]) == 30


def test_the_files_last_commit_says_how_fresh_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = org(tmp_path)
    assert told(index, "payments")["read"]["changed_at"] is None
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2026-03-01T12:00:00Z")
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run(["git", "-C", tmp_path / "org", *words], check=True)
    assert told(index, "payments")["read"]["changed_at"] == "2026-03-01T12:00:00Z"
    assert "(2026-03-01)" in show(index, "payments").out


def test_problems_of_its_file_are_told(tmp_path: Path) -> None:
    bad = "---\n".join([service("good"), service("bad").replace('"lifecycle"', '"lifecyle"')])
    index = org(tmp_path, bad=bad)
    (problem,) = told(index, "good")["problems"]
    assert problem["hint"] == "did you mean lifecycle?"
    assert "1 problem of its file" in show(index, "good").out


def test_an_orphan_is_told(tmp_path: Path) -> None:
    index = org(tmp_path)
    written(tmp_path / "org", {"payments/catalog-info.yaml": None})
    ingested(index, [tmp_path / "org"])
    since = told(index, "payments")["read"]["orphaned_at"][:10]
    assert f"orphan: no source has it since {since}" in show(index, "payments").out


def test_other_peoples_words_cannot_drive_the_terminal(tmp_path: Path) -> None:
    nasty = entity("Component", "nasty", description="red \x1b[31m\nalert \x07" + "word " * 200)
    out = show(org(tmp_path, nasty=nasty), "nasty").out
    assert "\x1b" not in out and "\x07" not in out
    assert "red \\x1b[31m alert" in out
    assert len(re.findall("word", out)) < 90


def test_nobody_is_asked_offline(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGERDUTY_TOKEN", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert [
        one["asked"] for one in show(index, "payments", "--json", "--offline").json["on_call"]
    ] == ["", ""]
    asked = told(index, "payments")["on_call"][0]["asked"]
    assert asked.startswith("could not be asked: cannot reach api.pagerduty.com")


def test_a_name_that_is_not_there_is_not_found(index: Path) -> None:
    run = show(index, "paymens", "--json")
    assert (run.code, run.error["code"]) == (3, "not_found")


@pytest.mark.parametrize("width", [60, 80, 140])
@pytest.mark.parametrize("ref", ["payments", "team-pay"])
def test_its_screen(
    index: Path, ref: str, width: int, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = show(index, ref, "--offline").out
    steady = re.sub(r"(\n  source +)\S+", r"\1/org", out)
    assert max(len(line) for line in steady.splitlines() if "://" not in line) <= width
    steady = re.sub(r"(fresh +).*(?:\n +ago.*)?", r"\1…", steady)
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    snapshot.assert_match(steady, f"show-{ref}-{width}.txt")


def test_colours_change_no_word(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = show(index, "payments").out
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    coloured = show(index, "payments").out
    assert "\x1b[1m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain
