"""Scalars of YAML 1.2's core schema, and what JavaScript makes of keys that are no text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

Scalar = str | int | float | bool | None

_FIRST = frozenset("~nNtTfF0123456789+-.")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((f"{s}.{w}" for s in ("", "+") for w in ("inf", "Inf", "INF")), float("inf")),
    **dict.fromkeys((f"-.{w}" for w in ("inf", "Inf", "INF")), float("-inf")),
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_SAFE_DIGITS = 15
"""More digits than these are no exact number in JavaScript, and a float here too."""


def plain(text: str) -> Scalar:
    """Return what a plain scalar without a tag means."""
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        return int(text) if len(text) <= _SAFE_DIGITS else _number(float(text))
    if _BASED.match(text):
        return _number(_based(text[2:], 8 if text[1] == "o" else 16))
    return float(text) if _FLOAT.match(text) else text


def _based(digits: str, base: int) -> float:
    try:
        return float(int(digits, base))
    except OverflowError:
        return float("inf")


def _number(value: float) -> int | float:
    return int(value) if abs(value) < 2**53 else value


def tagged(text: str, tag: str) -> Scalar:
    """Return what a scalar with a tag means; one with a tag we do not know is text."""
    core = tag.removeprefix("tag:yaml.org,2002:")
    as_kind: dict[str, Callable[[], Scalar]] = {
        "int": lambda: plain(text),
        "float": lambda: plain(text),
        "bool": lambda: plain(text),
        "null": lambda: None,
    }
    return as_kind[core]() if core in as_kind else text


def as_key(key: object) -> str:
    """Return the text that a key becomes."""
    if key is None:
        return ""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (dict, list)):
        return _flow(key)
    if isinstance(key, float) and key.is_integer() and abs(key) < 1e21:
        return str(int(key))
    return str(key)


def _flow(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(k if v is None else f"{k}: {_flow(v)}" for k, v in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        return f"[ {', '.join(map(_flow, value))} ]"
    return value if isinstance(value, str) else json.dumps(value)
