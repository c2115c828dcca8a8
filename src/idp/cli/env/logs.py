"""idp env logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Json, given
from idp.cli.running import Name, ProviderName, Pull

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env logs
  idp env logs --follow
  idp env logs pay-pr-7-3f2a9 --lines 500
"""


@app.command(epilog=EXAMPLES)
def logs(
    ctx: typer.Context,
    name: Name = None,
    pull: Pull = None,
    provider: ProviderName = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")
    ] = 100,
    container: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only of this container.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print what a service writes, the last lines first; --json is a line of JSON each."""
    import json
    import sys

    from idp.cli import running
    from idp.errors import NotFound
    from idp.output import harmless
    from idp.provider.base import Logs

    idp: Context = ctx.obj
    given(name=name, pr=pull, provider=provider, container=container)
    env, where = running.one(idp, name, pull, provider)
    if not isinstance(where, Logs):
        raise NotFound(f"{where.name} keeps no logs")
    for line in where.logs(env.name, follow=follow, lines=lines, container=container or ""):
        said = json.dumps({"environment": env.name, "line": line}) if as_json else harmless(line)
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
