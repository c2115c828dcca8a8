"""idp policy: names and summaries here, each verb in its own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.lazy import group

if TYPE_CHECKING:
    from idp.context import Context
    from idp.policy import Policies

VERBS = {
    "check": "Judge a repository or a plan by the platform's policies.",
    "test": "Run the tests of policies.",
    "explain": "Show what a policy asks, of whom, and what to do.",
    "list": "List the policies and what comes of each.",
}

EXAMPLES = """\b
Examples:
  idp policy list
  idp policy explain time-to-live
  idp policy check
  idp policy test policies/*.test.yaml
"""

app = typer.Typer(
    cls=group("idp.cli.policy", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def policy() -> None:
    """Judge plans before they are carried out: what may be, and what needs a second person."""


def policies(idp: Context) -> Policies:
    """Return the platform's policies."""
    from idp.policy import ready

    settings = idp.platform.guardrails.policies
    return ready(settings, [idp.beside_platform(file) for file in settings.rego])
