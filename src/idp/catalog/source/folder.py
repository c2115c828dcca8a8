"""Catalog files on this machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from idp.catalog.source import checkout, page
from idp.catalog.source.base import Found, State, Trouble
from idp.catalog.source.grammar import Place
from idp.catalog.source.patterns import (
    DEFAULT,
    chosen,
    deepest,
    followed,
    left_out,
    split_glob,
)
from idp.catalog.source.walk import Walk
from idp.clock import Clock
from idp.errors import InvalidInput, NotFound

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


class FolderSource:
    """The catalog files in and below a folder, those that a glob means, or one file."""

    workers = 0

    def __init__(self, place: Place, clock: Clock) -> None:
        self.place = place.written
        self._root, self._files, self._skip = place.root, place.files, place.skip
        self._clock = clock

    def scan(self, state: State) -> Iterator[Found | Trouble]:
        """Yield the files that there are."""
        if self._root.is_file() and self._files == DEFAULT:
            yield from self._one(str(self._root))
        elif self._root.is_dir():
            is_left_out = left_out(self._skip)
            root, files = str(self._root), self._files
            yield from Walk(root, chosen(files), is_left_out, deepest(files), self._now()).run()
        else:
            raise NotFound(
                f"no folder {self._root}", hint=f"make it, or take the source {self.place} out"
            )

    def _one(self, path: str) -> Iterator[Found | Trouble]:
        folder, name = os.path.split(path)
        return Walk(folder, lambda found: found == name, None, 0, self._now()).run()

    def _glob(self, root: str, pattern: str) -> Iterator[Found | Trouble]:
        return Walk(root, followed(pattern), None, deepest((pattern,)), self._now()).run()

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1e9)

    def state(self) -> State:
        """Return nothing: every file's stamp says all."""
        return {}

    def read(self, found: Found, path: str = "") -> bytes:
        """Return the content of a file, or of another of its work tree."""
        if found.local is None:
            raise NotFound(f"{found.location} is not on this machine")
        file = found.local
        if path:
            within = checkout.around(str(file.parent))
            file = Path(within.top if within else self._root) / path
        try:
            return file.read_bytes()
        except OSError as error:
            raise InvalidInput(f"cannot read {file}: {error.strerror}") from error

    def target(self, found: Found, written: str) -> Iterator[Found]:
        """Yield the files that a Location in this file names.

        A path begins at the file's folder, one with `/` at its front at the top of the work tree.
        """
        if found.local is None:
            raise NotFound(f"{found.location} is not on this machine")
        here = str(found.local.parent)
        within = checkout.around(here)
        tops = [str(self._top()), *([within.top] if within else [])]
        path = self._path(here, written, within, tops)
        # A source may itself be in a folder whose name looks like a glob.
        top = next((one for one in tops if path.startswith(f"{one}/")), "")
        below, pattern = split_glob(path[len(top) :])
        root = top + (below if pattern else below.rpartition("/")[0])
        _check_inside(root, tops, written)
        walked = self._glob(root, pattern) if pattern else self._one(path)
        there = [one for one in walked if isinstance(one, Found)]
        if not there:
            raise NotFound(f"{written}: there is no file {path}")
        yield from there

    def _top(self) -> Path:
        return self._root.parent if self._root.is_file() else self._root

    def _path(
        self, here: str, written: str, within: checkout.Checkout | None, tops: list[str]
    ) -> str:
        """Return the path, which may be a glob, that a target means."""
        if _SCHEME.match(written):
            return self._of_url(written, within)
        if not written.startswith("/"):
            return os.path.normpath(f"{here}/{written}")
        if any(written.startswith(f"{top}/") for top in tops):
            return os.path.normpath(written)
        return os.path.normpath(f"{tops[-1]}/{written}")

    def _of_url(self, url: str, within: checkout.Checkout | None) -> str:
        """Return the local file that a page of the same repository shows."""
        named = page.repository_of(url)
        if named is None or within is None or within.address != named[0]:
            raise InvalidInput(
                f"{url} is not followed from a folder: it is no file of the same repository",
                hint=f"add it as a source: {url}",
            )
        candidates = [f"{within.top}/{path}" for path in page.paths(named[1])]
        there = filter(os.path.isfile, candidates)
        return os.path.normpath(next(there, candidates[0]))


def _check_inside(folder: str, tops: list[str], written: str) -> None:
    real = os.path.realpath(folder)
    if not any(real == top or real.startswith(f"{top}/") for top in map(os.path.realpath, tops)):
        raise InvalidInput(
            f"{written} leads out of {tops[-1]}", hint="add what is elsewhere as a source"
        )
