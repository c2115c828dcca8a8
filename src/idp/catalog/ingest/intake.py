"""Reading one catalog file into rows: the work of an ingest that needs no index."""

from __future__ import annotations

import hashlib
import json
import math
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from idp.catalog import evidence
from idp.catalog.files import read_plain
from idp.catalog.index.rows import EntityRows, FileRows, Judgement, rows_of
from idp.catalog.placeholders import Surroundings
from idp.catalog.shapes import Unread
from idp.catalog.source.base import Found, Source
from idp.catalog.validation import Judged, judge_file
from idp.errors import IdpError, InvalidInput
from idp.forge.address import parse_remote

_NO_EVIDENCE = json.dumps(asdict(evidence.Evidence()))

_ELSEWHERE = Path("/repository")
"""Stands for the root of a repository that is not on this machine."""


@dataclass(frozen=True)
class Local:
    """A file on this machine, as a worker is told of it."""

    path: Path
    beside: tuple[str, ...]


@dataclass
class _Included:
    """Reads the files that a catalog file takes in, and remembers them."""

    fetch: Callable[[Path], bytes]
    stamp: Callable[[Path], str]
    stamps: dict[str, str] = field(default_factory=dict)
    contents: list[bytes] = field(default_factory=list)

    def read(self, path: Path) -> bytes:
        """Return a file's content."""
        self.stamps[str(path)] = self.stamp(path)
        self.contents.append(self.fetch(path))
        return self.contents[-1]


def read_local(files: Sequence[Local]) -> list[FileRows | OSError]:
    """Read files of this machine; one that cannot be read gives its error."""
    return [_local(file) for file in files]


def stamp_of(path: Path | str) -> str:
    """Return what tells whether a file on this machine has changed; empty if it is gone."""
    try:
        held = Path(path).stat()
    except OSError:
        return ""
    return f"{held.st_size}-{held.st_mtime_ns}-{held.st_ctime_ns}-{held.st_ino}"


def _local(file: Local) -> FileRows | OSError:
    try:
        content = read_plain(file.path)
        folder = file.path.parent
        beside = evidence.gather(file.beside, lambda name: read_plain(folder / name))
    except OSError as error:
        return error
    included = _Included(read_plain, stamp_of)
    around = Surroundings(file.path, read=included.read)
    return _rows(content, around, included, beside)


def read_remote(source: Source, found: Found) -> FileRows:
    """Read a file that only its source can read.

    Raises:
        IdpError: it cannot be read.
    """
    folder = posixpath.dirname(found.path)

    def fetch(path: Path) -> bytes:
        try:
            return source.read(found, str(path.relative_to(_ELSEWHERE)))
        except IdpError as error:
            raise OSError(0, error.message) from error

    def stamp(path: Path) -> str:
        return found.blobs.get(str(path.relative_to(_ELSEWHERE)), "")

    content = source.read(found)
    beside = evidence.gather(
        found.beside, lambda name: source.read(found, posixpath.join(folder, name))
    )
    included = _Included(fetch, stamp)
    around = Surroundings(_ELSEWHERE / found.path, _address(found), _ELSEWHERE, included.read)
    return _rows(content, around, included, beside)


def _address(found: Found) -> Any:
    try:
        return parse_remote(found.repository) if found.repository else None
    except InvalidInput:
        return None


def _rows(
    content: bytes, around: Surroundings, included: _Included, beside: evidence.Evidence
) -> FileRows:
    judged = judge_file(content, around)
    digest = hashlib.sha256(content)
    for part in included.contents:
        digest.update(hashlib.sha256(part).digest())
    return FileRows(
        digest=digest.digest(),
        includes=json.dumps(included.stamps),
        evidence=_NO_EVIDENCE if beside == evidence.Evidence() else json.dumps(asdict(beside)),
        documents=len(judged),
        entities=tuple(
            _entity(one, number) for number, one in enumerate(judged) if one.ok and one.entity
        ),
        judgements=tuple(
            Judgement(number, one.is_skeleton, one.problems, one.would_be)
            for number, one in enumerate(judged)
            if one.problems
        ),
    )


def _entity(judged: Judged, number: int) -> EntityRows:
    entity = judged.entity
    assert entity is not None
    if entity.data is not judged.document.data:
        entity = replace(entity, data=_stored(entity.data))
    place = judged.document.at(("metadata", "name"))
    try:
        return rows_of(entity, number, place)
    except ValueError:  # as JavaScript's JSON has it
        return rows_of(replace(entity, data=_finite(entity.data)), number, place)


def _finite(value: Any) -> Any:
    """Return a document with nothing instead of numbers that JSON has not."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _stored(value: Any) -> Any:
    """Return a document as JSON holds it: a placeholder that could not be read is one again."""
    if isinstance(value, dict):
        return {key: _stored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stored(item) for item in value]
    return {"$text": value.source} if isinstance(value, Unread) else value
