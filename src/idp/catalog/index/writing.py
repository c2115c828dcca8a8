"""Writing rows into an index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from idp.catalog.index.packing import unpack
from idp.catalog.index.rows import EntityRows, FileRows, Judgement, entity_of, rows_of
from idp.catalog.index.schema import INVERSE
from idp.catalog.problem import Problem
from idp.catalog.source.base import Found

_Attribute = tuple[int, str | bytes, int, str | None]

_REMEMBERED = 200_000
"""How many refs keep their numbers at hand."""

_COLUMNS = (
    "location, source, depth, path, stamp, digest, documents, repository, commit_id, includes,"
    " evidence, read_at"
)
_FILE = (
    f"INSERT INTO file ({_COLUMNS}) VALUES ({','.join('?' * 12)}) ON CONFLICT (location) DO UPDATE"
    f" SET ({_COLUMNS}) = ({', '.join(f'excluded.{name}' for name in _COLUMNS.split(', '))})"
    " RETURNING id"
)
_ENTITY = f"INSERT OR IGNORE INTO entity VALUES ({','.join('?' * 14)})"


@dataclass(frozen=True)
class FileRow:
    """A file as the index holds it: whose it is, how deep it was found, when it was read."""

    source: int
    depth: int
    found: Found
    read_at: str


class Writer:
    """Writes into a draft of an index; one at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._nodes: dict[str, int] = {}
        self._fields = dict(connection.execute("SELECT path, id FROM field"))
        self._attributes: list[_Attribute] = []
        self._relations: list[tuple[int, int, int, int]] = []

    def file(self, file: FileRow, rows: FileRows) -> int:
        """Write a file's own row and what is wrong in it; return its number."""
        found = file.found
        (number,) = self.connection.execute(
            _FILE,
            (
                *(found.location, file.source, file.depth, found.path, found.stamp, rows.digest),
                *(rows.documents, found.repository, found.commit, rows.includes, rows.evidence),
                file.read_at,
            ),
        ).fetchone()
        return int(number)

    def problems(self, file: int, judgements: Iterable[Judgement]) -> None:
        """Write what is wrong in a file."""
        self.connection.executemany(
            "INSERT INTO problem VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            [
                (file, j.document, *_told(p), int(j.is_skeleton), j.ref)
                for j in judgements
                for p in j.problems
            ],
        )

    def forget_problems(self, file: int) -> None:
        """Take out what was wrong in a file, and the refs it claimed in vain."""
        self.connection.execute("DELETE FROM problem WHERE file = ?", (file,))
        self.connection.execute("DELETE FROM claim WHERE file = ?", (file,))

    def node(self, ref: str) -> int:
        """Return the number of a ref, a new one if it has none."""
        number = self._nodes.get(ref)
        if number is None:
            if len(self._nodes) >= _REMEMBERED:
                self._nodes.clear()
            row = self.connection.execute("SELECT id FROM node WHERE ref = ?", (ref,)).fetchone()
            if row is None:
                done = self.connection.execute("INSERT INTO node (ref) VALUES (?)", (ref,))
                row = (done.lastrowid,)
            number = self._nodes[ref] = int(row[0])
        return number

    def entity(self, file: int, rows: EntityRows) -> bool:
        """Write an entity; tell whether it was written: another may have its ref."""
        node = self.node(rows.ref)
        owner = self.node(rows.owner) if rows.owner else None
        system = self.node(rows.system) if rows.system else None
        done = self.connection.execute(
            _ENTITY,
            (node, *_shown(rows), owner, system, file, rows.document, rows.line, None),
        )
        if not done.rowcount:
            return False
        self.connection.execute("INSERT INTO document VALUES (?, ?)", (node, rows.data))
        self._attributes += self._attributes_of(node, rows)
        self._relations += self._relations_of(node, rows)
        self.connection.execute(
            "INSERT INTO words (rowid, name, title, body) VALUES (?,?,?,?)", (node, *rows.words)
        )
        return True

    def claim(self, file: int, rows: EntityRows) -> None:
        """Note a document whose ref another has already."""
        self.connection.execute(
            "INSERT OR REPLACE INTO claim VALUES (?,?,?,?,?,?)",
            (
                *(file, rows.document, rows.line, rows.column, self.node(rows.ref)),
                json.dumps(rows.targets),
            ),
        )

    def remove(self, nodes: Iterable[int]) -> None:
        """Take entities out, with all that was derived from them."""
        self.flush()
        for node in nodes:
            (data,) = self.connection.execute(
                "SELECT data FROM document WHERE id = ?", (node,)
            ).fetchone()
            rows = rows_of(entity_of(unpack(data)))
            self.connection.executemany(
                "DELETE FROM attribute WHERE field = ? AND value = ? AND entity = ?",
                [row[:3] for row in self._attributes_of(node, rows)],
            )
            self.connection.executemany(
                "DELETE FROM relation WHERE type = ? AND target = ? AND source = ? AND by = ?",
                self._relations_of(node, rows),
            )
            self.connection.execute(
                "INSERT INTO words (words, rowid, name, title, body) VALUES ('delete',?,?,?,?)",
                (node, *rows.words),
            )
            self.connection.execute("DELETE FROM document WHERE id = ?", (node,))
            self.connection.execute("DELETE FROM entity WHERE id = ?", (node,))

    def _attributes_of(self, node: int, rows: EntityRows) -> list[_Attribute]:
        fields = self._fields
        try:
            return [(fields[path], value, node, shown) for path, value, shown in rows.attributes]
        except KeyError:
            for path in sorted({path for path, _, _ in rows.attributes} - fields.keys()):
                done = self.connection.execute("INSERT INTO field (path) VALUES (?)", (path,))
                fields[path] = int(done.lastrowid or 0)
            return self._attributes_of(node, rows)

    def _relations_of(self, node: int, rows: EntityRows) -> Iterator[tuple[int, int, int, int]]:
        for number, ref in rows.relations:
            other = self.node(ref)
            yield number, other, node, 0
            yield INVERSE[number], node, other, 1

    def flush(self) -> None:
        """Write what was collected: in the order of the tables, where it goes much faster."""
        nothings = [row for row in self._attributes if isinstance(row[1], bytes)]
        texts = [row for row in self._attributes if isinstance(row[1], str)]
        for rows in (texts, nothings):  # SQLite has blobs after texts
            rows.sort()
            self.connection.executemany("INSERT INTO attribute VALUES (?,?,?,?)", rows)
        self._attributes.clear()
        self._relations.sort()
        self.connection.executemany(
            "INSERT OR IGNORE INTO relation VALUES (?,?,?,?)", self._relations
        )
        self._relations.clear()

    @property
    def is_full(self) -> bool:
        """Whether it is time to flush."""
        return len(self._attributes) > 250_000

    def meta(self, **said: str) -> None:
        """Let the index say something of itself."""
        self.connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", said.items())


def _shown(rows: EntityRows) -> tuple[str, ...]:
    names = (rows.kind, rows.namespace, rows.name, rows.title)
    return *names, rows.type, rows.lifecycle, rows.tier


def _told(problem: Problem) -> tuple[str | int, ...]:
    place = (problem.line, problem.column, problem.path)
    return *place, problem.message, problem.hint, problem.rule, problem.level
