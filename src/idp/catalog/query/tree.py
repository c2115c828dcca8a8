"""What a query means in an index: conditions as SQL, joined by and, or and not."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Value = str | bytes | int


@dataclass(frozen=True)
class Leaf:
    """One condition.

    Attributes:
        says: in words.
        ids: SQL that selects, as `id`, each entity that fits once; it may select missing ones.
        probe: SQL that tells whether the entity numbered `{id}` fits.
        values: what both are to be given.
        scans: `ids` reads many rows, however few fit.
        kind: the only kind that fits, if that is the whole condition.
        match: what it searches full text for, if that is the whole condition.
    """

    says: str
    ids: str
    probe: str
    values: tuple[Value, ...] = ()
    scans: bool = False
    kind: str = ""
    match: str = ""


@dataclass(frozen=True)
class Group:
    """Several conditions: `join` is `and` or `or`."""

    join: str
    parts: tuple[Tree, ...]


@dataclass(frozen=True)
class Negated:
    """A condition that must not hold."""

    part: Tree


Tree = Leaf | Group | Negated

ALWAYS = Leaf("everything", "SELECT id FROM entity", "1")
NEVER = Leaf("nothing", "SELECT 0 AS id WHERE 0", "0")

FEW = 100
"""More values than this are given to SQL as one JSON list."""


def attribute(says: str, fields: Iterable[int], values: list[str]) -> Leaf:
    """Return that one of some fields has one of some values, in lower case."""
    wanted = sorted(set(values))
    given: tuple[Value, ...] = tuple(wanted)
    marks = ",".join("?" * len(wanted))
    if len(wanted) > FEW:
        marks, given = "SELECT value FROM json_each(?)", (json.dumps(wanted),)
    numbers = list(fields)
    value = "value = ?" if len(wanted) == 1 else f"value IN ({marks})"
    where = f"{_field(numbers)} AND {value}"
    distinct = "DISTINCT " * (len(numbers) > 1 or len(wanted) > 1)
    return Leaf(
        says,
        f"SELECT {distinct}entity AS id FROM attribute WHERE {where}",
        f"EXISTS (SELECT 1 FROM attribute WHERE {where} AND entity = {{id}})",
        given,
    )


def attribute_where(
    says: str, fields: Iterable[int], condition: str, *values: Value, scans: bool
) -> Leaf:
    """Return that one of some fields has a value that fits a condition."""
    ids = f"SELECT DISTINCT entity AS id FROM attribute WHERE {_field(list(fields))}{condition}"
    return Leaf(says, ids, f"{{id}} IN ({ids})", values, scans=scans)


def _field(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"field = {numbers[0]}"
    return f"field IN ({','.join(map(str, numbers))})"


# Both ends may say it; SQLite joins this a third faster than what DISTINCT gives.
_ONCE = (
    "(by = 0 OR NOT EXISTS (SELECT 1 FROM relation o WHERE o.type = r.type"
    " AND o.target = r.target AND o.source = r.source AND o.by = 0))"
)


def relation(says: str, number: int, targets: list[int]) -> Leaf:
    """Return that an entity has a relation to one of some nodes."""
    if len(targets) == 1:
        where = f"type = {number} AND target = ?"
        given: tuple[Value, ...] = (targets[0],)
        probe = f"EXISTS (SELECT 1 FROM relation WHERE {where} AND source = {{id}})"
        ids = f"SELECT source AS id FROM relation r WHERE {where} AND {_ONCE}"
    else:
        some, given = "IN (SELECT value FROM json_each(?))", (json.dumps(targets),)
        where = f"type = {number} AND target {some}"
        probe = (
            f"EXISTS (SELECT 1 FROM relation WHERE type = {number ^ 1}"
            f" AND target = {{id}} AND source {some})"
        )
        ids = f"SELECT DISTINCT source AS id FROM relation WHERE {where}"
    return Leaf(says, ids, probe, given)


def related(says: str, number: int, kind: str) -> Leaf:
    """Return that an entity has a relation to anything, or to anything of a kind."""
    given: tuple[Value, ...] = ()
    others = ""
    if kind:
        others = " AND source IN (SELECT id FROM node WHERE ref >= ? AND ref < ?)"
        given = (f"{kind}:", f"{kind};")
    where = f"FROM relation WHERE type = {number ^ 1}"
    return Leaf(
        says,
        f"SELECT DISTINCT target AS id {where}{others}",
        f"EXISTS (SELECT 1 {where} AND target = {{id}}{others})",
        given,
    )


def listed(says: str, nodes: Iterable[int]) -> Leaf:
    """Return that an entity is one of some nodes."""
    ids = "SELECT value AS id FROM json_each(?)"
    return Leaf(says, ids, f"{{id}} IN ({ids})", (json.dumps(sorted(set(nodes))),))


def from_file(says: str, column: str, condition: str, *values: Value) -> Leaf:
    """Return that a column of the entity's file fits a condition."""
    where = (
        "SELECT f.id FROM file f JOIN source s ON s.id = f.source"
        f" WHERE {condition.format(column=f'lower({column})')}"
    )
    return Leaf(
        says,
        f"SELECT id FROM entity WHERE file IN ({where})",
        f"(SELECT file FROM entity WHERE id = {{id}}) IN ({where})",
        values,
        scans=True,
    )


def orphaned(says: str) -> Leaf:
    """Return that no source has an entity any more."""
    return Leaf(
        says,
        "SELECT id FROM entity WHERE orphaned_at IS NOT NULL",
        "(SELECT orphaned_at FROM entity WHERE id = {id}) IS NOT NULL",
        scans=True,
    )


def search(says: str, match: str) -> Leaf:
    """Return that full text has what an FTS5 expression asks for."""
    ids = "SELECT rowid AS id FROM words WHERE words MATCH ?"
    return Leaf(says, ids, f"{{id}} IN ({ids})", (match,), match=match)


def says(tree: Tree) -> str:
    """Return a tree in words."""
    if isinstance(tree, Leaf):
        return tree.says
    if isinstance(tree, Negated):
        return f"not ({says(tree.part)})"
    if not tree.parts:
        return "everything" if tree.join == "and" else "nothing"
    parts = [
        f"({says(part)})" if isinstance(part, Group) and len(part.parts) > 1 else says(part)
        for part in tree.parts
    ]
    return f" {tree.join} ".join(parts)


def probe(tree: Tree, node: str) -> tuple[str, list[Any]]:
    """Return SQL that tells whether a tree holds for an entity, and its values."""
    if isinstance(tree, Leaf):
        return tree.probe.replace("{id}", node), list(tree.values)
    if isinstance(tree, Negated):
        text, values = probe(tree.part, node)
        return f"NOT ({text})", values
    if not tree.parts:
        return ("1" if tree.join == "and" else "0"), []
    parts = [probe(part, node) for part in tree.parts]
    texts = f" {tree.join.upper()} ".join(text for text, _ in parts)
    return f"({texts})", [value for _, values in parts for value in values]
