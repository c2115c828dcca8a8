"""idp deploy: shipping here; status and history each in its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.lazy import group
from idp.cli.options import DryRun, Fields, Json, given, shape
from idp.cli.running import Settings

if TYPE_CHECKING:
    from idp.context import Context
    from idp.rollout.records import Deployment

VERBS = {
    "status": "Show what is live on each target.",
    "history": "List deployments, the newest first, with what became of them.",
}

EXAMPLES = """\b
Examples:
  idp deploy
  idp deploy --to staging --dry-run
  idp deploy --to production --yes
  idp deploy status
  idp deploy history --json
"""

app = typer.Typer(
    cls=group("idp.cli.deploy", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    invoke_without_command=True,
    epilog=EXAMPLES,
)


@app.callback()
def deploy(
    ctx: typer.Context,
    to: Annotated[
        str | None, typer.Option(metavar="TARGET", help="Where to. [the platform's first]")
    ] = None,
    image: Annotated[
        str | None, typer.Option(metavar="IMAGE", help="Run this image instead of building one.")
    ] = None,
    settings: Settings = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Ship the current commit to a lasting environment, and back if it fails.

    It is live once it has passed its health checks; else the release before answers again, and the
    exit code is 8. A target that comes after another gets the very artefact that is live there.
    """
    if ctx.invoked_subcommand is not None:
        return
    from idp.cli.deploying import prepared
    from idp.deploy.deploying import deploy as work
    from idp.rollout.records import Deployment

    given(to=to, image=image)
    wanted = shape(as_json, fields, Deployment)
    idp: Context = ctx.obj
    with prepared(idp, to, image or "", settings or []) as ready:
        if dry_run:
            idp.output.item(ready.what.deployment, wanted, lambda: ready.told)
            idp.road.rehearse(ready.plan)
            return
        done = work(ready.site, ready.what, ready.plan, idp.road, ready.observe, ready.telling)
    idp.output.item(done.deployment, wanted, lambda: _text(done.deployment))
    if done.failed:
        raise done.failed


def _text(one: Deployment) -> str:
    if one.outcome == "live":
        return f"{one.service} {one.commit[:12]} is live on {one.target}: {one.url}".rstrip(": ")
    return f"{one.service} {one.commit[:12]} on {one.target}: {one.outcome.replace('_', ' ')}"
