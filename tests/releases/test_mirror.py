"""Templates on a server: fetched once, kept, and at hand when the server is not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from idp.config.source import parse_source
from idp.errors import NotAllowed, NotFound, RemoteFailed
from idp.releases import Shelf
from idp.releases.repository import GitRepository, Mirror

from ..service.stories import Template, git, idp, idp_process
from .conftest import Find
from .server import Server, serving


@pytest.fixture
def url(server: Server, template: Template) -> str:
    """Serve the template; return its URL."""
    publish(template, server.root)
    return server.url("golden.git")


def publish(template: Template, root: Path) -> None:
    bare = root / "golden.git"
    if not bare.exists():
        git(root, "init", "--quiet", "--bare", str(bare))
    git(template.path, "push", "--quiet", "--mirror", str(bare))


def test_a_template_comes_from_a_server(url: str, find: Find, template: Template) -> None:
    release = find(url)
    assert (release.template, release.version) == (url, "v1.1.0")
    assert release.commit == git(template.path, "rev-parse", "v1.1.0").strip()
    assert (release.tree / "a.txt").read_text() == "1.1\n"


def test_a_new_release_is_noticed(url: str, find: Find, template: Template, server: Server) -> None:
    find(url)
    template.release("v3.0.0", {"a.txt": "3.0\n"})
    publish(template, server.root)
    assert find(url).version == "v3.0.0"


def test_a_named_release_that_is_kept_asks_no_server(url: str, find: Find, server: Server) -> None:
    find(url)
    server.asked.clear()
    assert find(f"{url}@v1.0.0").version == "v1.0.0"
    assert server.asked == []


def test_a_named_release_that_is_not_kept_is_fetched(
    url: str, find: Find, template: Template, server: Server
) -> None:
    find(url)
    template.release("v3.0.0")
    publish(template, server.root)
    assert find(f"{url}@v3.0.0").version == "v3.0.0"


def test_a_tag_that_went_away_goes_here_too(
    url: str, find: Find, template: Template, server: Server
) -> None:
    find(url)
    git(template.path, "tag", "--delete", "v1.1.0")
    publish(template, server.root)
    assert find(url).version == "v1.0.0"


def test_without_the_server_what_is_kept_goes_on(
    find: Find,
    said: list[str],
    template: Template,
    tmp_path: Path,
    keys: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_SSL_CAINFO", str(keys[1]))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "served").mkdir()
    publish(template, tmp_path / "served")
    with serving(tmp_path / "served", *keys) as server:
        url = server.url("golden.git")
        online = find(url)
    assert find(url) == online
    assert said == [f"cannot reach {url}: going by what is cached"]
    assert find(f"{url}@v1.0.0").version == "v1.0.0"
    with pytest.raises(RemoteFailed, match="cannot reach"):
        find(f"{url}@v9.0.0")


def test_a_server_that_was_never_reached_is_a_remote_failure(find: Find, tmp_path: Path) -> None:
    with pytest.raises(RemoteFailed, match=r"cannot reach https://127\.0\.0\.1:1/x") as caught:
        find("https://127.0.0.1:1/x")
    assert caught.value.retryable
    assert [p.name for p in (tmp_path / "cache" / "mirrors").iterdir()] == []


@pytest.mark.parametrize("name", ["private/golden.git", "denied/golden.git"])
def test_a_server_that_does_not_let_us_in_is_told_apart(
    name: str, server: Server, find: Find
) -> None:
    with pytest.raises(NotAllowed, match="refused us") as caught:
        find(server.url(name))
    assert caught.value.exit_code == 4


def test_a_repository_that_is_not_there(server: Server, find: Find) -> None:
    with pytest.raises(RemoteFailed, match="cannot reach"):
        find(server.url("nope.git"))


def test_a_release_that_no_server_has(url: str, find: Find) -> None:
    with pytest.raises(NotFound, match="has no release 'v9'"):
        find(f"{url}@v9")


def test_two_first_runs_at_once_both_succeed(url: str, tmp_path: Path, home: Path) -> None:
    words = ["template", "show", url, "--json"]
    both = [idp_process(*words) for _ in range(2)]
    ended = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert ended[0][0] == ended[1][0]
    kept = list((home / "cache" / "idp" / "mirrors").iterdir())
    assert [path.suffix for path in kept] == [".git"]


def test_two_first_clones_at_once_leave_one_mirror(template: Template, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    mirror = Mirror(str(template.path), tmp_path / "cache")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: mirror.git_dir(), range(4)))
    assert set(made) == {mirror.path}
    assert [p.name for p in mirror.path.parent.iterdir()] == [mirror.path.name]
    assert git(mirror.path, "rev-parse", "v1.0.0") == git(template.path, "rev-parse", "v1.0.0")


def test_a_mirror_that_was_deleted_is_made_again(
    template: Template, tmp_path: Path, said: list[str]
) -> None:
    mirror = Mirror(str(template.path), tmp_path / "cache")
    for _ in range(2):
        origin = GitRepository("url", "", mirror, tmp_path / "cache", said.append)
        assert origin.export("v1.0.0")[0] == "v1.0.0"
        shutil.rmtree(tmp_path / "cache")


def test_two_urls_have_two_mirrors(shelf: Shelf, tmp_path: Path) -> None:
    paths = {Mirror(u, tmp_path).path for u in ("https://a/x", "https://a/y", "https://a/x.git")}
    assert len(paths) == 3
    assert shelf.origin(parse_source("https://a/x#sub")).url == "https://a/x#sub"


def test_a_service_is_made_and_updated_from_a_server(
    url: str, template: Template, server: Server, tmp_path: Path
) -> None:
    words = ["--template", f"{url}@v1.0.0", "--defaults", "--data", "name=pay"]
    made = idp("create-service", "pay", *words, "--dest", tmp_path / "pay", "--json")
    assert made.code == 0, made.everything
    template.release("v3.0.0", {"a.txt": "3.0\n"})
    publish(template, server.root)
    run = idp("update-service", tmp_path / "pay", "--json")
    assert (run.code, run.json["to"]) == (0, "v3.0.0"), run.everything
    assert (tmp_path / "pay" / "a.txt").read_text() == "3.0\n"
