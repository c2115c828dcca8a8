"""A graph as a tree in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from idp.catalog.graph.around import Direction, Graph, Node
from idp.catalog.screen import Style, beside, columns, cut, many, short
from idp.output import printable

_HEADS = {Direction.down: "needs", Direction.up: "is needed by"}


@dataclass
class _Tree:
    nodes: Mapping[str, Node]
    below: Mapping[str, list[tuple[str, str]]]
    depth: int
    shows_types: bool
    width: int
    style: Style
    drawn: set[str] = field(default_factory=set)

    def branches(self, ref: str, before: str, path: tuple[str, ...]) -> Iterator[str]:
        """Yield the lines below a node; one that was opened before is not opened again."""
        self.drawn.add(ref)
        ends = self.below.get(ref, [])
        for number, (kind, other) in enumerate(ends, 1):
            is_last = number == len(ends)
            mark, opens = self._mark(other, (*path, ref))
            yield self._line(before + ("└── " if is_last else "├── "), kind, other, mark)
            if opens:
                inner = before + ("    " if is_last else "│   ")
                yield from self.branches(other, inner, (*path, ref))

    def _mark(self, ref: str, path: tuple[str, ...]) -> tuple[str, bool]:
        if self.nodes[ref].missing:
            return "(missing)", False
        if ref in path:
            return "(circle)", False
        if ref in self.drawn and self.below.get(ref):
            return "(above)", False
        return "", len(path) < self.depth

    def _line(self, before: str, kind: str, ref: str, mark: str) -> str:
        node = self.nodes[ref]
        name = printable(f"{kind} {short(ref)}" if self.shows_types else short(ref))
        room = max(self.width - columns(before), 8)
        marked = f" {mark}" if mark else ""
        label = cut(name, room - len(marked)) + marked
        colour = {"(missing)": "red", "(circle)": "yellow"}.get(mark)
        told = self.style(label, colour) if colour else label
        if mark == "(above)":
            return before + told
        notes = beside((node.tier, short(node.owner)), room - columns(label))
        return before + told + self.style(notes, "dim")


def lines(graph: Graph, width: int, style: Style) -> Iterator[str]:
    """Yield the lines of a tree, or of two where both ways were walked."""
    root = next(node for node in graph.nodes if node.ref == graph.ref)
    missing = "  (missing)" if root.missing else ""
    head = cut(printable(f"{short(graph.ref)}{missing}"), width)
    notes = beside((root.tier, short(root.owner)), width - columns(head))
    yield style(head, "bold") + style(notes, "dim")
    both = graph.direction is Direction.both
    for way in (Direction.down, Direction.up) if both else (graph.direction,):
        yield from _one_way(graph, way, width, style, both)
    if graph.left_out:
        left = many(graph.left_out, "entity", "entities")
        yield style(f"left out: {left} next to these, and what follows (--most)", "yellow")


def _one_way(graph: Graph, way: Direction, width: int, style: Style, both: bool) -> Iterator[str]:
    below: dict[str, list[tuple[str, str]]] = {}
    for edge in graph.edges:
        near, far = edge.source, edge.target
        if way is Direction.up:
            near, far = far, near
        below.setdefault(near, []).append((edge.type, far))
    for ends in below.values():
        ends.sort(key=lambda end: (end[1], end[0]))
    types = {edge.type for edge in graph.edges}
    nodes = {node.ref: node for node in graph.nodes}
    tree = _Tree(nodes, below, graph.depth, len(types) > 1, width, style)
    if both:
        yield style(_HEADS[way], "bold")
    if not below.get(graph.ref):
        yield style("nothing", "dim")
    yield from tree.branches(graph.ref, "", ())
