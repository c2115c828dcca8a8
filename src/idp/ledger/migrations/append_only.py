"""Triggers that let a table only grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

_SAYS = "the ledger is append-only"


def protect(table: str) -> None:
    """Refuse to change or remove a row of a table, whoever asks."""
    if op.get_bind().dialect.name == "postgresql":
        changes = "UPDATE OR DELETE OR TRUNCATE"
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_append_only BEFORE {changes} ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION idp_append_only()"
            )
        )
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(
            sa.text(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END"
            )
        )


def make_function() -> None:
    """Make the function that PostgreSQL's triggers call."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            sa.text(
                "CREATE FUNCTION idp_append_only() RETURNS trigger LANGUAGE plpgsql AS"
                f" $$ BEGIN RAISE EXCEPTION '{_SAYS}'; END $$"
            )
        )
