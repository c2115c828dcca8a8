"""idp catalog impact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog impact payments
  idp catalog impact api:payments --all
  idp catalog impact payments --fail-on critical,tier-1
  idp catalog impact payments --json --fields reached,by_team
"""

NEAREST = 15


@app.command(epilog=EXAMPLES)
def impact(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="[kind:][namespace/]name")],
    fail_on: Annotated[
        list[str] | None,
        typer.Option(metavar="TIER", help="Exit 5 if an entity of this tier is reached."),
    ] = None,
    whole: Annotated[bool, typer.Option("--all", help="Show every entity and team.")] = False,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show what a change of an entity reaches, to any depth, and who to tell."""
    import sys
    from dataclasses import replace

    from idp.catalog.impact import report, text
    from idp.catalog.impact.aim import aim
    from idp.catalog.impact.reach import reach
    from idp.catalog.impact.told import Impact, everything, nearest, summary
    from idp.catalog.index.opened import opened
    from idp.catalog.screen import page

    idp: Context = ctx.obj
    given(index=index)
    wanted, gate = shape(as_json, fields, Impact), report.tiers(fail_on or ())
    with opened(idp.catalog_index(index)) as held:
        meant = aim(held, ref)
        reached = reach(held, meant.node)
        told = summary(held, meant, reached)
        if wanted.as_json or wanted.fields:
            pieces = report.as_json(told, everything(held, reached), wanted.fields)
            sys.stdout.writelines(pieces)
        else:
            several = everything(held, reached) if whole else nearest(held, reached, NEAREST)
            told = replace(told, entities=tuple(several))
            print(
                page(
                    lambda width: text.lines(told, width, idp.output.text, whole),
                    sys.stdout.encoding,
                )
            )
        if gate and (warning := report.hold(held, told, reached, gate)):
            idp.output.say(warning)
