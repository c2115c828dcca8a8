"""idp env down."""

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
  idp env down --yes
  idp env down pay-pr-7-3f2a9
  idp env down --pr 7 --yes
"""


@app.command(epilog=EXAMPLES)
def down(
    ctx: typer.Context,
    name: Name = None,
    pull: Pull = None,
    provider: ProviderName = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until all of it is gone.")
    ] = True,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Take an environment away, whatever is being done to it just now.

    Its databases and volumes go with it. Neither a checkout nor a record is needed.
    """
    from idp.cli import running
    from idp.env import down as work
    from idp.rollout.records import Environment

    idp: Context = ctx.obj
    given(name=name, pr=pull, provider=provider)
    wanted = shape(as_json, fields, Environment)
    env, where = running.one(idp, name, pull, provider)
    if dry_run:
        idp.output.item(env, wanted, lambda: f"would remove {env.name} from {where.name}")
        idp.road.rehearse(work.plan_of([env]))
        return
    herald = running.herald(idp, env.repository, env.pull)
    gone = work.down(running.removing(idp, where), env, idp.road, herald, wait=wait)
    done = "is gone" if gone.state == "gone" else "is being removed"
    idp.output.item(gone, wanted, lambda: f"{gone.name} {done}")
