"""idp request list."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp request list
  idp request list --state pending
  idp request list --all --json --fields id,state,subject
"""


class State(StrEnum):
    """How a request stands."""

    pending = "pending"
    approved = "approved"
    refused = "refused"
    cancelled = "cancelled"
    expired = "expired"
    fulfilled = "fulfilled"
    failed = "failed"


@app.command("list", epilog=EXAMPLES)
def list_(
    ctx: typer.Context,
    state: Annotated[State | None, typer.Option(help="Only those that stand so.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Those too of which nothing will become any more.")
    ] = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """List requests for approval, the newest first: those that are open."""
    from idp.request.base import Request

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Request)
    found = [
        one for one in idp.desk.list() if (one.state == state if state else every or one.is_open)
    ]
    columns = ("id", "state", "action", "subject", "requester", "expires_at")
    idp.output.rows(found, columns, wanted)
