"""idp catalog register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog register --dry-run
  idp catalog register
  idp catalog register services/pay --platform ../platform --commit
  idp catalog register --yes --json --fields status,pull_request
"""


@app.command(epilog=EXAMPLES)
def register(
    ctx: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="The service's folder, in its git work tree.")
    ] = ".",
    commit: Annotated[
        bool,
        typer.Option("--commit", help="Commit the change of a platform file on this machine."),
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Add this service to the platform's catalog sources, unless the catalog has it already.

    Its catalog files are judged first. A platform file on this machine gets one more line; to one
    that is named by a git URL goes a pull request.
    """
    from idp.cli import registering

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, registering.Registered)
    told, plan = registering.register(idp, idp.path(path), commit=commit, dry_run=dry_run)
    idp.output.item(told, wanted, lambda: registering.story(told, dry_run=dry_run))
    if dry_run and plan:
        idp.road.rehearse(plan)
