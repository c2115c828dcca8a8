"""idp secret revoke."""

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
  idp secret revoke db-password --service payments --env production --why 'payments is gone'
  idp secret revoke db-password --service payments --env dev --why 'not needed' --dry-run
"""


@app.command(epilog=EXAMPLES)
def revoke(
    ctx: typer.Context,
    name: serving.Name,
    service: serving.Service,
    env: serving.Environment,
    why: serving.Why,
    owner: serving.Owner = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Ask for a secret to be destroyed: all its versions, and what is kept beside them.

    The right of its service to read secrets of that environment goes with the last of them.
    """
    from idp.secret.request import Told
    from idp.secret.wanted import Wanted

    idp: Context = ctx.obj
    wanted = Wanted("secret revoke", name, service, env, owner, why)
    serving.serve(idp, wanted, shape(as_json, fields, Told), dry_run=dry_run)
