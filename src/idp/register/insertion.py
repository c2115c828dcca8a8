"""One more source in the text of a platform file: nothing that stands in it is touched.

Lines are put in where PyYAML says that the list stands. What comes of it is read again, and taken
only if it says the same as before and one source more.
"""

from __future__ import annotations

import copy
import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from idp.config.places import parse
from idp.config.schema import validate
from idp.errors import InvalidInput

_PLAIN = re.compile(r"[A-Za-z][\w./:@~+#%=-]*[\w/]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_COMMENT = re.compile(r"(^|\s)#[^\n]*")


@dataclass(frozen=True)
class Edit:
    """A platform file with one more source; `line` is where it stands, counted from 1."""

    source: str
    before: bytes
    after: bytes
    line: int

    def diff(self, name: str) -> str:
        """Return the change as a unified diff of a file of this name."""
        before, after = (_LINE.findall(text.decode()) for text in (self.before, self.after))
        found = difflib.unified_diff(before, after, f"a/{name}", f"b/{name}")
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in found
        )


def added(text: bytes, source: str, origin: str) -> Edit:
    """Return the file with one more source at the end of `catalog.sources`.

    Args:
        origin: what the file is called in errors.

    Raises:
        InvalidInput: the file is no platform file, or none that a line can be added to safely.
    """
    validate("platform", text, origin)
    wanted: Any = copy.deepcopy(parse(text, origin).data)
    wanted.setdefault("catalog", {}).setdefault("sources", []).append(source)
    for made in _tries(text, source):
        if _says(made, wanted, origin):
            places = parse(made, origin)
            last = len(wanted["catalog"]["sources"]) - 1
            line = places.at_value(("catalog", "sources", last))[0]
            return Edit(source, text, made, line)
    raise InvalidInput(
        f"{origin} is written in a way that idp cannot add to without touching the rest",
        hint=f"add this to catalog.sources by hand: - {_written(source, '')}",
    )


def _says(made: bytes, wanted: object, origin: str) -> bool:
    """Tell whether a text is a platform file that says just this."""
    try:
        document = parse(made, origin)
        validate("platform", made, origin)
    except InvalidInput:
        return False
    return document.data == wanted


@dataclass(frozen=True)
class _Node:
    """A part of the file: where it starts and where what is written in it ends, as indices.

    Attributes:
        kind: scalar, list or map; the children of a map are its keys and values by turns.
        style: of a scalar its quote or `|`; of a collection `[` where it is in brackets.
    """

    kind: str
    start: int
    column: int
    end: int
    style: str
    value: str = ""
    inside: tuple[_Node, ...] = ()

    def at(self, key: str) -> tuple[_Node, _Node] | None:
        """Return a key of a map, and what stands at it."""
        pairs = zip(self.inside[::2], self.inside[1::2], strict=True)
        return next((pair for pair in pairs if pair[0].value == key), None)


def _node(event: Any, events: Iterator[Any], text: str) -> _Node:
    start, end = event.start_mark, event.end_mark.index
    if isinstance(event, yaml.ScalarEvent):
        if event.style in ("|", ">"):  # its mark is where the next thing begins
            end = len(text[:end].rstrip())
        return _Node("scalar", start.index, start.column, end, event.style or "", event.value)
    inside = []
    while not isinstance(one := next(events), yaml.CollectionEndEvent):
        inside.append(_node(one, events, text))
    kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
    style = "[" if event.flow_style else ""
    last: Any = one
    end = last.end_mark.index if style or not inside else inside[-1].end
    return _Node(kind, start.index, start.column, end, style, inside=tuple(inside))


def _root(text: str) -> _Node:
    events = yaml.parse(text, Loader=yaml.SafeLoader)  # the C parser's marks count otherwise
    first = next(event for event in events if isinstance(event, yaml.NodeEvent))
    return _node(first, events, text)


def _tries(content: bytes, source: str) -> Iterator[bytes]:
    """Yield texts that may be the file with one more source, the best first."""
    try:
        text = content.decode()
        root = _root(text)
    except (UnicodeDecodeError, yaml.YAMLError):
        return
    catalog = root.at("catalog")
    if root.style:
        return
    if catalog is None:
        found = _new_section(text, root, source)
    elif sources := catalog[1].at("sources"):
        listed = _in_brackets if sources[1].style else _in_lines
        found = listed(text, sources[1], source)
    else:
        found = _new_list(text, *catalog, source)
    yield from (made.encode() for made in found)


def _put(text: str, *pieces: tuple[int, str]) -> str:
    """Return a text with more in it, each piece at its index."""
    for index, piece in sorted(pieces, reverse=True):
        text = text[:index] + piece + text[index:]
    return text


def _break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _lines(text: str, index: int, *lines: str) -> str:
    """Return a text with these lines after the line that an index is on."""
    end = text.find("\n", index)
    ends = _break(text)
    if end < 0:
        return text + "".join(f"{ends}{line}" for line in lines)
    return _put(text, (end + 1, "".join(f"{line}{ends}" for line in lines)))


def _written(source: str, quote: str) -> str:
    """Return a source as YAML, in quotes where others are or where it needs them."""
    if quote == "'":
        return "'" + source.replace("'", "''") + "'"
    if quote == '"' or not _PLAIN.fullmatch(source):
        return json.dumps(source, ensure_ascii=False)
    return source


def _indent(text: str, node: _Node) -> str | None:
    """Return the blanks before a part; None where something else is before it on its line."""
    before = text[text.rfind("\n", 0, node.start) + 1 : node.start].lstrip("\ufeff")
    return None if before.strip(" ") else before


def _in_lines(text: str, sources: _Node, source: str) -> Iterator[str]:
    """Add a line to a list of which each item has a line of its own."""
    indent = _indent(text, sources)
    if indent is None or not sources.inside:
        return
    last = sources.inside[-1]
    before = text[text.rfind("\n", 0, last.start) + 1 : last.start]
    dash = re.fullmatch(r" *-( +)", before)
    yield _lines(
        text, last.end, f"{indent}-{dash[1] if dash else ' '}{_written(source, last.style)}"
    )


def _in_brackets(text: str, sources: _Node, source: str) -> Iterator[str]:
    """Add to a list in brackets, on a line of its own where the last item has one."""
    if not sources.inside:
        yield _put(text, (sources.start + 1, _written(source, "")))
        return
    last = sources.inside[-1]
    written = _written(source, last.style if last.kind == "scalar" else "")
    indent, rest = _indent(text, last), text[last.end : sources.end]
    if indent is not None and "\n" in rest:
        line_end = text.index("\n", last.end) + 1
        is_closed = "," in _COMMENT.sub("", rest)
        line = f"{indent}{written}{',' * is_closed}{_break(text)}"
        yield _put(text, *([] if is_closed else [(last.end, ",")]), (line_end, line))
    yield _put(text, (last.end, f", {written}"))


def _new_list(text: str, key: _Node, catalog: _Node, source: str) -> Iterator[str]:
    """Add a list to a section that has none."""
    written = _written(source, "")
    if catalog.style:
        more = ", " if catalog.inside else ""
        yield _put(text, (catalog.start + 1, f"sources: [{written}]{more}"))
    elif (indent := _indent(text, catalog)) is not None:
        yield _lines(text, key.end, f"{indent}sources:", f"{indent}  - {written}")


def _new_section(text: str, root: _Node, source: str) -> Iterator[str]:
    """Add the section at the end, with an empty line before it where that changes nothing."""
    indent = _indent(text, root) or ""
    lines = ("catalog:", "  sources:", f"    - {_written(source, '')}")
    section = [f"{indent}{line}" for line in lines]
    ends = _break(text)
    whole = text + "".join(f"{ends}{line}" for line in section)
    if text.endswith("\n"):
        whole = text + "".join(f"{line}{ends}" for line in section)
        if not text.endswith((f"{ends}{ends}",)):
            yield _put(whole, (len(text), ends))
    else:
        yield _put(whole, (len(text), ends))
    yield whole
    yield _lines(text, root.end, *section)
