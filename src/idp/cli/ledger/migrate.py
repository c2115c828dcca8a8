"""idp ledger migrate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from idp.context import Context
    from idp.plan import Plan

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
    from idp.ledger.connect import is_shared
    from idp.ledger.revision import NEWEST

    idp: Context = ctx.obj
    road, place = idp.road, idp.setting("ledger.url")
    if not is_shared(place):
        idp.output.say(f"{idp.ledger.place} is of this idp's revision")
        return
    before = ledger.found(place)
    if before == NEWEST:
        idp.output.say(f"the ledger is of revision {NEWEST} already")
        return

    def apply() -> str:
        return ledger.migrate(place, idp.clock, idp.output.say)[2]

    # An older ledger takes no record, so this one is its first as the revision it has then.
    road.carry_out(
        _plan(place, before, NEWEST),
        apply,
        observe=lambda: {"revision": ledger.found(place)},
        proof=lambda kept: kept,
        late=True,
    )
    idp.output.say(f"the ledger is of revision {NEWEST} now")
    idp.output.say("clients' rights: `idp ledger grants ROLE`")


def _plan(place: str, before: str, after: str) -> Plan:
    from idp.ledger.connect import without_password
    from idp.plan import Effect, Plan

    return Plan(
        "ledger-migrate",
        without_password(place),
        inputs={"from": before, "to": after},
        preconditions={"revision": before},
        effects=(Effect("migrated", f"from revision {before or 'none'} to {after}"),),
        result=after,
        risk="remote",
    )
