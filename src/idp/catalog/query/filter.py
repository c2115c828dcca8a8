"""Backstage's filters: `kind=component,metadata.tags=go`.

Commas mean and, the same key twice means either value, a bare key that it is there; repeated
filters mean or (plugin-catalog-backend, parseEntityFilterParams).
"""

from __future__ import annotations

from collections.abc import Sequence

from idp.catalog.query.ast import EVERYTHING, And, Condition, Or, Test, Word
from idp.errors import UsageError


def parse_filters(filters: Sequence[str]) -> Condition:
    """Return what repeated filters say together.

    Raises:
        UsageError: a statement has no key.
    """
    parts = [part for text in filters if (part := _parse_filter(text)) is not None]
    return Or(tuple(parts)) if parts else EVERYTHING


def _parse_filter(text: str) -> Condition | None:
    wanted: dict[str, list[str] | None] = {}
    for statement in filter(None, (part.strip() for part in text.split(","))):
        key, equals, value = (part.strip() for part in statement.partition("="))
        if not key:
            raise UsageError(
                f"--filter {text!r}: {statement!r} has no key", hint="KEY=VALUE, or KEY"
            )
        known = wanted.get(key)
        if equals:
            wanted[key] = [*(known or ()), value]
        else:
            wanted.setdefault(key, None)
    tests = [_test(key, values) for key, values in wanted.items()]
    return And(tuple(tests)) if tests else None


def _test(key: str, values: list[str] | None) -> Condition:
    if values is None:
        return Test(Word(key), "has", exact=True)
    return Test(Word(key), "=", tuple(map(Word, values)), exact=True)
