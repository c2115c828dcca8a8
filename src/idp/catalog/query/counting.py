"""How many entities have each value of a field."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from idp.catalog.index.opened import Index
from idp.catalog.query.ast import Query, Word
from idp.catalog.query.columns import column
from idp.catalog.query.fields import FILES, Attributes, Field, Relation, field
from idp.catalog.query.meaning import Meaning
from idp.catalog.query.plan import ANY, OF_ALL, start
from idp.catalog.query.run import Answer, Explained
from idp.catalog.query.tree import Group, Tree, says
from idp.errors import UsageError

# A relation that both files state is two rows; one that only the target's states may be of an
# entity that is missing.
_ONCE = (
    "(r.by = 0 OR (EXISTS (SELECT 1 FROM entity WHERE id = r.source) AND NOT EXISTS"
    " (SELECT 1 FROM relation WHERE type = r.type AND target = r.target AND source = r.source"
    " AND by = 0)))"
)
_OF_CARD = frozenset({"kind", "type", "lifecycle", "owner", "system"})


def count_by(index: Index, query: Query, name: str, *, explain: bool = False) -> Answer:
    """Return how many of the entities that a query finds have each value of a field.

    The most frequent come first. Who has no value is not counted, who has several is with each.

    Raises:
        UsageError: a field is unknown, or cannot be asked or counted in this way.
        InvalidInput: a ref may mean several entities.
    """
    began = perf_counter()
    meaning = Meaning(index, query.text)
    tree = meaning.of(query.condition)
    sql, values, looked = _statement(index, tree, name)
    rows = [(value, count) for value, count in index.connection.execute(sql, values) if value]
    rows.sort(key=lambda row: (-row[1], str(row[0])))
    more = query.limit is not None and len(rows) > query.limit
    took = 1000 * (perf_counter() - began)
    explained = None
    if explain:
        explained = Explained(says(tree), name, looked, sql, values, round(took, 2))
    return Answer((name, "count"), rows[: query.limit], more, tuple(meaning.notes), explained)


def _statement(index: Index, tree: Tree, name: str) -> tuple[str, tuple[Any, ...], int]:
    """Return the SQL of values and counts, its values, and how many entities it looks at."""
    lower = name.lower()
    meant = field(index, Word(name))
    is_all = isinstance(tree, Group) and tree.join == "and" and not tree.parts
    (total,) = index.connection.execute("SELECT count(*) FROM entity").fetchone()
    if is_all and isinstance(meant, Attributes | Relation):
        return (*_grouped(meant, ""), total)
    by_card = lower in _OF_CARD or lower in FILES or lower == "orphan"
    origin = start(index, tree, ANY)
    found = origin.found if origin.found is not None else total
    if by_card and (found <= OF_ALL or not isinstance(meant, Attributes | Relation)):
        value = column(index, lower).sql
        if lower == "orphan":
            value = f"iif({value}, 'true', 'false')"
        sql = f"SELECT {value}, count(*) FROM {origin.joined} WHERE {origin.condition} GROUP BY 1"
        return sql, origin.values, found
    ids = f"SELECT {origin.node} FROM {origin.table} WHERE {origin.condition}"
    if not isinstance(meant, Attributes | Relation):
        raise UsageError(f"{name} is nothing to count by", hint="such as --count-by owner")
    sql, values = _grouped(meant, f" AND {{entity}} IN ({ids})")
    return sql, (*values, *origin.values), found


def _grouped(meant: Field, among: str) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL that counts by the rows of a field or a relation."""
    if isinstance(meant, Relation):
        kind = f" AND n.ref >= '{meant.kind}:' AND n.ref < '{meant.kind};'" if meant.narrow else ""
        return (
            "SELECT n.ref, c.count FROM (SELECT r.target AS id, count(*) AS count FROM relation r"
            f" WHERE r.type = {meant.number} AND {_ONCE}{among.format(entity='r.source')}"
            f" GROUP BY r.target) c JOIN node n ON n.id = c.id{kind}",
            (),
        )
    numbers = [number for number, _ in meant.paths] if isinstance(meant, Attributes) else []
    which = f"= {numbers[0]}" if len(numbers) == 1 else f"IN ({','.join(map(str, numbers))})"
    counted = "*" if len(numbers) == 1 else "DISTINCT entity"
    return (
        f"SELECT coalesce(min(shown), value), count({counted}) FROM attribute"
        f" WHERE field {which}{among.format(entity='entity')} GROUP BY value",
        (),
    )
