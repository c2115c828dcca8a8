"""idp rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, shape

if TYPE_CHECKING:
    from idp.context import Context
    from idp.rollout.records import Deployment

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp rollback --dry-run
  idp rollback --on production --yes
  idp rollback --to r261124101500123-1a2b3c --yes
"""


@app.command(epilog=EXAMPLES)
def rollback(
    ctx: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(metavar="RELEASE", help="To this release, or its commit. [the last one live]"),
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="TARGET", help="On this target. [the platform's first]")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Bring back a release that was live before, and see that it answers.

    It needs what the release was built into, and no build; the platform's guardrails hold as for a
    deployment, its freezes do not.
    """
    from idp.cli import deploying, running
    from idp.deploy import deploying as work
    from idp.env.herald import Nobody
    from idp.rollout.records import Deployment

    idp: Context = ctx.obj
    given(to=to, on=on)
    wanted = shape(as_json, fields, Deployment)
    target, name = deploying.named(idp, on)
    where = idp.providers[target.provider]
    site = running.site(idp, where, target.health, target.name, Nobody())
    env, _ = running.one(idp, name, None, target.provider)
    release = work.chosen(site.records, where, env, to or "")
    plan = work.back_plan(env, release, where, target.name)
    what = work.going_back(env, release, target, site.records.who, idp.clock.now())
    if dry_run:
        idp.output.item(what.deployment, wanted, lambda: f"would bring back {release.id}")
        idp.road.rehearse(plan)
        return

    def observe() -> dict[str, str]:
        return {name: running.one(idp, name, None, target.provider)[0].release}

    found = running.service_here(idp)
    telling = deploying.telling(idp, found)
    done = work.deploy(site, what, plan, idp.road, observe, telling)
    idp.output.item(done.deployment, wanted, lambda: _text(done.deployment))
    if done.failed:
        raise done.failed


def _text(one: Deployment) -> str:
    return f"{one.service} {one.commit[:12]} is back on {one.target}: {one.url}".rstrip(": ")
