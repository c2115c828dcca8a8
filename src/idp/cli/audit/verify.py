"""idp audit verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, shape

if TYPE_CHECKING:
    from idp.audit.anchors import Kept
    from idp.audit.verify import Verified
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp audit verify
  idp audit verify --json
  idp audit verify --no-anchors
  idp audit verify --anchors checkpoints.jsonl --key "$(cat audit.pub)"
"""


@app.command(epilog=EXAMPLES)
def verify(
    ctx: typer.Context,
    anchors: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE[@BRANCH]",
            help="A git repository or a file of checkpoints, other than `ledger.anchors`.",
        ),
    ] = None,
    no_anchors: Annotated[
        bool, typer.Option("--no-anchors", help="Only by what this machine has signed.")
    ] = False,
    key: Annotated[
        str | None,
        typer.Option(metavar="KEY", help="Believe this public key alone, and not this machine's."),
    ] = None,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Read the whole trail and tell the first record that is bent; exit 3 if one is."""
    from idp.audit.anchoring import judge
    from idp.audit.anchors import Kept
    from idp.audit.verify import Verified
    from idp.errors import UsageError

    idp: Context = ctx.obj
    given(anchors=anchors, key=key)
    if anchors and no_anchors:
        raise UsageError("--anchors and --no-anchors exclude each other", hint="give one")
    wanted = shape(as_json, fields, Verified)
    own, seals = idp.trail, idp.trail.seals
    kept = Kept("") if no_anchors else _kept(idp, anchors)
    believed = {*idp.platform.guardrails.ledger.keys.values()}
    if seals.has_key:
        believed.add(seals.public)
    found = judge(own, kept, {key} if key else believed)
    idp.output.item(found, wanted, lambda: _text(own.ledger.place, found))
    return 0 if found.ok else 3


def _kept(idp: Context, written: str | None) -> Kept:
    """Return what is anchored in a file or in a repository."""
    from idp.audit import anchors, seal
    from idp.audit.anchors import Kept
    from idp.cli.audit.places import anchors_of

    id = idp.trail.ledger.id
    if written and (file := idp.path(written)).is_file():
        return Kept(str(file), now=seal.checkpoints(file, id))
    place = anchors_of(idp, written)
    if place is None:
        return Kept("")
    with anchors.opened(*place, idp.cache / "audit") as clone:
        return anchors.kept(clone, id)


def _text(place: str, found: Verified) -> str:
    if not found.ok:
        where = f"at record {found.broken_at}: " if found.broken_at else ""
        return f"BENT {where}{found.what}\n  in {place}"
    lines = [f"ok: {found.records} records in {place}", f"  signed up to record {found.signed}"]
    if found.anchored:
        lines.append(f"  anchored up to record {found.anchored}, {found.unanchored} since")
    else:
        lines.append("  anchored nowhere: who holds the signing key could rewrite all of it")
    return "\n".join([*lines, *(f"  note: {note}" for note in found.notes)])
