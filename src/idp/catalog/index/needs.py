"""Who needs whom: what breaks, or may break, when an entity does.

An entity needs what it depends on and the APIs that it consumes; an API needs who provides it. The
graph is kept as compressed sparse rows, so that a walk to full depth over all of it takes
milliseconds where SQL takes hundreds (bench/README.md).
"""

from __future__ import annotations

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


def build(connection: sqlite3.Connection) -> None:
    """Write the graph of an index anew from its relations."""
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


def _sorted(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    yield from connection.execute(f"{_NEEDED_BY} ORDER BY target, source")
