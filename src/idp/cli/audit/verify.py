"""idp audit verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape

if TYPE_CHECKING:
    from idp.audit.verify import Verified
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp audit verify
  idp audit verify --json
  idp audit verify --anchors checkpoints.jsonl --key "$(cat audit.pub)"
"""


@app.command(epilog=EXAMPLES)
def verify(
    ctx: typer.Context,
    anchors: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Checkpoints kept elsewhere, a line of JSON each."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Believe this public key alone, and not this machine's."),
    ] = None,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Read the whole trail and tell the first record that is bent; exit 3 if one is."""
    from idp.audit import verify as work
    from idp.audit.seal import checkpoints
    from idp.ledger import trail

    idp: Context = ctx.obj
    given(anchors=anchors, key=key)
    wanted = shape(as_json, fields, work.Verified)
    own, seals = idp.trail, idp.trail.seals
    kept = checkpoints(idp.path(anchors), own.ledger.id) if anchors else ()
    believed = {*idp.platform.guardrails.ledger.keys.values(), seals.public}
    with own.ledger.reading() as tx:
        head = seals.head(own.ledger.id)
        found = work.verify(own.ledger.id, trail.links(tx), head, kept, {key} if key else believed)
    idp.output.item(found, wanted, lambda: _text(own.ledger.place, found))
    return 0 if found.ok else 3


def _text(place: str, found: Verified) -> str:
    if not found.ok:
        where = f"at record {found.broken_at}: " if found.broken_at else ""
        return f"BENT {where}{found.what}\n  in {place}"
    lines = [f"ok: {found.records} records in {place}", f"  signed up to record {found.signed}"]
    if found.anchored:
        lines.append(f"  anchored up to record {found.anchored}, {found.unanchored} since")
    else:
        lines.append("  anchored nowhere: who holds this machine's key could rewrite all of it")
    return "\n".join([*lines, *(f"  note: {note}" for note in found.notes)])
