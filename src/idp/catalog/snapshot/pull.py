"""Pulling a snapshot: it becomes the index, or the index stays as it is."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from idp.catalog.index import schema
from idp.catalog.index.draft import check_replaceable
from idp.catalog.index.opened import opened
from idp.catalog.snapshot.manifest import Manifest, parse
from idp.catalog.snapshot.packed import check, unpack
from idp.catalog.snapshot.place import Place
from idp.errors import InvalidInput, NotFound, Refused
from idp.workshop import workshop

_TRIES = 3
"""How often a manifest is read whose data went in the meantime: others publish as we read."""


@dataclass(frozen=True)
class Pulled:
    """What a pull came to.

    Attributes:
        index: the index's file.
        updated: it is another than before.
        checked_at: when the sources of it were last looked at.
    """

    index: Path
    location: str
    updated: bool
    checked_at: datetime
    documents: int
    entities: int
    size: int
    sha256: str


@dataclass(frozen=True)
class _Mark:
    """What an index that was pulled is, kept beside it: whether it still is that, and of when.

    Attributes:
        stamp: what the file was; another if somebody has written the index since.
    """

    location: str
    etag: str
    stamp: str
    manifest: str

    def holds(self, manifest: Manifest) -> bool:
        """Tell whether the index is the one of a manifest, whose time may be another."""
        return parse(self.manifest.encode(), self.location).index_sha256 == manifest.index_sha256


def pull(place: Place, index: Path, *, force: bool = False) -> Pulled:
    """Make a place's snapshot the index here, unless it is so already.

    Args:
        force: also instead of an index that was ingested here and is newer.

    Raises:
        NotFound: there is no snapshot.
        InvalidInput: it is damaged, or of another schema than this idp has; or the disk is full.
        Refused: the index here was ingested and is newer.
    """
    mark = _mark(index, place)
    for _ in range(_TRIES):
        held = place.manifest(mark.etag if mark else "")
        if mark and (held is None or held.text == mark.manifest.encode()):
            return _pulled(index, place, parse(mark.manifest.encode(), place.name), updated=False)
        assert held is not None
        manifest = parse(held.text, place.name)
        _check_schema(manifest, place.name)
        if not force:
            _check_age(index, manifest, is_pulled=mark is not None)
        is_same = mark is not None and mark.holds(manifest)
        with suppress(NotFound):
            if is_same:
                os.utime(index, ns=(_nanoseconds(manifest.checked_at),) * 2)
            else:
                _replace(place, manifest, index)
            made = _Mark(place.name, held.etag, stamp(index), held.text.decode())
            _file_of(index).write_text(json.dumps(asdict(made)))
            return _pulled(index, place, manifest, updated=not is_same)
    raise NotFound(f"the snapshot's data {manifest.data} is not at {place.name}")


def _pulled(index: Path, place: Place, manifest: Manifest, *, updated: bool) -> Pulled:
    what = (manifest.checked_at, manifest.documents, manifest.entities)
    return Pulled(index, place.name, updated, *what, manifest.size, manifest.sha256)


def _file_of(index: Path) -> Path:
    return index.with_name(f"{index.name}.pulled")


def _mark(index: Path, place: Place) -> _Mark | None:
    """Return what was pulled from this place, if the index still is that."""
    try:
        held = _Mark(**json.loads(_file_of(index).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    return held if held.location == place.name and held.stamp == stamp(index) else None


def stamp(index: Path) -> str:
    """Return what tells whether an index has been replaced; empty if there is none."""
    try:
        held = index.stat()
    except OSError:
        return ""
    return f"{held.st_ino}-{held.st_size}-{held.st_mtime_ns}"


def _check_schema(manifest: Manifest, place: str) -> None:
    if manifest.schema == schema.SCHEMA:
        return
    is_newer = manifest.schema > schema.SCHEMA
    whose = "update idp here" if is_newer else "publish it again with the idp that is here"
    raise InvalidInput(
        f"the snapshot at {place} is of idp {manifest.idp}, with schema {manifest.schema};"
        f" this idp reads schema {schema.SCHEMA}",
        hint=whose,
    )


def _check_age(index: Path, manifest: Manifest, *, is_pulled: bool) -> None:
    """Refuse to replace what was ingested here and is newer: it may be all there is of it."""
    if is_pulled or not index.exists():
        return
    here = datetime.fromtimestamp(index.stat().st_mtime, UTC)
    if here > manifest.checked_at and _is_readable(index):
        raise Refused(
            f"{index} is of {here:%Y-%m-%d %H:%M} UTC, newer than the snapshot of "
            f"{manifest.checked_at:%Y-%m-%d %H:%M} UTC",
            hint="--force replaces it, --index names another file",
        )


def _is_readable(index: Path) -> bool:
    try:
        with opened(index):
            return True
    except InvalidInput:
        return False


def _replace(place: Place, manifest: Manifest, index: Path) -> None:
    """Let a place's data take the name of the index once it is known to be sound."""
    check_replaceable(index)
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        with workshop(index.parent) as folder:
            packed, draft = folder / "data.gz", folder / "index.db"
            with packed.open("wb") as into:
                place.fetch(manifest.data, into)
            check(packed, manifest, place.name)
            unpack(packed, draft, manifest, place.name)
            with opened(draft):
                pass
            os.utime(draft, ns=(_nanoseconds(manifest.checked_at),) * 2)
            draft.replace(index)
    except OSError as error:
        raise InvalidInput(
            f"cannot write {index}: {error.strerror or error}", hint="is the disk full?"
        ) from error


def _nanoseconds(moment: datetime) -> int:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
