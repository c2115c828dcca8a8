"""Circles in a graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

Graph = Mapping[str, Collection[str]]


def cycles(graph: Graph, order: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield a shortest circle of each knot, from the knot's first member in `order`.

    A knot is a strongly connected component: whoever is in it reaches, and is reached by, all.
    """
    knots = _knots(graph, order)
    seen: set[int] = set()
    for node in order:
        knot = knots.get(node)
        if knot is None or knot in seen:
            continue
        if circle := _shortest(graph, node, {n for n, k in knots.items() if k == knot}):
            seen.add(knot)
            yield circle


def _knots(graph: Graph, order: Sequence[str]) -> dict[str, int]:
    """Return the knot of each node that is in a circle, by its number (Kosaraju)."""
    reverse: dict[str, list[str]] = {}
    for node, others in graph.items():
        for other in others:
            reverse.setdefault(other, []).append(node)
    knots: dict[str, int] = {}
    done: set[str] = set()
    finished = [node for start in order for node in _finishing(graph, start, done)]
    taken: set[str] = set()
    for number, root in enumerate(reversed(finished)):
        members = list(_finishing(reverse, root, taken))
        if len(members) > 1 or root in graph.get(root, ()):
            knots |= dict.fromkeys(members, number)
    return knots


def _finishing(graph: Graph, start: str, done: set[str]) -> Iterator[str]:
    """Yield the nodes that a depth-first walk leaves behind, last ones first."""
    if start in done:
        return
    done.add(start)
    stack = [(start, iter(sorted(graph.get(start, ()))))]
    while stack:
        node, others = stack[-1]
        other = next((one for one in others if one not in done), None)
        if other is None:
            stack.pop()
            yield node
        else:
            done.add(other)
            stack.append((other, iter(sorted(graph.get(other, ())))))


def _shortest(graph: Graph, start: str, within: set[str]) -> tuple[str, ...]:
    """Return the shortest way from a node back to itself."""
    before: dict[str, str] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for other in sorted(graph.get(node, ())):
            if other == start:
                way = [node]
                while way[-1] != start:
                    way.append(before[way[-1]])
                return tuple(reversed(way))
            if other in within and other not in before:
                before[other] = node
                queue.append(other)
    return ()
