"""idp catalog merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given, given_each, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog merge part-*.db --out catalog.db
  idp catalog merge part-1.db part-2.db
"""


@app.command(epilog=EXAMPLES)
def merge(
    ctx: typer.Context,
    parts: Annotated[
        list[str], typer.Argument(metavar="PART", help="Indexes of `ingest --shard --out`.")
    ],
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write the index here.")] = None,
    fields: Fields = "",
    as_json: Json = False,
) -> None:
    """Join the parts of a sharded ingest into one index."""
    from idp.catalog.ingest import Outcome
    from idp.catalog.merge import merge
    from idp.catalog.screen import many

    idp: Context = ctx.obj
    given(out=out)
    given_each("PART", parts)
    wanted = shape(as_json, fields, Outcome)
    done = merge([idp.path(part) for part in parts], idp.catalog_index(out), idp.clock)
    of_parts = f"of {many(len(parts), 'part')}, {done.seconds:.1f} s"
    words = f"{many(done.entities, 'entity', 'entities')} {of_parts}"
    idp.output.item(done, wanted, lambda: words)
