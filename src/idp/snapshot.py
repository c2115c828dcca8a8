"""Publishing the catalog's index, so that others pull it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from idp import __version__
from idp.catalog.index import schema
from idp.catalog.index.opened import opened
from idp.catalog.snapshot.manifest import Manifest, parse
from idp.catalog.snapshot.packed import Packed, pack
from idp.catalog.snapshot.place import Place
from idp.catalog.snapshot.pull import stamp
from idp.clock import Clock
from idp.errors import NotFound, Refused
from idp.plan import Effect, Plan
from idp.road import Road
from idp.workshop import workshop


@dataclass(frozen=True)
class Published:
    """A snapshot that was published, or would be.

    Attributes:
        location: the manifest's path or URL.
        data: the name of the compressed index beside it.
        uploaded: the data were not there before.
        size: of the compressed index, in bytes.
    """

    location: str
    data: str
    uploaded: bool
    checked_at: datetime
    documents: int
    entities: int
    size: int
    index_size: int
    sha256: str


@dataclass(frozen=True)
class Request:
    """What shall be published.

    Attributes:
        workbench: a folder to compress the index in.
        force: also instead of a newer snapshot, and the data once more.
    """

    index: Path
    place: Place
    workbench: Path
    force: bool = False


@dataclass(frozen=True)
class Prepared:
    """A snapshot that is packed, and what it comes to at its place.

    Attributes:
        there: the manifest of the snapshot that is there.
    """

    request: Request
    packed: Packed
    manifest: Manifest
    there: Manifest | None
    published: Published
    plan: Plan


@contextmanager
def prepared(request: Request, clock: Clock) -> Iterator[Prepared]:
    """Pack an index, to be published at a place.

    Raises:
        NotFound, InvalidInput: there is no index, or what is at the place is no snapshot.
        Refused: the snapshot that is there is newer.
    """
    with workshop(request.workbench) as folder:
        was = stamp(request.index)
        said = _counts(request.index)
        packed = pack(request.index, folder / "data.gz")
        there = _there(request.place)
        manifest = _manifest(request.place, packed, said, there, clock.now())
        if there and not request.force:
            _check_newer(manifest, there, request.place)
        uploaded = request.force or there is None or there.data != manifest.data
        done = _published(request.place, manifest, uploaded)
        plan = _plan(request.place, manifest, was, there, uploaded)
        yield Prepared(request, packed, manifest, there, done, plan)


def publish(made: Prepared, road: Road) -> Published:
    """Make an index the snapshot at a place: its data first, then the manifest that names them.

    The data of the snapshot before stay, for those who are reading them; older ones go.
    """
    request, manifest, there = made.request, made.manifest, made.there

    def apply() -> Published:
        if made.published.uploaded:
            request.place.put(manifest.data, made.packed.file)
        request.place.point(manifest.text)
        if there and there.previous not in ("", manifest.data, manifest.previous):
            request.place.remove(there.previous)
        return made.published

    def observe() -> Mapping[str, str]:
        return {"index": stamp(request.index), "snapshot": _told(_there(request.place))}

    return road.carry_out(made.plan, apply, observe=observe, proof=lambda done: done.sha256)


@dataclass(frozen=True)
class _Counts:
    checked_at: datetime
    documents: int
    entities: int


def _counts(index: Path) -> _Counts:
    with opened(index) as held:
        (documents,) = held.connection.execute(
            "SELECT coalesce(sum(documents), 0) FROM file"
        ).fetchone()
        (entities,) = held.connection.execute("SELECT count(*) FROM entity").fetchone()
        return _Counts(held.checked_at, documents, entities)


def _there(place: Place) -> Manifest | None:
    """Return the manifest at a place, None if there is none; what is none is never replaced."""
    with suppress(NotFound):
        held = place.manifest()
        return parse(held.text, place.name) if held else None
    return None


def _told(manifest: Manifest | None) -> str:
    return manifest.sha256 if manifest else ""


def _manifest(
    place: Place, packed: Packed, said: _Counts, there: Manifest | None, now: datetime
) -> Manifest:
    data = f"{place.stem}-{packed.sha256[:16]}.db.gz"
    before = there.data if there else ""
    return Manifest(
        data=data,
        size=packed.size,
        sha256=packed.sha256,
        index_size=packed.index_size,
        index_sha256=packed.index_sha256,
        schema=schema.SCHEMA,
        idp=__version__,
        created_at=now,
        checked_at=said.checked_at,
        documents=said.documents,
        entities=said.entities,
        previous=there.previous if there and before == data else before,
    )


def _check_newer(manifest: Manifest, there: Manifest, place: Place) -> None:
    if there.checked_at > manifest.checked_at:
        raise Refused(
            f"the snapshot at {place.name} is of {there.checked_at:%Y-%m-%d %H:%M} UTC, newer than"
            f" the index here, of {manifest.checked_at:%Y-%m-%d %H:%M} UTC",
            hint="ingest first, or --force",
        )


def _plan(
    place: Place, manifest: Manifest, was: str, there: Manifest | None, uploaded: bool
) -> Plan:
    added = (Effect("added", manifest.data),) if uploaded else ()
    return Plan(
        "publish the catalog",
        f"at {place.name}",
        inputs={"documents": str(manifest.documents)},
        preconditions={"index": was, "snapshot": _told(there)},
        effects=(*added, Effect("updated" if there else "added", place.name)),
        result=manifest.sha256,
        risk="remote" if place.is_remote else "local",
    )


def _published(place: Place, manifest: Manifest, uploaded: bool) -> Published:
    return Published(
        location=place.name,
        data=manifest.data,
        uploaded=uploaded,
        checked_at=manifest.checked_at,
        documents=manifest.documents,
        entities=manifest.entities,
        size=manifest.size,
        index_size=manifest.index_size,
        sha256=manifest.sha256,
    )
