"""What happens to environments, deployments and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from idp.ledger.migrations.append_only import protect

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "happening",
        sa.Column("noun", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("step", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "at", "who")),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    protect("happening")
