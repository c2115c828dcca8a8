"""idp deploy history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp deploy history
  idp deploy history --to production --json
  idp deploy history --service payments --limit 5
"""

COLUMNS = ("id", "target", "outcome", "commit", "by", "began_at", "reason")


@app.command(epilog=EXAMPLES)
def history(
    ctx: typer.Context,
    to: Annotated[str | None, typer.Option(metavar="TARGET", help="Only to this.")] = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="Of this service; no checkout is needed.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """List a service's deployments, the newest first, with what became of them."""
    from idp.cli import running
    from idp.deploy.history import history as work
    from idp.rollout.records import Deployment
    from idp.rollout.service import look

    idp: Context = ctx.obj
    given(to=to, service=service)
    wanted = shape(as_json, fields, Deployment)
    name = service or look(idp.path(".")).name
    idp.output.rows(work(running.records(idp), name, to or "", limit), COLUMNS, wanted)
