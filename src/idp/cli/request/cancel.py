"""idp request cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp request cancel req-4kd0zq81ab
  idp request cancel 4kd --why "not needed any more" --yes
"""


@app.command(epilog=EXAMPLES)
def cancel(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")],
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why you take it back.")] = "",
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Take back a request that you made."""
    from idp.cli.request import deciding, telling
    from idp.request.base import Request

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Request)
    done = deciding.decide(idp, id, "cancel", why)
    idp.output.item(done, wanted, lambda: telling.outcome(done))
