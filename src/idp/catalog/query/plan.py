"""How SQLite is to look for what a query means: where to begin, and what to check on the way.

There are two ways. A condition that few entities fit is begun with, and what it finds is sorted;
else the refs are walked in their order, so that a page of an answer ends early and nothing is
sorted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from idp.catalog.index.opened import Index
from idp.catalog.query.tree import Group, Leaf, Negated, Tree, probe, says

OF_A_PAGE, OF_ALL, ANY = 2500, 20000, 10**9
"""Of more entities than this the refs are walked: for a page of them, for all; or never."""

GUESS = 1250
"""What a condition is taken to find that costs as much to count as to ask."""

RANK = "bm25(words, 10.0, 5.0, 1.0)"


@dataclass(frozen=True)
class Start:
    """Where to look: a table, the conditions on its rows, and how it is begun.

    Attributes:
        node: the column that is the entity's number.
        found: how many entities it begins with; None if all refs are walked.
        walks: it comes in the order of refs.
        ranked: it can be ordered by RANK.
    """

    table: str
    node: str
    where: tuple[str, ...]
    values: tuple[Any, ...]
    says: str
    found: int | None = None
    walks: bool = False
    ranked: bool = False

    @property
    def joined(self) -> str:
        """The table with the entities `e` and their nodes `n`."""
        node = "" if self.walks else f" CROSS JOIN node n ON n.id = {self.node}"
        return f"{self.table}{node} CROSS JOIN entity e ON e.id = {self.node}"

    @property
    def condition(self) -> str:
        """The conditions in one, true if there is none."""
        return " AND ".join(self.where) or "1"


def start(index: Index, tree: Tree, few: int) -> Start:
    """Return the quickest way to what a tree means.

    Args:
        few: OF_A_PAGE, OF_ALL or ANY.
    """
    parts = _parts(tree)
    searches = [part for part in parts if isinstance(part, Leaf) and part.match]
    if searches:
        return _by_words(searches, [part for part in parts if part not in searches])
    counted = [(count, part) for part in parts if (count := _count(index, part, few)) is not None]
    if counted:
        fewest, best = min(counted, key=lambda pair: pair[0])
        if fewest <= few:
            return _by_ids(best, fewest, [part for part in parts if part is not best])
    sizes = {id(part): count for count, part in counted}
    return _by_refs(sorted(parts, key=lambda part: sizes.get(id(part), few + 2)))


def _parts(tree: Tree) -> list[Tree]:
    """Return the conditions that must all hold."""
    if isinstance(tree, Group) and (tree.join == "and" or len(tree.parts) == 1):
        return [inner for part in tree.parts for inner in _parts(part)]
    return [tree]


def _by_words(searches: list[Leaf], others: list[Tree]) -> Start:
    match = " AND ".join(f"({leaf.match})" for leaf in searches)
    where, values = _checks(others, "w.rowid")
    return Start(
        "words w",
        "w.rowid",
        ("w.words MATCH ?", *where),
        (match, *values),
        "full text",
        ranked=True,
    )


def _by_ids(best: Tree, found: int, others: list[Tree]) -> Start:
    ids, given = _ids(best) or ("", [])
    where, values = _checks(others, "d.id")
    return Start(
        f"({ids}) d",
        "d.id",
        where,
        (*given, *values),
        says(best),
        found=found,
    )


def _by_refs(parts: list[Tree]) -> Start:
    kind = next((part for part in parts if isinstance(part, Leaf) and part.kind), None)
    where, values = _checks([part for part in parts if part is not kind], "n.id")
    if isinstance(kind, Leaf):
        where = ("n.ref >= ?", "n.ref < ?", *where)
        values = (f"{kind.kind}:", f"{kind.kind};", *values)
    return Start(
        "node n",
        "n.id",
        where,
        values,
        f"all refs of kind {kind.kind}" if isinstance(kind, Leaf) else "all refs",
        walks=True,
    )


def _checks(parts: list[Tree], node: str) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    probes = [probe(part, node) for part in parts]
    where = tuple(text for text, _ in probes)
    return where, tuple(value for _, values in probes for value in values)


def _ids(tree: Tree) -> tuple[str, list[Any]] | None:
    """Return SQL that selects what fits a tree, or more; None if only checking is possible."""
    if isinstance(tree, Negated):
        return None
    if isinstance(tree, Leaf):
        return (tree.ids, list(tree.values))
    several = [_ids(part) for part in tree.parts]
    found = [one for one in several if one is not None]
    if not found or (tree.join == "or" and len(found) < len(several)):
        return None
    if tree.join == "or":
        text = " UNION ".join(ids for ids, _ in found)
        return f"SELECT id FROM ({text})", [value for _, values in found for value in values]
    others, (ids, values) = _best_first(tree)
    texts, more = _checks(others, "d.id")
    return f"SELECT d.id FROM ({ids}) d WHERE {' AND '.join(texts) or '1'}", [*values, *more]


def _best_first(group: Group) -> tuple[list[Tree], tuple[str, list[Any]]]:
    """Return SQL of the part of a group to begin with, behind the other parts."""
    able = [(part, ids) for part in group.parts if (ids := _ids(part)) is not None]
    best, ids = min(able, key=lambda pair: isinstance(pair[0], Leaf) and pair[0].scans)
    return [part for part in group.parts if part is not best], ids


def _count(index: Index, tree: Tree, few: int) -> int | None:
    """Return how many entities a tree finds, `few + 1` if more; None if it cannot be begun with."""
    if (found := _ids(tree)) is None:
        return None
    if _scans(tree):
        return GUESS
    ids, values = found
    sql = f"SELECT count(*) FROM ({ids} LIMIT {few + 1})"
    (count,) = index.connection.execute(sql, values).fetchone()
    return int(count)


def _scans(tree: Tree) -> bool:
    if isinstance(tree, Leaf):
        return tree.scans
    parts = tree.parts if isinstance(tree, Group) else ()
    return any(_scans(part) for part in parts)
