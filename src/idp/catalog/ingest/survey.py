"""Looking at a source: what is there, and what of it has to be read."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from idp.catalog.index.packing import unpack
from idp.catalog.index.rows import entity_of, rows_of
from idp.catalog.index.schema import DATA
from idp.catalog.ingest.intake import stamp_of
from idp.catalog.source.base import Found, Source, State, Trouble
from idp.catalog.source.walk import as_named
from idp.errors import IdpError, InvalidInput, NotFound

DEEPEST = 10
"""How many Locations may lead to one another."""


@dataclass(frozen=True)
class Shard:
    """One of several equal parts of all repositories, and of files that are in none."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, unit: str) -> bool:
        """Tell whether a repository or a file belongs to this part."""
        return zlib.crc32(unit.encode(errors="surrogateescape")) % self.of == self.number - 1


WHOLE = Shard(1, 1)


@dataclass(frozen=True, slots=True)
class Known:
    """A file that the index has."""

    id: int
    stamp: str
    includes: str
    repository: str


@dataclass
class Survey:
    """What there is in a source, compared with what the index knows of it.

    Attributes:
        number: the source's number in the index, 0 if it is new there.
        position: its place among all sources.
        known: the files that the index has of it, by location.
        former: what it said of itself last time.
        seen: the locations that are there, as far as they were looked at.
        unread: the files to be read, and how deep each was found.
        failed: the source could not be looked at: nothing of it is touched.
    """

    source: Source
    number: int
    position: int
    given: bool
    known: dict[str, Known]
    former: State
    shard: Shard = WHOLE
    seen: set[str] = field(default_factory=set)
    unread: list[tuple[int, Found]] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)
    failed: bool = False
    elsewhere: set[str] = field(default_factory=set)

    @property
    def is_mistaken(self) -> bool:
        """Whether somebody named it for the first time, and nothing is there."""
        return self.given and self.failed and not (self.number or self.seen)

    def look(self, progress: Callable[[int, int], None], elsewhere: set[str]) -> None:
        """List the source; what cannot be read now is noted as a trouble.

        Args:
            elsewhere: the files of other sources, which are not read twice.
        """
        kept = set()
        self.elsewhere = set(elsewhere)
        try:
            for one in self.source.scan(self.former):
                if isinstance(one, Found):
                    if self.shard.has(one.repository or one.location):
                        self.meet(one, 0)
                        progress(len(self.seen), 0)
                    continue
                kept.add(one.repository)
                if isinstance(one, Trouble):
                    self.troubles.append(one)
        except IdpError as error:
            self.failed = True
            self.troubles = [Trouble("", error.message, error.hint)]
        self.failed = self.failed or "" in kept
        if kept:
            self.seen |= {at for at, one in self.known.items() if one.repository in kept}

    def meet(self, found: Found, depth: int) -> None:
        """Take note of a file; one that changed is to be read."""
        if found.location in self.seen:
            return
        self.seen.add(found.location)
        if found.location in self.elsewhere:
            return
        known = self.known.get(found.location)
        if known is None or known.stamp != found.stamp or not _are_as_they_were(known, found):
            self.unread.append((depth, found))

    def follow(self, found: Found, depth: int, targets: tuple[str, ...]) -> None:
        """Take note of the files that a Location names."""
        for written in targets if depth < DEEPEST else ():
            try:
                for target in self.source.target(found, written):
                    self.meet(target, depth + 1)
            except IdpError as error:
                where = f"{found.path}: the Location's target {written}"
                # It may be there still: nothing that it led to may go.
                self.failed = self.failed or not isinstance(error, (InvalidInput, NotFound))
                self.troubles.append(Trouble(where, error.message, error.hint))

    def follow_known(self, connection: sqlite3.Connection) -> None:
        """Follow the Locations of files that need not be read."""
        unread = {found.location for _, found in self.unread}
        for depth, found, targets in _locations(connection, self.number):
            if found.location in self.seen and found.location not in unread:
                self.follow(found, depth, targets)

    def take_unread(self) -> list[tuple[int, Found]]:
        """Return the files to be read, in the order in which the first one wins a ref."""
        taken, self.unread = self.unread, []
        return sorted(taken, key=lambda one: (one[0], one[1].location))

    @property
    def gone(self) -> list[int]:
        """The files that the index has and the source has not."""
        if self.failed:
            return []
        return [one.id for at, one in self.known.items() if at not in self.seen]

    def _state(self) -> State:
        """Return what the source shall be told next time: nothing of files that others read."""
        if self.shard != WHOLE:
            return {}
        return self.former if self.failed else self.source.state()

    @property
    def said(self) -> tuple[int, int, str, str]:
        """The source's own row: position, given, state and what could not be read."""
        state = json.dumps(self._state())
        told = json.dumps([[one.repository, one.message, one.hint] for one in self.troubles])
        return self.position, int(self.given), state, told


def _are_as_they_were(known: Known, found: Found) -> bool:
    """Tell whether the files that a file includes are those that were read with it."""
    if known.includes == "{}":
        return True
    stamp = stamp_of if found.local else lambda path: found.blobs.get(_in_repository(path), "")
    return all(stamp(path) == was for path, was in json.loads(known.includes).items())


def _in_repository(path: str) -> str:
    return path.removeprefix("/repository/")


def _locations(
    connection: sqlite3.Connection, source: int
) -> Iterator[tuple[int, Found, tuple[str, ...]]]:
    rows = connection.execute(
        f"SELECT f.depth, f.location, f.path, f.stamp, f.repository, f.commit_id, {DATA}"
        " FROM entity e JOIN file f ON f.id = e.file"
        " WHERE f.source = ? AND e.kind = 'Location' AND e.orphaned_at IS NULL"
        " ORDER BY f.depth, f.location, e.document",
        (source,),
    )
    for depth, *held, data in rows.fetchall():
        yield depth, found_again(*held), rows_of(entity_of(unpack(data))).targets
    in_vain = connection.execute(
        "SELECT f.depth, f.location, f.path, f.stamp, f.repository, f.commit_id, c.targets"
        " FROM claim c JOIN file f ON f.id = c.file"
        " WHERE f.source = ? AND c.targets != '[]' ORDER BY f.depth, f.location, c.document",
        (source,),
    )
    for depth, *held, targets in in_vain.fetchall():
        yield depth, found_again(*held), tuple(json.loads(targets))


def found_again(location: str, path: str, stamp: str, repository: str, commit: str) -> Found:
    """Return a file as its source found it, as far as the index remembers."""
    local = Path(as_named(location.removeprefix("file:"))) if location[:6] == "file:/" else None
    return Found(location, path, stamp, repository, commit, local)


def known_files(connection: sqlite3.Connection, source: int) -> dict[str, Known]:
    """Return the files that the index has of a source, by location."""
    rows = connection.execute(
        "SELECT location, id, stamp, includes, repository FROM file WHERE source = ?", (source,)
    )
    return {row[0]: Known(*row[1:]) for row in rows}
