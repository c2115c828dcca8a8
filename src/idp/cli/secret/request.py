"""idp secret request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, shape
from idp.cli.secret import serving

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret request db-password --service payments --env production --why 'new database'
  idp secret request session-key --service payments --env dev --why 'logins' --generate
  pass show db | idp secret request db-password --service payments --env dev --why x --stdin
"""


@app.command(epilog=EXAMPLES)
def request(
    ctx: typer.Context,
    name: serving.Name,
    service: serving.Service,
    env: serving.Environment,
    why: serving.Why,
    owner: serving.Owner = "",
    rotate: Annotated[
        bool, typer.Option("--rotate", help="It is there already: ask for its next value.")
    ] = False,
    generate: serving.Generate = False,
    stdin: serving.Stdin = False,
    key: serving.Key = "value",
    days: serving.Days = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Ask for a secret, and write its value once somebody else has approved it.

    Run the same command again to take the next step: it says who can approve, and in the end takes
    the value from you, unseen. Whoever approves never sees it.
    """
    from idp.secret.request import Told
    from idp.secret.wanted import Wanted

    idp: Context = ctx.obj
    wanted = Wanted(
        "secret rotate" if rotate else "secret create",
        name,
        service,
        env,
        owner,
        why,
        generate,
        key,
        days or idp.platform.guardrails.secrets.max_age_days,
    )
    serving.serve(idp, wanted, shape(as_json, fields, Told), stdin=stdin, dry_run=dry_run)
