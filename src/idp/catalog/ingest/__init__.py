"""Ingest: the sources are read into the index, and of them only what changed."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from idp.catalog.index import schema
from idp.catalog.index.draft import drafted
from idp.catalog.index.writing import Writer
from idp.catalog.ingest.settle import Settlement
from idp.catalog.ingest.survey import WHOLE, Shard, Survey, known_files
from idp.catalog.ingest.workers import seldom_swept
from idp.catalog.source.base import Source
from idp.clock import Clock
from idp.errors import InvalidInput
from idp.workshop import locked

GRACE = timedelta(days=7)

Progress = Callable[[str, int, int], None]
"""Is told the source's place, how many files are done, and of how many (0: not known yet)."""


def _silent(_place: str, _done: int, _of: int) -> None:
    return


@dataclass(frozen=True)
class Origin:
    """A source to be read; `given`: somebody named it, it is not the platform's."""

    source: Source
    position: int
    given: bool = False


@dataclass(frozen=True)
class Order:
    """How to ingest.

    Attributes:
        grace: how long an entity stays that no file has any more.
        shard: the part of all repositories to read.
        is_whole: these are all the sources there are: what came from another is gone.
    """

    grace: timedelta = GRACE
    shard: Shard = WHOLE
    is_whole: bool = True


@dataclass(frozen=True)
class Unread:
    """A source that could not be read, or a part of it; what was known of it stays.

    Attributes:
        part: the repository or file; empty for the whole source.
    """

    place: str
    part: str
    message: str
    hint: str


@dataclass(frozen=True)
class Outcome:
    """What the index holds after an ingest.

    Attributes:
        documents: documents in all files.
        problems: mistakes in files, refs claimed in vain, and sources that could not be read.
        orphans: entities that no file has any more.
    """

    documents: int
    entities: int
    problems: int
    orphans: int
    seconds: float


@dataclass(frozen=True)
class Ingested:
    """What came of an ingest; `unread` is what could not be read this time."""

    outcome: Outcome
    unread: tuple[Unread, ...]


def ingest(
    path: Path,
    origins: Sequence[Origin],
    clock: Clock,
    order: Order = Order(),
    progress: Progress = _silent,
) -> Ingested:
    """Bring an index up to date with its sources; another ingest of it waits.

    What cannot be read keeps what is known of it; one bad file or document stops nothing.

    Raises:
        InvalidInput: the index cannot be written, holds another shard, or is of a newer idp; or
            it is no index.
    """
    began = clock.now()
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        former = path if _is_current(path) else None
        with _reading(former) as known:
            _check_shard(known, path, order.shard)
            surveys = _surveys(known, origins, order.shard)
            elsewhere = set() if order.is_whole else _of_others(known, surveys)
            for survey in surveys:
                survey.look(partial(progress, survey.source.place), elsewhere)
                survey.follow_known(known)
                elsewhere |= survey.seen
            is_same = former and not _changes(known, surveys, order, began)
        if is_same:
            os.utime(path, (began.timestamp(),) * 2)
        else:
            with seldom_swept(), drafted(path, former) as connection:
                met = [survey for survey in surveys if not survey.is_mistaken]
                Settlement(connection, met, began, order.grace, progress).settle(order.is_whole)
                Writer(connection).meta(shard=str(order.shard))
        unread = (
            Unread(survey.source.place, one.repository, one.message, one.hint)
            for survey in surveys
            for one in survey.troubles
        )
        return Ingested(outcome(path, clock, began), tuple(unread))


def remembered(path: Path) -> list[str]:
    """Return the sources of an index that somebody named and the platform does not."""
    if not _is_current(path):
        return []
    with _reading(path) as known:
        rows = known.execute("SELECT place FROM source WHERE given ORDER BY position")
        return [place for (place,) in rows]


def _is_current(path: Path) -> bool:
    """Tell whether there is an index that this idp can go on with."""
    if not path.exists():
        return False
    try:
        with _reading(path) as connection:
            return schema.version(connection) == schema.SCHEMA
    except InvalidInput:
        return False


@contextmanager
def _reading(path: Path | None) -> Iterator[sqlite3.Connection]:
    """Open the index as it is; an empty one where there is none."""
    uri = f"{path.absolute().as_uri()}?immutable=1" if path else ":memory:"
    connection = sqlite3.connect(uri, uri=path is not None)
    try:
        if path is None:
            schema.create(connection)
        yield connection
    except sqlite3.DatabaseError as error:
        hint = "remove it, and ingest again"
        raise InvalidInput(f"{path} is damaged: {error}", hint=hint) from error
    finally:
        connection.close()


def _check_shard(known: sqlite3.Connection, path: Path, shard: Shard) -> None:
    """Refuse an index of another part: all that is not in this one would be taken for gone."""
    row = known.execute("SELECT value FROM meta WHERE key = 'shard'").fetchone()
    if row and row[0] != str(shard):
        what = f"the shard {row[0]}" if row[0] != str(WHOLE) else "no shard"
        raise InvalidInput(f"{path} is of {what}", hint="write to another file: --out FILE")


def _surveys(known: sqlite3.Connection, origins: Iterable[Origin], shard: Shard) -> list[Survey]:
    rows = known.execute("SELECT place, id, state FROM source")
    held = {place: (number, json.loads(state)) for place, number, state in rows}
    surveys = []
    for origin in sorted(origins, key=lambda one: one.position):
        number, state = held.get(origin.source.place, (0, {}))
        files = known_files(known, number)
        surveys.append(
            Survey(origin.source, number, origin.position, origin.given, files, state, shard)
        )
    return surveys


def _of_others(known: sqlite3.Connection, surveys: Sequence[Survey]) -> set[str]:
    """Return the files of sources that are not read now."""
    now = {survey.number for survey in surveys}
    others = [row[0] for row in known.execute("SELECT id FROM source") if row[0] not in now]
    return {location for number in others for location in known_files(known, number)}


def _changes(
    known: sqlite3.Connection, surveys: Sequence[Survey], order: Order, now: datetime
) -> bool:
    """Tell whether anything is to be written."""
    rows = known.execute("SELECT place, position, given, state, trouble FROM source")
    held = {row[0]: row[1:] for row in rows}
    met = {survey.source.place for survey in surveys if not survey.is_mistaken}
    if order.is_whole and set(held) != met:
        return True
    if any(
        survey.unread or survey.gone or held.get(survey.source.place) != survey.said
        for survey in surveys
        if not survey.is_mistaken
    ):
        return True
    oldest = (now - order.grace).isoformat()
    expired = known.execute("SELECT 1 FROM entity WHERE orphaned_at <= ? LIMIT 1", (oldest,))
    return expired.fetchone() is not None


def outcome(path: Path, clock: Clock, began: datetime) -> Outcome:
    """Return what an index holds."""
    with _reading(path) as connection:
        counts = [
            connection.execute(f"SELECT {one}").fetchone()[0]
            for one in (
                "(SELECT coalesce(sum(documents), 0) FROM file)",
                "(SELECT count(*) FROM entity)",
                "(SELECT count(*) FROM problem) + (SELECT count(*) FROM claim)"
                " + (SELECT coalesce(sum(json_array_length(trouble)), 0) FROM source)",
                "(SELECT count(*) FROM entity WHERE orphaned_at IS NOT NULL)",
            )
        ]
    documents, entities, problems, orphans = counts
    seconds = round((clock.now() - began).total_seconds(), 3)
    return Outcome(documents, entities, problems, orphans, seconds)
