"""Strict YAML that remembers where each key and value stands.

Scalars are those of YAML 1.2: `yes`, `no`, `on` and dates are text. Duplicate keys, tags, anchors
and second documents are problems. The tree is built from events: PyYAML's composer recurses in C,
and a file of brackets kills the process there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from idp.errors import InvalidInput

KeyPath = tuple[str | int, ...]

MAX_DEPTH = 50
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a file; lines and columns count from 1."""

    line: int
    column: int
    what: str
    mend: str = ""

    def told(self, origin: str) -> str:
        """Return the problem as one line of text, without what mends it."""
        return f"{origin}:{self.line}:{self.column}: {self.what}"


@dataclass
class Document:
    """A parsed file: plain data, and (line, column) of keys and values by their path.

    An empty file is an empty mapping.
    """

    data: object = field(default_factory=dict)
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    values: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at_key(self, path: KeyPath) -> tuple[int, int]:
        """Return where the key of a path stands; for a list's item, where the item stands."""
        return self.keys.get(path) or self.at_value(path)

    def at_value(self, path: KeyPath) -> tuple[int, int]:
        """Return where the value of a path stands, or the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def lines(self) -> Iterator[tuple[KeyPath, int]]:
        """Yield the line of each key and of each list's item."""
        for path in self.values:
            yield path, self.at_key(path)[0]


def refusal(origin: str, problems: Iterable[Problem]) -> InvalidInput:
    """Return the error that tells every problem of a file, in the file's order."""
    told = sorted(set(problems))
    if len(told) == 1:
        return InvalidInput(told[0].told(origin), hint=told[0].mend)
    return InvalidInput(
        f"{origin} has {len(told)} mistakes",
        hint="see docs/configuration.md for every key",
        details=tuple(one.told(origin) + (f" ({one.mend})" if one.mend else "") for one in told),
    )


def parse(text: bytes, origin: str) -> Document:
    """Return the file's data and places; raises InvalidInput where it is no YAML at all."""
    try:
        return _Builder(yaml.parse(text, Loader=yaml.CSafeLoader)).document()
    except _UnreadableError as error:
        raise refusal(origin, [error.problem]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = f"not YAML: {error.problem}"
        raise refusal(origin, [Problem(line, column, what)]) from error
    except yaml.reader.ReaderError as error:
        line = text.count(b"\n", 0, error.position) + 1
        raise refusal(origin, [Problem(line, 1, f"not text: {error.reason}")]) from error


class _UnreadableError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


class _Builder:
    """Builds one document from PyYAML's events."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.made = Document()

    def document(self) -> Document:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._only_document(event)
            elif isinstance(event, yaml.NodeEvent):
                self.made.data = self._node(event, ())
        return self.made

    def _only_document(self, event: Any) -> None:
        if self.made.values:
            raise _UnreadableError(Problem(*_start(event), "a second document begins here"))

    def _node(self, event: Any, path: KeyPath) -> object:
        if len(path) > MAX_DEPTH:
            raise _UnreadableError(
                Problem(*_start(event), f"nested deeper than {MAX_DEPTH} levels")
            )
        self.made.values[path] = _start(event)
        if event.anchor is not None:
            self._problem(event, "anchors and aliases are not read here", "write the value out")
        if getattr(event, "tag", None) is not None:
            self._problem(event, f"the tag {event.tag!r} is not read here", "leave it out")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return [self._node(item, (*path, i)) for i, item in enumerate(self._inside())]
        return _scalar(event) if isinstance(event, yaml.ScalarEvent) else None

    def _inside(self) -> Iterator[Any]:
        """Yield the events that begin the collection's children, up to its end."""
        while not isinstance(event := next(self.events), yaml.CollectionEndEvent):
            yield event

    def _mapping(self, path: KeyPath) -> dict[str, object]:
        found: dict[str, object] = {}
        for event in self._inside():
            key = self._key(event, path)
            inside = (*path, key)
            if key in found:
                first = self.made.keys[inside][0]
                self._problem(event, f"{key!r} is there twice", f"the first is on line {first}")
            self.made.keys.setdefault(inside, _start(event))
            found[key] = self._node(next(self.events), inside)
        return found

    def _key(self, event: Any, path: KeyPath) -> str:
        key = self._node(event, (*path, ""))
        if isinstance(key, str):
            return key
        self._problem(event, "a key must be text", "put it in quotes")
        return str(key)

    def _problem(self, event: Any, what: str, mend: str) -> None:
        self.made.problems.append(Problem(*_start(event), what, mend))


def _start(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _scalar(event: Any) -> str | bool | int | float | None:
    """Return a plain scalar as YAML 1.2's core schema reads it; a quoted one is text."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    return float(text) if _FLOAT.fullmatch(text) else text
