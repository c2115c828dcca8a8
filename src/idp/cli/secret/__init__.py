"""idp secret: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "request": "Ask for a secret, and write its value once somebody else has approved it.",
    "list": "List secrets: names, owner, age and expiry, never a value.",
    "show": "Show what is kept of a secret: who asked, who approved, the names of its keys.",
    "rotate": "Ask for the next value of a secret.",
    "revoke": "Ask for a secret to be destroyed, with its service's right to read it.",
    "check": "Compare the secrets that score.yaml names with those there are.",
    "manifest": "Print what Kubernetes needs to give a service its secrets.",
    "exec": "Run a program with a service's secrets in its environment.",
}

EXAMPLES = """\b
Examples:
  idp secret request db-password --service payments --env production --why 'new database'
  idp secret list --service payments
  idp secret rotate db-password --service payments --env production --why 'it is 90 days old'
  idp secret exec --service payments --env dev -- make run
"""

app = typer.Typer(
    cls=group("idp.cli.secret", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def secret() -> None:
    """Ask for secrets, and give services theirs; a value is never shown."""
