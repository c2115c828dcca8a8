"""idp catalog export."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, given_each, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog export --to backstage --out catalog.yaml
  idp catalog export --to csv 'kind=component lifecycle!=deprecated' --out components.csv
  idp catalog export --to jsonl | jq -r 'select(.relations == []) | .ref'
"""


class Form(StrEnum):
    """What the catalog is written as."""

    backstage = "backstage"
    csv = "csv"
    jsonl = "jsonl"


@app.command(epilog=EXAMPLES)
def export(
    ctx: typer.Context,
    to: Annotated[Form, typer.Option("--to", help="What to write.")],
    expression: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPRESSION", help="Which entities, as in query; else all."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where to write; else standard output.")
    ] = None,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Write the catalog for Backstage, as CSV or as JSON lines."""
    from idp.catalog import export as work
    from idp.catalog.index.opened import opened
    from idp.catalog.screen import many

    idp: Context = ctx.obj
    given(out=out, index=index)
    given_each("EXPRESSION", expression or ())
    wanted = shape(as_json, fields, work.Exported)
    if out is None and (as_json or fields):
        raise UsageError("--json tells of a file that was written", hint="add --out FILE")
    with opened(idp.catalog_index(index)) as held:
        place = idp.path(out) if out else sys.stdout
        done = work.export(held, to.value, " ".join(expression or ()), place)
    if out:
        where = f"{many(done.entities, 'entity', 'entities')} in {done.out}"
        idp.output.item(done, wanted, lambda: where)
    for note in done.notes:
        idp.output.say(note)
