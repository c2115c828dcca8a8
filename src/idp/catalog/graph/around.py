"""Walking from an entity along relations, for so many steps and to so many entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from idp.catalog.impact.aim import Aim
from idp.catalog.index.opened import Index, Related
from idp.catalog.index.schema import INVERSE, NUMBER, RELATIONS
from idp.errors import UsageError

NEEDS = ("dependsOn", "consumesApi", "apiProvidedBy")
"""What an entity needs: see index/needs.py."""


class Direction(StrEnum):
    """Which way relations are followed: as they are named, the other way, or both."""

    down = "down"
    up = "up"
    both = "both"


@dataclass(frozen=True)
class Node:
    """An entity of the drawing; `depth` is how many steps it is away, `missing` that it is not."""

    ref: str
    depth: int
    kind: str
    tier: str
    owner: str
    missing: bool


@dataclass(frozen=True, order=True)
class Edge:
    """`source` has the relation `type` to `target`."""

    source: str
    type: str
    target: str


@dataclass(frozen=True)
class Graph:
    """What is around an entity.

    Attributes:
        nodes: the nearest first, then by ref.
        edges: relations among the nodes; the deepest nodes' own are not followed.
        left_out: how many neighbours of the nodes are not in it, for want of room.
    """

    ref: str
    direction: Direction
    depth: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int


@dataclass(frozen=True)
class Reading:
    """What is followed, how far, and how many entities there may be."""

    direction: Direction = Direction.down
    relations: tuple[str, ...] = NEEDS
    depth: int = 2
    most: int = 200


def relations(written: Sequence[str]) -> tuple[str, ...]:
    """Return the relations that are meant; the needs where none is given.

    Raises:
        UsageError: there is no such relation.
    """
    from difflib import get_close_matches

    by_name = {name.lower(): name for name in RELATIONS}
    for name in written:
        if name.lower() not in by_name:
            close = get_close_matches(name.lower(), by_name, 1)
            hint = f"did you mean {by_name[close[0]]}?" if close else ", ".join(RELATIONS)
            raise UsageError(f"no relation {name!r}", hint=hint)
    return tuple(dict.fromkeys(by_name[name.lower()] for name in written)) or NEEDS


@dataclass
class _Walk:
    index: Index
    reading: Reading
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: set[Edge] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)

    def go(self, start: Node, number: int, direction: Direction) -> None:
        """Walk level by level; a node that is there already is not walked from again."""
        self.nodes.setdefault(start.ref, start)
        seen = {start.ref}
        level = [(start.ref, number)]
        for depth in range(1, self.reading.depth + 1):
            following = {}
            for ref, node in level:
                for end, edge in self._ends(ref, node, direction):
                    if not self._keep(end, depth):
                        continue
                    self.edges.add(edge)
                    if end.ref not in seen:
                        following[end.ref] = end
            seen |= set(following)
            numbers = ((ref, self.index.node(ref)) for ref in sorted(following))
            level = [(ref, number) for ref, number in numbers if number is not None]

    def _ends(self, ref: str, node: int, way: Direction) -> Iterator[tuple[Related, Edge]]:
        is_up = way is Direction.up
        for end in self.index.related(node, *(_along(name, is_up) for name in self._types)):
            name = _along(end.type, is_up)
            yield end, Edge(end.ref, name, ref) if is_up else Edge(ref, name, end.ref)

    @property
    def _types(self) -> tuple[str, ...]:
        return self.reading.relations

    def _keep(self, end: Related, depth: int) -> bool:
        """Take a node in, if there is room for it."""
        if end.ref not in self.nodes:
            if len(self.nodes) >= self.reading.most:
                self.left_out.add(end.ref)
                return False
            card = end.card
            said = (card.kind, card.tier, card.owner) if card else ("", "", "")
            self.nodes[end.ref] = Node(end.ref, depth, *said, missing=card is None)
        return True


def _along(name: str, is_up: bool) -> str:
    """Return a relation, or its inverse where it is followed upwards."""
    return RELATIONS[INVERSE[NUMBER[name]]] if is_up else name


def around(index: Index, aim: Aim, reading: Reading) -> Graph:
    """Return what is around an entity."""
    card = aim.card
    said = (card.kind, card.tier, card.owner) if card else ("", "", "")
    start = Node(aim.ref, 0, *said, missing=card is None)
    walk = _Walk(index, reading)
    wanted = reading.direction
    for way in (Direction.down, Direction.up) if wanted is Direction.both else (wanted,):
        walk.go(start, aim.node, way)
    nodes = sorted(walk.nodes.values(), key=lambda one: (one.depth, one.ref))
    return Graph(
        aim.ref, wanted, reading.depth, tuple(nodes), tuple(sorted(walk.edges)), len(walk.left_out)
    )
