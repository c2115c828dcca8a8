"""idp ledger show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context
    from idp.ledger.summary import Summary

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp ledger show
  idp ledger show --json --fields place,records
"""


@app.command(epilog=EXAMPLES)
def show(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> None:
    """Show where the ledger is, and how much it holds."""
    from idp.ledger.summary import Summary, summary

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Summary)
    found = summary(idp.ledger)
    idp.output.item(found, wanted, lambda: _text(found))


def _text(found: Summary) -> str:
    seen = "shared" if found.shared else "of this machine alone"
    return (
        f"{found.place}, {seen}\n"
        f"id {found.id}, made {found.made_at}, revision {found.revision}\n"
        f"{found.records} records, {found.entries} budget entries, {found.events} request events"
    )
