"""idp ledger: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "show": "Show where the ledger is, and how much it holds.",
    "migrate": "Bring a ledger on PostgreSQL to this idp's revision, after a backup.",
    "grants": "Print the SQL that gives clients of PostgreSQL their rights.",
}

EXAMPLES = """\b
Examples:
  idp ledger show
  idp ledger migrate --yes
  idp ledger grants idp_client | psql --dbname idp
"""

app = typer.Typer(
    cls=group("idp.cli.ledger", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def ledger() -> None:
    """Look after what is recorded: the audit trail, budgets and requests."""
