"""What happens to requests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from idp.ledger.migrations.append_only import protect

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "request_event",
        sa.Column("request", sa.Text, primary_key=True),
        sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "at", "who")),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    protect("request_event")
