"""idp catalog history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, shape

if TYPE_CHECKING:
    from idp.catalog.difference import Change
    from idp.catalog.history import Past, Version
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog history payments
  idp catalog history payments --at 2026-03
  idp catalog history api:default/billing --json --fields at,owner,changes
"""


@app.command(epilog=EXAMPLES)
def history(
    ctx: typer.Context,
    ref: Annotated[str, typer.Argument(metavar="REF", help="[kind:][namespace/]name")],
    at: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="How it stood at the end of this day, month or year."),
    ] = None,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Show what an entity was in the past, from git's own history of its file."""
    from idp.catalog import history as past
    from idp.catalog.index.find import find
    from idp.catalog.index.opened import opened

    idp: Context = ctx.obj
    given(at=at, index=index)
    wanted = shape(as_json, fields, past.Past if at else past.Version)
    time = past.moment(at) if at else None
    with opened(idp.catalog_index(index)) as held:
        told = past.history(held, find(held, ref), idp.cache, idp.git_env)
    if time:
        stood = past.at(told, time)
        idp.output.item(stood, wanted, lambda: "\n".join(_standing(stood)))
        return
    if wanted.as_json or wanted.fields:
        idp.output.rows(told.versions, (), wanted)
    else:
        print("\n".join(line for one in told.versions for line in _lines(one)))
    if told.is_shallow:
        idp.output.say("the clone is shallow, there may be more: git fetch --unshallow")


def _lines(one: Version) -> Iterator[str]:
    """Return what is printed of a version."""
    from idp.output import printable

    who = f"{one.commit[:12]}  {one.author}: {one.summary}" if one.commit else "not committed yet"
    yield printable(f"{one.at:%Y-%m-%d %H:%M}  {who}")
    owner = f", owner {one.owner}" if one.owner else ""
    problem = f": {one.problem}" if one.problem else ""
    place = f" in {one.path}" if one.event in ("added", "moved") else ""
    yield printable(f"  {one.event}{place}{problem}{owner}")
    yield from (printable(f"  {_change(change)}") for change in one.changes)


def _change(change: Change) -> str:
    if change.before is None:
        return f"+ {change.path}: {change.after}"
    if change.after is None:
        return f"- {change.path}: {change.before}"
    return f"  {change.path}: {change.before} -> {change.after}"


def _standing(stood: Past) -> Iterator[str]:
    """Return what is printed of an entity at a time."""
    from idp.output import printable

    yield f"{stood.ref} on {stood.at:%Y-%m-%d %H:%M} UTC"
    made = f"{stood.commit[:12]}, {stood.author}: {stood.summary}"
    facts = {
        "owner": stood.owner,
        "type": stood.type,
        "lifecycle": stood.lifecycle,
        "system": stood.system,
        "depends on": ", ".join(stood.depends_on),
        "since": f"{stood.since:%Y-%m-%d} ({made if stood.commit else 'not committed yet'})",
        "file": stood.path,
    }
    yield from (printable(f"  {name:<11}{value}") for name, value in facts.items() if value)
