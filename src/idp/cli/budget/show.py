"""idp budget show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, given_each, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

COLUMNS = ("team", "month", "currency", "soft", "hard", "committed", "left", "over_soft")

EXAMPLES = """\b
Examples:
  idp budget show
  idp budget show payments
  idp budget show payments --month 2026-10
  idp budget show --json --fields team,committed,left
"""


@app.command(epilog=EXAMPLES)
def show(
    ctx: typer.Context,
    team: Annotated[
        str | None, typer.Argument(metavar="TEAM", help="Only this team, and what holds it.")
    ] = None,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="As it stood at the end of a month.")
    ] = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show what teams have committed of their budgets, and by what."""
    from idp.budget import Standing, statement

    idp: Context = ctx.obj
    given(month=month)
    given_each("TEAM", [] if team is None else [team])
    wanted = shape(as_json, fields, Standing if team is None else statement.Statement)
    asked = statement.month(month, idp.clock.now())
    costs = idp.platform.guardrails.costs
    with idp.ledger.reading() as tx:
        if team is None:
            teams = statement.standings(tx, costs, asked)
            idp.output.rows(teams, COLUMNS, wanted)
        else:
            told = statement.statement(tx, costs, team, asked)
            idp.output.item(told, wanted, lambda: "\n".join(statement.text(told)))
    for note in statement.notes(costs):
        idp.output.say(f"note: {note}")
