"""Catalog files in folders: which are found, when they count as changed, what Locations reach."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.catalog.source.base import Found, Trouble
from idp.catalog.source.folder import FolderSource
from idp.catalog.source.grammar import parse_place
from idp.errors import IdpError, InvalidInput, NotFound

from ...clock import FakeClock
from ...service.stories import Content, Link, build_tree, commit_all, git

LATER = timedelta(minutes=5)


class Org:
    """A folder with catalog files; it is looked at five minutes from now, unless said otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, files: dict[str, Content]) -> None:
        build_tree(self.path, files)

    def source(
        self,
        below: str = "",
        files: tuple[str, ...] = (),
        skip: tuple[str, ...] = (),
        after: timedelta = LATER,
    ) -> FolderSource:
        place = parse_place(f"./{below}", files, skip, base=self.path)
        return FolderSource(place, FakeClock(datetime.now(UTC) + after))

    def found(
        self, below: str = "", files: tuple[str, ...] = (), skip: tuple[str, ...] = ()
    ) -> dict[str, Found]:
        """Return what is found, by its path from here."""
        told = list(self.source(below, files, skip).scan({}))
        assert all(isinstance(one, Found) for one in told), told
        founds = [one for one in told if isinstance(one, Found)]
        top = f"file:{self.path}/"
        return {one.location.removeprefix(top): one for one in founds}

    def stamp(self, name: str, after: timedelta = LATER) -> str:
        told = self.source(after=after).scan({})
        return next(o.stamp for o in told if isinstance(o, Found) and o.location.endswith(name))

    def targets(self, name: str, written: str) -> list[str]:
        found = self.found()[name]
        return sorted(one.location for one in self.source().target(found, written))


@pytest.fixture
def org(tmp_path: Path) -> Org:
    """Its name looks like a glob, which must not matter."""
    (tmp_path / "{a,b}[1]" / "org").mkdir(parents=True)
    return Org(tmp_path / "{a,b}[1]" / "org")


def test_catalog_files_are_found_at_any_depth_but_not_in_what_others_made(org: Org) -> None:
    org.write(
        {
            "catalog-info.yaml": "",
            "a/b/c/catalog-info.yml": "",
            "a/other.yaml": "",
            "a/node_modules/x/catalog-info.yaml": "",
            ".venv/catalog-info.yaml": "",
            "a/.hidden/catalog-info.yaml": "",
        }
    )
    assert set(org.found()) == {
        "catalog-info.yaml",
        "a/b/c/catalog-info.yml",
        "a/.hidden/catalog-info.yaml",
    }


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("*.yaml", {"all.yaml"}),
        ("**/*.yaml", {"all.yaml", "a/team.yaml", "a/b/team.yaml"}),
        ("*/team.{yaml,yml}", {"a/team.yaml", "c/team.yml"}),
        ("[ab]/**/t??m.yaml", {"a/team.yaml", "a/b/team.yaml"}),
        ("a/b/team.yaml", {"a/b/team.yaml"}),
    ],
)
def test_a_glob_says_which_files_are_meant(org: Org, pattern: str, meant: set[str]) -> None:
    org.write(dict.fromkeys(("all.yaml", "a/team.yaml", "a/b/team.yaml", "c/team.yml"), ""))
    assert set(org.found(pattern)) == meant
    assert set(org.found(files=(pattern,))) == meant


def test_one_file_is_a_source_too(org: Org) -> None:
    org.write({"a/{odd}[1].yaml": "", "a/2.yaml": ""})
    place = parse_place("a/2.yaml", base=org.path)
    told = list(FolderSource(place, FakeClock()).scan({}))
    assert [one.path for one in told if isinstance(one, Found)] == ["2.yaml"]


def test_skip_leaves_out_names_anywhere_and_paths_from_the_top(org: Org) -> None:
    org.write(dict.fromkeys((f"{n}/catalog-info.yaml" for n in ("a", "a/old", "old", "b/c")), ""))
    assert set(org.found(skip=("old", "/b/c"))) == {"a/catalog-info.yaml"}


def test_links_to_folders_and_out_of_the_source_are_not_followed(org: Org) -> None:
    org.write({"a/catalog-info.yaml": "x", "../outside.yaml": "secret"})
    org.write(
        {
            "a/loop": Link(".."),
            "b/catalog-info.yaml": Link("../a/catalog-info.yaml"),
            "c/catalog-info.yaml": Link("../../outside.yaml"),
            "d/catalog-info.yaml": Link("nowhere"),
        }
    )
    assert set(org.found()) == {"a/catalog-info.yaml", "b/catalog-info.yaml"}


def test_a_stamp_is_the_same_until_the_file_or_what_is_beside_it_changes(org: Org) -> None:
    name = "a/catalog-info.yaml"
    org.write({name: "x", "a/.copier-answers.yml": "_commit: v1\n"})
    stamps = [org.stamp(name)]
    assert org.stamp(name) == stamps[0]
    for change in (
        {name: "y"},
        {"a/docs/adr/0001-use-git.md": "# Use git"},
        {"a/.copier-answers.yml": "_commit: v2\n"},
        {"a/docs/adr/0001-use-git.md": None},
    ):
        org.write(dict(change))
        stamps.append(org.stamp(name))
    assert len(set(stamps)) == 5
    org.write({"a/src/main.py": "", "a/README.txt": ""})
    assert org.stamp(name) == stamps[-1]


def test_an_edit_that_keeps_size_and_mtime_is_seen(org: Org) -> None:
    name = "catalog-info.yaml"
    org.write({name: "owner: a"})
    file = org.path / name
    was, before = file.stat(), org.stamp(name)
    file.write_text("owner: b")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert org.stamp(name) != before


def test_a_file_written_a_moment_ago_has_a_stamp_that_equals_none(org: Org) -> None:
    """It may be written again within the same tick of the file system's clock."""
    org.write({"catalog-info.yaml": "x"})
    now = timedelta(0)
    assert org.stamp("catalog-info.yaml", now) != org.stamp("catalog-info.yaml", now)


def test_what_is_beside_belongs_to_the_nearest_service(org: Org) -> None:
    org.write(
        dict.fromkeys(
            (
                "catalog-info.yaml",
                "README.md",
                "docs/runbooks/down.md",
                ".github/CODEOWNERS",
                "services/pay/catalog-info.yaml",
                "services/pay/slo.yaml",
                "services/pay/docs/architecture/decisions/0001-x.md",
                "services/pay/src/docs/adr/0001-x.md",
                "services/none/slo.yaml",
            ),
            "",
        )
    )
    found = org.found()
    assert found["catalog-info.yaml"].beside == (
        ".github/CODEOWNERS",
        "README.md",
        "docs/runbooks/down.md",
    )
    assert found["services/pay/catalog-info.yaml"].beside == (
        "docs/architecture/decisions/0001-x.md",
        "slo.yaml",
    )


def test_repository_and_commit_are_those_of_the_checkout_around_the_file(org: Org) -> None:
    pay, shop = org.path / "pay", org.path / "shop"
    for repo in (pay, shop):
        build_tree(repo, {"svc/catalog-info.yaml": "x"})
        git(repo, "init", "--quiet")
    git(pay, "remote", "add", "origin", "git@github.com:acme/pay.git")
    heads = {name: commit_all(org.path / name, "first") for name in ("pay", "shop")}
    org.write({"loose/catalog-info.yaml": ""})
    found = org.found()
    told = {name: (one.repository, one.commit, one.path) for name, one in found.items()}
    assert told == {
        "pay/svc/catalog-info.yaml": (
            "https://github.com/acme/pay",
            heads["pay"],
            "svc/catalog-info.yaml",
        ),
        "shop/svc/catalog-info.yaml": ("", heads["shop"], "svc/catalog-info.yaml"),
        "loose/catalog-info.yaml": ("", "", "loose/catalog-info.yaml"),
    }
    assert org.found("pay/svc")["pay/svc/catalog-info.yaml"] == found["pay/svc/catalog-info.yaml"]


def test_packed_refs_worktrees_submodules_and_detached_heads_are_understood(org: Org) -> None:
    pay = org.path / "pay"
    build_tree(pay, {"catalog-info.yaml": "x"})
    git(pay, "init", "--quiet")
    git(pay, "remote", "add", "origin", "ssh://git@git.example.com:7999/acme/pay.git")
    first = commit_all(pay, "first")
    git(pay, "pack-refs", "--all")
    git(pay, "worktree", "add", "--quiet", "-b", "side", str(org.path / "side"))
    git(pay, "submodule", "--quiet", "add", f"file://{pay}", "sub")
    second = commit_all(pay, "second")
    git(pay, "checkout", "--quiet", "--detach")
    told = {name: (one.repository, one.commit) for name, one in org.found().items()}
    there = "https://git.example.com/acme/pay"
    assert told == {
        "pay/catalog-info.yaml": (there, second),
        "side/catalog-info.yaml": (there, first),
        "pay/sub/catalog-info.yaml": ("", first),
    }


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_is_found(org: Org) -> None:
    """Here for its long path: root, too, may run the tests, and root may read everything."""
    org.write({"a/catalog-info.yaml": "", "c/catalog-info.yaml": "", "b/x": ""})
    folder = os.open(org.path / "b", os.O_RDONLY)
    for _ in range(20):
        os.mkdir("d" * 250, dir_fd=folder)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = below
    os.close(folder)
    told = list(org.source().scan({}))
    troubles = [one for one in told if isinstance(one, Trouble)]
    assert {one.path for one in told if isinstance(one, Found)} == {
        "a/catalog-info.yaml",
        "c/catalog-info.yaml",
    }
    assert [one.message[:11] for one in troubles] == ["cannot read"]
    assert "skip" in troubles[0].hint


def test_a_folder_that_is_not_there_is_an_error_before_anything_is_told(org: Org) -> None:
    with pytest.raises(NotFound, match="no folder"):
        list(org.source("nowhere").scan({}))


def test_names_that_are_no_utf_8_are_found_under_names_that_are(org: Org) -> None:
    build_tree(org.path, {f"{os.fsdecode(b'caf' + bytes([0xE9]))}/catalog-info.yaml": "x"})
    (found,) = org.found().values()
    assert (
        found.location.encode() == os.fsencode(f"file:{org.path}") + b"/caf\\xe9/catalog-info.yaml"
    )
    assert org.source().read(found) == b"x"


@pytest.mark.parametrize(
    ("written", "reached"),
    [
        ("./teams/a.yaml", ["teams/a.yaml"]),
        ("teams/a.yaml", ["teams/a.yaml"]),
        ("./teams/*.yaml", ["teams/a.yaml", "teams/b.yaml"]),
        ("./**/a.yaml", ["teams/a.yaml", "teams/deep/a.yaml"]),
        ("/org/teams/b.yaml", ["teams/b.yaml"]),
        ("https://github.com/acme/all/blob/main/org/teams/a.yaml", ["teams/a.yaml"]),
        ("https://github.com/acme/all/blob/feature/x/org/teams/a.yaml", ["teams/a.yaml"]),
    ],
)
def test_a_location_reaches_files_of_its_work_tree(
    org: Org, written: str, reached: list[str]
) -> None:
    top = org.path.parent
    git(top, "init", "--quiet")
    git(top, "remote", "add", "origin", "https://github.com/acme/all.git")
    org.write(dict.fromkeys(("teams/a.yaml", "teams/b.yaml", "teams/deep/a.yaml"), "x"))
    org.write({"catalog-info.yaml": "x"})
    assert org.targets("catalog-info.yaml", written) == [f"file:{org.path}/{r}" for r in reached]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("../secret.yaml", "leads out"),
        ("./link/secret.yaml", "leads out"),
        ("./nothing.yaml", "there is no file"),
        ("./nowhere/*.yaml", "there is no file"),
        ("https://github.com/other/repo/blob/main/x.yaml", "not followed"),
        ("https://example.com/x.yaml", "not followed"),
        ("{1..100000}.yaml", "no glob"),
        ("./*a*a*a*a*a*a*a*.yaml", "more than 3 times"),
    ],
)
def test_a_location_reaches_nothing_else(org: Org, written: str, told: str) -> None:
    org.write({"catalog-info.yaml": "x", "../secret.yaml": "x", "link": Link("..")})
    with pytest.raises(InvalidInput, match=told):
        org.targets("catalog-info.yaml", written)


def test_a_link_to_a_file_elsewhere_is_no_target_either(org: Org) -> None:
    org.write({"catalog-info.yaml": "x", "../secret.yaml": "x", "t.yaml": Link("../secret.yaml")})
    with pytest.raises(IdpError, match="there is no file"):
        org.targets("catalog-info.yaml", "./t.yaml")
