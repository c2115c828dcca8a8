"""idp ledger grants."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp ledger grants idp_client
  idp ledger grants idp_client --schema platform
"""


@app.command(epilog=EXAMPLES)
def grants(
    client: Annotated[str, typer.Argument(metavar="ROLE", help="Whom clients log in as.")],
    schema: Annotated[
        str, typer.Option(metavar="NAME", help="The schema of the tables.")
    ] = "public",
) -> None:
    """Print the SQL that lets a role of PostgreSQL read the ledger and add to it, no more."""
    from idp.ledger import grants as work

    print(work.grants(client, schema), end="")
