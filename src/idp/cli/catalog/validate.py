"""idp catalog validate."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, given_each, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.catalog.check import CatalogFile, Verdict
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog validate
  idp catalog validate services/ catalog/teams.yaml --refs
  idp catalog validate --json --fields file,ok,ref
  idp catalog validate --format sarif > catalog.sarif
"""


class Format(StrEnum):
    """How verdicts are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


@app.command(epilog=EXAMPLES)
def validate(
    ctx: typer.Context,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Files, folders to look in, or - for stdin. [.]"),
    ] = None,
    refs: Annotated[
        bool,
        typer.Option("--refs", help="Also judge the files together: refs, duplicates, cycles."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Let unrendered template skeletons fail too.")
    ] = False,
    repository: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The repository they belong to; else git's origin."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.text,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Judge catalog-info files as Backstage does; exit 3 if one is invalid."""
    from idp.catalog import check

    idp: Context = ctx.obj
    given(repository=repository)
    given_each("PATH", paths or ())
    if (as_json or fields) and form not in (Format.text, Format.json):
        raise UsageError(f"--format {form} goes with neither --json nor --fields")
    wanted = shape(as_json or form is Format.json, fields, check.Verdict)
    verdicts = check.validate(_files(idp, paths or ["."], repository), refs=refs)
    if wanted.as_json or wanted.fields:
        columns = ("file", "document", "ok", "ref")
        idp.output.rows(verdicts, columns, wanted)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _printed(verdicts, form))
    failed = [one for one in verdicts if not one.ok and (strict or not one.skeleton)]
    idp.output.say(_summary(verdicts))
    return 3 if failed else 0


def _files(idp: Context, paths: list[str], repository: str | None) -> Iterator[CatalogFile]:
    from idp.catalog.check import CatalogFile
    from idp.catalog.files import find
    from idp.catalog.placeholders import Surroundings
    from idp.forge.address import parse_remote

    stated = parse_remote(repository) if repository else None
    home = idp.path(".")
    for path in find(idp.path(path) for path in paths if path != "-"):
        name = str(path.relative_to(home) if path.is_relative_to(home) else path)
        yield CatalogFile(name, Surroundings(path, stated), path.read_bytes)
    if "-" in paths:
        yield CatalogFile("-", Surroundings(None, stated), sys.stdin.buffer.read)


def _printed(verdicts: list[Verdict], form: Format) -> Iterator[str]:
    import json

    from idp import __version__
    from idp.catalog import report
    from idp.output import printable

    if form is Format.sarif:
        yield json.dumps(report.sarif(verdicts, __version__), indent=2)
    elif form is Format.github:
        yield from report.workflow_commands(verdicts)
    else:
        yield from (printable(line) for one in verdicts for line in report.lines(one))


def _summary(verdicts: list[Verdict]) -> str:
    """Return how many documents there are, and how they stand."""
    skeletons = sum(one.skeleton for one in verdicts)
    invalid = sum(not one.ok and not one.skeleton for one in verdicts)
    parts = [f"{len(verdicts)} document{'s' * (len(verdicts) != 1)}"]
    parts.append(f"{invalid} invalid" if invalid else "none invalid")
    if skeletons:
        parts.append(f"{skeletons} unrendered template{'s' * (skeletons != 1)}")
    return ", ".join(parts)
