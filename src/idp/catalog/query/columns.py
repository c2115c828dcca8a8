"""What is shown of each entity: columns of its card, its relations, and fields of its document."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from idp.catalog.index.opened import Index
from idp.catalog.index.packing import unpack
from idp.catalog.index.schema import DATA
from idp.catalog.query.ast import Word
from idp.catalog.query.fields import FILES, PATHS, Relation, candidates, field
from idp.errors import UsageError

CARD = {
    "ref": "n.ref",
    "kind": "e.kind",
    "namespace": "e.namespace",
    "name": "e.name",
    "title": "e.title",
    "type": "e.type",
    "lifecycle": "e.lifecycle",
    "tier": "e.tier",
    "owner": "coalesce((SELECT ref FROM node WHERE id = e.owner), '')",
    "system": "coalesce((SELECT ref FROM node WHERE id = e.system), '')",
    "orphan": "e.orphaned_at IS NOT NULL",
}
"""The columns of a card, and where the index has them."""

USUAL = ("ref", "type", "lifecycle", "owner", "tier", "title")


@dataclass(frozen=True)
class Column:
    """One column of an answer.

    Attributes:
        sql: what is selected.
        shown: what becomes of what was selected; None if it stays.
    """

    name: str
    sql: str
    shown: Callable[[Any], Any] | None = None


def column(index: Index, name: str) -> Column:
    """Return the column that shows a field.

    Raises:
        UsageError: there is no such field.
    """
    lower = name.lower()
    if lower == "orphan":
        return Column(lower, CARD[lower], bool)
    if lower in CARD:
        return Column(lower, CARD[lower])
    if lower == "document":
        return Column(lower, DATA, unpack)
    if lower in FILES:
        of_file = "FROM file f JOIN source s ON s.id = f.source WHERE f.id = e.file"
        return Column(lower, f"(SELECT {FILES[lower]} {of_file})")
    if lower == "text":
        raise UsageError("text is searched, not shown", hint="such as --fields ref,description")
    meant = field(index, Word(name))
    if isinstance(meant, Relation):
        return Column(name, "e.id", _Others(index, meant.number))
    written = PATHS.get(lower, lower)
    return Column(name, DATA, _Picked(candidates(written), ends=written == lower))


class _Others:
    """From the number of an entity to the refs that it has a relation to."""

    def __init__(self, index: Index, number: int) -> None:
        self._ask = index.connection.execute
        self._inverse = number ^ 1

    def __call__(self, node: int) -> list[str]:
        sql = (
            "SELECT DISTINCT n.ref FROM relation r JOIN node n ON n.id = r.source"
            " WHERE r.type = ? AND r.target = ? ORDER BY n.ref"
        )
        return [ref for (ref,) in self._ask(sql, (self._inverse, node))]


class _Picked:
    """From a packed document to what is at the first of some paths that it has."""

    def __init__(self, paths: list[str], *, ends: bool) -> None:
        self._paths = paths
        self._end = f"/{paths[0]}" if ends and len(paths) > 1 else ""

    def __call__(self, packed: bytes) -> Any:
        document = unpack(packed)
        for path in self._paths:
            if (found := _at(document, path)) is not None:
                return found
        return self._by_end(document["metadata"]) if self._end else None

    def _by_end(self, metadata: dict[str, Any]) -> Any:
        places = (metadata.get(place) or {} for place in ("labels", "annotations"))
        found = (value for place in places for key, value in place.items() if _ends(key, self._end))
        return next(found, None)


def _ends(key: str, end: str) -> bool:
    return key.lower().endswith(end)


def _at(value: Any, path: str) -> Any:
    """Return what is at a dotted path in lower case; keys may have dots in them."""
    if isinstance(value, list):
        found = [inner for item in value if (inner := _at(item, path)) is not None]
        return found or None
    if not isinstance(value, dict):
        return None
    for key, inner in value.items():
        lower = key.lower()
        if lower == path:
            return inner
        if path.startswith(f"{lower}."):
            deeper = _at(inner, path[len(lower) + 1 :])
            if deeper is not None:
                return deeper
    return None


def shown(columns: Iterable[Column], rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Return selected rows as they are shown."""
    changed = [(place, one.shown) for place, one in enumerate(columns) if one.shown]
    if not changed:
        return rows
    lists = list(zip(*rows, strict=True))
    if not lists:
        return []
    for place, change in changed:
        lists[place] = tuple(map(change, lists[place]))
    return list(zip(*lists, strict=True))


def sortable(name: str) -> str:
    """Return the SQL of a card's column to sort by, empty if it is none."""
    return f"nullif({CARD[name]}, '')" if name in CARD else ""
