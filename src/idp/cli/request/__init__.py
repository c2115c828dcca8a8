"""idp request: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "list": "List requests for approval.",
    "show": "Show a request: its plan, who asked, who decided.",
    "approve": "Approve a request, as somebody else than who asked.",
    "refuse": "Refuse a request, as somebody else than who asked.",
    "cancel": "Take your own request back.",
    "fulfil": "Carry out approved requests, in the platform's own CI.",
}

EXAMPLES = """\b
Examples:
  idp request list
  idp request show req-4kd0z
  idp request approve req-4kd0z --why "looked at with the database team"
"""

app = typer.Typer(
    cls=group("idp.cli.request", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def request() -> None:
    """Decide what needs a second person, and carry it out."""
