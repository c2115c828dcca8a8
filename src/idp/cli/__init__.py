"""The command tree: names and summaries here, each command's own file loaded when it is run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from idp.cli.lazy import group

COMMANDS = {
    "create-service": "Make a service from a golden-path template.",
    "update-service": "Bring a service forward to another release of its template.",
    "template": "List, show and release templates.",
    "platform": "Make a platform repository.",
    "catalog": "Ask who owns what, what depends on it, and whether it is safe to change.",
    "env": "Give a branch or a pull request its live environment, and take it away again.",
    "deploy": "Ship the current commit to a lasting environment, and back if it fails.",
    "rollback": "Bring back a release that was live before, and see that it answers.",
    "policy": "Judge plans before they are carried out: what may be.",
    "budget": "Ask what teams have committed a month, and what is left up to their lines.",
    "request": "Decide what needs a second person, and carry it out.",
    "secret": "Ask for secrets, and give services theirs; a value is never shown.",
    "audit": "Show who did what, and verify that the trail was not bent.",
    "ledger": "Look after what is recorded: the audit trail, budgets and requests.",
    "config": "Show each setting and where it comes from.",
    "auth": "Log in to forges, and see whose token is used.",
    "doctor": "Look at what idp needs, and tell the command that mends what is amiss.",
}

EXAMPLES = """\b
Examples:
  idp create-service payments-api --type python-api --owner payments
  idp update-service --dry-run
  idp env up

Exit codes: 0 done, 1 unexpected, 2 usage, 3 not found or invalid input, 4 not logged in or not
allowed, 5 refused, 6 a remote failed, 7 conflicts left for a person, 8 a release was not healthy,
130 interrupted.
"""


app = typer.Typer(
    cls=group("idp.cli", COMMANDS),
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from idp import __version__

        print(f"idp {__version__}")
        raise typer.Exit


def _finish_interrupted(folder: Path) -> None:
    """Finish what a killed idp began in the repository that we stand in."""
    here = folder.absolute()
    marks = (place / ".git" / "idp" / "journal.json" for place in (here, *here.parents))
    if (mark := next(filter(Path.exists, marks), None)) is None:
        return
    from idp.errors import Refused
    from idp.git import find
    from idp.service import journal

    if journal.is_interrupted(mark.parents[1]):
        with suppress(Refused):  # another idp is at it
            journal.recover(find(mark.parents[2]))


@app.callback()
def idp(
    ctx: typer.Context,
    folder: Annotated[str, typer.Option("-C", metavar="DIR", help="Work in this folder.")] = ".",
    platform: Annotated[
        str | None, typer.Option(metavar="PLACE", help="Platform file: a path or a git URL.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print data and errors only.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to what would ask.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Ship without re-learning infrastructure: services, templates and their updates.

    These options may stand before or after the command.
    """
    from idp.context import Context
    from idp.output import Output

    _finish_interrupted(Path(folder))
    ctx.obj = Context(
        folder=Path(folder),
        output=Output(quiet, verbose),
        no_input=no_input,
        yes=yes,
        flags={"platform": platform},
    )
