"""idp budget: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "show": "Show what teams have committed of their budgets, and by what.",
    "release": "Give back what a key holds of a budget, where nothing is left of it.",
}

EXAMPLES = """\b
Examples:
  idp budget show
  idp budget show payments --month 2026-10
  idp budget release env:pay-pr-7 --why 'its namespace is gone'
"""

app = typer.Typer(
    cls=group("idp.cli.budget", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def budget() -> None:
    """Ask what teams have committed a month, and what is left up to their lines."""
