"""idp catalog show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, shape

if TYPE_CHECKING:
    from idp.catalog.show.record import Shown
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog show payments
  idp catalog show group:team-a
  idp catalog show api:default/payments --json --fields owner,team,on_call
"""


@app.command(epilog=EXAMPLES)
def show(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="[kind:][namespace/]name")],
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not ask who is on call now.")
    ] = False,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show all there is to know of an entity: who to ask, what it needs, what needs it."""
    from dataclasses import replace

    from idp.catalog.index.find import find
    from idp.catalog.index.opened import opened
    from idp.catalog.show.changed import changed
    from idp.catalog.show.record import Shown, show

    idp: Context = ctx.obj
    given(index=index)
    wanted = shape(as_json, fields, Shown)
    with opened(idp.catalog_index(index)) as held:
        shown = show(held, find(held, ref), changed)
    if shown.on_call and not offline:
        from idp.catalog.oncall.ask import Line, ask

        shown = replace(shown, on_call=ask(shown.on_call, Line(idp.environ, idp.clock)))
    idp.output.item(shown, wanted, lambda: _page(idp, shown))


def _page(idp: Context, shown: Shown) -> str:
    import sys

    from idp.catalog.screen import page
    from idp.catalog.show.text import Screen, lines

    def laid_out(width: int) -> list[str]:
        return [*lines(shown, Screen(width, idp.output.text, idp.clock.now()))]

    return page(laid_out, sys.stdout.encoding)
