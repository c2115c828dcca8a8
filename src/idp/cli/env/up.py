"""idp env up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, shape
from idp.cli.running import ProviderName, Pull, Settings

if TYPE_CHECKING:
    from idp.config.running import HealthSettings
    from idp.context import Context
    from idp.plan import Plan
    from idp.rollout.records import Environment
    from idp.rollout.service import Service

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env up
  idp env up --ttl 8h --set LOG_LEVEL=DEBUG
  idp env up --pr 7 --provider preview --image registry.example.com/pay:3f2a9c1
  idp env up --dry-run
"""


@app.command(epilog=EXAMPLES)
def up(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Its name. [from service and branch, or PR]")
    ] = None,
    pull: Pull = None,
    provider: ProviderName = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="TIME", help="How long it lives: 90m, 24h, 3d.")
    ] = None,
    author: Annotated[
        str | None, typer.Option(metavar="LOGIN", help="Whom it is for. [who runs this]")
    ] = None,
    settings: Settings = None,
    image: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="Run this image instead of building one.")
    ] = None,
    wait: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How long it may take to answer. [the platform's]"),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Bring the service in this folder up, uncommitted changes too, and print its URL.

    The URL is printed once the service has answered. Run again, it brings the environment up to
    date; the release before answers again where the new one fails (exit 8).
    """
    from dataclasses import replace
    from datetime import timedelta
    from getpass import getuser

    from idp.cli import running
    from idp.env import listing
    from idp.env import up as work
    from idp.errors import Refused
    from idp.rollout import making, naming, service
    from idp.rollout.records import Environment
    from idp.rollout.source import source_of
    from idp.workshop import workshop

    idp: Context = ctx.obj
    given(name=name, pr=pull, provider=provider, ttl=ttl, author=author, image=image, wait=wait)
    wanted_shape = shape(as_json, fields, Environment)
    told, costs = idp.platform.running, idp.platform.guardrails.costs
    found = service.look(idp.path("."), costs.rates.flat if costs.rates else ())
    if author in told.authors:
        raise Refused(f"{author} gets no environment", hint="environments.authors names who")
    lives = running.hours(ttl, "--ttl") if ttl else timedelta(hours=told.ttl_hours)
    called = naming.checked(_name(found, name, pull))
    variables = making.settings_of(settings or ())
    wanted = making.Wanted(found, called, author or getuser(), ttl=lives, pull=pull or "")
    wanted = replace(wanted, settings=variables, image=image or "")
    where = idp.providers[provider or told.provider]
    herald = running.herald(idp, found.place if found.address else "", wanted.pull)
    site = running.site(idp, where, _patient(told.health, wait), making.PREVIEW, herald)
    with workshop(idp.cache) as room:
        source = source_of(found.folder, room)
        there = listing.found([where], site.records, told, idp.clock.now(), {"team": found.team})
        others = sum(one.name != wanted.name for one in there)
        plan = making.plan_of("env up", wanted, where, source, others)
        by, now = site.records.who, idp.clock.now()
        what = making.making(wanted, where, source, plan, costs, by, now)
        if dry_run:
            idp.output.item(what.env, wanted_shape, lambda: _planned(plan, where.name))
            idp.road.rehearse(plan)
            return
        again = lambda: source_of(found.folder, room).tree  # noqa: E731
        done = work.up(site, what, plan, idp.road, again, herald)
    idp.output.item(done.environment, wanted_shape, lambda: _text(done.environment))
    if done.failed:
        raise done.failed


def _patient(health: HealthSettings, wait: str | None) -> HealthSettings:
    from dataclasses import replace

    from idp.cli.running import hours

    return replace(health, deadline=hours(wait, "--wait").total_seconds()) if wait else health


def _name(found: Service, name: str | None, pull: str | None) -> str:
    from idp.errors import UsageError
    from idp.rollout import naming

    if name:
        return name
    if pull is None:
        return naming.of_branch(found.name, found.place, found.branch)
    if not pull.isdigit():
        raise UsageError(f"--pr {pull!r} is no number", hint="--pr 7")
    return naming.of_pull(found.name, found.place, int(pull))


def _planned(plan: Plan, provider: str) -> str:
    lines = [f"would bring up {plan.subject} on {provider}"]
    lines += [f"  {key}: {value}" for key, value in sorted(plan.inputs.items())]
    lines += [f"  tag {key}: {value}" for key, value in sorted(plan.facts.tags.items())]
    return "\n".join(lines)


def _text(env: Environment) -> str:
    return env.url or f"{env.name} is {env.state}; it publishes no port"
