"""idp request refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp request refuse req-4kd0zq81ab
  idp request refuse 4kd --why "staging first" --yes
"""


@app.command(epilog=EXAMPLES)
def refuse(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")],
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why you refuse it.")] = "",
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Refuse a request, as somebody else than who asked.

    On a forge this reviews and closes its pull request.
    """
    from idp.cli.request import deciding, telling
    from idp.request.base import Request

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Request)
    done = deciding.decide(idp, id, "refuse", why)
    idp.output.item(done, wanted, lambda: telling.outcome(done))
