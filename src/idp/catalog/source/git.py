"""Catalog files in a git repository on a server."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from idp.catalog.evidence import ANSWERS, FILES, concerns
from idp.catalog.source import page
from idp.catalog.source.base import Found, Kept, State
from idp.catalog.source.grammar import Place
from idp.catalog.source.mirror import EnvFor, Mirror, Tip
from idp.catalog.source.patterns import SKIPPED, chosen, is_glob, left_out
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
        yield from map(self._found, self._tree.wanted)

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

    def _found(self, path: str) -> Found:
        tree, blob = self._tree, self._tree.files[path]
        beside = tree.beside(posixpath.dirname(path))
        return Found(
            self._location(path),
            path,
            ".".join(filter(None, (blob, tree.mark(posixpath.dirname(path), beside)))),
            self.repository,
            tree.commit,
            beside=beside,
            blobs=tree.files,
        )

    def _location(self, path: str) -> str:
        kind = self._kind_of(self._address.host) if self._address else ""
        if kind:
            return page.page(kind, self.repository, self._tip.short, path)
        return f"git:{self._asked.url}#{path}"

    def read(self, found: Found, path: str = "") -> bytes:
        """Return the content of a file, or of another of the repository."""
        name = path.lstrip("/") or found.path
        blob = self._tree.files.get(name)
        if blob is None:
            raise NotFound(f"no file {name} in {found.repository}")
        with self._lock:
            if blob not in self._ahead:
                self._read_ahead(blob, name)
            return self._ahead.pop(blob)

    def _read_ahead(self, blob: str, path: str) -> None:
        """Read a file, and those that will be asked for next: a process for each is slow."""
        files, blobs = self._tree.files, [blob]
        for other in self._tree.after(path, BATCH):
            answers = posixpath.join(posixpath.dirname(other), ANSWERS)
            blobs += [files[name] for name in (other, answers) if name in files]
        self._ahead = dict(zip(blobs, self._mirror.contents(blobs), strict=True))

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
            is_meant = chosen((path,))
            there = [one for one in self._tree.files if is_meant(one)]
        else:
            there = [path] if path in self._tree.files else []
        if not there:
            raise NotFound(f"{written}: there is no file {path} in {self.repository}")
        yield from map(self._found, there)

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


_NAMES = frozenset(path.rpartition("/")[2] for path in FILES)
_PROSE = (".md", ".adoc", ".rst")
_DEEPEST = 4
"""The most parts a path has that says something of a service."""


@dataclass
class _Tree:
    """The files of a commit: their blobs by path, and those that are catalog files."""

    files: Mapping[str, str]
    commit: str
    wanted: list[str]

    @cached_property
    def _order(self) -> dict[str, int]:
        return {path: number for number, path in enumerate(self.wanted)}

    @cached_property
    def _services(self) -> set[str]:
        return set(map(posixpath.dirname, self.wanted))

    @cached_property
    def _said(self) -> dict[str, list[str]]:
        """What says something of a service, by each folder that one could be in."""
        said: dict[str, list[str]] = defaultdict(list)
        for path in self.files:
            parts = path.split("/")
            if parts[-1] in _NAMES or path.endswith(_PROSE):
                for first in range(max(0, len(parts) - _DEEPEST), len(parts)):
                    if concerns(within := "/".join(parts[first:])):
                        said["/".join(parts[:first])].append(within)
        return said

    def after(self, path: str, count: int) -> list[str]:
        """Return the next catalog files after one."""
        start = self._order.get(path, len(self.wanted) - 1) + 1
        return self.wanted[start : start + count]

    def beside(self, folder: str) -> tuple[str, ...]:
        """Return what says something of the service in a folder, and of none nearer."""
        return tuple(
            sorted(path for path in self._said.get(folder, ()) if self._is_own(folder, path))
        )

    def _is_own(self, folder: str, path: str) -> bool:
        between = accumulate(path.split("/")[:-1], posixpath.join)
        return not any(posixpath.join(folder, one) in self._services for one in between)

    def mark(self, folder: str, beside: tuple[str, ...]) -> str:
        """Return what tells whether anything beside a catalog file has changed."""
        if not beside:
            return ""
        answers = self.files.get(posixpath.join(folder, ANSWERS), "")
        told = "\0".join((answers, *beside)).encode()
        return hashlib.blake2b(told, digest_size=8).hexdigest()
