"""idp policy list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape
from idp.cli.policy import policies

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp policy list
  idp policy list --json --fields id,severity
"""


@app.command("list", epilog=EXAMPLES)
def list_(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> None:
    """List the policies, those that are off too, and what comes of not meeting one."""
    from idp.policy.overview import Explained, overview

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Explained)
    found = overview(policies(idp), idp.platform.lines, idp.platform.origin)
    idp.output.rows(found, ("id", "severity", "origin", "message"), wanted)
