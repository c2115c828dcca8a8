"""How entities are related: what a spec refers to, and what comes of it in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from idp.catalog.kinds import Field, Kind
from idp.catalog.problem import KeyPath
from idp.catalog.ref import MalformedRef, Ref, parse
from idp.catalog.shapes import Findings, told


@dataclass(frozen=True)
class Mention:
    """An entity that another refers to; `path` is where it does."""

    field: Field
    path: KeyPath
    target: Ref


@dataclass(frozen=True)
class Relation:
    """One direction of a relation."""

    source: Ref
    type: str
    target: Ref


def mentions(
    kind: Kind, namespace: str, spec: dict[str, Any], found: Findings
) -> Iterator[Mention]:
    """Yield what a spec refers to, and note the references that cannot be read."""
    for field in kind.fields:
        value = spec.get(field.name)
        is_checked = field.name in kind.spec.fields
        for path, item in _items(("spec", field.name), value):
            if is_checked and not (isinstance(item, str) and item):
                continue  # its shape is wrong, and has been told
            try:
                yield Mention(field, path, _target(item, field, namespace))
            except MalformedRef as error:
                hint = _mend(item, field)
                found.add(path, str(error), hint, rule="reference")


def _items(path: KeyPath, value: Any) -> Iterator[tuple[KeyPath, Any]]:
    """Yield each reference of a field that holds one or many; none in what JavaScript skips."""
    if isinstance(value, list):
        yield from (((*path, index), item) for index, item in enumerate(value))
    elif value or value == {}:
        yield path, value


def _target(item: Any, field: Field, namespace: str) -> Ref:
    if isinstance(item, str):
        return parse(item, field.kind, namespace)
    if not isinstance(item, dict):
        raise MalformedRef(f"must be a reference, not {told(item)}")
    parts = (item.get("kind"), item.get("namespace", namespace), item.get("name"))
    kind, space, name = (part if isinstance(part, str) else "" for part in parts)
    if not (kind and space and name):
        raise MalformedRef("must have a kind and a name")
    return Ref(kind, space, name)


def _mend(item: Any, field: Field) -> str:
    if isinstance(item, str) and item and ":" not in item and "/" not in item:
        return f"write component:{item} or resource:{item}"
    return f"write it as {field.kind.lower() or 'component'}:NAMESPACE/NAME"
