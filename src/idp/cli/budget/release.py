"""idp budget release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, given_each, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp budget release env:pay-pr-7 --why 'its namespace is gone' --dry-run
  idp budget release env:pay-pr-7 --why 'its namespace is gone' --yes
"""


@app.command(epilog=EXAMPLES)
def release(
    ctx: typer.Context,
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="What holds it, as `idp budget show TEAM` lists.")
    ],
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why it can be given back.")],
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Give back what a key holds of a budget, where nothing is left of it.

    Tearing a thing down gives it back by itself: this is for what somebody removed by hand, or
    what was left behind by a machine that died.
    """
    from idp.budget import freeing

    idp: Context = ctx.obj
    given(why=why)
    given_each("KEY", [key])
    wanted = shape(as_json, fields, freeing.Freed)
    plan, found = freeing.plan(idp.ledger, key, why)
    road = idp.road
    if not dry_run:
        # The road itself gives back what the plan frees, in one step with the record of it.
        road.carry_out(plan, lambda: None, observe=lambda: freeing.observe(idp.ledger, key))
        freeing.check_freed(idp.ledger, key)
    freed = freeing.Freed(key, found, dry_run, plan.digest)
    idp.output.item(freed, wanted, lambda: "\n".join(freeing.text(freed)))
    if dry_run:
        road.rehearse(plan)
