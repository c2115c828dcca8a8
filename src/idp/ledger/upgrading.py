"""Bringing a ledger to the newest revision, by Alembic, after a backup."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from idp.ledger import revision, tables
from idp.ledger.connect import is_shared

LOCK = 7307197108
"""Of PostgreSQL, so that two do not migrate at once."""


def upgrade(
    engine: sa.Engine, place: str, now: datetime, to: str = revision.NEWEST
) -> tuple[str, str]:
    """Bring a database to a revision after a backup, while nobody else can write: all or nothing.

    Args:
        now: when a new ledger was made.

    Returns: the revision before (empty for none), and where the backup is, if one was needed.
    """
    config = Config()
    config.set_main_option("script_location", "idp.ledger:migrations")
    config.set_main_option("path_separator", "os")
    with engine.connect().execution_options(idp_writes=True) as connection, connection.begin():
        if is_shared(place):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        before = revision.of(connection)
        old = before not in ("", to)
        kept = _kept(engine, connection, place, before, now) if old else ""
        config.attributes |= {"connection": connection, "made_at": tables.written(now)}
        command.upgrade(config, to)
    return before, kept


def _kept(engine: sa.Engine, writing: sa.Connection, place: str, before: str, now: datetime) -> str:
    """Keep a copy of a ledger beside it, and return where: a file, or a schema on PostgreSQL."""
    stamp = now.strftime("%Y%m%dT%H%M%S%fZ")
    if is_shared(place):
        return _copied(writing, f"idp_backup_{before}_{stamp.lower()}")
    copy = Path(place).with_name(f"{Path(place).name}.{before}-{stamp}.bak")
    # Another connection than the one that writes: in a transaction, VACUUM may not be.
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("VACUUM INTO ?", (str(copy),))
    finally:
        raw.close()
    copy.chmod(0o600)
    return str(copy)


def _copied(connection: sa.Connection, schema: str) -> str:
    names = sa.inspect(connection).get_table_names()
    quote = connection.dialect.identifier_preparer.quote
    listed = ", ".join(map(quote, names))
    connection.execute(sa.text(f"LOCK TABLE {listed} IN SHARE MODE"))  # they may be read
    connection.execute(sa.text(f"CREATE SCHEMA {quote(schema)}"))
    for name in names:
        copy = f"CREATE TABLE {quote(schema)}.{quote(name)} AS TABLE {quote(name)}"
        connection.execute(sa.text(copy))
    return schema
