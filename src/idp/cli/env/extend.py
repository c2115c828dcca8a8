"""idp env extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, shape
from idp.cli.running import Name, ProviderName, Pull

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env extend --by 24h
  idp env extend pay-pr-7-3f2a9 --by 3d
"""


@app.command(epilog=EXAMPLES)
def extend(
    ctx: typer.Context,
    name: Name = None,
    pull: Pull = None,
    by: Annotated[
        str, typer.Option(metavar="TIME", help="How long from now: 90m, 24h, 3d.")
    ] = "24h",
    provider: ProviderName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Let an environment live longer, from now on; the platform's longest time holds."""
    from idp.cli import running
    from idp.env import extend as work
    from idp.rollout.records import Environment

    idp: Context = ctx.obj
    given(name=name, pr=pull, by=by, provider=provider)
    wanted = shape(as_json, fields, Environment)
    longer = running.hours(by, "--by")
    env, where = running.one(idp, name, pull, provider)
    doing = running.removing(idp, where)
    plan, env = work.plan_of(env, longer, doing)
    if dry_run:
        idp.road.rehearse(plan)
    else:
        work.extend(doing, plan, env, idp.road)
    would = "would live" if dry_run else "lives"
    until = f"{env.expires_at:%Y-%m-%d %H:%M} UTC"
    idp.output.item(env, wanted, lambda: f"{env.name} {would} until {until}")
