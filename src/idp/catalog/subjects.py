"""What the rules of a scorecard may look at: the variables of each entity, read in bulk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from idp.catalog.index.opened import Index
from idp.catalog.index.packing import unpack
from idp.catalog.index.schema import DATA, INVERSE, NUMBER

_BATCH = 500
_OWNERS = 4096
"""Owners that are kept in memory."""

_ROWS = (
    f"SELECT e.id, n.ref, {DATA}, e.tier, e.orphaned_at, e.owner, f.repository, f.evidence"
    " FROM entity e JOIN node n ON n.id = e.id JOIN file f ON f.id = e.file WHERE e.id IN ({})"
    " ORDER BY n.ref"
)
_RELATED = (
    "SELECT DISTINCT r.target, n.ref FROM relation r JOIN node n ON n.id = r.source"
    " WHERE r.type = {} AND r.target IN ({}) ORDER BY n.ref"
)
_NEEDED = (
    "SELECT DISTINCT r.target, n.ref, e.id IS NOT NULL, coalesce(e.lifecycle, ''),"
    " coalesce(e.tier, '') FROM relation r JOIN node n ON n.id = r.source"
    " LEFT JOIN entity e ON e.id = r.source WHERE r.type IN (?, ?) AND r.target IN ({})"
    " ORDER BY n.ref"
)
_NEEDS = (INVERSE[NUMBER["dependsOn"]], INVERSE[NUMBER["consumesApi"]])

Variables = dict[str, Any]
Shelf = dict[int, Any]
"""What belongs to each node."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An entity and what rules may look at."""

    ref: str
    owner: str
    tier: str
    variables: Variables


def subjects(
    index: Index,
    nodes: Iterable[int],
    wanted: frozenset[str],
    types: Sequence[str],
    newest: Mapping[str, str],
) -> Iterator[Subject]:
    """Yield entities with those variables that are wanted.

    Args:
        types: which relations are wanted.
        newest: the newest release of templates, by the URL that services name them by.
    """
    owners = _owners(index)
    rest = iter(nodes)
    while batch := list(islice(rest, _BATCH)):
        marks = ",".join("?" * len(batch))
        relations = _relations(index, batch, marks, types)
        needed = _dependencies(index, batch, marks) if "dependencies" in wanted else {}
        for row in index.connection.execute(_ROWS.format(marks), batch):
            node, ref, packed, tier, orphaned, owner, url, evidence = row
            variables = _own(unpack(packed)) | {
                "ref": ref,
                "tier": tier,
                "orphan": orphaned is not None,
                "owner": owners(owner),
                "relations": relations[node],
                "dependencies": needed.get(node, []),
                "repository": _repository(url, evidence, newest),
            }
            kept = {name: value for name, value in variables.items() if name in wanted}
            yield Subject(ref, variables["owner"]["ref"], tier, kept)


def _own(document: Mapping[str, Any]) -> Variables:
    """Return what an entity says of itself; what it leaves out is empty."""
    metadata = document["metadata"]
    return {
        "entity": document,
        "description": (metadata.get("description") or "").strip(),
        "lifecycle": str(document["spec"].get("lifecycle") or ""),
        "annotations": metadata.get("annotations") or {},
        "labels": metadata.get("labels") or {},
        "tags": metadata.get("tags") or [],
        "links": metadata.get("links") or [],
    }


def _repository(url: str, evidence: str, newest: Mapping[str, str]) -> Variables:
    found = json.loads(evidence)
    empty = {"files": [], "adrs": [], "rfcs": [], "runbooks": [], "template": "", "release": ""}
    held = empty | {key: value for key, value in found.items() if key in empty}
    return held | {"url": url, "newest_release": newest.get(held["template"], "")}


def _relations(index: Index, batch: Sequence[int], marks: str, types: Sequence[str]) -> Shelf:
    found: Shelf = {node: {name: [] for name in types} for node in batch}
    for name in types:
        select = _RELATED.format(INVERSE[NUMBER[name]], marks)
        for node, ref in index.connection.execute(select, batch):
            found[node][name].append(ref)
    return found


def _dependencies(index: Index, batch: Sequence[int], marks: str) -> Shelf:
    found: Shelf = {}
    rows = index.connection.execute(_NEEDED.format(marks), (*_NEEDS, *batch))
    for node, ref, exists, lifecycle, tier in rows:
        one = {"ref": ref, "exists": bool(exists), "lifecycle": lifecycle, "tier": tier}
        found.setdefault(node, []).append(one)
    return found


def _owners(index: Index) -> Callable[[int | None], Variables]:
    """Return what finds an owner by its node."""

    @lru_cache(_OWNERS)
    def owner(node: int | None) -> Variables:
        if node is None:
            return {"ref": "", "exists": False, "kind": "", "annotations": {}}
        ref, card = index.refs([node])[node], index.cards([node]).get(node)
        metadata = index.document(node)["metadata"] if card else {}
        annotations = metadata.get("annotations") or {}
        kind = card.kind if card else ""
        return {"ref": ref, "exists": bool(card), "kind": kind, "annotations": annotations}

    return owner
