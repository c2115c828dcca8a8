"""The walk over all that needs an entity, as numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from idp.catalog.index.needs import Needs, Said
from idp.catalog.index.opened import Index
from idp.catalog.index.schema import NUMBER

_NEEDED = ", ".join(str(NUMBER[name]) for name in ("dependencyOf", "apiConsumedBy", "providesApi"))


@dataclass(frozen=True)
class Reach:
    """The nodes that need a node, at any number of steps.

    Attributes:
        levels: the nodes that are 1, 2, … steps away.
        said: tier and owner of every entity.
    """

    start: int
    levels: tuple[list[int], ...]
    said: Said

    @property
    def size(self) -> int:
        """How many are reached."""
        return sum(map(len, self.levels))

    def nodes(self) -> Iterator[tuple[int, int]]:
        """Yield each node with its steps, the nearest first."""
        for depth, level in enumerate(self.levels, 1):
            for node in level:
                yield node, depth

    def tier(self, node: int) -> str:
        """Return a node's tier, empty if nothing says it."""
        return self.said.words[self.said.tiers[node]] or ""

    def owner(self, node: int) -> int:
        """Return the node of a node's owner, 0 for none."""
        return self.said.owners[node]

    def is_missing(self, node: int) -> bool:
        """Tell whether a node is no entity."""
        return not self.said.tiers[node]


def reach(index: Index, node: int) -> Reach:
    """Walk to full depth; a circle leads to nothing new."""
    levels = tuple(_levels(Needs(index.connection), node))
    return Reach(node, levels, Said(index.connection))


def _levels(needs: Needs, node: int) -> Iterator[list[int]]:
    offsets, targets = needs.offsets, needs.targets
    seen = bytearray(max(len(offsets), node + 2))
    seen[node] = 1
    level = [node] if node + 1 < len(offsets) else []
    while level:
        following: list[int] = []
        add = following.append
        for near in level:
            for far in targets[offsets[near] : offsets[near + 1]]:
                if not seen[far]:
                    seen[far] = 1
                    add(far)
        if following:
            yield following
        level = following


def paths(index: Index, reached: Reach, wanted: list[tuple[int, int]]) -> dict[int, list[str]]:
    """Return the shortest ways to some nodes, given with their steps."""
    deepest = max((depth for _, depth in wanted), default=0)
    level_of = {one: at for at, level in enumerate(reached.levels[:deepest], 1) for one in level}
    return {node: _back(index, reached.start, level_of, node, depth) for node, depth in wanted}


def _back(index: Index, start: int, level_of: dict[int, int], node: int, depth: int) -> list[str]:
    way = [index.refs([node])[node]]
    for at in range(depth - 1, 0, -1):
        needed = index.connection.execute(
            f"SELECT DISTINCT source FROM relation WHERE type IN ({_NEEDED}) AND target = ?",
            (node,),
        )
        nearer = index.refs(one for (one,) in needed if level_of.get(one) == at)
        node, ref = min(nearer.items(), key=lambda item: item[1])
        way.append(ref)
    way.append(index.refs([start])[start])
    return way[::-1]
