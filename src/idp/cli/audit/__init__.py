"""idp audit: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "log": "List who did what: filtered, followed, as JSON lines or CSV.",
    "verify": "Read the whole trail, and tell the first record that is bent.",
    "anchor": "Keep the signed head of the trail in a git repository.",
    "export": "Write every record as it was hashed, with the signed head.",
    "key": "Print the public key that this machine signs with.",
}

EXAMPLES = """\b
Examples:
  idp audit log --since 2026-11-01
  idp audit log --open
  idp audit verify --json
  idp audit anchor --dry-run
  idp audit export > trail.jsonl
"""

app = typer.Typer(
    cls=group("idp.cli.audit", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def audit() -> None:
    """Show who did what, and verify that the trail was not bent."""
