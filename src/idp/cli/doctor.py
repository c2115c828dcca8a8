"""idp doctor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.config import Platform
    from idp.context import Context
    from idp.doctor import Check, World
    from idp.output import Output

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp doctor
  idp doctor --json
"""


@app.command(epilog=EXAMPLES)
def doctor(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> int:
    """Look at what idp needs, and tell the command that mends what is amiss.

    Exit 1 with problems; warnings do not count.
    """
    from idp import doctor as work
    from idp.output import Shape

    idp: Context = ctx.obj
    wanted = shape(as_json, fields, work.Check)
    found = work.examine(_world(idp))
    if idp.output.is_tty(sys.stdout) and wanted == Shape():
        print("\n".join(_lines(idp.output, found)))
    else:
        idp.output.rows(found, ("state", "name", "found", "mend"), wanted)
    idp.output.say(_summary(found))
    return 1 if any(check.state == "problem" for check in found) else 0


def _lines(output: Output, found: tuple[Check, ...]) -> Iterator[str]:
    """Yield what was found; a mend has its line, which a table would break."""
    from idp.output import printable

    styles = {"ok": "green", "warning": "yellow", "problem": "red", "skipped": "dim"}
    for check in found:
        state = output.text(f"{check.state:<7}", styles[check.state])
        yield f"{state}  {check.name}: {printable(check.found)}"
        if check.mend:
            yield f"         mend: {printable(check.mend)}"


def _summary(found: tuple[Check, ...]) -> str:
    told = []
    for state in ("problem", "warning"):
        count = sum(check.state == state for check in found)
        told += [f"{count} {state}{'s' * (count != 1)}"] if count else []
    return ", ".join(told) or "all is well"


def _world(idp: Context) -> World:
    from idp.doctor.world import Once, World

    return World(
        environ=idp.environ,
        clock=idp.clock,
        folder=idp.path(""),
        shelf=lambda: idp.shelf,
        cache=lambda: idp.cache,
        configured=lambda: _place(idp),
        platform=Once(lambda: _platform(idp)),
        forge=idp.forge_at,
        template=idp.template,
        service=lambda: _service(idp.path("")),
    )


def _place(idp: Context) -> str:
    """Return where the platform file is said to be; empty where nobody says it."""
    from idp.config import locate_platform

    said = locate_platform(idp.flags, idp.environ, idp.user)
    return str(said.value) if said else ""


def _platform(idp: Context) -> Platform:
    """Read the platform file, once its server has given a sign of life: git would wait for long."""
    from idp.doctor.settings import look

    if place := _place(idp):
        look(place)
    return idp.platform


def _service(folder: Path) -> tuple[str, str] | None:
    """Return the template and the release of the service in a folder, as last committed."""
    from idp.errors import InvalidInput, NotFound
    from idp.service import answers

    try:
        repo, prefix = answers.locate(folder)
        repo.head()
    except InvalidInput:
        return None
    try:
        return answers.find(repo, prefix).answers.release
    except NotFound:
        return None
