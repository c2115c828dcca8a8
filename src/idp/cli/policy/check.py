"""idp policy check."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, given_each, shape
from idp.cli.policy import policies
from idp.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from idp.context import Context
    from idp.plan import Plan
    from idp.policy import Scene
    from idp.policy.check import Checked
    from idp.policy.repository import Repository

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp policy check
  idp policy check services/payments
  idp policy check --strict --format sarif > policy.sarif
  idp policy check --plan plan.json --json
"""


class Format(StrEnum):
    """How findings are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


@app.command(epilog=EXAMPLES)
def check(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A service's folder.")] = ".",
    plan: Annotated[
        str | None, typer.Option(metavar="FILE", help="A plan's JSON instead; - is stdin.")
    ] = None,
    environment: Annotated[
        str, typer.Option(metavar="NAME", help="Where the repository would run.")
    ] = "production",
    strict: Annotated[
        bool, typer.Option("--strict", help="Let what needs approval fail too.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.text,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Judge a repository or a plan by the platform's policies; exit 5 if one denies it."""
    from idp.policy.check import Checked
    from idp.policy.check import check as checked

    idp: Context = ctx.obj
    given(plan=plan, environment=environment)
    given_each("PATH", [path])
    if plan and path != ".":
        raise UsageError("--plan goes without a PATH")
    if (as_json or fields) and form not in (Format.text, Format.json):
        raise UsageError(f"--format {form} goes with neither --json nor --fields")
    wanted = shape(as_json or form is Format.json, fields, Checked)
    if plan:
        judged, places, file = _plan(idp, plan), {}, plan
        scene = _scene(idp, judged)
    else:
        judged, scene, found = _repository(idp, path, environment)
        places, file = dict(found.places), found.read[0]
    done = checked(policies(idp), judged, scene, places)
    if form in (Format.sarif, Format.github):
        sys.stdout.writelines(f"{line}\n" for line in _reported(idp, done, file, form, strict))
    else:
        idp.output.item(done, wanted, lambda: "\n".join(_lines(done, file)))
    failed = done.outcome == "denied" or (strict and done.outcome == "needs-approval")
    return 5 if failed else 0


def _plan(idp: Context, written: str) -> Plan:
    from idp.errors import NotFound
    from idp.policy.written import plan_of_text

    if written == "-":
        return plan_of_text(sys.stdin.buffer.read(), "-")
    try:
        return plan_of_text(idp.path(written).read_bytes(), written)
    except OSError as error:
        raise NotFound(f"no plan {written}: {error.strerror}") from error


def _repository(idp: Context, path: str, environment: str) -> tuple[Plan, Scene, Repository]:
    """Return the plan that would run a repository, what is known beside it, and its places."""
    from dataclasses import replace

    from idp.plan import Plan
    from idp.policy.repository import depended_on, repository

    folder, rates = idp.path(path), idp.platform.guardrails.costs.rates
    found = repository(folder, environment, rates.flat if rates else (), _shown(idp, folder))
    if rates and found.unpriced:
        idp.output.say(f"not in the rate card, and not counted: {', '.join(found.unpriced)}")
    plan = Plan("policy check", found.facts.service or str(path), facts=found.facts)
    scene = _scene(idp, plan)
    if scene.catalog_read:
        new = set(found.depends) - depended_on(scene.entity or {})
        plan = replace(plan, facts=replace(plan.facts, new_dependencies=tuple(sorted(new))))
    return plan, scene, replace(found, places={**found.places, **found.depends})


def _shown(idp: Context, folder: Path) -> str:
    """Return what a folder is called before the names of its files."""
    home = idp.path(".")
    if folder == home:
        return ""
    return f"{folder.relative_to(home) if folder.is_relative_to(home) else folder}/"


def _scene(idp: Context, plan: Plan) -> Scene:
    from idp.budget import estimate
    from idp.policy import Scene
    from idp.policy.known import known

    rails, facts = idp.platform.guardrails, plan.facts
    cost = estimate(facts.uses, rails.costs.rates)
    catalog = idp.platform.catalog
    found = known(idp.catalog_index(), catalog, facts.service, facts.owner)
    return Scene(
        idp.clock.now(),
        found.entity,
        found.team,
        found.catalog_read,
        cost={"month": cost.amount, "currency": cost.currency} if cost else None,
        settings=rails.policies,
        approval_over=rails.costs.approval_over,
    )


def _reported(idp: Context, done: Checked, file: str, form: Format, strict: bool) -> Iterator[str]:
    import json

    from idp import __version__
    from idp.catalog import report
    from idp.policy.check import told

    verdicts = list(told(done, file, strict=strict))
    if form is Format.github:
        yield from report.workflow_commands(verdicts)
        return
    known = {name: policy.says.message for name, policy in policies(idp).rules.items()}
    yield json.dumps(report.sarif(verdicts, __version__, known), indent=2)


def _lines(done: Checked, file: str) -> Iterator[str]:
    from idp.output import printable
    from idp.policy.check import lines

    yield from map(printable, lines(done, file))
    cost = f", {done.cost} a month" if done.cost else ""
    where = f" in {done.environment}" if done.environment else ""
    yield printable(f"{done.subject}{where}: {done.outcome}, {done.asked} policies asked{cost}")
