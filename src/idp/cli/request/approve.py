"""idp request approve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp request approve req-4kd0zq81ab
  idp request approve 4kd --why "seen with the database team" --yes
"""


@app.command(epilog=EXAMPLES)
def approve(
    ctx: typer.Context,
    id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how it begins.")],
    why: Annotated[str, typer.Option(metavar="WORDS", help="Why you approve it.")] = "",
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Approve a request: exactly its plan, and only as somebody else than who asked.

    On a forge this reviews and merges its pull request.
    """
    from idp.cli.request import deciding, telling
    from idp.request.base import Request

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Request)
    done = deciding.decide(idp, id, "approve", why)
    idp.output.item(done, wanted, lambda: telling.outcome(done))
