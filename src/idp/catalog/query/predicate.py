"""Backstage's JSON predicates: `{"$all": [{"kind": "Component"}, {"$not": {"spec.type": "job"}}]}`.

As its server reads them (plugin-catalog-backend, applyPredicateEntityFilterToQuery): lists are
flat, so that a plain value and `$contains` both mean that a list holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from idp.catalog.query.ast import And, Condition, Not, Or, Test, Word
from idp.errors import UsageError

DEEPEST = 100
_PLAIN = (str, int, float, bool)
_HELD = "a value, an object with one field, or the type and targetRef of a relation"
_FORMS = "a value, or {$exists}, {$in}, {$hasPrefix} or {$contains}"


def parse_predicate(text: str) -> Condition:
    """Return what a predicate says.

    Raises:
        UsageError: it is no JSON, or no predicate.
    """
    import json

    try:
        return _condition(json.loads(text), DEEPEST)
    except json.JSONDecodeError as error:
        raise UsageError(f"--predicate is not JSON: {error}") from error
    except RecursionError as error:
        raise _wrong("it is nested too deeply") from error


def _condition(said: Any, depth: int) -> Condition:
    if not depth:
        raise _wrong("it is nested too deeply")
    if not isinstance(said, Mapping):
        raise _wrong(f"{_shown(said)} is no condition", 'such as {"kind": "Component"}')
    operators = [key for key in said if key.startswith("$")]
    if not operators:
        return And(tuple(_field(key, value, depth) for key, value in said.items()))
    if len(said) > 1:
        raise _wrong(f"{operators[0]} must be the only key", "join conditions with $all")
    (operator,) = operators
    inner = said[operator]
    if operator == "$not":
        return Not(_condition(inner, depth - 1))
    if operator not in ("$all", "$any"):
        raise _wrong(f"{operator} is no operator between conditions", "$all, $any or $not")
    if not isinstance(inner, list):
        raise _wrong(f"{operator} takes a list")
    parts = tuple(_condition(part, depth - 1) for part in inner)
    # Of nothing, Backstage's server holds $all for false too.
    return And(parts) if parts and operator == "$all" else Or(parts)


def _field(key: str, value: Any, depth: int) -> Condition:
    if isinstance(value, _PLAIN):
        return Test(Word(key), "=", (Word(_text(value)),), exact=True)
    if not isinstance(value, Mapping) or len(value) != 1:
        raise _wrong(f"{key}: {_shown(value)} is no condition on a field", _FORMS)
    ((operator, operand),) = value.items()
    if operator == "$exists" and isinstance(operand, bool):
        there = Test(Word(key), "has", exact=True)
        return there if operand else Not(there)
    is_list = isinstance(operand, list) and all(isinstance(one, _PLAIN) for one in operand)
    if operator == "$in" and is_list:
        return Test(Word(key), "=", tuple(Word(_text(one)) for one in operand), exact=True)
    if operator == "$hasPrefix" and isinstance(operand, str):
        return Test(Word(key), "=", (Word(operand, prefix=True),), exact=True)
    if operator == "$contains":
        return _contains(key, operand, depth)
    raise _wrong(f"{key}: {_shown(value)} is no condition on a field", _FORMS)


def _contains(key: str, wanted: Any, depth: int) -> Condition:
    """Return that a list holds a value, a relation, or an object with one such field."""
    if isinstance(wanted, _PLAIN):
        return Test(Word(key), "=", (Word(_text(wanted)),), exact=True)
    if not isinstance(wanted, Mapping) or depth < 2:
        raise _wrong(f"{key}: $contains cannot take {_shown(wanted)}", _HELD)
    if key.lower() == "relations" and wanted.keys() <= {"type", "targetRef"}:
        if isinstance(kind := wanted.get("type"), str):
            target = wanted.get("targetRef", {"$exists": True})
            return _field(f"relations.{kind}", target, depth - 1)
    elif len(wanted) == 1 and not (inner := next(iter(wanted))).startswith("$"):
        return _field(f"{key}.{inner}", wanted[inner], depth - 1)
    raise _wrong(f"{key}: $contains cannot take {_shown(wanted)}", _HELD)


def _text(value: Any) -> str:
    """Return a scalar as JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    return str(value)


def _shown(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 80 else f"{text[:77]}…"


def _wrong(message: str, hint: str = "") -> UsageError:
    return UsageError(f"--predicate: {message}", hint=hint)
