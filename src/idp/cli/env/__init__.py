"""idp env: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "up": "Bring an environment up, or up to date, and print its URL.",
    "list": "List environments, with state, owner, cost and expiry.",
    "show": "Show one environment.",
    "open": "Open an environment in the browser.",
    "logs": "Print what a service writes.",
    "exec": "Run a program in an environment.",
    "extend": "Let an environment live longer.",
    "down": "Take an environment away.",
    "reap": "Take away what has expired, is idle, or whose pull request is closed.",
}

EXAMPLES = """\b
Examples:
  idp env up
  idp env up --pr 7 --ttl 3d
  idp env list --json
  idp env down --yes
"""

app = typer.Typer(
    cls=group("idp.cli.env", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def env() -> None:
    """Give a branch or a pull request its live environment, and take it away again."""
