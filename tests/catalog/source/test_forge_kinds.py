"""A GitLab group and a Gitea organisation, by the recorded shapes of their documentation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.catalog.source.base import Found, Kept
from idp.catalog.source.forge import ForgeSource
from idp.catalog.source.grammar import parse_place
from idp.errors import InvalidInput

from ...clock import FakeClock
from ...forge.documented import SHA, Documented, documented

FILE = "catalog-info.yaml"
NEXT_DAY = datetime(2026, 11, 24, 9, tzinfo=UTC)


def source(server: Documented, owner: str, base: Path) -> ForgeSource:
    place = parse_place(f"{server.kind}:{owner}@{server.place.host}", base=base)
    return ForgeSource(place, server.forge(), FakeClock(NEXT_DAY))


@pytest.fixture
def gitlab() -> Iterator[Documented]:
    with documented("gitlab") as server:
        server.always("GET /groups/acme%2Fshop", server.shape("group"))
        yield server


@pytest.fixture
def gitea() -> Iterator[Documented]:
    with documented("gitea") as server:
        server.always("GET /orgs/acme", server.shape("organization"))
        yield server


def test_projects_of_subgroups_are_read(gitlab: Documented, tmp_path: Path) -> None:
    name, api = "acme/shop/eu/pay", "/projects/acme%2Fshop%2Feu%2Fpay"
    url = f"https://gitlab.example.com/{name}"
    project = gitlab.shape("project", path_with_namespace=name, web_url=url)
    bare = gitlab.shape("project", default_branch=None, empty_repo=True)
    gitlab.answers("GET /groups/acme%2Fshop/projects", [project, bare])
    gitlab.answers(f"GET {api}/repository/commits/main", gitlab.shape("commit"))
    gitlab.answers(f"GET {api}/repository/tree", gitlab.shape("tree"))
    shop = source(gitlab, "acme/shop", tmp_path)
    [found] = shop.scan({})
    assert isinstance(found, Found)
    assert (found.location, found.repository) == (f"{url}/-/blob/main/{FILE}", url)
    assert (found.path, found.commit) == (FILE, SHA)
    gitlab.answers(f"GET {api}/repository/files/{FILE}/raw", {"kind": "Component"})
    assert shop.read(found) == b'{"kind":"Component"}'
    assert gitlab.asked[-1].query["ref"] == SHA


def test_an_unchanged_project_costs_one_request(gitlab: Documented, tmp_path: Path) -> None:
    """GitLab's listing does not say when a branch moved."""
    api = "/projects/acme%2Fpay"
    gitlab.always("GET /groups/acme%2Fshop/projects", [gitlab.shape("project")])
    gitlab.always(f"GET {api}/repository/commits/main", gitlab.shape("commit"))
    gitlab.answers(f"GET {api}/repository/tree", gitlab.shape("tree"))
    first = source(gitlab, "acme/shop", tmp_path)
    assert len(list(first.scan({}))) == 1
    before = len(gitlab.asked)
    second = source(gitlab, "acme/shop", tmp_path)
    assert list(second.scan(first.state())) == [Kept("https://gitlab.example.com/acme/pay")]
    assert [one.what for one in gitlab.asked[before:]] == [
        "GET /groups/acme%2Fshop",
        "GET /groups/acme%2Fshop/projects",
        f"GET {api}/repository/commits/main",
    ]
    assert second.state() == first.state()


def test_a_location_names_a_page_of_another_project(gitlab: Documented, tmp_path: Path) -> None:
    shop = source(gitlab, "acme/shop", tmp_path)
    url = "https://gitlab.example.com/acme/shop/org/-/blob/main/catalog-info.yaml"
    found = Found(url, FILE, "1", "https://gitlab.example.com/acme/shop/org", SHA)
    api = "/projects/acme%2Fpay/repository"
    gitlab.always(f"GET {api}/commits/v1", gitlab.shape("commit"))
    gitlab.always(f"GET {api}/tree", gitlab.shape("tree"))
    page = "https://gitlab.example.com/acme/pay/-/raw/v1/docs/*.md"
    [named] = shop.target(found, page)
    assert named.location == "https://gitlab.example.com/acme/pay/-/blob/v1/docs/index.md"
    with pytest.raises(InvalidInput, match=r"is on another host, github\.com"):
        list(shop.target(found, "https://github.com/acme/pay/blob/main/catalog-info.yaml"))


def test_an_unchanged_repository_of_gitea_costs_nothing(gitea: Documented, tmp_path: Path) -> None:
    gitea.always("GET /orgs/acme/repos", [gitea.shape("repository")])
    gitea.answers("GET /repos/acme/pay/branches/main", gitea.shape("branch"))
    gitea.answers(f"GET /repos/acme/pay/git/trees/{SHA}", gitea.shape("tree"))
    first = source(gitea, "acme", tmp_path)
    [found] = first.scan({})
    assert isinstance(found, Found)
    assert found.location == f"https://gitea.example.com/acme/pay/src/branch/main/{FILE}"
    second = source(gitea, "acme", tmp_path)
    assert list(second.scan(first.state())) == [Kept("https://gitea.example.com/acme/pay")]


def test_a_mirror_s_time_says_nothing(gitea: Documented, tmp_path: Path) -> None:
    """It is that of its newest commit, wherever the branch is."""
    gitea.always("GET /orgs/acme/repos", [gitea.shape("repository", mirror=True)])
    gitea.always("GET /repos/acme/pay/branches/main", gitea.shape("branch"))
    gitea.answers(f"GET /repos/acme/pay/git/trees/{SHA}", gitea.shape("tree"))
    first = source(gitea, "acme", tmp_path)
    assert len(list(first.scan({}))) == 1
    asked = len(gitea.asked)
    [kept] = source(gitea, "acme", tmp_path).scan(first.state())
    assert isinstance(kept, Kept)
    assert "GET /repos/acme/pay/branches/main" in [one.what for one in gitea.asked[asked:]]
