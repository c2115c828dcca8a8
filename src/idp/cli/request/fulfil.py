"""idp request fulfil."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape
from idp.errors import IdpError

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp request fulfil
  idp request fulfil req-4kd0zq81ab --yes
  idp request fulfil --yes --json --fields id,state,outcome
"""


@app.command(epilog=EXAMPLES)
def fulfil(
    ctx: typer.Context,
    id: Annotated[
        str | None, typer.Argument(metavar="ID", help="Only this one; else all approved ones.")
    ] = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Carry out what was approved, as whoever has the rights to: the platform's own CI.

    What was cut short is finished. In a CI it runs on the protected branch alone.
    """
    from idp.cli.request.carriers import carriers
    from idp.request import fulfil as work
    from idp.request.base import Request

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Request)
    if not idp.desk.local:
        work.check_place(idp.environ, idp.platform.guardrails.requests)
    known, done, failed = carriers(idp), [], []
    for one in [id] if id else [found.id for found in work.waiting(idp.desk, known)]:
        try:
            done.append(work.fulfil(idp.desk, one, known, idp.who))
        except IdpError as error:
            failed.append(error)
            idp.output.say(f"{one}: {error.message}")
    idp.output.rows(done, ("id", "state", "action", "subject", "outcome"), wanted)
    if not done and not failed:
        idp.output.say("nothing approved is waiting to be carried out")
    if failed:
        raise failed[0]
