"""Writing the catalog out: entities one after the other, in a shape that others read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TextIO

from idp.catalog.index.opened import Index
from idp.catalog.index.packing import unpack
from idp.catalog.index.schema import DATA, INVERSE, RELATIONS
from idp.errors import InvalidInput
from idp.workshop import workshop

Form = Literal["backstage", "csv", "jsonl"]

_ENTRY = (
    "SELECT e.id, n.ref, e.kind, e.namespace, e.name, e.title, e.type, e.lifecycle, e.tier,"
    " coalesce(o.ref, ''), coalesce(y.ref, ''), e.orphaned_at, s.place, f.location, f.path,"
    f" f.repository, f.commit_id, f.read_at, e.document, e.line, {DATA}"
    " FROM node n CROSS JOIN entity e ON e.id = n.id JOIN file f ON f.id = e.file"
    " JOIN source s ON s.id = f.source LEFT JOIN node o ON o.id = e.owner"
    " LEFT JOIN node y ON y.id = e.system"
)
_RELATED = (
    f"SELECT DISTINCT r.type, n.ref FROM relation r JOIN node n ON n.id = r.source"
    f" WHERE r.type IN ({','.join(map(str, range(len(RELATIONS))))}) AND r.target = ?"
)


@dataclass(frozen=True)
class Entry:
    """An entity as it is written out.

    Attributes:
        id: its node's number, good for this index only: never shown.
        orphaned_at: since when no source has it; None for one that a source has.
        place: the source it came from.
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
    orphaned_at: str | None
    place: str
    location: str
    path: str
    repository: str
    commit: str
    read_at: str
    document: int
    line: int
    data: dict[str, Any]


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        out: the file; `-` for what was printed.
        left_out: entities that the form has no place for.
        notes: what a person should be told of it.
    """

    out: str
    to: Form
    entities: int
    left_out: int
    notes: tuple[str, ...]


@dataclass
class Tally:
    """What a writer says of its work, counted as it goes."""

    written: int = 0
    locations: int = 0
    orphans: int = 0
    unread: int = 0

    def notes(self) -> tuple[str, ...]:
        """Return what a person should be told."""
        said = {
            f"{self.locations} Locations left out: what they lead to is here itself": (
                self.locations
            ),
            f"{self.orphans} orphans left out: no source has them any more": self.orphans,
            f"{self.unread} placeholders could not be read at ingest: the name of the file stands"
            " in their place": self.unread,
        }
        return tuple(words for words, count in said.items() if count)


Writer = Callable[[Index, Iterator[Entry], TextIO, Tally], None]


def _chosen(index: Index, expression: str) -> tuple[Iterator[Entry], tuple[str, ...]]:
    """Return all entities by ref, or those that a query finds, in its order, and its notes.

    Raises:
        UsageError: the query cannot be read; that is known before anything is written.
    """
    if not expression.strip():
        return _entries(index, f"{_ENTRY} ORDER BY n.ref"), ()
    from idp.catalog.query.run import answer, written

    found = answer(index, written(expression), ("ref",))
    one = f"{_ENTRY} WHERE n.ref = ?"
    listed = chain.from_iterable(_entries(index, one, ref) for (ref,) in found.rows)
    return listed, found.notes


def _entries(index: Index, sql: str, *values: str) -> Iterator[Entry]:
    for row in index.connection.execute(sql, values):
        said: Any = (*row[:-1], unpack(row[-1]))
        yield Entry(*said)


def related(index: Index, node: int) -> list[tuple[str, str]]:
    """Return an entity's relations as pairs of a type and a ref, in their order."""
    rows = index.connection.execute(_RELATED, (node,))
    return sorted((RELATIONS[INVERSE[number]], ref) for number, ref in rows)


def export(index: Index, form: Form, expression: str, out: Path | TextIO) -> Exported:
    """Write the catalog, or what a query finds, to a file that takes its name when it is whole.

    Raises:
        UsageError: the query cannot be read.
        InvalidInput: the file cannot be written.
    """
    tally = Tally()
    chosen, notes = _chosen(index, expression)
    if isinstance(out, Path):
        with _drafted(out) as file:
            _writer(form)(index, chosen, file, tally)
    else:
        _writer(form)(index, chosen, out, tally)
    name = str(out) if isinstance(out, Path) else "-"
    left_out = tally.locations + tally.orphans
    return Exported(name, form, tally.written, left_out, (*notes, *tally.notes()))


def _writer(form: Form) -> Writer:
    if form == "backstage":
        from idp.catalog.export import backstage

        return backstage.write
    from idp.catalog.export import flat

    return flat.csv if form == "csv" else flat.json_lines


@contextmanager
def _drafted(out: Path) -> Iterator[TextIO]:
    try:
        with workshop(out.parent) as folder:
            draft = folder / "export"
            with draft.open("w", encoding="utf-8", newline="") as file:
                yield file
            draft.replace(out)
    except OSError as error:
        raise InvalidInput(f"cannot write {out}: {error.strerror}") from error
