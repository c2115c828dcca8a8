"""The service that shall be registered: its catalog files judged, and how a source names it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from idp import git
from idp.catalog import report
from idp.catalog.check import CatalogFile, Verdict, validate
from idp.catalog.placeholders import Surroundings
from idp.catalog.source.grammar import parse_place
from idp.catalog.source.patterns import NAMES, SKIPPED
from idp.clone import remote_of
from idp.config.source import parse_source
from idp.errors import InvalidInput, NotFound
from idp.forge.address import Address, parse_remote


@dataclass(frozen=True)
class Service:
    """A service in a git work tree.

    Attributes:
        folder: where it is in its repository; empty at the top.
        url: what its repository is fetched from, without a login.
        source: the line that names it among the catalog's sources.
        name: what it is called: OWNER/NAME, and the folder.
        files: its catalog files, as paths in the repository.
        entities: what they say there is.
        notes: why the catalog may not find it yet.
    """

    repo: git.Repo
    folder: str
    url: str
    source: str
    name: str
    files: tuple[str, ...]
    entities: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def address(self) -> Address | None:
        """Its repository on a forge."""
        return address_of(self.url)

    @property
    def branch(self) -> str:
        """The branch of its pull request; no other service has it."""
        words = re.sub(r"[^A-Za-z0-9_]+", "-", self.name.partition("/")[2]).strip("-")[:60]
        key = f"{same(self.url)}\0{self.folder}".encode(errors="surrogateescape")
        return f"idp/register-{words or 'service'}-{hashlib.sha256(key).hexdigest()[:6]}"


def address_of(url: str) -> Address | None:
    """Return the address of a repository on a forge; None where it is on none."""
    try:
        return parse_remote(url)
    except InvalidInput:
        return None


def same(url: str) -> str:
    """Return what the URLs of one repository have in common."""
    address = address_of(url)
    if address is None:
        return url
    # A port is that of https or of ssh, and tells nothing of the other.
    return f"{address.host}/{address.name}".casefold()


def look(path: Path, is_forge: Callable[[str], bool]) -> Service:
    """Return the service in a folder, once its catalog files are found to be right.

    Args:
        is_forge: tells whether it is known what kind of forge is at a host.

    Raises:
        NotFound: it has no catalog file.
        InvalidInput: a document is invalid, or it is in no repository, or that has no remote.
    """
    folder = path.parent if path.is_file() else path
    repo = git.find(folder)
    remote, url = remote_of(repo)
    inside = folder.resolve().relative_to(repo.top.resolve()).as_posix()
    inside = "" if inside == "." else inside
    files = _files(repo, inside)
    if not files:
        raise NotFound(
            f"no {' or '.join(sorted(NAMES))} in or below {folder}",
            hint="write one: docs/catalog-validate.md has an example",
        )
    verdicts = _judged(repo, files)
    url = _reachable(repo, url)
    address = address_of(url)
    name = "/".join(filter(None, (address.name if address else f"/{repo.top.name}", inside)))
    source = _source(url, address, inside, is_forge)
    refs = tuple(sorted(one.ref for one in verdicts if one.ok and one.ref))
    notes = _notes(repo, remote, files)
    return Service(repo, inside, url, source, name.strip("/"), files, refs, notes)


def _files(repo: git.Repo, inside: str) -> tuple[str, ...]:
    """Return the catalog files that git has, or will have: those it ignores nobody reads."""
    asked = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name")
    where = f":(literal){inside}" if inside else "."
    said = os.fsdecode(repo.run(*asked, "--", where).stdout)
    parts = {path: path.split("/") for path in filter(None, said.split("\0"))}
    return tuple(
        sorted(
            path
            for path, names in parts.items()
            if names[-1] in NAMES and SKIPPED.isdisjoint(names) and (repo.top / path).is_file()
        )
    )


def _judged(repo: git.Repo, files: Sequence[str]) -> list[Verdict]:
    """Return the verdict on each document; skeletons of templates are no entities.

    Raises:
        InvalidInput: one is invalid, or there is none.
    """
    found = [(name, repo.top / name) for name in files]
    verdicts = validate(
        (CatalogFile(name, Surroundings(path), path.read_bytes) for name, path in found),
        refs=False,
    )
    wrong = [one for one in verdicts if not one.ok and not one.skeleton]
    if wrong:
        some = "a document is" if len(wrong) == 1 else f"{len(wrong)} documents are"
        raise InvalidInput(
            f"not registered: {some} invalid",
            hint="`idp catalog validate` judges them again",
            details=tuple(line for one in wrong for line in report.lines(one)),
        )
    if not any(one.ok for one in verdicts):
        raise InvalidInput(f"not registered: no entity in {', '.join(files)}")
    return verdicts


def _reachable(repo: git.Repo, url: str) -> str:
    """Return the URL of a remote, as one that is good from anywhere on this machine."""
    if "://" in url or not parse_source(url).is_path:
        return url
    return (repo.top / url).resolve().as_uri()


def _source(url: str, address: Address | None, inside: str, is_forge: Callable[[str], bool]) -> str:
    """Return the source: by https where a forge is known to be there, for all can read that."""
    if address and is_forge(address.host):
        url = f"https://{address.host}/{address.name}.git"
    elif address is None and urlsplit(url).scheme not in ("file", "ssh"):
        raise InvalidInput(
            f"{url} cannot be a source of the catalog",
            hint="git remote set-url origin https://HOST/OWNER/NAME.git",
        )
    source = f"{url}#{inside}" if inside else url
    place = parse_place(source, base=Path("/"))
    if (place.kind, place.url, place.ref, place.subfolder) != ("git", url, "", inside):
        raise InvalidInput(
            f"the source {source!r} would be read as something else",
            hint="rename the folder, or let a source of the whole repository cover it",
        )
    return source


def _notes(repo: git.Repo, remote: str, files: Sequence[str]) -> tuple[str, ...]:
    """Return what keeps the catalog from finding the files as they are here."""
    names = [f":(literal){path}" for path in files]
    if repo.text("status", "--porcelain", "--untracked-files=all", "--", *names):
        return (f"commit and push {', '.join(files)}: the catalog reads what {remote} has",)
    if not repo.text("log", "-1", "--format=%H", f"--remotes={remote}", "--", *names):
        return (f"push {', '.join(files)}: the catalog reads what {remote} has",)
    return ()
