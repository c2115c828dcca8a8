"""idp secret rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import DryRun, Fields, Json, shape
from idp.cli.secret import serving

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret rotate db-password --service payments --env production --why 'it is 90 days old'
  idp secret rotate session-key --service payments --env dev --why 'it leaked' --generate
"""


@app.command(epilog=EXAMPLES)
def rotate(
    ctx: typer.Context,
    name: serving.Name,
    service: serving.Service,
    env: serving.Environment,
    why: serving.Why,
    owner: serving.Owner = "",
    generate: serving.Generate = False,
    stdin: serving.Stdin = False,
    key: serving.Key = "value",
    days: serving.Days = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Ask for the next value of a secret; it is `idp secret request --rotate`."""
    from idp.secret.request import Told
    from idp.secret.wanted import Wanted

    idp: Context = ctx.obj
    until = days or idp.platform.guardrails.secrets.max_age_days
    wanted = Wanted("secret rotate", name, service, env, owner, why, generate, key, until)
    serving.serve(idp, wanted, shape(as_json, fields, Told), stdin=stdin, dry_run=dry_run)
