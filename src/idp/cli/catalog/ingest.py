"""idp catalog ingest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, given_each, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.catalog.ingest import Ingested
    from idp.catalog.ingest.survey import Shard
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog ingest
  idp catalog ingest ./services '../org/**/*.yaml'
  idp catalog ingest github:acme
  idp catalog ingest --shard 3/16 --out part-3.db

How sources are written: docs/catalog-sources.md.
"""

UNREAD = 6
"""Exit code where a whole source could not be read."""


@app.command(epilog=EXAMPLES)
def ingest(
    ctx: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(metavar="SOURCE", help="Only these; else all there are."),
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write the index here.")] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="N/M", help="Read the Nth of M equal parts only.")
    ] = None,
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="SOURCE", help="Leave out one that was named before."),
    ] = None,
    fields: Fields = "",
    as_json: Json = False,
) -> int:
    """Read the catalog's sources into the index: of each, only what changed.

    Without SOURCE it reads the platform's sources and those that were named before. One bad file
    stops nothing: see `idp catalog problems`.
    """
    from datetime import timedelta

    from idp.catalog.ingest import Order, Origin, Outcome, ingest, remembered
    from idp.catalog.source.chosen import chosen
    from idp.catalog.source.connect import connect
    from idp.catalog.source.grammar import parse_place
    from idp.cli.catalog.doors import doors

    idp: Context = ctx.obj
    given(out=out, shard=shard)
    given_each("SOURCE", sources or ())
    if shard and not out:
        raise UsageError("--shard without --out", hint="a part is a file: --out part-3.db")
    if forget and sources:
        raise UsageError("--forget goes with no SOURCE", hint="run it alone")
    wanted = shape(as_json, fields, Outcome)
    path = idp.catalog_index(out)
    left_out = {parse_place(place, base=idp.path(".")).written for place in forget or ()}
    before = remembered(path)
    if unknown := sorted(left_out.difference(before)):
        hint = f"named before: {', '.join(before) or 'none'}"
        raise UsageError(f"{unknown[0]} was not named before", hint=hint)
    before = [place for place in before if place not in left_out]
    choices = chosen(idp.platform, sources or (), before, idp.path("."))
    way = doors(idp)
    origins = [Origin(connect(one.place, way), one.position, one.given) for one in choices]
    order = Order(timedelta(days=idp.platform.catalog.grace), _shard(shard), not sources)
    with idp.output.progress() as progress:
        done = ingest(path, origins, idp.clock, order, progress)
    _tell(idp, done)
    idp.output.item(done.outcome, wanted, lambda: _words(done))
    return UNREAD if any(not one.part for one in done.unread) else 0


def _shard(written: str | None) -> Shard:
    from idp.catalog.ingest.survey import WHOLE, Shard

    if written is None:
        return WHOLE
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", written)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard {written!r} is no part", hint="N/M, e.g. --shard 3/16")
    return Shard(int(found[1]), int(found[2]))


def _tell(idp: Context, done: Ingested) -> None:
    from idp.output import harmless

    for one in done.unread:
        hint = f" ({one.hint})" if one.hint else ""
        where = f"{one.place}: {one.part}" if one.part else one.place
        words = f"not read: {where}: {one.message}{hint}; what was known of it stays"
        idp.output.say(harmless(words))


def _words(done: Ingested) -> str:
    from idp.catalog.screen import many

    told = done.outcome
    parts = [f"{many(told.entities, 'entity', 'entities')} in {many(told.documents, 'document')}"]
    if told.problems:
        parts.append(f"{many(told.problems, 'problem')} in files (idp catalog problems)")
    if told.orphans:
        parts.append(f"{many(told.orphans, 'orphan')} (idp catalog query orphan=true)")
    return ", ".join([*parts, f"{told.seconds:.1f} s"])
