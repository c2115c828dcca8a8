"""What changed between two versions of an entity, field by field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from idp.catalog.problem import KeyPath, written
from idp.catalog.shapes import Unread

LONGEST = 200
"""Characters of a value that are told."""

_ABSENT = object()


@dataclass(frozen=True)
class Change:
    """A field with another value, or a list with one item more or less.

    Attributes:
        path: the field, e.g. `spec.owner`, `spec.dependsOn`.
        before: its value, or the item that is gone; null if it is new.
        after: its value, or the item that is new; null if it is gone.
    """

    path: str
    before: str | None
    after: str | None


def changes(before: Any, after: Any) -> tuple[Change, ...]:
    """Return what changed between two documents; the order of a list counts for nothing."""
    return tuple(_changes((), before, after))


def _changes(path: KeyPath, before: Any, after: Any) -> Iterator[Change]:
    kinds = {type(value) for value in (before, after) if value is not _ABSENT}
    if kinds == {dict}:
        old, new = (value if isinstance(value, dict) else {} for value in (before, after))
        for key in sorted({*old, *new}):
            yield from _changes((*path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif kinds == {list}:
        yield from _items(path, before, after)
    elif (old_text := _text(before)) != (new_text := _text(after)):
        yield Change(written(path), _cut(old_text), _cut(new_text))


def _items(path: KeyPath, before: Any, after: Any) -> Iterator[Change]:
    old, new = (
        Counter(map(_text, value)) if isinstance(value, list) else Counter[str | None]()
        for value in (before, after)
    )
    for item in sorted((old - new).elements(), key=str):
        yield Change(written(path), _cut(item), None)
    for item in sorted((new - old).elements(), key=str):
        yield Change(written(path), None, _cut(item))


def _text(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    if isinstance(value, Unread):
        return f"$text: {value.source}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_text)


def _cut(text: str | None) -> str | None:
    return f"{text[: LONGEST - 1]}…" if text and len(text) > LONGEST else text
