"""idp audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from idp.audit.log import Entry, Wanted
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

COLUMNS = ("seq", "at", "kind", "who", "action", "subject", "outcome")
EVERY = 1.0
"""Seconds between two looks of --follow."""

EXAMPLES = """\b
Examples:
  idp audit log
  idp audit log --action create-service --since 2026-11-01
  idp audit log --open
  idp audit log --jsonl --limit 1000
  idp audit log --csv > trail.csv
"""


@app.command(epilog=EXAMPLES)
def log(
    ctx: typer.Context,
    who: Annotated[str | None, typer.Option(help="Only what this identity did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this command.")] = None,
    subject: Annotated[str | None, typer.Option(help="Only what was done to this.")] = None,
    team: Annotated[str | None, typer.Option(help="Only what concerns this team.")] = None,
    act: Annotated[str | None, typer.Option(help="Only intent and outcome of this act.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="From this time on.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Before this time.")] = None,
    open_: Annotated[
        bool, typer.Option("--open", help="Only intents that have no outcome.")
    ] = False,
    limit: Annotated[
        str, typer.Option(metavar="N", help="At most so many, the newest; 0 is all.")
    ] = "50",
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is added, until Ctrl-C.")
    ] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print a line of JSON a record.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """List who did what, the newest last; an intent without outcome is told to be open."""
    from idp.audit.log import Entry, Wanted, moment, newest, told_csv, told_jsonl

    idp: Context = ctx.obj
    given(who=who, action=action, subject=subject, team=team, act=act, since=since, until=until)
    if jsonl + csv + as_json > 1:
        raise UsageError("--json, --jsonl and --csv are three ways", hint="give one")
    shaped = shape(as_json, fields, Entry)
    wanted = Wanted(
        who or "", action or "", subject or "", team or "", act or "",
        moment(since) if since else None, moment(until) if until else None, open_,
    )  # fmt: skip
    found = newest(idp.ledger, wanted, _number(limit))
    if jsonl or csv or follow:
        write = told_csv if csv else told_jsonl
        for line in write(found, heading=True):
            print(line, flush=True)
        if follow:
            for more in _added(idp, wanted, found[-1].seq if found else 0):
                for line in write(more, heading=False):
                    print(line, flush=True)
        return
    idp.output.rows(found, COLUMNS, shaped)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--limit {text!r} is no number", hint="--limit 50; 0 is all")
    return int(text)


def _added(idp: Context, wanted: Wanted, last: int) -> Iterator[Sequence[Entry]]:
    """Yield what is added to the trail, for ever."""
    from idp.audit.log import newer

    while True:
        idp.clock.sleep(EVERY)
        found = newer(idp.ledger, wanted, last)
        last = found[-1].seq if found else last
        yield found
