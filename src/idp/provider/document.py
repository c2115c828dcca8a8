"""A release as a document, kept with what runs: whole but for `given`, which holds secrets."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from idp.errors import InvalidInput
from idp.provider.base import Release

FORMAT = 1


def to_json(release: Release) -> str:
    """Return a release as one line of ASCII; the same release is the same text."""
    data = {"format": FORMAT, "release": _plain(replace(release, given={}))}
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Release:
    """Return the release that a document holds.

    Raises:
        InvalidInput: it is none, or of a later idp.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidInput("the stored release is damaged: no JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InvalidInput("the stored release is of another idp", hint="update idp")
    try:
        release = _typed(Release, data.get("release"))
    except (ValueError, TypeError, OverflowError, InvalidOperation, RecursionError) as error:
        raise InvalidInput(f"the stored release is damaged: {error}") from None
    return release  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; fields that are as by default are left out."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case Decimal():
            return str(value)
        case bytes():
            return base64.b64encode(value).decode()
        case Mapping():
            return {key: _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    if not is_dataclass(value):
        return value
    said = ((one, getattr(value, one.name)) for one in fields(value))
    return {one.name: _plain(inner) for one, inner in said if inner != _default(one)}


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(kind: Any, value: Any) -> Any:
    """Return a value of JSON as the type that a field has.

    Raises:
        ValueError, TypeError, OverflowError, InvalidOperation: it is none.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if is_dataclass(kind):
        hints, said = _hints(kind), _of(dict, value)  # type: ignore[arg-type]
        if strange := said.keys() - hints.keys():
            raise ValueError(f"nobody knows {min(strange)!r}")
        return kind(**{name: _typed(hints[name], part) for name, part in said.items()})  # type: ignore[operator]
    if origin is UnionType:
        return None if value is None else _typed(inner[0], value)
    if origin is tuple:
        return tuple(_typed(inner[0], part) for part in _of(list, value))
    if origin is Literal:
        if value not in inner:
            raise ValueError(f"{value!r} is none of {', '.join(inner)}")
        return value
    if origin is not None:
        return {name: _typed(inner[1], part) for name, part in _of(dict, value).items()}
    return _scalar(kind, value)


def _scalar(kind: type, value: Any) -> Any:
    if kind is datetime:
        time = datetime.fromisoformat(_of(str, value))
        if time.tzinfo is None:
            raise ValueError("a time without its zone")
        return time.astimezone(UTC)
    if kind is Decimal:
        return Decimal(_of(str, value))
    if kind is bytes:
        try:
            return base64.b64decode(_of(str, value), validate=True)
        except binascii.Error as error:
            raise ValueError("no base64") from error
    return _of(kind, value)


def _of(kind: type, value: Any) -> Any:
    if value.__class__ is not kind:
        raise TypeError(f"{kind.__name__} was expected, not {value.__class__.__name__}")
    return value
