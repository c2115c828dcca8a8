"""Writing what an ingest found: who has which ref, what is an orphan, what is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from idp.catalog.index import needs
from idp.catalog.index.rows import EntityRows, FileRows, Judgement
from idp.catalog.index.writing import FileRow, Writer
from idp.catalog.ingest.survey import Survey, found_again
from idp.catalog.ingest.workers import read_all
from idp.catalog.problem import Problem
from idp.catalog.source.base import Found

Progress = Callable[[str, int, int], None]

_IN_VAIN = (
    "SELECT DISTINCT f.source, f.depth, f.location, f.path, f.stamp, f.repository, f.commit_id"
    " FROM claim c JOIN file f ON f.id = c.file LEFT JOIN entity e ON e.id = c.node"
    " WHERE e.id IS NULL OR e.orphaned_at IS NOT NULL"
)


class Settlement:
    """The writing half of an ingest.

    The first file to have a ref keeps it for as long as it has it; of files that come in the same
    ingest, the first is that of the first source, then the one that a source lists itself, then
    the first by its location.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        surveys: Sequence[Survey],
        now: datetime,
        grace: timedelta,
        progress: Progress,
    ) -> None:
        self.connection, self.surveys, self.progress = connection, surveys, progress
        self.now, self.oldest = now.isoformat(), (now - grace).isoformat()
        self.writer = Writer(connection)

    def settle(self, is_whole: bool) -> None:
        """Write all that changed."""
        if is_whole:
            self._drop_sources({survey.source.place for survey in self.surveys})
        for survey in self.surveys:
            survey.number = self._source(survey)
        for survey in self.surveys:
            self._read(survey)
        for survey in self.surveys:
            self._gone(self._not_taken_over(survey))
        self._settle_claims()
        self._expire()
        self.writer.flush()
        for survey in self.surveys:
            self._remember(survey)
        self.connection.execute(
            "DELETE FROM file WHERE stamp = '' AND documents = 0 AND id NOT IN"
            " (SELECT file FROM entity UNION SELECT file FROM problem)"
        )
        needs.build(self.connection)
        self.writer.meta(ingested_at=self.now)

    def _source(self, survey: Survey) -> int:
        (number,) = self.connection.execute(
            "INSERT INTO source (place, position, given) VALUES (?, ?, ?) ON CONFLICT (place)"
            " DO UPDATE SET position = excluded.position, given = excluded.given RETURNING id",
            (survey.source.place, survey.position, survey.given),
        ).fetchone()
        return int(number)

    def _remember(self, survey: Survey) -> None:
        *_, state, trouble = survey.said
        self.connection.execute(
            "UPDATE source SET state = ?, trouble = ? WHERE id = ?",
            (state, trouble, survey.number),
        )
        if not survey.failed:
            self.connection.execute(
                "UPDATE source SET read_at = ? WHERE id = ?", (self.now, survey.number)
            )

    def _read(self, survey: Survey) -> None:
        """Read what changed, and what Locations in it lead to."""
        done, of = 0, len(survey.unread)
        while batch := survey.take_unread():
            depths = {found.location: depth for depth, found in batch}
            for found, rows in read_all(survey.source, [found for _, found in batch]):
                depth = depths[found.location]
                self._write(survey, depth, found, rows)
                for entity in rows.entities if isinstance(rows, FileRows) else ():
                    survey.follow(found, depth, entity.targets)
                done += 1
                self.progress(survey.source.place, done, of)
            of += len(survey.unread)

    def _write(self, survey: Survey, depth: int, found: Found, rows: FileRows | Exception) -> None:
        """Write one file instead of what is known of it."""
        former = self._digest(found)
        if isinstance(rows, Exception):
            rows = _unreadable(rows)
            found = _unstamped(found)
        number = self.writer.file(FileRow(survey.number, depth, found, self.now), rows)
        if not rows.digest:  # what is known of it stays
            self.writer.forget_problems(number)
            self.writer.problems(number, rows.judgements)
        elif former != rows.digest or self._has_orphans(number):
            self._replace(number, rows, is_new=former is None)

    def _digest(self, found: Found) -> bytes | None:
        row = self.connection.execute(
            "SELECT digest FROM file WHERE location = ?", (found.location,)
        ).fetchone()
        return row and bytes(row[0])

    def _has_orphans(self, file: int) -> bool:
        found = self.connection.execute(
            "SELECT 1 FROM entity WHERE file = ? AND orphaned_at IS NOT NULL", (file,)
        )
        return found.fetchone() is not None

    def _replace(self, file: int, rows: FileRows, *, is_new: bool) -> None:
        if not is_new:
            self.writer.forget_problems(file)
            refs = {entity.ref for entity in rows.entities}
            had = self.connection.execute(
                "SELECT e.id, n.ref FROM entity e JOIN node n ON n.id = e.id WHERE e.file = ?",
                (file,),
            ).fetchall()
            self.writer.remove(node for node, ref in had if ref in refs)
            self._orphan(node for node, ref in had if ref not in refs)
        self.writer.problems(file, rows.judgements)
        for entity in rows.entities:
            self._entity(file, entity)
        if self.writer.is_full:
            self.writer.flush()

    def _entity(self, file: int, rows: EntityRows) -> None:
        """Write an entity, unless another file has its ref."""
        if self.writer.entity(file, rows):
            return
        node = self.writer.node(rows.ref)
        (orphaned_at,) = self.connection.execute(
            "SELECT orphaned_at FROM entity WHERE id = ?", (node,)
        ).fetchone()
        if orphaned_at is None:
            self.writer.claim(file, rows)
            return
        self.writer.remove([node])
        self.writer.entity(file, rows)

    def _orphan(self, nodes: Iterable[int]) -> None:
        self.connection.executemany(
            "UPDATE entity SET orphaned_at = ? WHERE id = ? AND orphaned_at IS NULL",
            [(self.now, node) for node in nodes],
        )

    def _gone(self, files: Iterable[int]) -> None:
        """Let the entities of files that are no more be orphans."""
        for file in files:
            self.writer.forget_problems(file)
            self.connection.execute(
                "UPDATE entity SET orphaned_at = ? WHERE file = ? AND orphaned_at IS NULL",
                (self.now, file),
            )
            self.connection.execute(
                "UPDATE file SET stamp = '', digest = x'', documents = 0 WHERE id = ?", (file,)
            )

    def _not_taken_over(self, survey: Survey) -> list[int]:
        """Return what a source has no more, but for files that another source has now."""
        held = self.connection.execute("SELECT id FROM file WHERE source = ?", (survey.number,))
        own = {row[0] for row in held}
        return [file for file in survey.gone if file in own]

    def _drop_sources(self, places: set[str]) -> None:
        """Let what came from a source that is no more go the way of files that are gone."""
        for number, place in self.connection.execute("SELECT id, place FROM source").fetchall():
            if place not in places:
                files = self.connection.execute("SELECT id FROM file WHERE source = ?", (number,))
                self._gone([row[0] for row in files.fetchall()])
        self.connection.execute(
            "DELETE FROM source WHERE id NOT IN (SELECT source FROM file) AND place NOT IN"
            f" ({','.join('?' * len(places))})",
            sorted(places),
        )

    def _settle_claims(self) -> None:
        """Give refs that have become free to those who claimed them in vain."""
        sources = {survey.number: survey for survey in self.surveys if not survey.failed}
        while True:
            waiting = [
                row for row in self.connection.execute(_IN_VAIN).fetchall() if row[0] in sources
            ]
            if not waiting:
                return
            for number, depth, *held in sorted(waiting, key=lambda row: self._rank(sources, row)):
                source, found = sources[number].source, found_again(*held)
                ((_, rows),) = read_all(source, [found])
                if isinstance(rows, Exception):
                    self.connection.execute(
                        "DELETE FROM claim WHERE file IN (SELECT id FROM file WHERE location = ?)",
                        (found.location,),
                    )
                    continue
                row = FileRow(number, depth, found, self.now)
                self._replace(self.writer.file(row, rows), rows, is_new=False)

    def _rank(self, sources: dict[int, Survey], row: Sequence[object]) -> tuple[object, ...]:
        number, depth, location = row[:3]
        return sources[int(str(number))].position, depth, location

    def _expire(self) -> None:
        """Take out the orphans whose time is over."""
        rows = self.connection.execute(
            "SELECT id FROM entity WHERE orphaned_at <= ?", (self.oldest,)
        ).fetchall()
        self.writer.remove(row[0] for row in rows)


def _unstamped(found: Found) -> Found:
    """Return a file so that the next ingest reads it again."""
    return Found(found.location, found.path, "", found.repository, found.commit, found.local)


def _unreadable(error: Exception) -> FileRows:
    what = getattr(error, "strerror", None) or str(error)
    problem = Problem(1, 1, "", f"cannot be read: {what}", "", "unreadable")
    return FileRows(b"", "{}", "{}", 1, (), (Judgement(0, False, (problem,)),))
