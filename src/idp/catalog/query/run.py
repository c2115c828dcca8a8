"""Asking an index: a query goes in, rows come out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from idp.catalog.index.opened import Index
from idp.catalog.query import columns as shown_as
from idp.catalog.query.ast import EVERYTHING, And, Condition, Order, Query
from idp.catalog.query.columns import USUAL, Column, column, shown, sortable
from idp.catalog.query.fault import fault
from idp.catalog.query.fields import FILES, NAMES, Attributes, field
from idp.catalog.query.filter import parse_filters
from idp.catalog.query.language import parse
from idp.catalog.query.meaning import Meaning
from idp.catalog.query.plan import OF_A_PAGE, OF_ALL, RANK, Start, start
from idp.catalog.query.tree import says


@dataclass(frozen=True)
class Explained:
    """How an answer was come by.

    Attributes:
        meaning: what the query was taken to mean, in words.
        begins: the condition that was looked up first, the others being checked on what it found.
        candidates: how many entities were looked at.
        sql: the statement, and the values it was given.
        milliseconds: what it took, all in all.
    """

    meaning: str
    begins: str
    candidates: int
    sql: str
    values: tuple[Any, ...]
    milliseconds: float


@dataclass(frozen=True)
class Answer:
    """What a query found.

    Attributes:
        columns: the names of what is in a row.
        more: there is more than the limit let through.
        notes: what a person should be told of the query.
        explained: how it was come by, if that was asked for.
    """

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    more: bool = False
    notes: tuple[str, ...] = ()
    explained: Explained | None = None

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as objects."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def written(expression: str = "", filters: Sequence[str] = (), predicate: str = "") -> Query:
    """Return one query of all that was asked: the expression, the filters and the predicate hold.

    Raises:
        UsageError: one of them cannot be read.
    """
    query = parse(expression, NAMES)
    parts: list[Condition] = [query.condition]
    if filters:
        parts.append(parse_filters(filters))
    if predicate:
        from idp.catalog.query.predicate import parse_predicate

        parts.append(parse_predicate(predicate))
    parts = [part for part in parts if part != EVERYTHING]
    joined = parts[0] if len(parts) == 1 else And(tuple(parts))
    return Query(joined, query.order, query.limit, query.text)


def answer(
    index: Index, query: Query, fields: Sequence[str] = USUAL, *, explain: bool = False
) -> Answer:
    """Return what a query finds, sorted as it says; else by relevance to a text, else by ref.

    Args:
        fields: what is shown of each entity: of its card, `document`, or fields as in a query.

    Raises:
        UsageError: a field is unknown, or cannot be asked in this way.
        InvalidInput: a ref may mean several entities.
    """
    began = perf_counter()
    meaning = Meaning(index, query.text)
    tree = meaning.of(query.condition)
    selected = [column(index, name) for name in fields]
    is_page = query.limit is not None and not query.order
    origin = start(index, tree, OF_A_PAGE if is_page else OF_ALL)
    sql, values = _statement(index, query, selected, origin)
    rows = index.connection.execute(sql, values).fetchall()
    more = query.limit is not None and len(rows) > query.limit
    rows = shown(selected, rows[: query.limit])
    took = 1000 * (perf_counter() - began)
    explained = None
    if explain:
        looked = origin.found if origin.found is not None else _looked(index, origin)
        explained = Explained(says(tree), origin.says, looked, sql, values, round(took, 2))
    return Answer(tuple(one.name for one in selected), rows, more, tuple(meaning.notes), explained)


def _statement(
    index: Index, query: Query, selected: list[Column], origin: Start
) -> tuple[str, tuple[Any, ...]]:
    columns = ", ".join(one.sql for one in selected)
    if origin.ranked and not query.order and query.limit is not None:
        # What has the words is ranked before entities are read: there may be very many.
        best = (
            f"SELECT {origin.node} AS id, n.ref AS ref, {RANK} AS score FROM {origin.table}"
            f" CROSS JOIN node n ON n.id = {origin.node} WHERE {origin.condition}"
            " ORDER BY score, n.ref LIMIT ?"
        )
        sql = (
            f"SELECT {columns} FROM ({best}) b CROSS JOIN node n ON n.id = b.id"
            " CROSS JOIN entity e ON e.id = b.id ORDER BY b.score, b.ref"
        )
        return sql, (*origin.values, query.limit + 1)
    orders = [_order(index, order, query.text) for order in query.order]
    keys = [key for key, _ in orders] or ([RANK] if origin.ranked else [])
    values = (*origin.values, *(value for _, given in orders for value in given))
    sql = (
        f"SELECT {columns} FROM {origin.joined}"
        f" WHERE {origin.condition} ORDER BY {', '.join([*keys, 'n.ref'])}"
    )
    if query.limit is not None:
        sql += " LIMIT ?"
        values = (*values, query.limit + 1)
    return sql, values


def _order(index: Index, order: Order, text: str) -> tuple[str, tuple[Any, ...]]:
    """Return the SQL to sort by a field; who has none comes last."""
    name, way = order.field.text.lower(), " DESC" * order.descending
    if key := sortable(name):
        return f"{key} COLLATE NOCASE{way} NULLS LAST", ()
    if name in FILES:
        return f"{shown_as.column(index, name).sql} COLLATE NOCASE{way} NULLS LAST", ()
    meant = field(index, order.field, text)
    if not isinstance(meant, Attributes):
        raise fault(text, order.field, f"{order.field.text} is nothing to order by")
    numbers = ",".join(str(number) for number, _ in meant.paths) or "0"
    by = "max" if order.descending else "min"
    values = f"SELECT entity, {by}(value) AS value FROM attribute WHERE field IN ({numbers})"
    key = f"(SELECT value FROM ({values} GROUP BY entity) v WHERE v.entity = e.id)"
    return f"{key}{way} NULLS LAST", ()


def _looked(index: Index, origin: Start) -> int:
    """Return how many entities a whole walk, or a search, comes by."""
    first = 2 if origin.walks and "n.ref >= ?" in origin.where else int(origin.ranked)
    where = " AND ".join(origin.where[:first]) or "1"
    sql = f"SELECT count(*) FROM {origin.joined} WHERE {where}"
    (count,) = index.connection.execute(sql, origin.values[:first]).fetchone()
    return int(count)
