"""idp secret list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret list
  idp secret list --service payments --env production
  idp secret list --json --fields path,owner,age_days,stale
"""
COLUMNS = ("path", "owner", "state", "version", "age_days", "expires_at", "stale")


@app.command("list", epilog=EXAMPLES)
def list_secrets(
    ctx: typer.Context,
    service: Annotated[
        str | None, typer.Option("--service", metavar="NAME", help="Of this service only.")
    ] = None,
    env: Annotated[
        str | None, typer.Option("--env", metavar="NAME", help="Of this environment only.")
    ] = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """List secrets: names, owner, age and expiry, never a value."""
    from idp.secret.listing import Row, rows

    idp: Context = ctx.obj
    given(service=service, env=env)
    wanted = shape(as_json, fields, Row)
    settings = idp.platform.guardrails.secrets
    listed = rows(idp.secrets, settings, idp.clock.now(), service or "", env or "")
    idp.output.rows(listed, COLUMNS, wanted)
