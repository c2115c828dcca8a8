"""idp secret check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, shape
from idp.cli.secret import workload

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret check --env production
  idp secret check --env production --strict
  idp secret check --env dev --score services/pay/score.yaml --json --fields kind,secret,at

Exit code 3: a secret is missing or stale.
"""
COLUMNS = ("kind", "secret", "message", "at", "hint")


@app.command(epilog=EXAMPLES)
def check(
    ctx: typer.Context,
    env: workload.Environment,
    service: workload.Service = None,
    score: workload.Score = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 for an unused secret too.")
    ] = False,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Compare the secrets that score.yaml names with those there are.

    A secret is named by a resource of type `secret`. It is missing, stale (older than
    secrets.max_age_days, or past its end) or unused.
    """
    from idp.secret.check import Lack
    from idp.secret.check import check as look

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Lack)
    named, name = workload.workload(idp, score, service)
    settings = idp.platform.guardrails.secrets
    found = look(named, idp.secrets, settings, name, env, idp.clock.now())
    idp.output.rows(found, COLUMNS, wanted)
    amiss = [one for one in found if strict or one.kind != "unused"]
    many = "s" * (len(named.needed) != 1)
    told = f"{len(found)} amiss" if found else "all there"
    idp.output.say(f"{len(named.needed)} secret{many} named in {named.file}, {told}")
    return 3 if amiss else 0
