"""The door for the ledger: what is recorded and never changed, in SQLite or PostgreSQL.

All tables are append-only; triggers refuse anything else, and on PostgreSQL clients have no right
to it. SQLite has one writer at a time, PostgreSQL one for each name that is locked.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from idp.clock import Clock
from idp.errors import Refused
from idp.ledger import revision, tables
from idp.ledger.connect import engine_of, is_shared, told, without_password


@dataclass(frozen=True)
class Transaction:
    """A transaction of the ledger; the storage functions of its modules take it."""

    connection: sa.Connection

    def lock(self, name: str) -> None:
        """Wait until nobody else holds the lock of this name, and hold it until the end."""
        if self.connection.dialect.name == "postgresql":
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
            self.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


@dataclass(frozen=True)
class Ledger:
    """An open ledger.

    Attributes:
        place: where it is, for people: a path, or a URL without its password.
        id: drawn when it was made.
        is_shared: it is a server's, and not this machine's own.
    """

    place: str
    id: str
    is_shared: bool
    _engine: sa.Engine = field(repr=False)

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Give a transaction that is committed at its end, and undone by an error.

        Raises:
            LedgerBusy: others have been writing for half a minute.
            InvalidInput, RemoteFailed: it cannot be written: a full disk, a server that is gone.
        """
        with self._transaction(writes=True) as transaction:
            yield transaction

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Give a transaction in which nothing changes."""
        with self._transaction(writes=False) as transaction:
            yield transaction

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Transaction]:
        with told(self.place), self._engine.connect() as connection:
            options: dict[str, Any] = {"idp_writes": writes}
            if self.is_shared and not writes:
                options["isolation_level"] = "REPEATABLE READ"
            with connection.execution_options(**options).begin():
                yield Transaction(connection)

    def close(self) -> None:
        """Close it; it opens itself again where it is used once more."""
        self._engine.dispose()


def open_ledger(place: str, clock: Clock, say: Callable[[str], None]) -> Ledger:
    """Open a ledger; a SQLite one is made where there is none, and migrated after a backup.

    Args:
        place: the path of a file, or `postgresql://USER@HOST/NAME`.

    Raises:
        Refused: it was written by a newer idp, or its owner has to migrate it first.
        InvalidInput: it is no ledger, or is damaged.
        RemoteFailed: its server cannot be reached.
    """
    engine, shown = engine_of(place), without_password(place)
    with told(shown), _closed_by_errors(engine):
        before = revision.found(engine)
        _check_known(shown, before)
        if before != revision.NEWEST:
            if is_shared(place):
                raise Refused(
                    f"the ledger {shown} is of revision {before or 'none'}, and this idp needs "
                    f"{revision.NEWEST}",
                    hint="its owner runs `idp ledger migrate`",
                )
            migrate(place, clock, say)
        with engine.connect() as connection:
            id = connection.execute(sa.select(tables.ledger.c.id)).scalar_one()
    opened = Ledger(shown, id, is_shared(place), engine)
    weakref.finalize(opened, engine.dispose)  # a call's context ends without a word
    return opened


@contextmanager
def _closed_by_errors(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def _check_known(shown: str, found: str) -> None:
    if found not in ("", *revision.KNOWN):
        raise Refused(
            f"the ledger {shown} was written by a newer idp (revision {found})", hint="update idp"
        )


def found(place: str) -> str:
    """Return the revision of the ledger at a place, "" where there is none yet.

    Raises:
        Refused: it was written by a newer idp.
    """
    engine, shown = engine_of(place), without_password(place)
    with told(shown), _closed_by_errors(engine):
        there = revision.found(engine)
        _check_known(shown, there)
    engine.dispose()
    return there


def migrate(place: str, clock: Clock, say: Callable[[str], None]) -> tuple[str, str, str]:
    """Bring a ledger to the newest revision, after a backup of what is there.

    Returns: the revision before (empty for none), the one after, and where the backup is.
    """
    from idp.ledger.upgrading import upgrade

    engine, shown = engine_of(place), without_password(place)
    with told(shown), _closed_by_errors(engine):
        _check_known(shown, revision.found(engine))
        before, kept = upgrade(engine, place, clock.now())
    engine.dispose()
    if kept:
        say(f"the ledger {shown} was migrated from {before}; what it was is kept as {kept}")
    return before, revision.NEWEST, kept
