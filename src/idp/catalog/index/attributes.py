"""What the index holds of an entity beside its document: comparable fields and words to search.

The fields are those of Backstage's own search table (plugin-catalog-backend 4.0.0,
buildEntitySearch), except that `metadata.tags.go = true` is not stored beside
`metadata.tags = go`, and that relations have a table of their own.
"""

from __future__ import annotations

from typing import Any

from idp.catalog.entity import Entity
from idp.catalog.index.schema import NOTHING

LONGEST = 200
"""Characters of a path or value that can be compared; a longer value only is there."""

_LEFT_OUT = frozenset({"attachments", "relations", "status", "metadata.uid", "metadata.etag"})

Attribute = tuple[str, str | bytes, str | None]
"""The field's path, the value in lower case (or NOTHING), and as written where that differs."""


def attributes(entity: Entity) -> list[Attribute]:
    """Return every scalar of an entity's document, each once."""
    found: dict[tuple[str, str | bytes], str | None] = {}
    _collect("", entity.data, found)
    found.setdefault(("metadata.namespace", entity.namespace.lower()), None)
    return [(path, value, shown) for (path, value), shown in found.items()]


def _collect(path: str, value: Any, found: dict[tuple[str, str | bytes], str | None]) -> None:
    if isinstance(value, str):
        if len(value) <= LONGEST >= len(path):
            lower = value.lower()
            found.setdefault((path, lower), None if value == lower else value)
            return
    elif isinstance(value, dict) and "$text" not in value:
        for key, inner in value.items():
            below = f"{path}.{key}".lower() if path else key.lower()
            if below not in _LEFT_OUT:
                _collect(below, inner, found)
        return
    elif isinstance(value, list):
        for item in value:
            _collect(path, item, found)
        return
    if len(path) <= LONGEST:
        found.setdefault((path, _compared(value)), None)


def _compared(value: Any) -> str | bytes:
    """Return a scalar that is no short text as it is compared: as JavaScript writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    is_number = isinstance(value, (int, float)) and len(str(value)) <= LONGEST
    return str(value).lower() if is_number else NOTHING


def tier(entity: Entity) -> str:
    """Return how critical an entity is said to be: `tier` of its spec, a label or an annotation."""
    if said := entity.data["spec"].get("tier"):
        return str(said)
    for place in ("labels", "annotations"):
        for key, value in (entity.data["metadata"].get(place) or {}).items():
            if key.rpartition("/")[2] == "tier":
                return str(value)
    return ""


def words(entity: Entity) -> tuple[str, str, str]:
    """Return what full text is searched in: the name, the title, and all else that is prose."""
    metadata, profile = entity.data["metadata"], entity.data["spec"].get("profile")
    profile = profile if isinstance(profile, dict) else {}
    links = metadata.get("links") or ()
    body = (
        metadata.get("description"),
        *(metadata.get("tags") or ()),
        entity.data["spec"].get("type"),
        profile.get("displayName"),
        profile.get("email"),
        *(link.get("title") for link in links),
    )
    prose = " ".join(part for part in body if isinstance(part, str))
    return entity.name, _text(metadata.get("title")), prose


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
