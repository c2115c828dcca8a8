"""What is asked about: an entity, or one that is missing and yet referred to."""

from __future__ import annotations

from dataclasses import dataclass

from idp.catalog.index.find import find
from idp.catalog.index.opened import Card, Index
from idp.catalog.kinds import KINDS
from idp.catalog.ref import DEFAULT_NAMESPACE, parse
from idp.errors import NotFound


@dataclass(frozen=True)
class Aim:
    """A node of the index; without a card if no source has such an entity."""

    node: int
    ref: str
    card: Card | None


def aim(index: Index, written: str) -> Aim:
    """Return what a reference means, which may be something missing that others need.

    Raises:
        NotFound: nobody has it, and nobody refers to it.
        InvalidInput: it is no reference, or several fit.
    """
    try:
        card = find(index, written)
    except NotFound:
        missing = _missing(index, written)
        if missing is None:
            raise
        return missing
    return Aim(card.id, card.ref, card)


def _missing(index: Index, written: str) -> Aim | None:
    """Return a ref without an entity that some relation has."""
    meant = parse(written.lower(), "?")
    kinds = [kind.lower() for kind in KINDS] if meant.kind == "?" else [meant.kind]
    for kind in kinds:
        ref = f"{kind}:{meant.namespace or DEFAULT_NAMESPACE}/{meant.name}"
        node = index.node(ref)
        if node is not None and index.related(node):
            return Aim(node, ref, None)
    return None
