"""How a source is written, and what is made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.catalog.source.grammar import Place, parse_place
from idp.errors import InvalidInput

BASE = Path("/platform")


def place(written: str, files: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> Place:
    return parse_place(written, files, skip, base=BASE)


def refused(written: str, files: tuple[str, ...] = (), skip: tuple[str, ...] = ()) -> str:
    with pytest.raises(InvalidInput) as caught:
        place(written, files, skip)
    return f"{caught.value.message} | {caught.value.hint}"


@pytest.mark.parametrize("written", ["../services", "../services/", "/services", "./../services"])
def test_a_folder_has_one_name_however_it_is_written(written: str) -> None:
    found = place(written)
    assert (found.kind, found.written, found.root) == ("folder", "/services", Path("/services"))
    assert found.files == ("**/catalog-info.{yaml,yml}",)


def test_a_glob_is_a_folder_and_the_files_in_it() -> None:
    found = place("org/**/*.{yaml,yml}")
    assert found.written == "/platform/org/**/*.{yaml,yml}"
    assert (found.root, found.files) == (Path("/platform/org"), ("**/*.{yaml,yml}",))


@pytest.mark.parametrize(
    ("written", "url", "ref", "subfolder"),
    [
        ("https://h.example/a/org.git", "https://h.example/a/org.git", "", ""),
        ("https://h.example/a/org.git@main#teams", "https://h.example/a/org.git", "main", "teams"),
        ("https://github.com/a/org@v1/x", "https://github.com/a/org", "v1/x", ""),
        ("git@h.example:a/org.git@main", "git@h.example:a/org.git", "main", ""),
        ("ssh://git@h.example:7999/a/org.git", "ssh://git@h.example:7999/a/org.git", "", ""),
        ("gh:acme/org", "https://github.com/acme/org", "", ""),
        ("file:///srv/git/org.git", "file:///srv/git/org.git", "", ""),
        ("file:///srv/git/org.git@main#a/b", "file:///srv/git/org.git", "main", "a/b"),
        ("https://github.com/a/b/tree/main/teams", "https://github.com/a/b.git", "main", "teams"),
    ],
)
def test_a_repository_may_have_a_ref_and_a_subfolder(
    written: str, url: str, ref: str, subfolder: str
) -> None:
    found = place(written)
    assert (found.kind, found.url, found.ref, found.subfolder) == ("git", url, ref, subfolder)
    assert found.written == written


def test_the_page_of_a_file_is_that_file_of_its_repository() -> None:
    found = place("https://gitlab.com/acme/sub/org/-/blob/main/teams/all.yaml")
    assert (found.url, found.ref) == ("https://gitlab.com/acme/sub/org.git", "main")
    assert found.files == ("teams/all.yaml",)


@pytest.mark.parametrize(
    ("written", "forge", "host", "owner"),
    [
        ("github:acme", "github", "github.com", "acme"),
        ("github:acme@GHE.example.com", "github", "ghe.example.com", "acme"),
        ("gitlab:acme/platform", "gitlab", "gitlab.com", "acme/platform"),
        ("gitea:acme@localhost:3000", "gitea", "localhost:3000", "acme"),
        ("gitea:acme", "gitea", "", "acme"),
    ],
)
def test_an_owner_on_a_forge(written: str, forge: str, host: str, owner: str) -> None:
    found = place(written, ("catalog-info.yaml",), ("*-archive",))
    assert (found.kind, found.forge, found.host, found.owner) == ("forge", forge, host, owner)
    assert (found.files, found.skip) == (("catalog-info.yaml",), ("*-archive",))


def test_a_backstage() -> None:
    found = place("backstage:https://backstage.example.com/")
    assert (found.kind, found.url) == ("backstage", "https://backstage.example.com")
    assert found.written == "backstage:https://backstage.example.com"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "a folder, a glob, a git URL"),
        (" x", "a folder, a glob, a git URL"),
        ("github:acme/pay", "https://github.com/acme/pay.git"),
        ("github:", "github:acme"),
        ("github:acme@-host", "names no owner"),
        ("https://github.com/acme", "github:acme"),
        ("https://git.example.com/acme", "gitea:acme@git.example.com"),
        ("http://git.example.com/a/b.git", "https://"),
        ("ftp://git.example.com/a", "https://"),
        ("idp:python-api", "no source"),
        ("https://pat:secret@git.example.com/a/b.git", "credential"),
        ("file://elsewhere/x.git", "file:///"),
        ("file:///srv/org.git#../x", "cannot be"),
        ("file:///srv/org.git@--upload-pack=x", "cannot be"),
        ("backstage:backstage.example.com", "backstage:https://"),
        ("backstage:https://pat:secret@backstage.example.com", "credential"),
    ],
)
def test_what_is_no_source_is_told_with_a_mend(written: str, told: str) -> None:
    message = refused(written)
    assert told in message
    assert "secret" not in message


def test_files_and_skip_are_checked_when_they_are_read() -> None:
    assert "globs begin at the top" in refused("services", ("/etc/*.yaml",))
    assert "globs begin at the top" in refused("services", ("../*.yaml",))
    assert "is no glob" in refused("services", ("{1..100000}/*.yaml",))
    assert "leave out `files`" in refused("services/*.yaml", ("*.yml",))
    assert "leave out `files`" in refused("backstage:https://b.example.com", ("*.yml",))
