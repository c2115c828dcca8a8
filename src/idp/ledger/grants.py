"""The rights of a ledger's roles on PostgreSQL, as SQL for its administrator."""

from __future__ import annotations

import re

from idp.errors import UsageError
from idp.ledger.tables import metadata


def grants(client: str, schema: str = "public") -> str:
    """Return the SQL that lets a role read and add, and nothing else.

    Raises:
        UsageError: a name that is no plain name of SQL.
    """
    for name in (client, schema):
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
            raise UsageError(f"{name!r} is no plain name of a role or schema", hint="idp_client")
    tables = sorted(metadata.tables)
    listed = ", ".join(f"{schema}.{name}" for name in [*tables, "alembic_version"])
    adding = ", ".join(f"{schema}.{name}" for name in tables if name != "ledger")
    return f"""\
-- The owner of the tables runs this after `idp ledger migrate`, and again after each migration.
REVOKE ALL ON SCHEMA {schema} FROM {client};
REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON {listed} FROM {client}, PUBLIC;
GRANT USAGE ON SCHEMA {schema} TO {client};
GRANT SELECT ON {listed} TO {client};
GRANT INSERT ON {adding} TO {client};
GRANT USAGE ON SEQUENCE {schema}.budget_entry_id_seq TO {client};
"""
