"""idp audit export."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Json, given

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp audit export > trail.jsonl
  idp audit export --checkpoint > checkpoint.json
"""


@app.command(epilog=EXAMPLES)
def export(
    ctx: typer.Context,
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="Only the signed head, to be kept elsewhere.")
    ] = False,
    act: Annotated[str | None, typer.Option(help="Only the records of this act.")] = None,
    as_json: Json = False,
) -> None:
    """Print every record, as the very bytes that were hashed, a line each; --json is one list."""
    from idp.errors import NotFound
    from idp.ledger import trail

    idp: Context = ctx.obj
    given(act=act)
    if checkpoint:
        head = idp.trail.seals.head(idp.ledger.id)
        if head is None:
            raise NotFound("no head of this ledger was signed on this machine")
        print(head.line)
        return
    out, between = sys.stdout.buffer, b"[" if as_json else b""
    with idp.ledger.reading() as tx:
        for link in trail.links(tx, act=act or ""):
            out.write(between + link.body + (b"" if as_json else b"\n"))
            between = b"," if as_json else b""
    if as_json:
        out.write((b"[]" if between == b"[" else b"]") + b"\n")
