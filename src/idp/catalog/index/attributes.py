"""What the index holds of an entity beside its document: comparable fields and words to search.

The fields are those of Backstage's own search table (plugin-catalog-backend 4.0.0,
buildEntitySearch), except that `metadata.tags.go = true` is not stored beside
`metadata.tags = go`, and that relations have a table of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    for path, value in _scalars("", entity.data):
        if len(path) <= LONGEST:
            written, lower = _compared(value)
            found.setdefault((path.lower(), lower), None if written == lower else written)
    found.setdefault(("metadata.namespace", entity.namespace.lower()), None)
    return [(path, value, shown) for (path, value), shown in found.items()]


def _scalars(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and set(value) != {"$text"}:
        for key, inner in value.items():
            below = f"{path}.{key}" if path else key
            if below not in _LEFT_OUT:
                yield from _scalars(below, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _scalars(path, item)
    else:
        yield path, value


def _compared(value: Any) -> tuple[str | None, str | bytes]:
    """Return a scalar as JavaScript writes it, and as it is compared."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    written = "" if value is None else str(value)
    if value is None or isinstance(value, dict) or len(written) > LONGEST:
        return None, NOTHING
    lower = written.lower()
    return written, lower


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
