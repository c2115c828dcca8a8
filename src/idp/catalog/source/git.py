"""Catalog files in a git repository on a server."""

from __future__ import annotations

import json
import posixpath
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from idp.catalog.evidence import ANSWERS
from idp.catalog.filelog import contents
from idp.catalog.source import page
from idp.catalog.source.base import Found, Kept, State
from idp.catalog.source.blobs import stamped
from idp.catalog.source.grammar import Place
from idp.catalog.source.mirror import EnvFor, Mirror, Tip
from idp.catalog.source.patterns import SKIPPED, chosen, followed, is_glob, left_out
from idp.errors import InvalidInput, NotFound
from idp.forge.address import Address, parse_remote

KindOf = Callable[[str], str]
"""Tells whether a host is a github, a gitlab or a gitea; empty if nobody knows."""

BATCH = 256
"""Files that are read from the mirror at once."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_FORM = 1
"""Raised when what is made of a commit changes: the same commit is then read again."""


class GitSource:
    """The catalog files of one repository, read from a mirror of it."""

    workers = 1

    def __init__(self, place: Place, cache: Path, env_for: EnvFor, kind_of: KindOf) -> None:
        self.place = place.written
        self._asked = place
        self._mirror = Mirror(place.url, cache, env_for)
        self._kind_of = kind_of
        self._state: State = {}
        self._tip = Tip("", "")
        self._lock = threading.Lock()
        self._ahead: dict[str, bytes] = {}

    @cached_property
    def _address(self) -> Address | None:
        try:
            return parse_remote(self._asked.url)
        except InvalidInput:
            return None

    @property
    def repository(self) -> str:
        """The repository's address in a browser; its URL where it is on no forge."""
        if self._address is None:
            return self._asked.url
        return f"https://{self._address.host}/{self._address.name}"

    def scan(self, state: State) -> Iterator[Found | Kept]:
        """Fetch what is new, and yield the files of the newest commit, if it is another."""
        asked = self._asked
        self._tip = self._mirror.tip(asked.ref)
        form = [_FORM, self._tip.name, asked.subfolder, list(asked.files), list(asked.skip)]
        told = json.dumps(form)
        if state.get("form") == told and state.get("tip") == self._tip.commit:
            self._state = state
            yield Kept(self.repository)
            return
        # A tag's own object is its tip; the commit says what was read.
        commit = self._mirror.fetch(self._tip)
        self._state = {"form": told, "tip": self._tip.commit, "commit": commit}
        yield from self._founds(self._tree.wanted, self._tree.files)

    @cached_property
    def _tree(self) -> _Tree:
        """The commit's files; of one that was kept, they are listed only for a Location in it."""
        commit = self._state["commit"]
        if not self._mirror.has(commit):
            self._mirror.fetch(self._tip)
        files = self._mirror.files(commit)
        return _Tree(files, commit, self._chosen(files))

    def state(self) -> State:
        """Return the commit that was read, and how."""
        return self._state

    def _chosen(self, files: Mapping[str, str]) -> list[str]:
        top = f"{self._asked.subfolder}/" if self._asked.subfolder else ""
        is_chosen, is_left_out = chosen(self._asked.files), left_out(self._asked.skip)
        if top and not any(path.startswith(top) for path in files):
            raise NotFound(f"no folder {self._asked.subfolder} in {self._asked.url}")
        return [
            path
            for path in files
            if path.startswith(top)
            and is_chosen(path[len(top) :])
            and not (is_left_out and is_left_out(path[len(top) :]))
            and SKIPPED.isdisjoint(path.split("/"))
        ]

    def _founds(self, paths: list[str], near: Mapping[str, str]) -> Iterator[Found]:
        """Yield files; `near` are those of the commit that may be beside them."""
        tree, repository = self._tree, self.repository
        services = {*paths, *(path for path in near if path in tree.order)}
        for path, stamp, beside in stamped(near, paths, services):
            where = self._location(path)
            yield Found(
                where, path, stamp, repository, tree.commit, beside=beside, blobs=tree.files
            )

    def _location(self, path: str) -> str:
        kind = self._kind_of(self._address.host) if self._address else ""
        if kind:
            return page.page(kind, self.repository, self._tip.short, path, self._tip.what)
        return f"git:{self._asked.url}#{path}"

    def read(self, found: Found, path: str = "") -> bytes:
        """Return the content of a file, or of another of the repository."""
        name = path.lstrip("/") or found.path
        blob = self._tree.files.get(name)
        if blob is None:
            raise NotFound(f"no file {name} in {found.repository}")
        with self._lock:
            if blob not in self._ahead and (ahead := self._tree.ahead(name, BATCH)):
                self._ahead = dict(zip(ahead, contents(self._mirror.run, ahead), strict=True))
            return self._ahead.get(blob) or contents(self._mirror.run, [blob])[0]

    def target(self, found: Found, written: str) -> Iterator[Found]:
        """Yield the files of the repository that a Location in this file names.

        A path begins at the file's folder, one with `/` at its front at the top.
        """
        path = self._target(found, written)
        if path.startswith("../") or path == "..":
            raise InvalidInput(
                f"{written} leads out of {self.repository}",
                hint="add what is elsewhere as a source",
            )
        if is_glob(path):
            is_meant = followed(path)
            there = [one for one in self._tree.files if is_meant(one)]
        else:
            there = [path] if path in self._tree.files else []
        if not there:
            raise NotFound(f"{written}: there is no file {path} in {self.repository}")
        for one in there:
            yield from self._founds([one], self._tree.below(posixpath.dirname(one)))

    def _target(self, found: Found, written: str) -> str:
        if not _SCHEME.match(written):
            folder = "" if written.startswith("/") else posixpath.dirname(found.path)
            return posixpath.normpath(posixpath.join(folder, written.lstrip("/")))
        named = page.repository_of(written)
        if named is None or named[0] != self._address:
            raise InvalidInput(
                f"{written} is not followed from {self.repository}: it is elsewhere",
                hint=f"add it as a source: {written}",
            )
        candidates = page.paths(named[1])
        return next((path for path in candidates if path in self._tree.files), candidates[0])


@dataclass
class _Tree:
    """The files of a commit: their blobs by path, and those that are catalog files."""

    files: Mapping[str, str]
    commit: str
    wanted: list[str]

    @cached_property
    def order(self) -> dict[str, int]:
        """Where each catalog file stands among them."""
        return {path: number for number, path in enumerate(self.wanted)}

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self.files)

    def below(self, folder: str) -> Mapping[str, str]:
        """Return the files in and below a folder."""
        if not folder:
            return self.files
        # `0` comes after `/`.
        first, last = (bisect_left(self._sorted, f"{folder}{end}") for end in "/0")
        return {path: self.files[path] for path in self._sorted[first:last]}

    def ahead(self, path: str, count: int) -> list[str]:
        """Return the blobs of a catalog file and of those after it, with their answers files.

        They will be asked for next, and a process for each is slow. None for another file.
        """
        start = self.order.get(path, len(self.wanted))
        blobs = []
        for one in self.wanted[start : start + count]:
            answers = posixpath.join(posixpath.dirname(one), ANSWERS)
            blobs += [self.files[name] for name in (one, answers) if name in self.files]
        return blobs
