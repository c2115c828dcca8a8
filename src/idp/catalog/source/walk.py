"""Walking folders for catalog files, and for what stands beside them."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from idp.catalog.evidence import ANSWERS, FILES, concerns
from idp.catalog.source.base import Found, Trouble
from idp.catalog.source.checkout import Checkout, around
from idp.catalog.source.patterns import SKIPPED, Chosen

SETTLED = 2 * 10**9
"""Nanoseconds after which another write is sure to get another time."""

_BYTE = re.compile(rb"\\x([89a-f][0-9a-f])")
_HOLDERS = frozenset(path[: path.rfind("/") + 1] for path in FILES)
_DEEP = 4
"""Folders below a service's own in which nothing is said of it any more."""


@dataclass(slots=True)
class _Service:
    """A folder with catalog files in it, and the paths beside them that say something."""

    folder: str
    checkout: Checkout | None
    files: list[os.DirEntry[str]]
    beside: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Folder:
    """A folder to look into: `inside` and `below` are its paths from the root and the service."""

    path: str
    inside: str
    service: _Service | None
    below: str
    checkout: Checkout | None
    depth: int


_Todo: TypeAlias = "list[_Folder | _Service]"


@dataclass(frozen=True)
class Walk:
    """One walk.

    Attributes:
        root: the absolute path of the folder to begin in.
        chosen: tells a catalog file by its path from the root.
        left_out: tells paths that are left out; folders end with a slash.
        deepest: how many folders below the root a catalog file may be.
        now: nanoseconds since 1970.
    """

    root: str
    chosen: Chosen
    left_out: Chosen | None
    deepest: int | None
    now: int

    def run(self) -> Iterator[Found | Trouble]:
        """Yield what is found, a service's files after all that is beside them."""
        top = self.root.rstrip("/")
        todo: _Todo = [_Folder(top, "", None, "", around(top), 0)]
        while todo:
            one = todo.pop()
            if isinstance(one, _Service):
                yield from self._founds(one)
                continue
            try:
                self._look_into(one, todo)
            except FileNotFoundError:
                continue  # it went while we walked
            except OSError as error:
                yield _unreadable(one.path, one.checkout, error)

    def _look_into(self, here: _Folder, todo: _Todo) -> None:
        folders: list[str] = []
        names: list[str] = []
        files: list[os.DirEntry[str]] = []
        inside, chosen, is_left_out = here.inside, self.chosen, self.left_out
        with os.scandir(here.path or "/") as entries:
            for entry in entries:
                name = entry.name
                if name == ".git":
                    here.checkout = Checkout(here.path)
                elif entry.is_dir(follow_symlinks=False):
                    folders.append(name)
                elif chosen(inside + name) and not (is_left_out and is_left_out(inside + name)):
                    files.append(entry)
                else:
                    names.append(name)
        service, below = here.service, here.below
        if files:
            service, below = _Service(here.path, here.checkout, files), ""
            todo.append(service)
        if service and _holds(below):
            service.beside += [below + name for name in names if concerns(below + name)]
        self._descend(here, folders, service, below, todo)

    def _descend(
        self, here: _Folder, folders: list[str], service: _Service | None, below: str, todo: _Todo
    ) -> None:
        depth = here.depth + 1
        if service and below.count("/") >= _DEEP - 1:
            service = None
        if service is None and self.deepest is not None and depth > self.deepest:
            return
        for name in folders:
            inside = f"{here.inside}{name}/"
            if name not in SKIPPED and not (self.left_out and self.left_out(inside)):
                path, from_service = f"{here.path}/{name}", f"{below}{name}/" if service else ""
                todo.append(_Folder(path, inside, service, from_service, here.checkout, depth))

    def _founds(self, service: _Service) -> Iterator[Found | Trouble]:
        beside = tuple(sorted(map(readable, service.beside)))
        about = "".join(f".{part}" for part in self._surroundings(service, beside))
        where = service.checkout
        for entry in service.files:
            path = f"{service.folder}/{entry.name}"
            try:
                known = entry.stat()
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ELOOP):  # gone, or a link to nothing
                    yield _unreadable(path, where, error)
                continue
            if not stat.S_ISREG(known.st_mode) or (
                entry.is_symlink() and not self._is_within(path)
            ):
                continue
            top = where.top if where and path.startswith(f"{where.top}/") else self.root.rstrip("/")
            yield Found(
                f"file:{readable(path)}",
                readable(path[len(top) + 1 :]),
                self._stamp(known) + about,
                where.repository if where else "",
                where.commit if where else "",
                Path(path),
                beside,
            )

    def _is_within(self, path: str) -> bool:
        return os.path.realpath(path).startswith(f"{os.path.realpath(self.root).rstrip('/')}/")

    def _surroundings(self, service: _Service, beside: tuple[str, ...]) -> Iterable[str]:
        """Return what tells whether anything beside a service's files has changed."""
        if beside:
            yield hashlib.blake2b("\0".join(beside).encode(), digest_size=8).hexdigest()
        if ANSWERS in beside:
            try:
                yield self._stamp(os.stat(f"{service.folder}/{ANSWERS}"))  # noqa: PTH116
            except OSError:
                yield "gone"

    def _stamp(self, known: os.stat_result) -> str:
        """Return what is another after every write.

        A file that was written a moment ago may be written again within the same tick of the
        file system's clock: its stamp equals none. The ctime tells: every write moves it, and
        nobody can set it.
        """
        stamp = f"{known.st_size}.{known.st_mtime_ns}.{known.st_ctime_ns}.{known.st_ino}"
        if known.st_ctime_ns > self.now - SETTLED:
            return f"{stamp}.young-{secrets.token_hex(8)}"
        return stamp


@lru_cache(4096)
def _holds(below: str) -> bool:
    """Tell whether files in a folder, by its path from the service's, may say something of it."""
    return below in _HOLDERS or concerns(f"{below}x.md")


def readable(path: str) -> str:
    """Return a path as text that UTF-8 can hold."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def as_named(path: str) -> str:
    """Return the path that `readable` made text of."""
    if "\\x" not in path or os.path.lexists(path):
        return path
    return os.fsdecode(_BYTE.sub(lambda one: bytes.fromhex(one[1].decode()), path.encode()))


def _unreadable(path: str, where: Checkout | None, error: OSError) -> Trouble:
    return Trouble(
        where.repository if where else "",
        f"cannot read {readable(path)}: {error.strerror}",
        "let idp read it, or leave it out with `skip`",
    )
