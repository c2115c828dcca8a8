"""idp secret show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape
from idp.cli.secret import serving

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret show db-password --service payments --env production
  idp secret show db-password --service payments --env dev --json --fields keys,approved_by
"""


@app.command(epilog=EXAMPLES)
def show(
    ctx: typer.Context,
    name: serving.Name,
    service: serving.Service,
    env: serving.Environment,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show what is kept of a secret: who asked, who approved, the names of its keys; no value."""
    from idp.secret.base import path_of
    from idp.secret.listing import Row, row

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Row)
    settings = idp.platform.guardrails.secrets
    found = idp.secrets.show(path_of(settings.path, service, env, name))
    told = row(found, idp.clock.now(), settings.max_age_days)
    idp.output.item(told, wanted, told.page)
