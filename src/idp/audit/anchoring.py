"""Which head is to be anchored, and what the anchors say of a trail."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from idp.audit import Trail
from idp.audit.anchors import Kept
from idp.audit.seal import Checkpoint
from idp.audit.verify import Verified, verify
from idp.errors import InvalidInput, NotAllowed, NotFound
from idp.ledger import trail as rows
from idp.ledger.records import Link
from idp.ledger.tables import written

ACTION = "audit-anchor"
"""What the trail's own records of anchoring are called: they alone are nothing to anchor."""


def judge(trail: Trail, kept: Kept, keys: Collection[str]) -> Verified:
    """Verify a trail by the head of this machine and by what is anchored.

    Raises:
        NotFound: other ledgers are anchored there, and this one is not.
    """
    id = trail.ledger.id
    if kept.others and not kept.now and not kept.gone:
        raise NotFound(
            f"{kept.place} holds no checkpoint of this ledger, {id}, but of {kept.others[0]}",
            hint="another ledger may have been put in its place; if it is new: `idp audit anchor`",
        )
    # It is read before the records: a head that is signed meanwhile would be ahead of them.
    head = trail.seals.head(id)
    if head and head.key not in keys and trail.seals.has_key and head.key == trail.seals.public:
        head = None
    # A line of another key that was taken out again is mended, and not bent.
    gone = tuple(one for one in kept.gone if one.key in keys)
    with trail.ledger.reading() as tx:
        found = verify(id, rows.links(tx), head, (*kept.now, *gone), keys)
    if found.ok and gone:
        lost = ", ".join(str(one.seq) for one in gone[:5])
        what = f"{kept.place} no longer holds what its history has: the checkpoint of record {lost}"
        return replace(found, ok=False, what=what)
    if kept.place and not kept.now:
        return replace(found, notes=(*found.notes, f"nothing is anchored in {kept.place} yet"))
    if kept.others:
        told = f"{kept.place} holds other ledgers too: {', '.join(kept.others)}"
        return replace(found, notes=(*found.notes, told))
    return found


def check_key(trail: Trail, pinned: Collection[str]) -> None:
    """Make sure that others will believe what is signed here.

    Raises:
        NotFound: nothing was ever signed here.
        NotAllowed: its key is none of the pinned ones.
    """
    seals = trail.seals
    if not seals.given and seals.head(trail.ledger.id) is None:
        raise NotFound(
            "no head of this ledger was signed on this machine",
            hint="give the key that signs in IDP_AUDIT_KEY",
        )
    if pinned and seals.public not in pinned:
        raise NotAllowed(
            f"this machine's key {seals.public} is not among `ledger.keys`: nobody would believe "
            "what it signs",
            hint="add it to idp-platform.yaml, or give the right one in IDP_AUDIT_KEY",
        )


def due(trail: Trail, kept: Kept, keys: Collection[str]) -> tuple[Verified, Checkpoint | None]:
    """Verify a trail, and sign its newest record; None where all that was done is anchored.

    Raises:
        InvalidInput: the trail is bent.
    """
    if not kept.now:
        kept = replace(kept, others=())  # its first checkpoint
    found = judge(trail, kept, keys)
    if not found.ok:
        where = f" at record {found.broken_at}" if found.broken_at else ""
        raise InvalidInput(
            f"the trail is bent{where}: {found.what}", hint="nothing was anchored: idp audit verify"
        )
    with trail.ledger.reading() as tx:
        link = rows.head(tx)
        if link is None or not _is_news(rows.links(tx, after=found.anchored), found.anchored):
            return found, None
    return found, trail.seals.sign(trail.ledger.id, link.seq, link.hash, written(link.at))


def _is_news(tail: Iterable[Link], anchored: int) -> bool:
    return not anchored or any(link.action != ACTION for link in tail)
