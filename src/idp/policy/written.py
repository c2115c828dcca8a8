"""A plan as others write it: its JSON, read and checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from idp.errors import InvalidInput
from idp.plan import Facts, Plan

PLAN = tuple(one.name for one in fields(Plan))
FACTS = tuple(one.name for one in fields(Facts))
_HINT = "a plan is what `canonical` of idp.plan writes; docs/policy.md tells its keys"


def plan_of(data: object, origin: str) -> Plan:
    """Return the plan that data of JSON or YAML is.

    Raises:
        InvalidInput: a key is unknown or missing, or a value is of another type.
    """
    from pydantic import TypeAdapter, ValidationError

    if not isinstance(data, Mapping):
        raise InvalidInput(f"{origin}: a plan is a mapping", hint=_HINT)
    check_keys(data, PLAN, origin)
    if isinstance(data.get("facts"), Mapping):
        check_keys(data["facts"], FACTS, f"{origin}: facts")
    try:
        return TypeAdapter(Plan).validate_python(dict(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput(f"{origin}: {where}: {first['msg']}", hint=_HINT) from error


def plan_of_text(text: str | bytes, origin: str) -> Plan:
    """Return the plan that a text of JSON is."""
    try:
        return plan_of(json.loads(text), origin)
    except ValueError as error:
        raise InvalidInput(f"{origin}: not JSON: {error}", hint=_HINT) from error


def check_keys(data: Mapping[str, Any], known: Sequence[str], origin: str) -> None:
    """Refuse keys that are not known."""
    from difflib import get_close_matches

    for key in data:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
            raise InvalidInput(f"{origin}: unknown key {key!r}", hint=hint)
