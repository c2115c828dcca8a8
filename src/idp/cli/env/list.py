"""idp env list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape
from idp.cli.running import ProviderName, Pull

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env list
  idp env list --team payments --json
  idp env list --fields name,url,expires_at
"""

COLUMNS = ("name", "state", "url", "service", "team", "commit", "expires_at", "cost_per_day")


@app.command("list", epilog=EXAMPLES)
def list_(
    ctx: typer.Context,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this.")] = None,
    team: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this.")] = None,
    pull: Pull = None,
    provider: ProviderName = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """List environments, as their providers see them: no checkout is needed."""
    from dataclasses import replace

    from idp.cli import running
    from idp.env import listing
    from idp.rollout.records import Environment

    idp: Context = ctx.obj
    given(service=service, team=team, pr=pull, provider=provider)
    wanted = shape(as_json, fields, Environment)
    asked = {"service": service, "team": team, "pull": pull}
    tags = {key: value for key, value in asked.items() if value}
    places = [idp.providers[provider]] if provider else list(idp.providers.values())
    found = listing.found(places, running.records(idp), idp.platform.running, idp.clock.now(), tags)
    if not as_json and not fields:
        found = (replace(one, commit=one.commit[:10]) for one in found)
    idp.output.rows(found, COLUMNS, wanted)
