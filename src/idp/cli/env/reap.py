"""idp env reap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, shape
from idp.cli.running import ProviderName

if TYPE_CHECKING:
    from idp.context import Context
    from idp.env.reap import IsClosed
    from idp.rollout.records import Environment

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env reap --dry-run
  idp env reap --yes
  idp env reap --yes --provider preview --json
"""


@app.command(epilog=EXAMPLES)
def reap(
    ctx: typer.Context,
    provider: ProviderName = None,
    pulls: Annotated[
        bool,
        typer.Option("--pulls/--no-pulls", help="Ask the forge which pull requests are closed."),
    ] = True,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Take away what has expired, is idle, or whose pull request is closed; for a schedule.

    It goes by what the environments themselves carry; those that it does not know it reports and
    leaves. Exit 6 if one could not be removed; the others are.
    """
    from idp.cli import running
    from idp.env import reap as work

    idp: Context = ctx.obj
    given(provider=provider)
    wanted = shape(as_json, fields, work.Reaped)
    names = [provider] if provider else list(idp.providers)
    places = {name: idp.providers[name] for name in names}
    known, now = running.records(idp), idp.clock.now()
    asks = _closed(idp) if pulls else _never
    going = work.due(places.values(), known, idp.platform.running, now, asks)
    if dry_run:
        idp.output.rows(work.planned(going), ("name", "provider", "why", "done"), wanted)
        return 0
    doing = {name: running.removing(idp, place) for name, place in places.items()}
    done = work.reap(
        going, doing, idp.road, lambda env: running.herald(idp, env.repository, env.pull)
    )
    idp.output.rows(done, ("name", "provider", "why", "done", "reason"), wanted)
    return 6 if any(one.done == "failed" for one in done) else 0


def _never(_: Environment) -> bool:
    return False


def _closed(idp: Context) -> IsClosed:
    """Return what asks an environment's forge whether its pull request is closed."""
    from idp.env.pull import is_closed

    def asks(env: Environment) -> bool:
        host, _, name = env.repository.partition("/")
        return env.pull.isdigit() and is_closed(
            lambda: idp.forge(host), name, int(env.pull), idp.output.say
        )

    return asks
