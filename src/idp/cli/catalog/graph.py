"""idp catalog graph."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.catalog.graph.around import Graph
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog graph payments
  idp catalog graph payments --direction both --depth 3
  idp catalog graph group:team-a --relation parentOf --relation ownerOf
  idp catalog graph payments --format dot | dot -Tsvg > payments.svg
"""


class Format(StrEnum):
    """How a graph is drawn."""

    tree = "tree"
    mermaid = "mermaid"
    dot = "dot"


class Way(StrEnum):
    """What is drawn: what it needs, what needs it, or both."""

    down = "down"
    up = "up"
    both = "both"


@app.command(epilog=EXAMPLES)
def graph(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="[kind:][namespace/]name")],
    depth: Annotated[int, typer.Option(min=1, max=50, metavar="N", help="How many steps.")] = 2,
    direction: Annotated[
        Way, typer.Option(help="What it needs (down), what needs it (up), or both.")
    ] = Way.down,
    relation: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE", help="Follow this relation, such as ownerOf; repeatable."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to draw it.")] = Format.tree,
    most: Annotated[
        int, typer.Option(min=1, metavar="N", help="Draw at most this many entities.")
    ] = 200,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Draw what an entity needs and what needs it, or follow any relation."""
    from idp.catalog.graph.around import Direction, Graph, Reading, around, relations
    from idp.catalog.impact.aim import aim
    from idp.catalog.index.opened import opened

    idp: Context = ctx.obj
    given(index=index)
    if (as_json or fields) and form is not Format.tree:
        raise UsageError(f"--format {form} goes with neither --json nor --fields")
    wanted = shape(as_json, fields, Graph)
    reading = Reading(Direction(direction), relations(relation or ()), depth, most)
    with opened(idp.catalog_index(index)) as held:
        found = around(held, aim(held, ref), reading)
    idp.output.item(found, wanted, lambda: _drawn(idp, found, form))


def _drawn(idp: Context, found: Graph, form: Format) -> str:
    import sys

    from idp.catalog.graph import drawing, tree
    from idp.catalog.screen import page

    if form is Format.tree:
        return page(lambda width: tree.lines(found, width, idp.output.text), sys.stdout.encoding)
    if found.left_out:
        idp.output.say(f"{found.left_out} more entities next to these are left out: --most")
    return "\n".join(drawing.mermaid(found) if form is Format.mermaid else drawing.dot(found))
