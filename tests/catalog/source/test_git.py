"""Catalog files in a repository on a server: here a bare one that is reached by file://."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from idp.catalog.evidence import ANSWERS
from idp.catalog.source.base import Found, Kept, State
from idp.catalog.source.git import GitSource
from idp.catalog.source.grammar import parse_place
from idp.catalog.source.mirror import Mirror
from idp.errors import IdpError, InvalidInput, NotFound, RemoteFailed
from idp.git import clean_env

from ...service.stories import Content, build_tree, commit_all, git

FILES: Mapping[str, Content] = {
    "catalog-info.yaml": "root",
    "README.md": "# All",
    "teams/catalog-info.yml": "teams",
    "services/pay/catalog-info.yaml": "pay",
    "services/pay/docs/adr/0001-x.md": "# X",
    f"services/pay/{ANSWERS}": "_commit: v1",
    "services/pay/openapi.yaml": "openapi: 3.0.0",
    "services/pay/node_modules/x/catalog-info.yaml": "not ours",
}


class Server:
    """A bare repository, and a clone in which its team works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.bare = folder / "org.git"
        self.url = f"file://{self.bare}"
        git(folder, "init", "--quiet", "--bare", str(self.bare))
        git(folder, "clone", "--quiet", self.url, str(self.work))

    def commit(self, files: Mapping[str, Content], branch: str = "main") -> str:
        build_tree(self.work, files)
        commit = commit_all(self.work, "a change")
        git(self.work, "push", "--quiet", "origin", f"HEAD:{branch}")
        return commit

    def source(self, more: str = "", files: tuple[str, ...] = ()) -> GitSource:
        place = parse_place(f"{self.url}{more}", files, base=self.folder)
        return GitSource(place, self.folder / "cache", lambda _url: clean_env(), lambda _host: "")

    def found(self, source: GitSource, state: State | None = None) -> dict[str, Found]:
        told = list(source.scan(state or {}))
        return {one.path: one for one in told if isinstance(one, Found)}


@pytest.fixture
def server(tmp_path: Path) -> Server:
    server = Server(tmp_path)
    server.commit(FILES)
    return server


def test_all_is_said_of_each_catalog_file_without_a_checkout(server: Server) -> None:
    source = server.source()
    found = server.found(source)
    assert set(found) == {
        "catalog-info.yaml",
        "teams/catalog-info.yml",
        "services/pay/catalog-info.yaml",
    }
    pay = found["services/pay/catalog-info.yaml"]
    assert pay.location == f"git:{server.url}#services/pay/catalog-info.yaml"
    assert (pay.repository, pay.local) == (server.url, None)
    assert pay.commit == git(server.work, "rev-parse", "HEAD").strip()
    assert pay.beside == (ANSWERS, "docs/adr/0001-x.md", "openapi.yaml")
    assert found["catalog-info.yaml"].beside == ("README.md",)
    assert pay.blobs["services/pay/openapi.yaml"]
    assert {path: source.read(one) for path, one in found.items()} == {
        "catalog-info.yaml": b"root",
        "teams/catalog-info.yml": b"teams",
        "services/pay/catalog-info.yaml": b"pay",
    }
    assert source.read(pay, "services/pay/openapi.yaml") == b"openapi: 3.0.0"
    assert source.read(pay, f"services/pay/{ANSWERS}") == b"_commit: v1"
    with pytest.raises(NotFound, match="no file"):
        source.read(pay, "services/pay/nothing.yaml")


def test_a_commit_that_was_read_is_not_listed_again(server: Server) -> None:
    source = server.source()
    server.found(source)
    again = server.source()
    assert list(again.scan(source.state())) == [Kept(server.url)]
    assert again.state() == source.state()
    other = server.source(files=("*.yaml",))
    assert set(server.found(other, source.state())) == {"catalog-info.yaml"}


def test_only_what_changed_has_another_stamp(server: Server) -> None:
    source = server.source()
    before = server.found(source)
    server.commit({"teams/catalog-info.yml": "more", f"services/pay/{ANSWERS}": "_commit: v2"})
    after = server.found(server.source(), source.state())
    assert {path for path in before if before[path].stamp != after[path].stamp} == {
        "teams/catalog-info.yml",
        "services/pay/catalog-info.yaml",
    }


def test_a_branch_a_tag_a_commit_and_a_subfolder(server: Server) -> None:
    first = git(server.work, "rev-parse", "HEAD").strip()
    git(server.work, "tag", "--annotate", "-m", "one", "v1")
    git(server.work, "push", "--quiet", "origin", "v1")
    server.commit({"catalog-info.yaml": "side"}, branch="side")
    server.commit({"catalog-info.yaml": "newest"})
    for ref, content in {"side": b"side", "v1": b"root", first: b"root", "": b"newest"}.items():
        source = server.source(f"@{ref}" if ref else "")
        found = server.found(source)
        assert source.read(found["catalog-info.yaml"]) == content
    assert set(server.found(server.source("@v1#services"))) == {"services/pay/catalog-info.yaml"}
    with pytest.raises(NotFound, match="no branch or tag 'nothing'"):
        server.found(server.source("@nothing"))
    with pytest.raises(NotFound, match="no folder elsewhere"):
        server.found(server.source("#elsewhere"))


def test_a_branch_that_was_rewritten_is_read_as_it_is_now(server: Server) -> None:
    source = server.source()
    server.found(source)
    git(server.work, "checkout", "--quiet", "--orphan", "anew")
    build_tree(server.work, {"catalog-info.yaml": "anew"})
    commit_all(server.work, "anew")
    git(server.work, "push", "--quiet", "--force", "origin", "HEAD:main")
    source = server.source()
    found = server.found(source)
    assert source.read(found["catalog-info.yaml"]) == b"anew"


def test_what_a_killed_fetch_left_is_mended(server: Server) -> None:
    source = server.source()
    server.found(source)
    commit = server.commit({"catalog-info.yaml": "newer"})
    (mirror,) = (server.folder / "cache" / "catalog").glob("*.git")
    (ref,) = mirror.glob("refs/idp/*")
    ref.with_name(f"{ref.name}.lock").touch()
    (mirror / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")
    found = server.found(server.source(), source.state())
    assert {one.commit for one in found.values()} == {commit}
    assert not list(mirror.glob("objects/pack/tmp_*"))


@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("./openapi.yaml", ["services/pay/openapi.yaml"]),
        ("../../teams/*.yml", ["teams/catalog-info.yml"]),
        ("/teams/catalog-info.yml", ["teams/catalog-info.yml"]),
        ("./**/*.md", ["services/pay/docs/adr/0001-x.md"]),
    ],
)
def test_a_location_reaches_files_of_its_repository(
    server: Server, written: str, reached: list[str]
) -> None:
    source = server.source()
    pay = server.found(source)["services/pay/catalog-info.yaml"]
    assert [one.path for one in source.target(pay, written)] == reached
    again = server.source()
    assert list(again.scan(source.state())) == [Kept(server.url)]
    assert [one.path for one in again.target(pay, written)] == reached


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("../../../x.yaml", "leads out"),
        ("./nothing.yaml", "there is no file"),
        ("https://github.com/acme/pay/blob/main/x.yaml", "elsewhere"),
        ("./*a*a*a*a*a*a*a*.yaml", "more than 3 times"),
    ],
)
def test_a_location_reaches_nothing_else(server: Server, written: str, told: str) -> None:
    source = server.source()
    pay = server.found(source)["services/pay/catalog-info.yaml"]
    with pytest.raises(InvalidInput, match=told):
        list(source.target(pay, written))


def test_a_server_that_is_not_there_is_an_error_and_nothing_is_told(server: Server) -> None:
    source = server.source()
    server.found(source)
    server.bare.rename(server.folder / "moved.git")
    with pytest.raises(RemoteFailed, match="cannot reach"):
        list(server.source().scan(source.state()))


def test_an_empty_repository_says_so(tmp_path: Path) -> None:
    with pytest.raises(IdpError, match="no commit yet"):
        list(Server(tmp_path).source().scan({}))


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("github", "https://git.example.com/acme/org/blob/main/a%20b/catalog-info.yaml"),
        ("gitlab", "https://git.example.com/acme/org/-/blob/main/a%20b/catalog-info.yaml"),
        ("gitea", "https://git.example.com/acme/org/src/branch/main/a%20b/catalog-info.yaml"),
    ],
)
def test_a_file_on_a_known_forge_is_called_by_its_page(
    server: Server, kind: str, page: str
) -> None:
    """The server is stood in for by git's own `insteadOf`."""
    server.commit({"a b/catalog-info.yaml": "x"})
    url = "ssh://git@git.example.com/acme/org.git"
    config = Path(clean_env()["HOME"]) / ".gitconfig"
    config.write_text(f'{config.read_text()}[url "{server.url}"]\n  insteadOf = {url}\n')
    place = parse_place(url, ("a*/*",), base=server.folder)
    cache = server.folder / "cache"
    source = GitSource(
        place, cache, lambda _url: clean_env(), {"git.example.com": kind}.__getitem__
    )
    (found,) = server.found(source).values()
    assert (found.location, found.repository) == (page, "https://git.example.com/acme/org")
    assert [one.path for one in source.target(found, page)] == ["a b/catalog-info.yaml"]


def test_two_that_fetch_at_once_do_not_disturb_each_other(server: Server) -> None:
    from concurrent.futures import ThreadPoolExecutor

    mirror = Mirror(server.url, server.folder / "cache", lambda _url: clean_env())
    tip = mirror.tip()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(mirror.fetch, [tip] * 4)) == {tip.commit}
