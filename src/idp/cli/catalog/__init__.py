"""idp catalog: names and summaries here, each verb in its own file."""

from __future__ import annotations

import typer

from idp.cli.lazy import group

VERBS = {
    "validate": "Judge catalog-info files as Backstage does.",
    "ingest": "Read the catalog's sources into the index.",
    "query": "Find entities: by any field, by relation, by words.",
    "show": "Show all there is to know of an entity: who to ask.",
    "impact": "Show what a change of an entity reaches, and who to tell.",
    "graph": "Draw what an entity needs and what needs it.",
    "score": "Score entities against the platform's rules, and say what to do next.",
    "problems": "List what is wrong in the catalog.",
    "history": "Show what an entity was in the past, from git.",
    "register": "Add this service to the platform's catalog sources.",
    "export": "Write the catalog for Backstage, as CSV or as JSON lines.",
    "merge": "Join the parts of a sharded ingest into one index.",
    "snapshot": "Publish the index as a file, or pull it.",
}

EXAMPLES = """\b
Examples:
  idp catalog ingest
  idp catalog query 'kind=component owner=team-a lifecycle!=deprecated'
  idp catalog show payments
  idp catalog impact payments --fail-on critical
"""

app = typer.Typer(
    cls=group("idp.cli.catalog", VERBS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    epilog=EXAMPLES,
)


@app.callback()
def catalog() -> None:
    """Ask who owns what, what depends on it, and whether it is safe to change."""
