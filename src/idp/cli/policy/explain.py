"""idp policy explain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given_each, shape
from idp.cli.policy import policies

if TYPE_CHECKING:
    from idp.context import Context
    from idp.policy.overview import Explained

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp policy explain time-to-live
  idp policy explain image-tag --json
"""


@app.command(epilog=EXAMPLES)
def explain(
    ctx: typer.Context,
    policy: Annotated[str, typer.Argument(metavar="ID", help="A policy, as `list` names it.")],
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show what a policy asks, of which plans, and what to do where one does not meet it."""
    from idp.policy.overview import Explained, one, overview

    idp: Context = ctx.obj
    given_each("ID", [policy])
    wanted = shape(as_json, fields, Explained)
    found = one(overview(policies(idp), idp.platform.lines, idp.platform.origin), policy)
    idp.output.item(found, wanted, lambda: "\n".join(_lines(idp, found)))


def _lines(idp: Context, found: Explained) -> Iterator[str]:
    from idp.output import printable

    severity = found.severity or "as its rules say"
    yield f"{idp.output.text(printable(found.id), 'bold')}  {severity}, {printable(found.origin)}"
    yield f"  {printable(found.message)}"
    said = (
        ("asked of", found.filter or ("every plan" if found.when else "")),
        ("must be so", found.when),
        ("it tells", found.which),
        ("what to do", found.hint),
    )
    yield from (f"  {name:<10}  {printable(words)}" for name, words in said if words)
    if found.origin == "built-in":
        yield "  to change   policies.severity, or a rule of this name in policies.rules"
