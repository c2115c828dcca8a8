"""idp env exec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import given
from idp.cli.running import ProviderName

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env exec pay-pr-7-3f2a9 -- sh
  idp env exec pay-pr-7-3f2a9 -- ./manage migrate
"""


@app.command("exec", epilog=EXAMPLES)
def execute(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The environment's name.")],
    command: Annotated[list[str], typer.Argument(metavar="-- CMD", help="The program to run.")],
    provider: ProviderName = None,
    container: Annotated[
        str | None, typer.Option(metavar="NAME", help="In this container. [the first]")
    ] = None,
) -> None:
    """Run a program where a service runs, with what it is given.

    The program takes idp's place: the terminal, signals and its exit code are its own.
    """
    import os
    import sys

    from idp import proc
    from idp.cli import running
    from idp.errors import NotFound
    from idp.provider.base import Exec

    idp: Context = ctx.obj
    given(provider=provider, container=container)
    env, where = running.one(idp, name, None, provider)
    if not isinstance(where, Exec):
        raise NotFound(f"{where.name} runs no programs")
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    found = where.command(env.name, command, tty=tty, container=container or "")
    if found.cwd:
        os.chdir(found.cwd)
    proc.become(found.argv, {**idp.environ, **found.env})
