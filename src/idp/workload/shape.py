"""What Score lets a score.yaml say: its JSON Schema (score.dev/v1b1), with mends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from idp.catalog.problem import KeyPath, Problem
from idp.catalog.reading import Document
from idp.catalog.shapes import Findings, told
from idp.workload.placeholders import closest

RULE = "score"


class Shape(Protocol):
    """What a value must look like."""

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note what is wrong with a value."""


def mistakes(document: Document) -> list[Problem]:
    """Return what is wrong with a document by Score's schema, in the file's order."""
    found = Findings(document)
    WORKLOAD.check(document.data, (), found)
    return sorted(found.problems)


@dataclass(frozen=True)
class Text:
    """A text of a pattern and a length; `mend` says what it must be."""

    pattern: str = ""
    least: int = 0
    most: int = 10**9
    mend: str = ""

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is no such text."""
        if not isinstance(value, str):
            hint = "put it in quotes" if isinstance(value, (int, float)) else self.mend
            found.add(path, f"must be a text, not {told(value)}", hint, rule=RULE)
        elif self.wrong(value):
            found.add(path, self._what(value), self.mend, rule=RULE)

    def check_name(self, name: str, path: KeyPath, found: Findings) -> None:
        """Note a key that is no such text."""
        if self.wrong(name):
            found.add(path, f"{told(name)} cannot be a name here", self.mend, rule=RULE, key=True)

    def wrong(self, text: str) -> bool:
        """Tell whether a text is not as it must be."""
        if not self.least <= len(text) <= self.most:
            return True
        return bool(self.pattern) and not re.fullmatch(self.pattern, text)

    def _what(self, value: str) -> str:
        return f"{told(value)} cannot stand here" if value else "is empty"


@dataclass(frozen=True)
class Number:
    """The number of a port."""

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is none."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not 1 <= value <= 65535 or value != int(value):
            hint = "without quotes" if isinstance(value, str) and value.isdecimal() else ""
            what = f"must be a whole number from 1 to 65535, not {told(value)}"
            found.add(path, what, hint, rule=RULE)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is neither."""
        if not isinstance(value, bool):
            found.add(path, f"must be true or false, not {told(value)}", rule=RULE)


@dataclass(frozen=True)
class Choice:
    """One of a few texts."""

    values: tuple[str, ...]

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is none of them."""
        if not isinstance(value, str) or value not in self.values:
            hint = closest(value, self.values) if isinstance(value, str) else ""
            what = f"must be {' or '.join(self.values)}, not {told(value)}"
            found.add(path, what, hint, rule=RULE)


@dataclass(frozen=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is no list, and what is wrong with its items."""
        if not isinstance(value, list):
            hint = f"write it as a list: [{value}]" if isinstance(value, str) else ""
            found.add(path, f"must be a list, not {told(value)}", hint, rule=RULE)
            return
        for index, item in enumerate(value):
            self.item.check(item, (*path, index), found)


@dataclass(frozen=True)
class MapOf:
    """A mapping whose values have one shape, and whose keys another."""

    value: Shape
    name: Text = Text()
    least: int = 0

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is no mapping, and what is wrong with its keys and values."""
        if not isinstance(value, dict):
            found.add(path, f"must be a mapping, not {told(value)}", rule=RULE)
            return
        if len(value) < self.least:
            found.add(path, "is empty", f"it takes at least {self.least}", rule=RULE)
        for name, inner in value.items():
            self.name.check_name(name, (*path, name), found)
            self.value.check(inner, (*path, name), found)


@dataclass(frozen=True)
class Record:
    """A mapping with known fields.

    Attributes:
        is_open: other fields may be there.
        one_of: exactly one of these must be there.
        any_of: at least one of these must be there.
        refused: fields that may not stand here, with what mends it.
    """

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    is_open: bool = False
    one_of: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is no mapping, what it lacks, and what is wrong with its fields."""
        if not isinstance(value, dict):
            found.add(path, f"must be a mapping, not {told(value)}", rule=RULE)
            return
        self._check_presence(value, path, found)
        for name, inner in value.items():
            if name in self.refused:
                what = f"{name} does not stand here"
                found.add((*path, name), what, self.refused[name], rule=RULE, key=True)
            elif name in self.fields:
                self.fields[name].check(inner, (*path, name), found)
            elif not self.is_open:
                what, hint = "is not known here", closest(name, self.fields)
                found.add((*path, name), what, hint, rule=RULE, key=True)

    def _check_presence(self, value: dict[str, Any], path: KeyPath, found: Findings) -> None:
        for name in self.required:
            if name not in value:
                found.add((*path, name), "is missing", f"add {name}", rule=RULE, at=path)
        there = [name for name in self.one_of if name in value]
        if self.one_of and len(there) != 1:
            what = f"has {' and '.join(there)}" if there else "holds nothing"
            mend = f"give it one of {', '.join(self.one_of)}"
            found.add(path, what, mend, rule=RULE)
        if self.any_of and not any(name in value for name in self.any_of):
            mend = f"give it {' or '.join(self.any_of)}"
            found.add(path, "holds nothing", mend, rule=RULE)


@dataclass(frozen=True)
class ByTarget:
    """A mapping by target, or the deprecated list whose items have the target inside."""

    item: Record
    entry: Record

    def check(self, value: Any, path: KeyPath, found: Findings) -> None:
        """Note a value that is neither."""
        if not isinstance(value, (dict, list)):
            found.add(path, f"must be a mapping by target, not {told(value)}", rule=RULE)
            return
        shape = ListOf(self.item) if isinstance(value, list) else MapOf(self.entry)
        shape.check(value, path, found)


_LABEL = Text(
    "[a-z0-9][a-z0-9-]{0,61}[a-z0-9]", mend="2 to 63 of a-z, 0-9 and -, with no - at an end"
)
_WORD = Text(
    "[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]",
    mend="2 to 63 of A-Z, a-z, 0-9 and -, with no - at an end",
)
_ID = Text(
    r"[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*",
    2,
    63,
    "2 to 63 of a-z, 0-9, - and dots between",
)
_ANNOTATION = Text(
    r"(([a-z0-9][a-z0-9-]{0,61}[a-z0-9])(\.[a-z0-9][a-z0-9-]{0,61}[a-z0-9])*/)?"
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,61}[A-Za-z0-9]",
    2,
    316,
    "like example.com/key",
)
_FULL = Text(least=1, mend="give it a value, or leave the line out")
_WORDS = ListOf(Text())
_ANNOTATIONS = MapOf(Text(), _ANNOTATION)
_AMOUNTS = Record(
    {
        "memory": Text(
            r"(0\.[0-9]+|[1-9][0-9]*(\.[0-9]+)?)(K|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?",
            mend="like 128Mi or 1.5G",
        ),
        "cpu": Text(r"[0-9]+(?:m|\.[0-9]+)?", mend="like 100m or 0.5"),
    }
)
_FILE: dict[str, Shape] = {
    "mode": Text("0?[0-7]{3}", mend='in octal and in quotes, like "0600"'),
    "source": _FULL,
    "content": Text(),
    "binaryContent": Text(),
    "noExpand": Flag(),
}
_CONTENT = ("content", "binaryContent", "source")
_VOLUME: dict[str, Shape] = {"source": Text(), "path": Text(), "readOnly": Flag()}
_TARGET = {"target": "the key above is the target already"}
_HTTP = Record(
    {
        "host": _FULL,
        "scheme": Choice(("HTTP", "HTTPS")),
        "path": Text(),
        "port": Number(),
        "httpHeaders": ListOf(
            Record(
                {"name": Text("[A-Za-z0-9_-]+", mend="letters, figures, - and _"), "value": _FULL},
                required=("name", "value"),
            )
        ),
    },
    required=("port", "path"),
)
_PROBE = Record(
    {"httpGet": _HTTP, "exec": Record({"command": _WORDS}, required=("command",))},
    any_of=("httpGet", "exec"),
)
_BEFORE = Record({"ready": Choice(("started", "healthy", "complete"))}, required=("ready",))
_CONTAINER = Record(
    {
        "image": Text(least=1, mend="`.` is the image that is built from this folder"),
        "command": _WORDS,
        "args": _WORDS,
        "variables": MapOf(Text(), Text("[^=]+", mend="any name without =")),
        "files": ByTarget(
            Record(_FILE | {"target": _FULL}, one_of=_CONTENT),
            Record(_FILE, one_of=_CONTENT, refused=_TARGET),
        ),
        "volumes": ByTarget(
            Record(_VOLUME | {"target": Text()}, required=("source",)),
            Record(_VOLUME, required=("source",), refused=_TARGET),
        ),
        "before": MapOf(_BEFORE, _LABEL),
        "resources": Record({"limits": _AMOUNTS, "requests": _AMOUNTS}),
        "livenessProbe": _PROBE,
        "readinessProbe": _PROBE,
    },
    required=("image",),
)
_RESOURCE = Record(
    {
        "type": _WORD,
        "class": _WORD,
        "id": _ID,
        "metadata": Record({"annotations": _ANNOTATIONS}, is_open=True),
        "params": Record({}, is_open=True),
    },
    required=("type",),
)
_PORT = Record(
    {"port": Number(), "protocol": Choice(("TCP", "UDP")), "targetPort": Number()},
    required=("port",),
)
WORKLOAD = Record(
    {
        "apiVersion": Text(r"score\.dev/v1b1", mend="apiVersion: score.dev/v1b1"),
        "metadata": Record(
            {"name": _LABEL, "annotations": _ANNOTATIONS}, required=("name",), is_open=True
        ),
        "service": Record({"ports": MapOf(_PORT, _LABEL)}),
        "containers": MapOf(_CONTAINER, _LABEL, least=1),
        "resources": MapOf(_RESOURCE, _LABEL),
    },
    required=("apiVersion", "metadata", "containers"),
)
