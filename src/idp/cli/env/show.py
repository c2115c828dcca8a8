"""idp env show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, given, shape
from idp.cli.running import Name, ProviderName, Pull

if TYPE_CHECKING:
    from idp.context import Context
    from idp.rollout.records import Environment

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env show
  idp env show pay-pr-7-3f2a9
  idp env show --pr 7 --json --fields url,state
"""


@app.command(epilog=EXAMPLES)
def show(
    ctx: typer.Context,
    name: Name = None,
    pull: Pull = None,
    provider: ProviderName = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show one environment: by its name, its pull request, or that of the branch we stand on."""
    from idp.cli import running
    from idp.rollout.records import Environment

    idp: Context = ctx.obj
    given(name=name, pr=pull, provider=provider)
    wanted = shape(as_json, fields, Environment)
    env, _ = running.one(idp, name, pull, provider)
    idp.output.item(env, wanted, lambda: _text(env))


def _text(env: Environment) -> str:
    expires = f"{env.expires_at:%Y-%m-%d %H:%M} UTC" if env.expires_at else "never"
    cost = f"{env.cost_per_day} {env.currency} a day" if env.cost_per_day is not None else ""
    pull = f"{env.repository}#{env.pull}" if env.pull else env.repository
    rows = {
        "state": f"{env.state}{': ' * bool(env.reason)}{env.reason}",
        "url": env.url,
        "provider": env.provider,
        "service": env.service,
        "team": env.team,
        "author": env.author,
        "from": pull,
        "commit": env.commit,
        "release": env.release,
        "created": f"{env.created_at:%Y-%m-%d %H:%M} UTC",
        "expires": expires,
        "cost": cost,
    }
    return "\n".join([env.name, *(f"  {key:<9}{said}" for key, said in rows.items() if said)])
