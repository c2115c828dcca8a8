"""idp catalog query."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.options import Fields, IndexPath, Json, given, given_each
from idp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from idp.catalog.index.opened import Index
    from idp.catalog.query.run import Answer, Explained
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog query 'kind=component owner=team-a lifecycle!=deprecated'
  idp catalog query 'dependsOn*=component:payments tier=critical' --fields ref,owner
  idp catalog query 'not has(annotations.pagerduty.com/service-id)' --count-by owner
  idp catalog query --filter kind=component,metadata.tags=go --json

The language is described in docs/catalog-query.md.
"""

WIDEST = 60
"""A column of a plain table is no wider than this."""


@app.command(epilog=EXAMPLES)
def query(
    ctx: typer.Context,
    expression: Annotated[
        list[str] | None,
        typer.Argument(metavar="EXPRESSION", help="What to find; nothing finds everything."),
    ] = None,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="K=V,…", help="A filter as Backstage's; repeated: or."),
    ] = None,
    predicate: Annotated[
        str | None, typer.Option(metavar="JSON", help="A predicate as Backstage's.")
    ] = None,
    count_by: Annotated[
        str | None, typer.Option(metavar="FIELD", help="How many there are of each value.")
    ] = None,
    limit: Annotated[str | None, typer.Option(metavar="N", help="No more than N rows.")] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell how it is understood and looked up.")
    ] = False,
    index: IndexPath = None,
    fields: Fields = "",
    as_json: Json = False,
) -> None:
    """Find entities: by any field, by relation, by words."""
    from idp.catalog.index.opened import opened
    from idp.catalog.query import run
    from idp.catalog.query.columns import CARD, USUAL

    idp: Context = ctx.obj
    given(**{"index": index, "predicate": predicate, "count-by": count_by, "limit": limit})
    given_each("EXPRESSION", expression or ())
    names = [name for part in fields.split(",") if (name := part.strip())]
    if count_by is not None and names:
        raise UsageError("--count-by has columns of its own: --fields does not go with it")
    asked = run.written(" ".join(expression or ()), filters or (), predicate or "")
    asked = asked.at_most(_number(limit))
    with opened(idp.catalog_index(index)) as held:
        if count_by is not None:
            from idp.catalog.query.counting import count_by as counted

            found = counted(held, asked, count_by, explain=explain)
        else:
            shown = names or list(CARD if as_json else USUAL)
            found = run.answer(held, asked, shown, explain=explain)
        for note in found.notes:
            idp.output.say(f"note: {note}")
        if found.explained:
            _tell(idp, found.explained, as_json)
        else:
            _print(idp, found, as_json)
        if not idp.output.quiet:
            idp.output.say(_summary(idp, held, found))


def _number(limit: str | None) -> int | None:
    # Not an `int` of Typer's: for those it loads Pydantic, which takes longer than the query.
    if limit is None or (limit.isascii() and limit.isdigit() and int(limit)):
        return int(limit) if limit else None
    raise UsageError(f"--limit {limit!r} is no number of rows", hint="--limit 20")


def _print(idp: Context, found: Answer, as_json: bool) -> None:
    if as_json:
        from idp.output import Shape

        idp.output.rows(found.records(), (), Shape(as_json=True))
    elif idp.output.is_tty(sys.stdout):
        sys.stdout.writelines(_aligned([found.columns, *found.rows]))
    else:
        sys.stdout.write("\t".join(found.columns) + "\n")
        sys.stdout.writelines("\t".join(map(_cell, row)) + "\n" for row in found.rows)


def _aligned(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Return the lines of a table for a terminal; the namespace `default` goes without saying."""
    cells = [[_cell(value).replace(":default/", ":") for value in row] for row in rows]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*cells, strict=True)]
    return [
        "  ".join(map(str.ljust, row, widths)).rstrip() + "\n"  # what is wider is not cut
        for row in cells
    ]


def _cell(value: Any) -> str:
    """Return a value on one line, as the other commands print it."""
    if type(value) is str:
        return value if value.isprintable() else _harmless(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        import json

        return _cell(json.dumps(value, ensure_ascii=False))
    return str(value)


def _harmless(value: str) -> str:
    from idp.output import harmless

    return harmless(" ".join(value.replace("\t", " ").splitlines()))


def _tell(idp: Context, told: Explained, as_json: bool) -> None:
    from idp.output import Shape

    def text() -> str:
        return (
            f"meaning     {told.meaning}\nbegins with {told.begins}\n"
            f"looks at    {told.candidates:,} entities\ntook        {told.milliseconds} ms\n"
            f"SQL         {told.sql}\nvalues      {', '.join(map(repr, told.values)) or 'none'}"
        )

    idp.output.item(told, Shape(as_json=as_json), text)


def _summary(idp: Context, index: Index, found: Answer) -> str:
    total = index.connection.execute("SELECT count(*) FROM entity").fetchone()[0]
    if found.columns[-1:] == ("count",):
        told = f"{len(found.rows):,} values"
    else:
        told = f"{len(found.rows):,} of {total:,} entities"
    if found.more:
        told += ", and there are more"
    age = _age(idp.clock.now() - index.checked_at)
    return f"{told}; index of {index.checked_at:%Y-%m-%d %H:%M} UTC, {age} old"


def _age(passed: timedelta) -> str:
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
