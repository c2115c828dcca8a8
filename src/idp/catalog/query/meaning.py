"""From the words of a query to what they mean in an index."""

from __future__ import annotations

import re

from idp.catalog.index.opened import Index
from idp.catalog.query import refs, tree
from idp.catalog.query.ast import And, Condition, Not, Or, Test, Word
from idp.catalog.query.fault import close, fault
from idp.catalog.query.fields import (
    FILES,
    Attributes,
    Field,
    Relation,
    Special,
    below,
    candidates,
    exact_field,
    field,
)
from idp.catalog.query.tree import ALWAYS, NEVER, Group, Leaf, Negated, Tree
from idp.errors import UsageError

MOST = 200
"""Conditions a query may have: SQLite takes expressions of a limited depth."""

VALUES = 5000
"""Values of a field that a mistyped one is compared with."""


class Meaning:
    """Finds out what conditions mean.

    Attributes:
        notes: what a person should be told: values that nothing has.
    """

    def __init__(self, index: Index, text: str = "") -> None:
        self.notes: list[str] = []
        self._index = index
        self._text = text
        self._tests = 0

    def of(self, condition: Condition) -> Tree:
        """Return what a condition means.

        Raises:
            UsageError: a field is unknown, or cannot be asked in this way.
            InvalidInput: a ref may mean several entities.
        """
        if isinstance(condition, Not):
            return Negated(self.of(condition.part))
        if isinstance(condition, And):
            return Group("and", tuple(map(self.of, condition.parts)))
        if isinstance(condition, Or):
            return Group("or", tuple(map(self.of, condition.parts)))
        self._tests += 1
        if self._tests > MOST:
            raise UsageError(
                f"the query has more than {MOST} conditions", hint="either of many: ref in (a, b)"
            )
        return self._test(condition)

    def _test(self, test: Test) -> Tree:
        if test.exact:
            test, meant = self._as_backstage(test)
        else:
            meant = field(self._index, test.field, self._text)
        if test.operator == "*=" and not isinstance(meant, Relation):
            raise fault(
                self._text,
                test.field,
                f"*= follows a relation, and {test.field.text} is none",
                "such as dependsOn*=component:payments",
            )
        if isinstance(meant, Attributes):
            return self._attributes(test, meant)
        if isinstance(meant, Relation):
            return self._relation(test, meant)
        return self._special(test, meant)

    def _as_backstage(self, test: Test) -> tuple[Test, Field]:
        """Return a test of Backstage's with its field: `metadata.tags.go=true` is a tag."""
        path = test.field.text
        meant = exact_field(self._index, path)
        if path.lower().startswith("metadata.tags."):
            tags = exact_field(self._index, "metadata.tags")
            is_true = test.operator == "has" or any(_fits("true", v) for v in test.values)
            return Test(test.field, "=" if is_true else "none", (Word(path[14:]),)), tags
        if isinstance(meant, Attributes) and not meant.paths:
            like = close(path, [p for (p,) in self._rows("SELECT path FROM field")])
            mend = f"; did you mean {like}?" if like else ""
            self.notes.append(f"no entity has a field {path}{mend}")
        return test, meant

    def _attributes(self, test: Test, meant: Attributes) -> Tree:
        numbers = [number for number, _ in meant.paths]
        if test.operator == "has":
            if not test.exact:
                wider = below(
                    self._index, [p for _, p in meant.paths] or candidates(test.field.text)
                )
                numbers = [number for number, _ in wider.paths]
            says = f"{meant.says} is there"
            return tree.attribute_where(says, numbers, "", scans=False) if numbers else NEVER
        if not numbers or test.operator == "none":
            return NEVER
        if test.operator == "~":
            (word,) = test.values
            says = f"{meant.says} contains {word.text!r}"
            lower = word.text.lower()
            return tree.attribute_where(says, numbers, " AND instr(value, ?)", lower, scans=True)
        return self._equal(test, meant, numbers)

    def _equal(self, test: Test, meant: Attributes, numbers: list[int]) -> Tree:
        plain = [word.text.lower() for word in test.values if not word.prefix]
        parts: list[Tree] = []
        if plain:
            says = f"{meant.says} is {' or '.join(plain)}"
            leaf = tree.attribute(says, numbers, plain)
            is_kind = [path for _, path in meant.paths] == ["kind"] and len(plain) == 1
            parts.append(_with_kind(leaf, plain[0]) if is_kind else leaf)
            self._note_missing(test, numbers, plain)
        for word in test.values:
            if word.prefix:
                start = word.text.lower()
                says = f"{meant.says} begins with {start!r}"
                between = " AND value >= ? AND value < ?"
                ends = (start, start + "\U0010ffff")
                parts.append(tree.attribute_where(says, numbers, between, *ends, scans=False))
        return _any(parts)

    def _note_missing(self, test: Test, numbers: list[int], values: list[str]) -> None:
        where = f"field IN ({','.join(map(str, numbers))})"
        for value in values:
            if self._rows(f"SELECT 1 FROM attribute WHERE {where} AND value = ? LIMIT 1", value):
                continue
            sql = f"SELECT DISTINCT value FROM attribute WHERE {where} LIMIT {VALUES}"
            like = close(value, [v for (v,) in self._rows(sql) if isinstance(v, str)])
            mend = f"; did you mean {like}?" if like else ""
            self.notes.append(f"nothing has {test.field.text}={value}{mend}")

    def _relation(self, test: Test, meant: Relation) -> Tree:
        name = meant.says
        if test.operator == "has":
            return tree.related(
                f"{name} something", meant.number, meant.kind if meant.narrow else ""
            )
        if test.operator == "~":
            (word,) = test.values
            found = refs.nodes_with(self._index, word.text)
            return tree.relation(f"{name} a ref with {word.text!r}", meant.number, found)
        nodes, shown = self._nodes(test, meant.kind)
        if test.operator == "*=":
            reached = self._reached(meant.number, nodes)
            return tree.listed(f"{name}, to any depth, {shown}", reached)
        return tree.relation(f"{name} {shown}", meant.number, nodes) if nodes else NEVER

    def _nodes(self, test: Test, kind: str = "") -> tuple[list[int], str]:
        """Return the nodes that the values mean, and them in words."""
        nodes: list[int] = []
        shown: list[str] = []
        for word in test.values:
            if word.prefix:
                nodes += refs.nodes_like(self._index, word.text, kind)
                shown.append(f"{word.text}…")
                continue
            node = refs.find_node(self._index, word.text, kind, exact=test.exact)
            if node is None:
                like = refs.closest(self._index, word.text, kind)
                mend = f"; did you mean {like}?" if like else ""
                self.notes.append(f"nothing is called {word.text}{mend}")
            else:
                nodes.append(node)
            shown.append(word.text if node is None else self._index.refs([node])[node])
        return nodes, " or ".join(shown)

    def _reached(self, number: int, nodes: list[int]) -> set[int]:
        """Return all that have the relation to some nodes, or to one that has, and so on."""
        found: set[int] = set()
        left = list(nodes)
        ask = self._index.connection.execute
        sql = "SELECT source FROM relation WHERE type = ? AND target = ?"
        while left:
            for (other,) in ask(sql, (number, left.pop())):
                if other not in found:
                    found.add(other)
                    left.append(other)
        return found

    def _special(self, test: Test, meant: Special) -> Tree:
        if meant.name in FILES:
            return _any([_file(test, meant.name, word) for word in test.values or (Word(""),)])
        if meant.name == "orphan":
            return self._orphan(test)
        if test.operator == "has":
            return ALWAYS
        if meant.name == "text":
            return _any([self._search(word) for word in test.values])
        if test.operator == "~":
            found = refs.nodes_with(self._index, test.values[0].text)
            return tree.listed(f"ref contains {test.values[0].text!r}", found)
        nodes, shown = self._nodes(test)
        return tree.listed(f"ref is {shown}", nodes)

    def _orphan(self, test: Test) -> Tree:
        leaf = tree.orphaned("it is an orphan")
        if test.operator == "has":
            return leaf
        parts: list[Tree] = []
        for word in test.values:
            if word.text.lower() not in ("true", "false"):
                raise fault(self._text, word, "orphan is true or false", "such as orphan=false")
            parts.append(leaf if word.text.lower() == "true" else Negated(leaf))
        return _any(parts)

    def _search(self, word: Word) -> Leaf:
        if not (match := _match(word.text)):
            raise fault(self._text, word, f"there is no word in {word.text!r} to search for")
        return tree.search(f"the text has {word.text!r}", match)

    def _rows(self, sql: str, *values: str) -> list[tuple[str]]:
        return self._index.connection.execute(sql, values).fetchall()


def _match(text: str) -> str:
    """Return an FTS5 expression for words that all are there, the last perhaps in part."""
    words = [word.replace('"', "") for word in text.split()]
    quoted = [f'"{word}"' for word in words if re.search(r"[^\W_]", word)]
    return " ".join(quoted) + "*" if quoted else ""


def _fits(value: str, word: Word) -> bool:
    text = word.text.lower()
    return value.startswith(text) if word.prefix else value == text


def _with_kind(leaf: Leaf, kind: str) -> Leaf:
    return Leaf(leaf.says, leaf.ids, leaf.probe, leaf.values, kind=kind)


def _file(test: Test, name: str, word: Word) -> Leaf:
    column, text = FILES[name], word.text
    if test.operator == "has":
        return tree.from_file(f"{name} is there", column, "{column} <> ''")
    if test.operator == "~":
        return tree.from_file(
            f"{name} contains {text!r}", column, "instr({column}, lower(?))", text
        )
    if word.prefix:
        begins = "substr({column}, 1, length(?)) = lower(?)"
        return tree.from_file(f"{name} begins with {text!r}", column, begins, text, text)
    return tree.from_file(f"{name} is {text}", column, "{column} = lower(?)", text)


def _any(parts: list[Tree]) -> Tree:
    return parts[0] if len(parts) == 1 else Group("or", tuple(parts))
