"""A graph for Mermaid (https://mermaid.js.org/syntax/flowchart.html) and Graphviz."""

from __future__ import annotations

from collections.abc import Iterator

from idp.catalog.graph.around import Graph
from idp.catalog.screen import short

_BARE = " :/._-"


def mermaid(graph: Graph) -> Iterator[str]:
    """Yield the lines of a flow chart; nodes have numbers, since a name could be a keyword."""
    numbers = {node.ref: f"n{number}" for number, node in enumerate(graph.nodes)}
    yield "flowchart LR"
    for node in graph.nodes:
        style = ":::missing" if node.missing else ":::asked" if node.ref == graph.ref else ""
        yield f'  {numbers[node.ref]}["{_coded(short(node.ref))}"]{style}'
    for edge in graph.edges:
        yield f"  {numbers[edge.source]} -->|{edge.type}| {numbers[edge.target]}"
    yield "  classDef missing stroke:#c00,stroke-dasharray:4"
    yield "  classDef asked stroke-width:3px"


def _coded(text: str) -> str:
    """Return a label in which all that Mermaid could read as its own is a character's number."""
    return "".join(c if c.isalnum() or c in _BARE else f"#{ord(c)};" for c in text)


def dot(graph: Graph) -> Iterator[str]:
    """Yield the lines of a directed graph in Graphviz' language."""
    yield "digraph catalog {"
    yield "  rankdir=LR;"
    yield "  node [shape=box];"
    for node in graph.nodes:
        style = ", style=dashed" if node.missing else ", style=bold" * (node.ref == graph.ref)
        yield f"  {_quoted(node.ref)} [label={_quoted(short(node.ref))}{style}];"
    for edge in graph.edges:
        yield f"  {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(edge.type)}];"
    yield "}"


def _quoted(text: str) -> str:
    """Return a quoted ID: a backslash would begin an escape, and line breaks go."""
    held = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in held) + '"'
