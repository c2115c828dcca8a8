"""Verifying the trail: each record, its place in the chain, and the heads that were signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from idp.audit.record import FIRST
from idp.audit.seal import Checkpoint
from idp.ledger.records import Link
from idp.ledger.tables import written


@dataclass(frozen=True)
class Verified:
    """What came of it.

    Attributes:
        ok: nothing is bent.
        records: how many were read.
        broken_at: the number of the first record that is bent or missing; None for none.
        what: what is wrong, in words.
        signed: up to which record a believed key vouches for the trail.
        anchored: up to which one a checkpoint outside this machine does.
        unanchored: how many records come after that one.
        notes: what could not be judged.
    """

    ok: bool
    records: int
    broken_at: int | None = None
    what: str = ""
    signed: int = 0
    anchored: int = 0
    unanchored: int = 0
    notes: tuple[str, ...] = ()


def verify(
    ledger: str,
    links: Iterable[Link],
    head: Checkpoint | None,
    anchors: Sequence[Checkpoint],
    keys: Collection[str],
) -> Verified:
    """Read the whole trail and tell the first thing that is bent.

    Args:
        ledger: its id.
        links: by number.
        head: the newest one that was signed here.
        anchors: the checkpoints that were anchored elsewhere.
        keys: the public keys that are believed.
    """
    bad, believed, vouched = "", [], dict[int, set[str]]()
    for one in (*([head] if head else []), *anchors):
        if wrong := _unbelieved(ledger, one, keys):
            bad = bad or wrong
            continue
        believed.append(one)
        vouched.setdefault(one.seq, set()).add(one.hash)
    count, before = 0, FIRST
    for link in links:
        if wrong := _wrong(link, count + 1, before, vouched.get(count + 1, set())):
            return _bent(count, count + 1, wrong)
        count, before = count + 1, link.hash
    last = max(vouched, default=0)
    if last > count:
        return _bent(count, count + 1, f"the trail is cut: a signed head has {last} records")
    if bad:
        return _bent(count, None, bad)
    anchored = max((one.seq for one in believed if one is not head), default=0)
    notes = () if head else ("no head of this ledger was signed on this machine",)
    return Verified(True, count, None, "", last, anchored, count - anchored, notes)


def _bent(count: int, at: int | None, what: str) -> Verified:
    return Verified(False, count, at, what)


def _unbelieved(ledger: str, one: Checkpoint, keys: Collection[str]) -> str:
    """Return why a checkpoint is not believed; "" where it is."""
    if one.ledger != ledger:
        return f"a checkpoint is of another ledger: {one.ledger}"
    if one.key not in keys:
        return f"the checkpoint of record {one.seq} is signed by an unknown key {one.key}"
    if not one.is_genuine:
        return f"the checkpoint of record {one.seq} is not signed by its key"
    return ""


def _wrong(link: Link, seq: int, before: str, vouched: Collection[str]) -> str:
    """Return what is wrong with a link at its place; "" for nothing."""
    if link.seq != seq:
        return f"record {seq} is missing" if link.seq > seq else f"record {link.seq} is there twice"
    if hashlib.sha256(link.body).hexdigest() != link.hash:
        return f"record {seq} was changed: its bytes have another hash"
    try:
        body = json.loads(link.body)
        said = [body["seq"], body["act"], body["kind"], body["at"], body["who"]["id"]]
        said += [body["action"], body["subject"], body["team"]]
        prev = body["prev"]
    except (ValueError, KeyError, TypeError):
        return f"record {seq} cannot be read"
    if prev != before:
        return f"record {seq} does not follow the one before it: moved, inserted or rewritten"
    columns = [link.seq, link.act, link.kind, written(link.at), link.who]
    if said != [*columns, link.action, link.subject, link.team]:
        return f"record {seq} was changed: its columns differ from its bytes"
    if vouched and vouched != {link.hash}:
        return f"record {seq} is not the one that was signed: the trail was rewritten"
    return ""
