"""What a value must look like, and what is told where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Protocol

from idp.catalog.problem import KeyPath, Level, Problem, written
from idp.catalog.reading import Document


class Unread:
    """What a placeholder stands for that cannot be read here: a file elsewhere.

    Attributes:
        source: what the placeholder names.
    """

    def __init__(self, source: str) -> None:
        self.source = source


@dataclass
class Findings:
    """The problems of a document as they are found."""

    document: Document
    problems: list[Problem] = field(default_factory=list)
    paths: list[KeyPath] = field(default_factory=list)

    def add(
        self,
        path: KeyPath,
        message: str,
        hint: str = "",
        *,
        rule: str,
        key: bool = False,
        at: KeyPath | None = None,
        level: Level = "error",
    ) -> None:
        """Note a problem with a value, or with its key; `at` is where it is shown, if elsewhere."""
        place = self.document.at(path if at is None else at, key=key)
        self.problems.append(Problem(*place, written(path), message, hint, rule, level))
        self.paths.append(path)


class Shape(Protocol):
    """What a value must look like."""

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note what is wrong with a value."""


def told(value: object) -> str:
    """Return a value as a problem names it: a short text, or its type."""
    if isinstance(value, str):
        return repr(value if len(value) <= 60 else f"{value[:59]}…")
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return "a list" if isinstance(value, list) else "a mapping"


@dataclass(frozen=True)
class Text:
    """A text; `empty` lets it be empty."""

    empty: bool = False

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note a value that is no text."""
        if value.__class__ is str:
            if not value and not self.empty:
                found.add(path, "is empty", "give it a value, or leave it out", rule=rule)
        elif not isinstance(value, Unread):
            hint = ""
            if value is None:
                hint = "give it a value, or leave the line out"
            elif isinstance(value, (bool, int, float)):
                hint = "put it in quotes"
            found.add(path, f"must be a text, not {told(value)}", hint, rule=rule)


@dataclass(frozen=True)
class Choice:
    """One of a few texts."""

    values: tuple[str, ...]

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note a value that is none of them."""
        if value in self.values or isinstance(value, Unread):
            return
        one_of = ", ".join(self.values)
        found.add(path, f"must be one of {one_of}, not {told(value)}", rule=rule)


@dataclass(frozen=True)
class TextOrBool:
    """A text or true or false."""

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note a value that is neither."""
        if not isinstance(value, (str, bool, Unread)):
            found.add(path, f"must be a text, true or false, not {told(value)}", rule=rule)


@dataclass(frozen=True)
class ListOf:
    """A list of values of one shape."""

    item: Shape

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note a value that is no list, and what is wrong with its items."""
        if value.__class__ is list:
            for index, item in enumerate(value):
                self.item.check(item, (*path, index), found, rule)
        elif not isinstance(value, Unread):
            hint = "leave the line out, or write []" if value is None else ""
            if isinstance(value, str):
                hint = f"write it as a list: [{value}]"
            found.add(path, f"must be a list, not {told(value)}", hint, rule=rule)


@dataclass(frozen=True)
class Record:
    """A mapping with known fields; others are let be, or have the shape `rest`."""

    fields: Mapping[str, Shape] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    rest: Shape | None = None

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note a value that is no mapping, what it lacks, and what is wrong with its fields."""
        if value.__class__ is not dict:
            self._not_a_mapping(value, path, found, rule)
            return
        for name in self.required:
            if name not in value:
                self._missing(name, value, path, found, rule)
        for name, inner in value.items():
            shape = self.fields.get(name, self.rest)
            if shape is not None:
                shape.check(inner, (*path, name), found, rule)

    def _not_a_mapping(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        if not isinstance(value, Unread):
            hint = "" if value is not None else "leave the line out, or give it fields"
            found.add(path, f"must be a mapping, not {told(value)}", hint, rule=rule)
        elif self.required:
            found.add(
                path,
                f"{self.required[0]} may be missing: {value.source} cannot be read here",
                "name a file in this repository by a relative path",
                rule=rule,
            )

    def _missing(
        self, name: str, value: dict[str, Any], path: KeyPath, found: Findings, rule: str
    ) -> None:
        strange = [key for key in value if key not in self.fields]
        lower = {key.lower(): key for key in strange}
        if close := get_close_matches(name.lower(), lower, 1, 0.75):
            misspelt = (*path, lower[close[0]])
            message = f"is not known here, and {name} is missing"
            found.add(misspelt, message, f"did you mean {name}?", rule=rule, key=True)
        else:
            inside = (*path, name)
            found.add(inside, "is missing", f"add {name}", rule=rule, key=True, at=path)


@dataclass(frozen=True)
class RecordOrList:
    """A mapping, or a list of such mappings."""

    record: Record

    def check(self, value: Any, path: KeyPath, found: Findings, rule: str) -> None:
        """Note a value that is neither."""
        shape: Shape = ListOf(self.record) if value.__class__ is list else self.record
        if value.__class__ in (list, dict):
            shape.check(value, path, found, rule)
        elif not isinstance(value, Unread):
            found.add(path, f"must be a mapping or a list, not {told(value)}", rule=rule)
