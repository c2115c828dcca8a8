"""Who needs whom: what breaks, or may break, when an entity does.

An entity needs what it depends on and the APIs that it consumes; an API needs who provides it. The
graph is kept as compressed sparse rows, so that a walk to full depth over all of it takes
milliseconds where SQL takes hundreds (bench/README.md).
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Iterator
from itertools import accumulate

from idp.catalog.index.schema import NUMBER

_NEEDED_BY = (
    f"SELECT DISTINCT target, source FROM relation"
    f" WHERE type IN ({NUMBER['dependsOn']}, {NUMBER['consumesApi']}, {NUMBER['apiProvidedBy']})"
)


class Needs:
    """The graph of an index; a node's row holds those that need it directly."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT offsets, targets FROM graph WHERE name = 'needed by'")
        offsets, targets = row.fetchone()
        self.offsets, self.targets = array("I"), array("I")
        self.offsets.frombytes(offsets)
        self.targets.frombytes(targets)

    def by(self, node: int) -> array[int]:
        """Return those that need a node directly."""
        return self.targets[self.offsets[node] : self.offsets[node + 1]]


class Said:
    """What entities say of themselves, one place a node: read whole, for walks over all of them.

    Attributes:
        owners: the owner's node, 0 for none.
        tiers: a place in `words`, whose first is None: such a node is no entity.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT offsets, targets FROM graph WHERE name = 'said'")
        owners, tiers = row.fetchone()
        self.owners, self.tiers = array("I"), array("I")
        self.owners.frombytes(owners)
        self.tiers.frombytes(tiers)
        (words,) = connection.execute("SELECT value FROM meta WHERE key = 'tiers'").fetchone()
        self.words: list[str | None] = json.loads(words)


def build(connection: sqlite3.Connection) -> None:
    """Write the graph of an index anew from its relations, and what a walk asks of each node."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM node").fetchone()
    counts = array("I", bytes(4 * (last + 2)))
    for target, _ in connection.execute(_NEEDED_BY):
        counts[target + 1] += 1
    offsets = array("I", accumulate(counts))
    place, targets = array("I", offsets), array("I", bytes(4 * offsets[-1]))
    for target, source in _sorted(connection):
        targets[place[target]] = source
        place[target] += 1
    connection.execute(
        "INSERT OR REPLACE INTO graph VALUES ('needed by', ?, ?)",
        (offsets.tobytes(), targets.tobytes()),
    )
    _build_said(connection)


def _sorted(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    yield from connection.execute(f"{_NEEDED_BY} ORDER BY target, source")


def _build_said(connection: sqlite3.Connection) -> None:
    """Write the owners and tiers of an index anew."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM node").fetchone()
    owners, tiers = array("I", bytes(4 * (last + 1))), array("I", bytes(4 * (last + 1)))
    words: dict[str | None, int] = {None: 0}
    for node, tier, owner in connection.execute("SELECT id, tier, owner FROM entity ORDER BY id"):
        owners[node] = owner or 0
        tiers[node] = words.setdefault(tier, len(words))
    connection.execute(
        "INSERT OR REPLACE INTO graph VALUES ('said', ?, ?)",
        (owners.tobytes(), tiers.tobytes()),
    )
    connection.execute(
        "INSERT OR REPLACE INTO meta VALUES ('tiers', ?)", (json.dumps(list(words)),)
    )
