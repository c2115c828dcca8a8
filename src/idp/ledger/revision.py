"""Which revision a ledger is of, without Alembic: most calls find the newest."""

from __future__ import annotations

import sqlalchemy as sa

from idp.errors import InvalidInput

KNOWN = ("0001", "0002", "0003", "0004")
NEWEST = KNOWN[-1]

_version = sa.table("alembic_version", sa.column("version_num"))


def found(engine: sa.Engine) -> str:
    """Return the revision of the database, "" where it is empty.

    Raises:
        InvalidInput: it holds something else.
    """
    with engine.connect() as connection:
        return of(connection)


def of(connection: sa.Connection) -> str:
    """Return the revision of the database of a connection, as `found` does."""
    there = sa.inspect(connection).get_table_names()
    if not there:
        return ""
    if not {"alembic_version", "ledger"} <= set(there):
        raise InvalidInput(
            "this database is no ledger of idp", hint="name another place for the ledger"
        )
    return str(connection.execute(sa.select(_version.c.version_num)).scalar() or "")
