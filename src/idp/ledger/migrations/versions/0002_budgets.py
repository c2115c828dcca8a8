"""What is reserved of budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from idp.ledger.migrations.append_only import protect

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "budget_entry",
        sa.Column("id", number, primary_key=True),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("team", "key", "amount", "currency", "at", "act", "why")
        ),
    )
    op.create_index("budget_entry_team", "budget_entry", ["team", "key"])
    op.create_index("budget_entry_key", "budget_entry", ["key"])
    op.create_index("budget_entry_act", "budget_entry", ["act"])
    protect("budget_entry")
