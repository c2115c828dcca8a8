"""idp platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idp.cli.options import Data, DryRun, Fields, Json, answers, given, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.context import Context
    from idp.service.create import Created, Draft

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

EXAMPLES = """\b
Examples:
  idp platform init --owner acme --team platform
  idp platform init ./golden --owner acme/it --forge gitlab --url https://git.acme.dev
  idp platform init --owner acme --dry-run
"""

SKELETON = "idp:platform"
"""The built-in template of a platform repository: what keeps it up to date is update-service."""


@app.callback(epilog=EXAMPLES)
def platform() -> None:
    """Make a platform repository: the templates on offer, how repositories are set up, its CI."""


@app.command(epilog=EXAMPLES)
def init(
    ctx: typer.Context,
    owner: Annotated[
        str, typer.Option(metavar="ORG", help="The organisation or group it belongs to.")
    ],
    folder: Annotated[
        str, typer.Argument(metavar="DIR", help="Its folder, absent or empty.")
    ] = "platform",
    name: Annotated[
        str | None, typer.Option(help="What the platform is called; else as its owner.")
    ] = None,
    team: Annotated[
        str | None, typer.Option(help="The team that looks after it and approves changes.")
    ] = None,
    forge: Annotated[
        Literal["github", "gitlab", "gitea"], typer.Option(help="Which forge it is on.")
    ] = "github",
    url: Annotated[
        str | None, typer.Option(help="The forge's address; else its public one.")
    ] = None,
    data: Data = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Make a platform repository, ready to push: one commit, or nothing at all.

    It holds the platform file with each key explained, a template of your own to start from with a
    workflow that tests it, and the workflow that opens pull requests with updates.
    """
    from idp.config.source import parse_source
    from idp.service import create

    given(owner=owner, name=name, team=team, url=url)
    idp: Context = ctx.obj
    wanted = shape(as_json, fields, create.Created)
    dest = idp.path(folder)
    called = name or owner.rpartition("/")[2]
    told = _answers(dest.name, owner, name=called, team=team, forge=forge, url=url) | answers(data)
    request = create.Request(dest.name, dest, data=told, defaults=True)
    create.check(request)
    release = idp.shelf.release(parse_source(SKELETON))
    for ignored in create.unasked(request, release):
        idp.output.say(f"warning: {ignored}")
    with create.drafted(request, release, idp.renders(), dry=dry_run) as draft:
        made = draft.created("") if dry_run else create.carry_out(draft, idp.road)
        text = _listing(draft) if dry_run else _story(made, draft.render.answers)
        idp.output.item(made, wanted, lambda: text)
        if dry_run:
            idp.road.rehearse(draft.plan())


def _answers(repository: str, owner: str, **told: str | None) -> dict[str, str]:
    """Return the answers to the skeleton's questions; what was not told has its default there."""
    from idp import __version__

    always = {"repository_name": repository, "owner": owner, "idp_version": __version__}
    return always | {key: value.rstrip("/") for key, value in told.items() if value is not None}


def _listing(draft: Draft) -> str:
    """Return the files that would be made."""
    from idp.output import printable

    lines = [f"{draft.request.dest.name}/", *(f"  {printable(name)}" for name in draft.files)]
    plan = draft.plan()
    return "\n".join([*lines, f"plan {plan.digest[:16]}, nothing was written"])


def _story(made: Created, answers: Mapping[str, Any]) -> str:
    url = "{url}/{owner}/{repository_name}.git".format_map(answers)
    return "\n".join(
        [
            f"{made.name}: {len(made.files)} files from {made.template} {made.version}",
            f"  in {made.path}",
            f"  commit {made.commit[:12]}",
            f"next: cd {made.path} && make check test",
            f"then: git remote add origin {url} && git push --set-upstream origin main",
            "and see README.md, First steps",
        ]
    )
