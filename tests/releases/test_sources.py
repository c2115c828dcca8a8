"""Every way to name a template, and what it is found to be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from idp.config.source import parse_source
from idp.errors import IdpError, InvalidInput, NotFound
from idp.releases import Shelf
from idp.releases.folder import digest

from ..service.stories import Files, Link, Script, Template, build_tree, git, idp
from .conftest import Find


def test_a_built_in_template_is_a_folder_of_idp(find: Find) -> None:
    release = find("idp:python-api@1.0.0")
    assert (release.template, release.version, release.name) == (
        "idp:python-api",
        "1.0.0",
        "python-api",
    )
    assert release.commit == release.tree_id == digest(release.tree)
    assert find("idp:python-api@v1.0.0").tree == release.tree


@pytest.mark.parametrize("name", ["idp:nope", "idp:python-api@9.9.9", "idp:python-api@../1.0.0"])
def test_a_built_in_that_is_not_there_is_not_found(name: str, find: Find) -> None:
    with pytest.raises(IdpError) as caught:
        find(name)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("kind", ["plain", "bare", "worktree", "tilde"])
def test_a_repository_on_this_machine(
    kind: str, template: Template, find: Find, tmp_path: Path, home: Path
) -> None:
    place = tmp_path / kind
    match kind:
        case "plain":
            place = template.path
        case "bare":
            git(tmp_path, "clone", "--quiet", "--bare", str(template.path), str(place))
        case "worktree":
            git(template.path, "worktree", "add", "--quiet", "--detach", str(place), "v1.0.0")
        case "tilde":
            template.path.rename(home / "golden")
            place = home / "golden"
    release = find("~/golden" if kind == "tilde" else str(place))
    assert (release.template, release.version) == (str(place), "v1.1.0")
    assert (release.tree / "a.txt").read_text() == "1.1\n"
    assert release.commit == git(place, "rev-parse", "v1.1.0").strip()


@pytest.mark.parametrize("spelling", ["1.0.0", "v1.0.0"])
def test_a_version_may_be_spelled_with_a_v_or_without(
    spelling: str, template: Template, find: Find
) -> None:
    assert find(f"{template.path}@{spelling}").version == "v1.0.0"
    git(template.path, "tag", "3.0.0", "v1.1.0")
    assert find(f"{template.path}@3.0.0").version == "3.0.0"
    assert find(f"{template.path}@v3.0.0").version == "3.0.0"


def test_a_commit_is_told_as_git_describes_it_and_found_by_that(
    template: Template, find: Find
) -> None:
    head = template.commit({"a.txt": "more\n"})
    spellings = ["main", "HEAD", head, head[:8]]
    told = {find(f"{template.path}@{spelling}").version for spelling in spellings}
    assert told == {f"v2.0.0-rc.1-2-g{head[:12]}"}
    assert find(f"{template.path}@{told.pop()}").commit == head


def test_a_branch_at_a_release_is_that_release(template: Template, find: Find) -> None:
    git(template.path, "branch", "stable", "v1.1.0")
    assert find(f"{template.path}@stable").version == "v1.1.0"


def test_a_tag_wins_over_a_branch_of_its_name(template: Template, find: Find) -> None:
    git(template.path, "branch", "v1.0.0", "main")
    assert (find(f"{template.path}@v1.0.0").tree / "a.txt").read_text() == "1.0\n"


def test_a_pre_release_is_taken_only_by_name(template: Template, find: Find, shelf: Shelf) -> None:
    assert find(str(template.path)).version == "v1.1.0"
    assert find(f"{template.path}@2.0.0-rc.1").version == "v2.0.0-rc.1"
    versions = shelf.origin(parse_source(str(template.path))).versions()
    assert versions == ["v2.0.0-rc.1", "v1.1.0", "v1.0.0"]


def test_an_annotated_tag_is_its_commit(template: Template, find: Find) -> None:
    git(template.path, "tag", "--annotate", "-m", "three", "v3.0.0", "v1.0.0")
    release = find(str(template.path))
    assert (release.version, release.commit) == (
        "v3.0.0",
        git(template.path, "rev-parse", "v1.0.0").strip(),
    )


def test_tags_that_are_no_versions_are_no_releases(template: Template, shelf: Shelf) -> None:
    for tag in ("latest", "release-candidate", "web/v9.0.0", "web-v9.0.0"):
        git(template.path, "tag", tag)
    versions = shelf.origin(parse_source(str(template.path))).versions()
    assert versions == ["v2.0.0-rc.1", "v1.1.0", "v1.0.0"]


def test_a_repository_without_a_release_is_taken_at_its_head(find: Find, tmp_path: Path) -> None:
    template = Template(tmp_path / "young")
    head = template.commit({"a.txt": "first\n"})
    release = find(str(template.path))
    assert (release.version, release.commit) == (head[:12], head)


def test_uncommitted_work_is_in_no_release(template: Template, find: Find) -> None:
    template.write({"a.txt": "dirty\n", "new.txt": "dirty\n"})
    release = find(f"{template.path}@main")
    assert (release.tree / "a.txt").read_text() == "work\n"
    assert not (release.tree / "new.txt").exists()


@pytest.fixture
def several(tmp_path: Path) -> Template:
    """A repository of two templates, one of which has tags of its own."""
    template = Template(tmp_path / "several")
    files = {"t/api/copier.yml": "x: 1\n", "t/web/copier.yml": "y: 1\n", "copier.yml": None}
    template.release("v5.0.0", files)
    template.release("api-v1.0.0", {"t/api/a.txt": "1\n"})
    template.release("api/v1.1.0", {"t/api/a.txt": "2\n"})
    return template


@pytest.mark.parametrize("version", ["v1.0.0", "1.0.0", "api-v1.0.0"])
def test_a_folder_of_a_repository_has_tags_of_its_own(
    version: str, several: Template, find: Find, shelf: Shelf
) -> None:
    where = f"{several.path}#t/api"
    release = find(f"{where}@{version}")
    assert (release.template, release.version, release.name) == (where, "v1.0.0", "api")
    assert sorted(p.name for p in release.tree.iterdir()) == ["a.txt", "copier.yml"]
    assert find(f"{several.path}@{version}#t/api") == release
    assert shelf.origin(parse_source(where)).versions() == ["v1.1.0", "v1.0.0"]
    assert find(where).version == "v1.1.0"


def test_a_folder_without_tags_of_its_own_goes_by_the_plain_ones(
    several: Template, find: Find, shelf: Shelf
) -> None:
    where = f"{several.path}#t/web"
    assert shelf.origin(parse_source(where)).versions() == ["v5.0.0"]
    assert find(where).version == "v5.0.0"


def test_the_same_folder_of_two_releases_is_laid_down_once(several: Template, find: Find) -> None:
    first = find(f"{several.path}@api-v1.0.0#t/web")
    assert first.tree == find(f"{several.path}@v5.0.0#t/web").tree


def test_templates_of_a_repository_share_files_by_links(several: Template, find: Find) -> None:
    link = Link("../shared/docs")
    several.release("api/v1.2.0", {"t/shared/docs/a.md": "old\n", "t/api/docs": link})
    several.release("api/v1.3.0", {"t/shared/docs/a.md": "new\n"})

    old, new = (find(f"{several.path}@{v}#t/api") for v in ("1.2.0", "1.3.0"))

    assert (old.tree / "docs" / "a.md").read_text() == "old\n"
    assert (new.tree / "docs" / "a.md").read_text() == "new\n"
    assert not (new.tree / "docs").is_symlink()
    assert old.tree_id != new.tree_id


def test_a_link_to_a_file_that_is_not_shared_is_told(several: Template, find: Find) -> None:
    files: Files = {"t/shared/a.md": "", "t/api/a.md": Link("../shared/b.md")}
    several.release("api/v1.2.0", files)
    with pytest.raises(InvalidInput, match=r"b\.md, which is not there"):
        find(f"{several.path}@1.2.0#t/api")


def test_a_folder_that_a_release_lacks_is_not_found(several: Template, find: Find) -> None:
    with pytest.raises(NotFound, match="no folder 't/nope'"):
        find(f"{several.path}#t/nope")


def test_a_plain_folder_with_releases(find: Find, shelf: Shelf, tmp_path: Path) -> None:
    files = {f"releases/{v}/copier.yml": f"x: '{v}'\n" for v in ("1.0.0", "1.10.0", "2.0.0-rc.1")}
    build_tree(tmp_path / "plain", {"copier.yml": "x: work\n", "releases/notes.txt": "", **files})
    place = str(tmp_path / "plain")
    assert shelf.origin(parse_source(place)).versions() == ["2.0.0-rc.1", "1.10.0", "1.0.0"]
    assert find(place).version == "1.10.0"
    assert find(f"{place}@v1.0.0").tree == tmp_path / "plain" / "releases" / "1.0.0"
    assert find(f"{place}@unreleased").tree == tmp_path / "plain"
    with pytest.raises(NotFound) as caught:
        find(f"{place}@3.0.0")
    assert caught.value.hint == "releases: 2.0.0-rc.1, 1.10.0, 1.0.0"


def test_a_plain_folder_without_releases_is_taken_as_it_is(find: Find, tmp_path: Path) -> None:
    build_tree(tmp_path / "plain", {"copier.yml": "x: 1\n"})
    release = find(str(tmp_path / "plain"))
    assert (release.version, release.tree) == ("unreleased", tmp_path / "plain")
    build_tree(tmp_path / "plain", {"copier.yml": "x: 2\n"})
    assert find(str(tmp_path / "plain")).commit != release.commit


def test_the_digest_sees_bytes_names_modes_and_links(tmp_path: Path) -> None:
    seen = set()
    for n, files in enumerate(
        [{"a": "x"}, {"b": "x"}, {"a": "y"}, {"a": Script("x")}, {"a": Link("x")}, {"a/b": "x"}]
    ):
        build_tree(tmp_path / str(n), files)  # type: ignore[arg-type]
        seen.add(digest(tmp_path / str(n)))
    assert len(seen) == 6


def test_a_missing_release_is_told_with_those_there_are(template: Template, find: Find) -> None:
    with pytest.raises(NotFound, match=r"has no release '9\.0'") as caught:
        find(f"{template.path}@9.0")
    assert caught.value.hint == "releases: v2.0.0-rc.1, v1.1.0, v1.0.0"


@pytest.mark.parametrize("name", ["golden", "gone/golden", "./gone", "/gone"])
def test_a_path_must_look_like_one_and_be_there(name: str, find: Find) -> None:
    with pytest.raises(InvalidInput):
        find(name)


DASHED = [
    "--upload-pack=touch ran",
    "-x",
    "./golden@--upload-pack=touch ran",
    "./golden@-x",
    "./golden#--upload-pack=touch ran",
    "ssh://-oProxyCommand=touch%20ran/x",
    "ssh://git@-oProxyCommand=x/y",
    "git@-host:x",
    "https://-host/x",
]


@pytest.mark.parametrize("source", DASHED)
@pytest.mark.parametrize("flag", ["--template", "--platform"])
def test_nothing_that_begins_with_a_dash_reaches_git(
    source: str, flag: str, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--type", "x"] if flag == "--platform" else []
    run = idp("create-service", "pay", f"{flag}={source}", *more, "--defaults")
    assert run.code in (2, 3), run.everything
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "pay").exists()


@pytest.mark.parametrize("key", ["_src_path", "_commit"])
def test_nor_does_what_an_answers_file_holds(key: str, template: Template, tmp_path: Path) -> None:
    pay = tmp_path / "pay"
    words = ["--template", template.at("v1.0.0"), "--defaults", "--data", "name=pay"]
    assert idp("create-service", "pay", *words, "--dest", pay).code == 0
    answers = (pay / ".copier-answers.yml").read_text()
    evil = re.sub(rf"{key}: .*", f"{key}: '--upload-pack=touch {tmp_path}/ran'", answers)
    (pay / ".copier-answers.yml").write_text(evil)
    git(pay, "commit", "--quiet", "--all", "-m", "evil")
    run = idp("update-service", pay, "--json")
    assert run.code == 3, run.everything
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "url", ["https://bob:hunter2@example.com/t.git", "https://hunter2@example.com/t.git"]
)
def test_a_credential_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    run = idp("create-service", "pay", "--template", url, "--defaults", "--json")
    assert (run.code, run.error["code"]) == (3, "invalid")
    assert "credential" in run.err
    assert "hunter2" not in run.everything


@pytest.mark.parametrize("url", ["http://example.com/t.git", "git://example.com/t", "ext::sh -c x"])
def test_only_https_and_ssh_are_fetched_from(url: str) -> None:
    assert idp("create-service", "pay", "--template", url, "--defaults").code == 3


def test_submodules_are_refused(template: Template, find: Find, tmp_path: Path) -> None:
    other = Template(tmp_path / "other")
    other.commit()
    git(template.path, "submodule", "add", "--quiet", str(other.path), "sub")
    template.release("v3.0.0")
    with pytest.raises(InvalidInput, match="submodules"):
        find(str(template.path))
    assert find(f"{template.path}@v1.1.0").version == "v1.1.0"


def test_files_come_out_as_they_are_in_git(template: Template, find: Find, home: Path) -> None:
    """Whatever the user's configuration, and whatever `git archive` would have left out."""
    config = "[core]\n autocrlf = true\n symlinks = false\n fileMode = false\n eol = crlf\n"
    (home / ".gitconfig").write_text(config)
    files: Files = {
        ".gitattributes": "secret.txt export-ignore\nsubst.txt export-subst\n",
        "secret.txt": "still here\n",
        "subst.txt": "$Format:%H$\n",
        "unix.txt": "a\nb\n",
        "dos.txt": "a\r\nb\r\n",
        "run.sh": Script("#!/bin/sh\n"),
        "link": Link("unix.txt"),
        "broken": Link("nowhere"),
        "größe.bin": bytes(range(256)),
    }
    template.release("v3.0.0", files)
    tree = find(str(template.path)).tree
    for name, content in files.items():
        match content:
            case Link(target):
                assert str((tree / name).readlink()) == target
            case Script(text):
                assert (tree / name).read_text() == text
                assert (tree / name).stat().st_mode & 0o777 == 0o755
            case bytes() | str():
                wanted = content if isinstance(content, bytes) else content.encode()
                assert (tree / name).read_bytes() == wanted
                assert (tree / name).stat().st_mode & 0o777 == 0o644
    assert not (tree / ".git").exists()


def test_an_export_that_is_there_is_not_made_again(template: Template, find: Find) -> None:
    tree = find(str(template.path)).tree
    before = tree.stat()
    assert find(str(template.path)).tree.stat() == before
    assert [p.name for p in tree.parent.iterdir()] == [tree.name]
