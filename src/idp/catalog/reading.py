"""YAML as Backstage reads it: 1.2 core, many documents, the place of every key and value.

Documents are built from the events of PyYAML's C parser: its composer recurses in C, and a file of
brackets would kill the process there. A document that is no YAML spoils itself only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from yaml._yaml import CParser
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from yaml.reader import ReaderError

from idp.catalog.problem import KeyPath, Problem
from idp.catalog.scalars import as_key, plain, tagged

_QUOTES = ("'", '"')
MAX_DEPTH = 200
MAX_ALIASES = 100
"""How often aliases may repeat an anchor, those inside it multiplied: as Backstage's parser."""

TEMPLATING = re.compile(r"\{\{|\{%")
_TEMPLATE = re.compile(r"^kind:\s*Template\b", re.M)  # whose own steps have such marks
_COMMENT = re.compile(r"(?:^|[ \t])#.*")
_LEFT_OVER = "did not find expected <document start>"
# At the left margin it begins a document, whatever surrounds it.
_DOCUMENT = re.compile(r"^---(?=\s|\Z)", re.M)
_PREAMBLE = re.compile(r"(?:[ \t]*(?:[%#].*)?(?:\r?\n|\Z))*\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")

Place = tuple[int, int]


@dataclass
class Document:
    """One YAML document.

    Attributes:
        line: the line it begins on.
        data: what it says, None for nothing.
        problems: why it is no proper YAML.
        is_whole: it was read to its end.
        is_templated: it is no YAML, and has a template's marks in it (`{{`, `{%`).
        marks: for each collection by its id, the marks of each key and value in it.
        shift: how many lines stand before the text that was parsed.
    """

    line: int
    data: object = None
    problems: list[Problem] = field(default_factory=list)
    is_whole: bool = False
    is_templated: bool = False
    marks: dict[int, Any] = field(default_factory=dict)
    shift: int = 0

    def at(self, path: KeyPath, *, key: bool = False) -> Place:
        """Return the line and column of a value, or of its key; of what is around it if absent."""
        place, node = (self.line, 1), self.data
        for step, part in enumerate(path):
            try:
                marks = self.marks[id(node)][part]
                node = node[part]  # type: ignore[index]
            except (LookupError, TypeError):
                break
            mark = marks[0] if key and step == len(path) - 1 else marks[1]
            place = (mark.line + 1 + self.shift, mark.column + 1)
        return place


def read(data: bytes) -> Iterator[Document]:
    """Yield the documents of a file, empty ones too; bytes that are no UTF-8 are read as U+FFFD."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    text = text if text.endswith("\n") else f"{text}\n"  # else a last block would lack it
    starts = [found.start() for found in _DOCUMENT.finditer(text)]
    if not starts or not _PREAMBLE.match(text, 0, starts[0]):
        starts.insert(0, 0)
    else:
        starts[0] = 0  # comments and directives belong to the first document
    shift = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        part = text[start:end]
        yield from _documents(part, shift)
        shift += part.count("\n")


def _documents(text: str, shift: int) -> list[Document]:
    """Return what stands between two `---`: one document, more only where `...` ends one."""
    made: list[Document] = []
    try:
        for document in _parsed(CParser(text), text, shift):
            made.append(document)  # noqa: PERF402 - those before an error are kept
    except ReaderError:  # a character that Backstage takes, and this parser does not
        return _documents(_CONTROL.sub("\ufffd", text), shift)
    except MarkedYAMLError as error:
        mark: Any = error.problem_mark or error.context_mark
        what = str(error.problem)
        if made and made[-1].is_whole and what == _LEFT_OVER:
            what = "this belongs to nothing before it"
        elif not made or made[-1].is_whole:
            made.append(Document(mark.line + 1 + shift, shift=shift))
        _spoil(made[-1], text, mark, f"not YAML: {what}")
    except _SpoiledError as error:
        _spoil(made[-1], text, error.mark, str(error))
    return made


def _parsed(parser: Any, text: str, shift: int) -> Iterator[Document]:
    """Yield documents, each before it is filled."""
    parser.get_event()
    while (start := parser.get_event()).__class__ is not StreamEndEvent:
        document = Document(start.start_mark.line + 1 + shift, shift=shift)
        yield document
        builder = _Builder(document, parser.get_event, text)
        document.data = builder.node(parser.get_event(), 0)
        parser.get_event()
        document.is_whole = True


class _SpoiledError(Exception):
    """The document cannot be read further."""

    def __init__(self, event: Any, message: str) -> None:
        super().__init__(message)
        self.mark = event.start_mark


def _spoil(document: Document, text: str, mark: Any, message: str) -> None:
    """Note why a document is no YAML, and where."""
    document.data = None
    lines = text.split("\n")
    # What spoils it stands before the place where the parser gives up, and in no comment.
    read = "\n".join(_COMMENT.sub("", line) for line in lines[: mark.line + 1])
    document.is_templated = bool(TEMPLATING.search(read)) and not _TEMPLATE.search(text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    mend = _mend(message, line)
    row, column = mark.line + 1 + document.shift, mark.column + 1
    document.problems.append(Problem(row, column, "", message, mend))


def _mend(message: str, line: str) -> str:
    """Return what mends a syntax error, as far as the line shows it."""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "indent with spaces: YAML allows no tabs there"
    if TEMPLATING.search(line):
        return "render the template first, or put the value in quotes"
    if "mapping values are not allowed" in message:
        return "put a text with `: ` in it in quotes, or mend the indentation"
    if "cannot start any token" in message:
        return "put the value in quotes"
    if "did not find expected key" in message:
        return "indent this line as its neighbours, or close the quotes and brackets before it"
    return ""


@dataclass
class _Anchored:
    """What an anchor names, and how often it was repeated."""

    value: object
    count: int = 1
    weight: int = 0
    inside: list[_Anchored] = field(default_factory=list)

    def repeat(self) -> bool:
        """Count one alias; tell whether that is too many."""
        self.count += 1
        if not self.weight:
            heaviest = (one.count * one.weight for one in self.inside)
            self.weight = max((self.value not in ([], {}), *heaviest))
        return self.count * self.weight > MAX_ALIASES


class _Builder:
    """Builds plain data from events, and notes where everything stands."""

    def __init__(self, document: Document, next_event: Callable[[], Any], text: str) -> None:
        self.document, self.next, self.text = document, next_event, text
        self.marks = document.marks
        self.column = -1  # of the block collection that we are in
        self.is_flow = False
        self.anchors: dict[str, _Anchored] = {}
        self.open: list[_Anchored] = []

    def node(self, event: Any, depth: int) -> Any:
        kind = event.__class__
        if event.anchor is not None:
            return self._anchored(event, depth)
        if kind is ScalarEvent:
            return self._scalar(event)
        return self._collection(event, {} if kind is MappingStartEvent else [], depth + 1)

    def _scalar(self, event: Any) -> Any:
        value = event.value
        if event.implicit[0]:
            return plain(value)
        if event.style in _QUOTES and event.start_mark.line != event.end_mark.line:
            self._check_indentation(event, event.end_mark, "")
        return value if event.tag is None else tagged(value, event.tag)

    def _collection(self, event: Any, empty: Any, depth: int) -> Any:
        """Fill an empty mapping or list with what follows its start."""
        if depth > MAX_DEPTH:
            raise _SpoiledError(event, f"nested deeper than {MAX_DEPTH} levels")
        around = self.column, self.is_flow
        if event.flow_style:
            self.is_flow = True
        else:
            self.column = event.start_mark.column
        fill = self._mapping if event.__class__ is MappingStartEvent else self._sequence
        end = fill(empty, depth)
        self.column, self.is_flow = around
        if event.flow_style and not self.is_flow and event.start_mark.line != end.line:
            self._check_indentation(event, end, "]}")
        return empty

    def _check_indentation(self, event: Any, end: Any, closing: str) -> None:
        """Note a line of a text in quotes, or of brackets, that is not indented far enough."""
        lines = self.text.split("\n")
        for row in range(event.start_mark.line + 1, end.line + 1):
            line = lines[row].rstrip("\r")
            inside = line.lstrip(" ")
            indent = len(line) - len(inside)
            closes = closing and inside[:1] in closing and indent == self.column
            is_comment = closing and inside.startswith("#")
            if inside and indent <= self.column and not closes and not is_comment:
                what = "brackets" if closing else "a text in quotes"
                place = (row + 1 + self.document.shift, indent + 1)
                message = f"not YAML: a line inside {what} must be indented further than its key"
                self.document.problems.append(Problem(*place, "", message, "indent the line"))
                return

    def _sequence(self, made: list[Any], depth: int) -> Any:
        marks: list[Any] = []
        while (event := self.next()).__class__ is not SequenceEndEvent:
            made.append(self.node(event, depth))
            marks.append((event.start_mark, event.start_mark))
        self.marks[id(made)] = marks
        return event.start_mark

    def _mapping(self, made: dict[str, Any], depth: int) -> Any:
        marks: dict[str, Any] = {}
        odd: set[tuple[type, object]] = set()
        while (event := self.next()).__class__ is not MappingEndEvent:
            key = self.node(event, depth)
            if key.__class__ is not str:
                key = self._odd_key(key, event, odd)
            elif key in made and (str, key) not in odd:
                self._twice(key, event, marks)
            value = self.next()
            made[key] = self.node(value, depth)
            marks[key] = (event.start_mark, value.start_mark)
        self.marks[id(made)] = marks
        return event.start_mark

    def _odd_key(self, key: object, event: Any, odd: set[tuple[type, object]]) -> str:
        """Return a key that is no text as the text it becomes."""
        text = as_key(key)
        if not isinstance(key, (dict, list)):
            kind = float if isinstance(key, (int, float)) and key is not True else type(key)
            if (kind, key) in odd:
                self._tell(event, f"the key {text} is there twice", "remove one of the two")
            odd.add((kind, key))
        odd.add((str, text))
        return text

    def _twice(self, key: str, event: Any, marks: dict[str, Any]) -> None:
        first = marks[key][0].line + 1 + self.document.shift
        self._tell(event, f"the key {key!r} is there twice", f"the first is on line {first}")

    def _tell(self, event: Any, message: str, hint: str) -> None:
        mark = event.start_mark
        place = (mark.line + 1 + self.document.shift, mark.column + 1)
        self.document.problems.append(Problem(*place, "", message, hint))

    def _anchored(self, event: Any, depth: int) -> Any:
        """Return the value of a node with an anchor, or of an alias."""
        if event.__class__ is AliasEvent:
            return self._alias(event)
        if event.__class__ is ScalarEvent:
            value = self._scalar(event)
            self.anchors[str(event.anchor)] = _Anchored(value)
            return value
        empty: Any = {} if event.__class__ is MappingStartEvent else []
        named = self.anchors[str(event.anchor)] = _Anchored(empty)
        self.open.append(named)
        self._collection(event, empty, depth + 1)
        self.open.pop()
        return empty

    def _alias(self, event: Any) -> Any:
        named = self.anchors.get(str(event.anchor))
        if named is None:
            raise _SpoiledError(event, f"the alias *{event.anchor} has no anchor before it")
        if named in self.open:
            raise _SpoiledError(event, f"the alias *{event.anchor} stands inside what it names")
        if named.repeat():
            raise _SpoiledError(event, f"aliases repeat &{event.anchor} too often")
        for outer in self.open:
            outer.inside.append(named)
        return named.value
