"""The catalog files in a tree that git knows, and what stands beside them."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache

from idp.catalog.evidence import ANSWERS, concerns
from idp.catalog.source.patterns import SKIPPED, Chosen

_DEEP = 4
"""Folders below a service's own in which nothing is said of it any more."""


class Blobs(Mapping[str, str]):
    """A tree's hashes by path, packed: many repositories wait until their files are read."""

    def __init__(self, blobs: Mapping[str, str]) -> None:
        self._count = len(blobs)
        self._packed = zlib.compress(json.dumps(blobs).encode(), 1)

    def __getitem__(self, path: str) -> str:
        return _unpacked(self._packed)[path]

    def __iter__(self) -> Iterator[str]:
        return iter(_unpacked(self._packed))

    def __len__(self) -> int:
        return self._count


@lru_cache(16)
def _unpacked(packed: bytes) -> dict[str, str]:
    blobs: dict[str, str] = json.loads(zlib.decompress(packed))
    return blobs


def catalog_files(blobs: Iterable[str], chosen: Chosen) -> list[str]:
    """Return the paths that are meant, out of a tree's."""
    return [path for path in blobs if chosen(path) and SKIPPED.isdisjoint(path.split("/")[:-1])]


def stamped(
    blobs: Mapping[str, str], files: Iterable[str], services: Collection[str]
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield files with a stamp each, and the paths beside it.

    Args:
        blobs: the tree: a hash by path.
        services: all catalog files of the tree: what is beside one of them is beside no other.
    """
    beside = _beside(blobs, {_folder(path) for path in services})
    for path in files:
        folder = _folder(path)
        near = beside.get(folder, ())
        yield path, _stamp(blobs, path, folder, near), near


def _folder(path: str) -> str:
    """Return a path's folder, with a slash at its end; empty for the top."""
    return path[: path.rfind("/") + 1]


def _beside(blobs: Iterable[str], folders: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for path in blobs:
        folder = _folder(path)
        for _ in range(_DEEP):
            if folder in folders:
                if concerns(path[len(folder) :]):
                    found[folder].append(path[len(folder) :])
                break
            if not folder:
                break
            folder = _folder(folder[:-1])
    return {folder: tuple(sorted(paths)) for folder, paths in found.items()}


def _stamp(blobs: Mapping[str, str], path: str, folder: str, near: tuple[str, ...]) -> str:
    """Return what tells a change of the file, of the names beside it, or of the answers."""
    if not near:
        return blobs[path]
    answers = blobs[folder + ANSWERS] if ANSWERS in near else ""
    said = "\0".join((*near, answers))
    return f"{blobs[path]}.{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}"
