"""idp deploy status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp deploy status
  idp deploy status --json
"""

COLUMNS = ("target", "outcome", "commit", "url", "by", "began_at", "reason")


@app.command(epilog=EXAMPLES)
def status(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> None:
    """Show what is live on each target of the service in this folder, and what is on its way."""
    from idp.cli import deploying, running
    from idp.deploy.history import standing
    from idp.rollout.records import Deployment

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Deployment)
    names = [deploying.named(idp, target)[1] for target in idp.platform.running.targets]
    found = standing(running.records(idp), names)
    idp.output.rows(found, COLUMNS, wanted)
