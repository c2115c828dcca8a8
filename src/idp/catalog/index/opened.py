"""Reading the index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idp.catalog.index import schema
from idp.catalog.index.packing import unpack
from idp.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from idp.catalog.evidence import Evidence

INGEST = "run `idp catalog ingest` first, or `idp catalog snapshot pull`"


@dataclass(frozen=True)
class Card:
    """What a list shows of an entity.

    Attributes:
        id: its node's number, good for this index only: never shown.
        owner: the canonical ref of its first owner, empty if it has none; so with `system`.
        tier: how critical it is, as its spec, a label or an annotation says.
        orphan: no source has it any more.
    """

    id: int
    ref: str
    kind: str
    namespace: str
    name: str
    title: str
    type: str
    lifecycle: str
    tier: str
    owner: str
    system: str
    orphan: bool


@dataclass(frozen=True)
class Provenance:
    """Where an entity was read.

    Attributes:
        place: the source, as the platform file has it.
        location: the file, `file:/…` or a URL.
        path: the file's path in its repository or source.
        document: which document of the file, from 0.
        repository: the repository's address in a browser, empty if there is none.
        read_at: when its file was last read.
        orphaned_at: since when no file has it.
    """

    place: str
    location: str
    path: str
    document: int
    line: int
    repository: str
    commit: str
    read_at: datetime
    orphaned_at: datetime | None


@dataclass(frozen=True)
class Related:
    """An entity at the other end of a relation; without a card if it is missing."""

    type: str
    ref: str
    card: Card | None


CARD = (
    "SELECT e.id, n.ref, e.kind, e.namespace, e.name, e.title, e.type, e.lifecycle, e.tier, o.ref,"
    " s.ref, e.orphaned_at FROM {} JOIN node n ON n.id = e.id LEFT JOIN node o ON o.id = e.owner"
    " LEFT JOIN node s ON s.id = e.system "
)
"""Selects cards; what they come from is to be filled in, and must be or join `entity e`."""

_BATCH = 500

_QUICK = ("mmap_size = 4294967296", "cache_size = -65536", "temp_store = MEMORY")


def card_of(row: tuple[Any, ...]) -> Card:
    """Return the card of a row that CARD selects."""
    owner, system, orphaned_at = row[9:]
    values: Any = (*row[:9], owner or "", system or "", orphaned_at is not None)
    return Card(*values)


@dataclass(frozen=True)
class Index:
    """An index that is open for reading.

    Attributes:
        path: its file.
        checked_at: when the sources were last looked at.
    """

    path: Path
    connection: sqlite3.Connection
    checked_at: datetime

    def meta(self, key: str) -> str:
        """Return what the index says of itself, empty if nothing."""
        row = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def node(self, ref: str) -> int | None:
        """Return the number of a canonical ref; None if nobody has it or refers to it."""
        row = self.connection.execute("SELECT id FROM node WHERE ref = ?", (ref,)).fetchone()
        return row[0] if row else None

    def refs(self, nodes: Iterable[int]) -> dict[int, str]:
        """Return the refs of nodes."""
        return dict(self._by_id("SELECT id, ref FROM node WHERE id IN", nodes))

    def cards(self, nodes: Iterable[int]) -> dict[int, Card]:
        """Return the cards of those nodes that are entities."""
        rows = self._by_id(f"{CARD.format('entity e')} WHERE e.id IN", nodes)
        return {row[0]: card_of(row) for row in rows}

    def _by_id(self, select: str, nodes: Iterable[int]) -> Iterator[tuple[Any, ...]]:
        wanted = list(nodes)
        for start in range(0, len(wanted), _BATCH):
            some = wanted[start : start + _BATCH]
            yield from self.connection.execute(f"{select} ({','.join('?' * len(some))})", some)

    def document(self, node: int) -> dict[str, Any]:
        """Return an entity's whole document, placeholders replaced."""
        (packed,) = self.connection.execute(
            "SELECT data FROM document WHERE id = ?", (node,)
        ).fetchone()
        return unpack(packed)

    def related(self, node: int, *types: str) -> list[Related]:
        """Return the other ends of an entity's relations, by type and ref; all types if none."""
        numbers = [schema.NUMBER[name] for name in types or schema.RELATIONS]
        found: dict[int, dict[int, None]] = {}
        for number in numbers:
            rows = self.connection.execute(
                "SELECT DISTINCT source FROM relation WHERE type = ? AND target = ?",
                (schema.INVERSE[number], node),
            )
            found[number] = dict.fromkeys(row[0] for row in rows)
        everyone = {other for others in found.values() for other in others}
        refs, cards = self.refs(everyone), self.cards(everyone)
        ends = [
            Related(schema.RELATIONS[number], refs[other], cards.get(other))
            for number, others in found.items()
            for other in others
        ]
        return sorted(ends, key=lambda end: (schema.NUMBER[end.type], end.ref))

    def provenance(self, node: int) -> Provenance:
        """Return where an entity was read."""
        row = self.connection.execute(
            "SELECT s.place, f.location, f.path, e.document, e.line, f.repository, f.commit_id,"
            " f.read_at, e.orphaned_at FROM entity e JOIN file f ON f.id = e.file"
            " JOIN source s ON s.id = f.source WHERE e.id = ?",
            (node,),
        ).fetchone()
        read_at, orphaned_at = row[7:]
        orphaned = datetime.fromisoformat(orphaned_at) if orphaned_at else None
        values: Any = (*row[:7], datetime.fromisoformat(read_at), orphaned)
        return Provenance(*values)

    def evidence(self, node: int) -> Evidence:
        """Return what is beside an entity's file."""
        from idp.catalog.evidence import Evidence

        (text,) = self.connection.execute(
            "SELECT f.evidence FROM entity e JOIN file f ON f.id = e.file WHERE e.id = ?", (node,)
        ).fetchone()
        held: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(text).items()}
        return Evidence(**held)


@contextmanager
def opened(path: Path) -> Iterator[Index]:
    """Open an index for reading.

    Raises:
        NotFound: there is none.
        InvalidInput: it is no index, or one of another version of idp.
    """
    try:
        checked = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError as error:
        raise NotFound(f"no catalog index {path}", hint=INGEST) from error
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder, not a catalog index")
    # Nobody writes into an index once it has its name: no lock is needed, on no file system.
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    try:
        for setting in _QUICK:
            connection.execute(f"PRAGMA {setting}")
        _check(connection, path)
        yield Index(path, connection, checked)
    except sqlite3.DatabaseError as error:
        raise InvalidInput(f"{path} is damaged: {error}", hint=INGEST) from error
    finally:
        connection.close()


def _check(connection: sqlite3.Connection, path: Path) -> None:
    found = schema.version(connection)
    if found > schema.SCHEMA:
        raise InvalidInput(f"{path} was written by a newer idp", hint="update idp")
    if found != schema.SCHEMA:
        what = "was written by an older idp" if found else "is no catalog index"
        raise InvalidInput(f"{path} {what}", hint=INGEST)
