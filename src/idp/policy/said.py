"""What a document of the catalog says of itself in more than one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def tier_of(document: Mapping[str, Any]) -> str:
    """Return how critical an entity is said to be: `tier` of its spec, a label or an annotation."""
    spec = document.get("spec")
    said = spec.get("tier") if isinstance(spec, Mapping) else None
    return str(said) if said else next(said_of(document, "tier"), "")


def said_of(document: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield what labels and annotations say under a key, whatever its prefix."""
    for _, said in said_at(document, key):
        yield said


def said_at(document: Mapping[str, Any], key: str) -> Iterator[tuple[str, str]]:
    """Yield `labels` or `annotations`, and what is said there under a key."""
    metadata = document.get("metadata")
    for kind in ("labels", "annotations"):
        said = metadata.get(kind) if isinstance(metadata, Mapping) else None
        for name, value in said.items() if isinstance(said, Mapping) else ():
            if str(name).rpartition("/")[2] == key and value not in (None, ""):
                yield kind, str(value).lower() if isinstance(value, bool) else str(value)


def is_yes(said: str) -> bool:
    """Tell whether what is said is a yes; nobody means no by a word that we do not know."""
    return said.strip().lower() not in ("false", "no", "none", "0", "off")
