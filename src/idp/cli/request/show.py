"""idp request show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp request show req-4kd0zq81ab
  idp request show 4kd --json --fields state,decisions
"""

Id = Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")]


@app.command(epilog=EXAMPLES)
def show(ctx: typer.Context, id: Id, as_json: Json = False, fields: Fields = "") -> None:
    """Show a request: its plan, who asked for it and why, and who decided what."""
    from idp.cli.request import telling
    from idp.request.base import Request

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Request)
    request = idp.desk.get(id)
    telling.warn(idp, request)
    idp.output.item(request, wanted, lambda: telling.story(request))
