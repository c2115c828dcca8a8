"""idp catalog snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, IndexPath, Json, given, shape

if TYPE_CHECKING:
    from pathlib import Path

    from idp.catalog.snapshot.place import Place
    from idp.catalog.snapshot.pull import Pulled
    from idp.context import Context
    from idp.snapshot import Published

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

EXAMPLES = """\b
Examples:
  idp catalog snapshot pull https://files.example.com/idp
  idp catalog snapshot pull
  idp catalog ingest && idp catalog snapshot publish /mnt/shared/catalog
  idp catalog snapshot publish https://files.example.com/idp --yes
"""

Location = Annotated[
    str,
    typer.Argument(metavar="LOCATION", help="A URL or a path; else the platform's snapshot."),
]


@app.callback(epilog=EXAMPLES)
def snapshot() -> None:
    """Publish the index as a file, or pull it."""


@app.command(epilog=EXAMPLES)
def publish(
    ctx: typer.Context,
    location: Location = "",
    index: IndexPath = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a newer snapshot; upload the data again.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Publish the index, so that others pull it: by PUT to a server, or into a folder."""
    from idp import snapshot as work

    idp: Context = ctx.obj
    given(index=index)
    wanted = shape(as_json, fields, work.Published)
    request = work.Request(idp.catalog_index(index), _place(idp, location), idp.cache, force)
    with work.prepared(request, idp.clock) as made:
        done = made.published if dry_run else work.publish(made, idp.road)
        idp.output.item(done, wanted, lambda: _published(done, dry_run))
        if dry_run:
            idp.road.rehearse(made.plan)


@app.command(epilog=EXAMPLES)
def pull(
    ctx: typer.Context,
    location: Location = "",
    index: IndexPath = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an index that was ingested here and is newer.")
    ] = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Make the published index the one that is here; nothing is loaded if it is already."""
    from idp.catalog.snapshot import pull as work

    idp: Context = ctx.obj
    given(index=index)
    wanted = shape(as_json, fields, work.Pulled)
    done = work.pull(_place(idp, location), idp.catalog_index(index), force=force)
    idp.output.item(done, wanted, lambda: _pulled(done))


def _place(idp: Context, location: str) -> Place:
    from functools import partial

    from idp.catalog.snapshot.place import TOKEN, place_of
    from idp.errors import UsageError

    token, here = idp.environ.get(TOKEN, ""), idp.path
    if not location:
        location, here = idp.platform.catalog.snapshot, partial(_beside, idp)
    if not location:
        raise UsageError(
            "where is the snapshot?", hint="name it, or set catalog.snapshot in the platform file"
        )
    return place_of(location, token, idp.clock, idp.output.say, here)


def _beside(idp: Context, written: str) -> Path:
    """Return a path that the platform file names."""
    from pathlib import Path

    from idp.errors import InvalidInput

    origin = idp.platform.origin
    if not Path(origin).is_absolute() and not written.startswith(("/", "~")):
        raise InvalidInput(
            f"{origin}: catalog.snapshot is {written!r}, which nobody else has",
            hint="name a URL or an absolute path there",
        )
    return idp.beside_platform(written)


def _published(done: Published, dry_run: bool) -> str:
    would = "would be " * dry_run
    what = f"{done.entities} entities, {_megabytes(done.size)}, of {_time(done.checked_at)}"
    same = "" if done.uploaded else "; its data are there already"
    return f"{would}published at {done.location}: {what}{same}"


def _pulled(done: Pulled) -> str:
    what = f"{done.entities} entities, of {_time(done.checked_at)}"
    return f"pulled {what}" if done.updated else f"up to date: {what}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _time(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
