"""Finding the one entity that a person means by a reference, which may be short."""

from __future__ import annotations

from collections.abc import Sequence

from idp.catalog.index.opened import CARD, Card, Index, card_of
from idp.catalog.ref import DEFAULT_NAMESPACE, MalformedRef, parse
from idp.errors import InvalidInput, NotFound

_ALIKE = 10
"""How many entities are named in a message."""


def find(index: Index, written: str, kinds: Sequence[str] = ()) -> Card:
    """Return the entity that `[kind:][namespace/]name` means.

    What is left out may be anything, as long as one entity alone fits; the namespace `default` goes
    before others, and a Component before an API of the same name.

    Args:
        kinds: in lower case; only these, if the reference names none.

    Raises:
        NotFound: there is none; the hint names those that are alike.
        InvalidInput: it is no reference, or several fit.
    """
    found = candidates(index, written, kinds)
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(card.ref for card in found[:_ALIKE])
        more = f" and {len(found) - _ALIKE} more" if len(found) > _ALIKE else ""
        raise InvalidInput(f"{written!r} may be {names}{more}", hint="write its kind and namespace")
    raise NotFound(f"no entity {written!r} in the catalog", hint=_alike(index, written))


def candidates(index: Index, written: str, kinds: Sequence[str] = ()) -> list[Card]:
    """Return the entities that a reference may mean, by ref; only the likeliest if some are."""
    kind, namespace, name = _parts(written.lower())
    if kind and namespace:
        nodes = [index.node(f"{kind}:{namespace}/{name}")]
        return list(index.cards(node for node in nodes if node is not None).values())
    found = _named(index, name)
    found = [card for card in found if not kind or card.kind.lower() == kind]
    found = [card for card in found if kind or not kinds or card.kind.lower() in kinds]
    if namespace:
        found = [card for card in found if card.namespace.lower() == namespace]
    else:
        found = [c for c in found if c.namespace == DEFAULT_NAMESPACE] or found
    components = [card for card in found if card.kind == "Component"]
    is_told_apart = {card.kind for card in found} <= {"Component", "API", "Resource", "Template"}
    return components if not kind and components and is_told_apart else found


def _named(index: Index, name: str) -> list[Card]:
    select = (
        f"{CARD.format('attribute a JOIN entity e ON e.id = a.entity')}"
        " WHERE a.field = (SELECT id FROM field WHERE path = 'metadata.name') AND a.value = ?"
        " ORDER BY n.ref"
    )
    return [card_of(row) for row in index.connection.execute(select, (name,))]


def _parts(written: str) -> tuple[str, str, str]:
    """Return kind, namespace and name, empty where they are left out."""
    try:
        ref = parse(written, "?", "?")
    except MalformedRef as error:
        raise InvalidInput(str(error), hint="write it as [kind:][namespace/]name") from error
    return ref.kind.strip("?"), ref.namespace.strip("?"), ref.name


def _alike(index: Index, written: str) -> str:
    """Return a hint that names refs like the one that is not there."""
    from difflib import get_close_matches

    kind, _, name = _parts(written.lower())
    refs = index.connection.execute("SELECT n.ref FROM entity e JOIN node n ON n.id = e.id")
    shelves: dict[str, list[str]] = {}
    for (ref,) in refs:
        if not kind or ref.startswith(f"{kind}:"):
            shelves.setdefault(ref.rpartition("/")[2], []).append(ref)
    initial = [one for one in shelves if one[:1] == name[:1] and abs(len(one) - len(name)) <= 4]
    close = get_close_matches(name, initial, 3, 0.7)
    refs_close = sorted(ref for one in close for ref in shelves[one])
    if refs_close:
        return f"did you mean {', '.join(refs_close[:3])}?"
    if index.node(written.lower()) is not None:
        return f"others refer to it: idp catalog impact {written}"
    return f"look for it by words: idp catalog query 'text~\"{name}\"'"
