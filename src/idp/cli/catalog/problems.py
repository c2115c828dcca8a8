"""idp catalog problems."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.catalog.check import Verdict
    from idp.catalog.problems import Listed
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog problems
  idp catalog problems --rule refs --level error
  idp catalog problems --json --fields location,line,ref,message
  idp catalog problems --format sarif > catalog.sarif
  idp catalog problems --check
"""


class Format(StrEnum):
    """How problems are printed."""

    text = "text"
    json = "json"
    sarif = "sarif"
    github = "github"


class Level(StrEnum):
    """How bad a problem is."""

    error = "error"
    warning = "warning"


@app.command(epilog=EXAMPLES)
def problems(
    ctx: typer.Context,
    rule: Annotated[
        str | None, typer.Option(metavar="RULE", help="Only of this sort: refs, orphan, …")
    ] = None,
    level: Annotated[Level | None, typer.Option(help="Only errors, or only warnings.")] = None,
    source: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Only of this source.")
    ] = None,
    skeletons: Annotated[
        bool, typer.Option("--skeletons", help="Those of unrendered templates too.")
    ] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.text,
    check: Annotated[
        str | None,
        typer.Option(metavar="[=warning]", help="Exit 3 if an error, or a warning, is listed."),
    ] = None,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """List what is wrong in the catalog, as the last ingest found it."""
    from idp.catalog import problems as work
    from idp.catalog.index.opened import opened

    idp: Context = ctx.obj
    given(rule=rule, source=source, index=index)
    if (as_json or fields) and form not in (Format.text, Format.json):
        raise UsageError(f"--format {form} goes with neither --json nor --fields")
    if check not in (None, "", "error", "warning"):
        raise UsageError(f"--check {check!r} is neither error nor warning", hint="--check=warning")
    wanted = shape(as_json or form is Format.json, fields, work.Listed)
    with opened(idp.catalog_index(index)) as held:
        work.check_names(held, rule or "", source or "")
        every = work.problems(held)
    asked = [
        one
        for one in every
        if one.rule == (rule or one.rule)
        and one.level == (level or one.level)
        and one.source == (source or one.source)
    ]
    listed = [one for one in asked if skeletons or not one.skeleton]
    if wanted.as_json or wanted.fields:
        idp.output.rows(listed, (), wanted)
    else:
        sys.stdout.writelines(f"{line}\n" for line in _printed(listed, form))
    idp.output.say(_summary(listed, len(asked) - len(listed)))
    return 3 if _fails(listed, check) else 0


def _fails(listed: list[Listed], check: str | None) -> bool:
    levels = ("error", "warning") if check == "warning" else ("error",)
    return check is not None and any(one.level in levels and not one.skeleton for one in listed)


def _printed(listed: list[Listed], form: Format) -> Iterator[str]:
    import json

    from idp import __version__
    from idp.catalog import report
    from idp.catalog.problems import RULES
    from idp.output import printable

    if form is Format.sarif:
        verdicts = (_verdict(one, one.file or _PLATFORM) for one in listed)
        yield json.dumps(report.sarif(verdicts, __version__, RULES), indent=2)
    elif form is Format.github:
        yield from report.workflow_commands(_verdict(one, one.file or _PLATFORM) for one in listed)
    else:
        for one in listed:
            yield from map(printable, _lines(one))


def _lines(one: Listed) -> Iterator[str]:
    from idp.catalog import report

    if one.location:
        yield from report.lines(_verdict(one, one.place))
        return
    yield f"{one.place}: {one.level}: {one.message}"
    if one.hint:
        yield f"  hint: {one.hint}"


_PLATFORM = "idp-platform.yaml"
"""Where sources are named, and so where a source's own problem is shown."""


def _verdict(one: Listed, file: str) -> Verdict:
    from idp.catalog.check import Verdict
    from idp.catalog.problem import Problem

    place = (max(1, one.line), max(1, one.column), one.path)
    problem = Problem(*place, one.message, one.hint, one.rule, one.level)
    ok = one.level != "error"
    return Verdict(file, one.document, ok, one.ref or None, one.skeleton, (problem,))


def _summary(listed: list[Listed], skeletons: int) -> str:
    """Return how many there are, and how many are not shown."""
    errors = sum(one.level == "error" for one in listed)
    warnings = len(listed) - errors
    parts = [f"{errors} error{'s' * (errors != 1)}", f"{warnings} warning{'s' * (warnings != 1)}"]
    if skeletons:
        parts.append(f"{skeletons} in unrendered templates not shown (--skeletons)")
    return ", ".join(parts)
