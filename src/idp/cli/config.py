"""idp config."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

EXAMPLES = """\b
Examples:
  idp config explain
  idp --platform ./idp-platform.yaml config explain --json
"""


@app.callback(epilog=EXAMPLES)
def config() -> None:
    """Show each setting and where it comes from."""


@app.command(epilog=EXAMPLES)
def explain(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> None:
    """Show each effective value and its origin: a flag, the environment, FILE:LINE, a default."""
    from idp.config import Setting

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Setting)
    idp.output.rows(idp.settings(), ("key", "value", "origin"), wanted)
