"""idp ledger migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp ledger migrate
  IDP_LEDGER=postgresql://idp_owner@ledger.example.com/idp idp ledger migrate --yes
"""


@app.command(epilog=EXAMPLES)
def migrate(ctx: typer.Context) -> None:
    """Bring the ledger to this idp's revision, after a backup; a file's does so by itself."""
    from idp import ledger
    from idp.errors import Interrupted
    from idp.ledger.connect import is_shared, without_password

    idp: Context = ctx.obj
    place = idp.setting("ledger.url")
    if not is_shared(place):
        idp.output.say(f"{idp.ledger.place} is of this idp's revision")
        return
    if not idp.ask(f"migrate the ledger {without_password(place)}?"):
        raise Interrupted("nothing was changed")
    before, after, _ = ledger.migrate(place, idp.clock, idp.output.say)
    if before == after:
        idp.output.say(f"the ledger is of revision {after} already")
    else:
        idp.output.say(f"the ledger is of revision {after} now")
    idp.output.say("clients' rights: `idp ledger grants ROLE`")
