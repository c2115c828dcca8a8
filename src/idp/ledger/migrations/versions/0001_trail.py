"""The ledger itself, and the audit trail."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import context, op

from idp.ledger.migrations.append_only import make_function, protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    ledger = op.create_table(
        "ledger",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("made_at", sa.Text, nullable=False),
    )
    op.create_table(
        "audit_record",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("hash", "act", "kind", "at", "who", "action", "subject", "team")
        ),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("audit_record_act", "audit_record", ["act"])
    made_at = context.config.attributes["made_at"]
    op.bulk_insert(ledger, [{"id": str(uuid4()), "made_at": made_at}])
    make_function()
    protect("ledger")
    protect("audit_record")
