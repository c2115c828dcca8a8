"""What an entity was in the past, as git has it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.catalog.history import History, at, history, moment
from idp.catalog.index.find import find
from idp.catalog.index.opened import opened
from idp.catalog.ingest import Order, Origin, ingest
from idp.catalog.source.git import GitSource
from idp.catalog.source.grammar import parse_place
from idp.errors import InvalidInput, NotFound, UsageError
from idp.git import clean_env

from ..clock import FakeClock
from ..service.stories import build_tree, git, idp
from .index_stories import component, group, ingested


class Repository:
    """A repository with catalog files, and an index of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = path.parent / "index" / "catalog.db"
        path.mkdir()
        git(path, "init", "--quiet")

    def commit(self, day: str, message: str, files: Mapping[str, str | None]) -> str:
        build_tree(self.path, files)
        git(self.path, "add", "--all")
        time = f"{day}T12:00:00Z"
        dates = {"GIT_COMMITTER_DATE": time, "GIT_AUTHOR_DATE": time}
        git(self.path, "commit", "--quiet", "-m", message, **dates)
        return git(self.path, "rev-parse", "HEAD").strip()

    def history(self, ref: str = "pay") -> History:
        ingested(self.index, [self.path])
        with opened(self.index) as index:
            return history(index, find(index, ref), self.path / "cache", lambda _url: clean_env())

    def told(self, ref: str = "pay") -> list[str]:
        """Return each version as DAY EVENT OWNER, with its changes."""
        return [
            " ".join(
                [
                    str(one.at.date()) if one.commit else "now",
                    one.event,
                    one.owner.removeprefix("group:default/"),
                    *(f"{c.path}:{c.before}->{c.after}" for c in one.changes),
                    *([one.path] if one.event in ("added", "moved") else []),
                    *([one.problem] if one.problem else []),
                ]
            )
            for one in self.history(ref).versions
        ]


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "org")


INFO = "catalog-info.yaml"


def test_each_commit_that_changed_the_entity_is_told_newest_first(repo: Repository) -> None:
    repo.commit("2026-01-05", "begin", {INFO: component("pay", "team-a")})
    repo.commit("2026-02-01", "a remark", {INFO: f"# ours\n{component('pay', 'team-a')}"})
    repo.commit("2026-02-10", "hand over", {INFO: component("pay", "team-b")})
    needs = '["component:a", "component:b"]'
    repo.commit("2026-03-01", "needs", {INFO: component("pay", "team-b", dependsOn=needs)})
    needs = '["component:c", "component:b"]'
    old = component("pay", "team-b", lifecycle="deprecated", dependsOn=needs)
    repo.commit("2026-04-01", "retire", {INFO: old})
    assert repo.told() == [
        "2026-04-01 changed team-b spec.dependsOn:component:a->None"
        " spec.dependsOn:None->component:c spec.lifecycle:production->deprecated",
        "2026-03-01 changed team-b spec.dependsOn:None->component:a"
        " spec.dependsOn:None->component:b",
        "2026-02-10 changed team-b spec.owner:team-a->team-b",
        "2026-01-05 added team-a catalog-info.yaml",
    ]
    newest = repo.history().versions[0]
    assert (newest.author, newest.summary) == ("Pat Tester", "retire")
    assert newest.at == datetime(2026, 4, 1, 12, tzinfo=UTC)


def test_other_entities_of_the_file_have_a_history_of_their_own(repo: Repository) -> None:
    repo.commit("2026-01-01", "one", {INFO: component("pay")})
    repo.commit("2026-01-02", "two", {INFO: f"{component('pay')}---\n{group('team-a')}"})
    assert repo.told("pay") == ["2026-01-01 added team-a catalog-info.yaml"]
    assert repo.told("group:team-a") == ["2026-01-02 added  catalog-info.yaml"]


def test_a_file_is_followed_through_its_former_names(repo: Repository) -> None:
    text = component("pay")
    repo.commit("2026-01-01", "one", {"old.yaml": text, "other": "x"})
    repo.commit("2026-01-02", "two", {"old.yaml": component("pay", "team-b")})
    moved = {"old.yaml": None, f"services/{INFO}": component("pay", "team-b")}
    repo.commit("2026-01-03", "move", moved)
    assert repo.told() == [
        f"2026-01-03 moved team-b services/{INFO}",
        "2026-01-02 changed team-b spec.owner:team-a->team-b",
        "2026-01-01 added team-a old.yaml",
    ]


def test_a_broken_version_in_the_middle_is_told_and_what_was_before_holds_on(
    repo: Repository,
) -> None:
    repo.commit("2026-01-01", "one", {INFO: component("pay")})
    repo.commit("2026-01-02", "oops", {INFO: "kind: [Component\n"})
    repo.commit("2026-01-03", "oops again", {INFO: component("pay", lifecycle="''")})
    repo.commit("2026-01-04", "mend", {INFO: component("pay", "team-b")})
    mended, again, oops, first = repo.told()
    assert mended == "2026-01-04 changed team-b spec.owner:team-a->team-b"
    assert again.startswith("2026-01-03 broken team-a line 7: spec.lifecycle: is empty")
    assert oops.startswith("2026-01-02 broken team-a line 2: not YAML: ")
    assert first == "2026-01-01 added team-a catalog-info.yaml"
    assert at(repo.history(), moment("2026-01-03")).owner == "group:default/team-a"


def test_an_entity_that_was_away_for_a_while(repo: Repository) -> None:
    other = component("shop")
    repo.commit("2026-01-01", "one", {INFO: f"{component('pay')}---\n{other}"})
    repo.commit("2026-01-02", "away", {INFO: other})
    repo.commit("2026-01-03", "back", {INFO: f"{component('pay', 'team-b')}---\n{other}"})
    assert repo.told() == [
        "2026-01-03 added team-b catalog-info.yaml",
        "2026-01-02 removed ",
        "2026-01-01 added team-a catalog-info.yaml",
    ]
    with pytest.raises(NotFound, match="no longer there on 2026-01-02"):
        at(repo.history(), moment("2026-01-02"))


def test_a_merge_counts_from_when_it_came_to_the_branch(repo: Repository) -> None:
    repo.commit("2026-01-01", "one", {INFO: component("pay")})
    git(repo.path, "checkout", "--quiet", "-b", "side")
    repo.commit("2026-02-01", "hand over", {INFO: component("pay", "team-b")})
    git(repo.path, "checkout", "--quiet", "main")
    repo.commit("2026-02-02", "else", {"README.md": "x"})
    dates = {"GIT_COMMITTER_DATE": "2026-04-01T12:00Z", "GIT_AUTHOR_DATE": "2026-04-01T12:00Z"}
    git(repo.path, "merge", "--quiet", "--no-ff", "-m", "merge side", "side", **dates)
    told = repo.history()
    assert at(told, moment("2026-03")).owner == "group:default/team-a"
    assert at(told, moment("2026-04-01")).owner == "group:default/team-b"


def test_who_owned_this_in_march(repo: Repository) -> None:
    repo.commit("2026-02-01", "begin", {INFO: component("pay", "team-a")})
    commit = repo.commit("2026-03-20", "hand over", {INFO: component("pay", "team-b")})
    told = repo.history()
    owners = {
        day: at(told, moment(day)).owner.removeprefix("group:default/")
        for day in ("2026-02", "2026-03-19", "2026-03-20", "2026-03", "2026-03-20T11:59Z", "2026")
    }
    assert owners == {
        "2026-02": "team-a",
        "2026-03-19": "team-a",
        "2026-03-20": "team-b",
        "2026-03": "team-b",
        "2026-03-20T11:59Z": "team-a",
        "2026": "team-b",
    }
    stood = at(told, moment("2026-03"))
    assert (stood.commit, stood.since) == (commit, datetime(2026, 3, 20, 12, tzinfo=UTC))
    assert stood.document["spec"]["owner"] == "team-b"
    with pytest.raises(NotFound, match="not there yet on 2026-01-31"):
        at(told, moment("2026-01"))


def test_what_a_text_included_in_the_past_is_named_and_not_read(repo: Repository) -> None:
    text = (
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: pay}\n"
        "spec: {type: openapi, lifecycle: production, owner: team-a,"
        " definition: {$text: ./A.yaml}}\n"
    )
    repo.commit("2026-01-01", "one", {INFO: text, "A.yaml": "openapi: 3.0.0", "b.yaml": "x"})
    repo.commit("2026-01-02", "two", {INFO: text.replace("A.yaml", "b.yaml")})
    assert repo.told() == [
        "2026-01-02 changed team-a spec.definition:$text: ./A.yaml->$text: ./b.yaml",
        "2026-01-01 added team-a catalog-info.yaml",
    ]
    stood = at(repo.history(), moment("2026-01-01"))
    assert stood.document["spec"]["definition"] == {"$text": "./A.yaml"}


@pytest.mark.parametrize("written", ["march", "2026-13", "2026-02-30", "26-01", "9999", ""])
def test_what_is_no_date_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="is no date"):
        moment(written)


def test_what_is_not_committed_yet_is_told_as_such(repo: Repository) -> None:
    build_tree(repo.path, {INFO: component("pay")})
    os.utime(repo.path / INFO, (1, 1_750_000_000))
    assert repo.told() == ["now added team-a catalog-info.yaml"]
    repo.commit("2026-01-01", "one", {})
    build_tree(repo.path, {INFO: component("pay", "team-b")})
    assert repo.told() == [
        "now changed team-b spec.owner:team-a->team-b",
        "2026-01-01 added team-a catalog-info.yaml",
    ]


def test_a_shallow_clone_says_that_there_may_be_more(repo: Repository, tmp_path: Path) -> None:
    repo.commit("2026-01-01", "one", {INFO: component("pay")})
    repo.commit("2026-01-02", "two", {INFO: component("pay", "team-b")})
    shallow = Repository(tmp_path / "shallow")
    git(shallow.path, "fetch", "--quiet", "--depth=1", f"file://{repo.path}", "main")
    git(shallow.path, "merge", "--quiet", "FETCH_HEAD")
    told = shallow.history()
    assert told.is_shallow
    assert [one.event for one in told.versions] == ["added"]


def test_a_file_outside_git_has_no_history(tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    build_tree(folder, {INFO: component("pay")})
    index = tmp_path / "index" / "catalog.db"
    ingested(index, [folder])
    with opened(index) as held, pytest.raises(InvalidInput, match="in no git work tree"):
        history(held, find(held, "pay"), tmp_path, lambda _url: clean_env())


def test_a_repository_on_a_server_is_read_from_its_mirror(repo: Repository, tmp_path: Path) -> None:
    """And without the server, once the mirror has what was read."""
    repo.commit("2026-01-01", "one", {INFO: component("pay")})
    repo.commit("2026-01-02", "two", {INFO: component("pay", "team-b")})
    place, cache = parse_place(f"file://{repo.path}", base=tmp_path), tmp_path / "cache"
    source = GitSource(place, cache, lambda _url: clean_env(), lambda _host: "")
    ingest(repo.index, [Origin(source, 0)], FakeClock(), Order())
    for folder in ("org", "gone"):
        if folder == "gone":
            repo.path.rename(tmp_path / "gone")
        with opened(repo.index) as held:
            told = history(held, find(held, "pay"), cache, lambda _url: clean_env())
        assert [one.owner for one in told.versions] == [
            "group:default/team-b",
            "group:default/team-a",
        ]


def test_the_command_tells_versions_and_how_it_stood(repo: Repository) -> None:
    repo.commit("2026-02-01", "begin", {INFO: component("pay", "team-a")})
    second = repo.commit("2026-03-20", "hand over", {INFO: component("pay", "team-b")})
    ingested(repo.index, [repo.path])
    told = idp("catalog", "history", "pay", "--index", repo.index)
    assert told.code == 0
    assert told.out.splitlines()[:3] == [
        f"2026-03-20 12:00  {second[:12]}  Pat Tester: hand over",
        "  changed, owner group:default/team-b",
        "    spec.owner: team-a -> team-b",
    ]
    march = idp("catalog", "history", "pay", "--index", repo.index, "--at", "2026-03-01")
    assert march.out.splitlines()[:2] == [
        "component:default/pay on 2026-03-01 23:59 UTC",
        "  owner      group:default/team-a",
    ]
    wanted = ("--json", "--fields", "owner,since")
    as_json = idp("catalog", "history", "pay", "--index", repo.index, "--at", "2026-03", *wanted)
    assert as_json.json == {"owner": "group:default/team-b", "since": "2026-03-20T12:00:00Z"}
    versions = json.loads(idp("catalog", "history", "pay", "--index", repo.index, "--json").out)
    assert [one["event"] for one in versions] == ["changed", "added"]
    assert versions[0]["changes"] == [{"path": "spec.owner", "before": "team-a", "after": "team-b"}]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("nothing",), 3, "no entity 'nothing'"),
        (("pay", "--at", "march"), 2, "'march' is no date"),
        (("pay", "--at", "2025"), 3, "was not there yet on 2025-12-31"),
        (("pay", "--fields", "nonsense"), 2, "no field 'nonsense'"),
    ],
)
def test_what_the_command_refuses(
    repo: Repository, words: tuple[str, ...], code: int, told: str
) -> None:
    repo.commit("2026-02-01", "begin", {INFO: component("pay", "team-a")})
    ingested(repo.index, [repo.path])
    run = idp("catalog", "history", *words, "--index", repo.index)
    assert run.code == code
    assert told in run.err
