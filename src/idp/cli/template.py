"""idp template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, shape

if TYPE_CHECKING:
    from idp.config.source import Source
    from idp.context import Context
    from idp.template.show import Shown

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

EXAMPLES = """\b
Examples:
  idp template list
  idp template show python-api
  idp template show https://github.com/acme/golden.git#python@v2.1.0
  idp template release ./templates/python-api 1.2.0
  idp template verify ./templates
"""


@dataclass(frozen=True)
class Listed:
    """A template of the platform, as `list` tells it; `newest` is its newest release."""

    name: str
    newest: str
    description: str
    deprecated: str
    source: str


@app.callback(epilog=EXAMPLES)
def template() -> None:
    """List, show and release templates."""


def _names() -> list[str]:
    from idp.context import Context

    return sorted(Context().platform.templates)


def _place(idp: Context, name: str) -> tuple[Source, str]:
    """Return where a template is, named as the platform does or in full; and its deprecation."""
    from idp.config.source import parse_source

    entry = idp.platform.templates.get(name)
    if entry or not any(mark in name for mark in ":/."):
        return idp.template(name), (entry.deprecated or "") if entry else ""
    return parse_source(idp.place(name)), ""


@app.command("list", epilog=EXAMPLES)
def list_(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> None:
    """List the templates of the platform."""
    from idp.scaffold.version import newest_stable

    idp: Context = ctx.obj
    wanted, rows = shape(as_json, fields, Listed), []
    for name, entry in sorted(idp.platform.templates.items()):
        newest = newest_stable(idp.shelf.origin(idp.template(name)).versions())
        told = entry.deprecated or ""
        rows.append(Listed(name, newest, entry.description, told, entry.source))
    idp.output.rows(rows, ("name", "newest", "description", "deprecated"), wanted)


@app.command(epilog=EXAMPLES)
def show(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A name of the platform, or SOURCE.", autocompletion=_names
        ),
    ],
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show a template's questions, releases, deprecations and changelog."""
    from idp.template import show as work

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, work.Shown)
    source, deprecated = _place(idp, name)
    shown = work.show(idp.shelf, source, deprecated)
    idp.output.item(shown, wanted, lambda: _text(idp, shown))


def _text(idp: Context, shown: Shown) -> str:
    lines = [idp.output.text(f"{shown.name} {shown.version}", "bold"), f"  {shown.template}"]
    if shown.deprecated:
        lines.append(idp.output.text(f"  deprecated: {shown.deprecated}", "yellow"))
    if shown.runs:
        trust = "trusted" if shown.trusted else "only with --trust"
        lines.append(f"  runs {', '.join(shown.runs)}: {trust}")
    lines += [f"  releases: {', '.join(shown.releases) or 'none'}", "", "questions:"]
    for asked in shown.questions:
        choices = f" ({', '.join(asked.choices)})" if asked.choices else ""
        default = "" if asked.default is None else f" [{asked.default}]"
        lines.append(f"  {asked.name}: {asked.type}{choices}{default}  {asked.help}".rstrip())
    return "\n".join([*lines, "", shown.changelog.strip()]).rstrip()


@app.command(epilog=EXAMPLES)
def release(
    ctx: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The template: its folder, or ./templates/NAME.")
    ],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="MAJOR.MINOR.PATCH.")],
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Release a template: an immutable folder beside it, or a tag where it is a repository."""
    from idp.template import release as work

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, work.Released)
    place = idp.path(folder)
    if not place.is_dir():
        place = idp.path(f"templates/{folder}")
    would = "would be " * dry_run
    with work.prepared(place, version) as ready:
        made = ready.released if dry_run else work.release(ready, idp.road)
        idp.output.item(
            made, wanted, lambda: f"{made.name} {made.version} {would}released: {made.place}"
        )
        if dry_run:
            idp.road.rehearse(ready.plan)


@app.command(epilog=EXAMPLES)
def verify(
    ctx: typer.Context,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The folder of the templates.")
    ] = "templates",
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Check that no release has changed since it was made: for CI; exit 3 if one has."""
    from idp.template import release as work

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, work.Verified)
    found = work.verify(idp.path(folder))
    idp.output.item(
        found, wanted, lambda: "\n".join(found.altered) or "every release is as it was made"
    )
    return 3 if found.altered else 0
