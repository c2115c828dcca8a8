"""Which nodes of an index a reference in a query means."""

from __future__ import annotations

from idp.catalog.index.find import candidates
from idp.catalog.index.opened import Index
from idp.catalog.query.fault import close
from idp.catalog.ref import DEFAULT_NAMESPACE, MalformedRef, Ref, parse
from idp.errors import InvalidInput

MANY = 5
"""Candidates that an error names."""

MOST, SPREAD = 3000, 3
"""How many names are compared with a mistyped one, and by how much their lengths may differ."""


def find_node(index: Index, written: str, kind: str = "", *, exact: bool = False) -> int | None:
    """Return the node that a reference means; None if nobody has it or refers to it.

    Args:
        kind: tried first where the reference names none.
        exact: it is written in full.

    Raises:
        InvalidInput: it may mean several, or is no reference.
    """
    if exact:
        return index.node(written.lower())
    try:
        meant = parse(written, "*")
    except MalformedRef as error:
        raise InvalidInput(str(error), hint="[KIND:][NAMESPACE/]NAME") from error
    usual = Ref(kind, meant.namespace, meant.name) if kind and meant.kind == "*" else meant
    if (node := index.node(str(usual))) is not None:
        return node
    found = candidates(index, written, (kind,)) if kind else []
    found = found or candidates(index, written)
    refs = [card.ref for card in found] or _missing(index, meant)
    if len(refs) > 1:
        shown = ", ".join(refs[:MANY]) + (", …" if len(refs) > MANY else "")
        raise InvalidInput(f"{written!r} may be {shown}", hint=f"write {refs[0]}")
    return index.node(refs[0]) if refs else None


def _missing(index: Index, meant: Ref) -> list[str]:
    """Return the refs with a name that others refer to, though there is no such entity."""
    tail = f"/{meant.name.lower()}"
    rows = index.connection.execute(
        "SELECT ref FROM node WHERE substr(ref, ?) = ? ORDER BY ref", (-len(tail), tail)
    )
    refs = [ref for (ref,) in rows]
    return [ref for ref in refs if meant.kind.lower() in ("*", ref.partition(":")[0])]


def nodes_like(index: Index, written: str, kind: str = "") -> list[int]:
    """Return the nodes whose ref begins so: `pay`, `component:pay`, `component:default/pay`."""
    head, _, rest = written.lower().rpartition(":")
    namespace, slash, name = rest.rpartition("/")
    kind = head or kind
    if kind:
        start = f"{kind}:{namespace}/{name}" if slash else f"{kind}:"
        found = _starting(index, start)
    else:
        found = index.connection.execute("SELECT id, ref FROM node").fetchall()
    return [
        node
        for node, ref in found
        if ref.rpartition("/")[2].startswith(name)
        and (not slash or ref.partition(":")[2].partition("/")[0] == namespace)
    ]


def nodes_with(index: Index, text: str) -> list[int]:
    """Return the nodes whose ref contains a text."""
    rows = index.connection.execute("SELECT id FROM node WHERE instr(ref, ?)", (text.lower(),))
    return [node for (node,) in rows]


def _starting(index: Index, start: str) -> list[tuple[int, str]]:
    return index.connection.execute(
        "SELECT id, ref FROM node WHERE ref >= ? AND ref < ?", (start, start + "\U0010ffff")
    ).fetchall()


def closest(index: Index, written: str, kind: str = "") -> str:
    """Return the ref most like one that nobody has, empty if none is."""
    head, _, rest = written.lower().rpartition(":")
    name = rest.rpartition("/")[2]
    wanted = head or kind
    names = {
        other: ref
        for _, ref in _starting(index, f"{wanted}:" if wanted else "")
        if abs(len(other := ref.rpartition("/")[2]) - len(name)) <= SPREAD
        and (other[:2] == name[:2] or other[-3:] == name[-3:])
    }
    like = close(name, list(names)[:MOST])
    if not like:
        return ""
    home = f"{wanted}:{DEFAULT_NAMESPACE}/{like}"
    return home if names[like] != home and index.node(home) is not None else names[like]
