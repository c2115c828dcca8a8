"""Connections to the ledger's database, and its errors in our words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, DBAPIError

from idp.errors import IdpError, InvalidInput, NotAllowed, RemoteFailed

PATIENCE = 30
"""Seconds for which a writer waits for others."""


class LedgerBusy(RemoteFailed):
    """Others have been writing for too long."""

    code = "busy"


def is_shared(place: str) -> bool:
    """Tell whether a place is a server's."""
    return place.startswith(("postgresql://", "postgres://"))


def without_password(place: str) -> str:
    """Return a place as it may be shown."""
    return _url(place).set(password=None).render_as_string() if is_shared(place) else place


def _url(place: str) -> sa.URL:
    try:
        return sa.make_url(place)
    except (ValueError, ArgumentError) as error:  # neither is told: it may hold a password
        raise InvalidInput(
            "the ledger's URL cannot be read", hint="like postgresql://idp@ledger.example.com/idp"
        ) from error


def engine_of(place: str) -> sa.Engine:
    """Return what connects to a place; a file is made for its owner alone, with its folder.

    Raises:
        InvalidInput: another kind of database, a folder that cannot be made, no driver.
    """
    if is_shared(place):
        return _postgresql(place)
    if "://" in place:
        raise InvalidInput(
            f"{place.split(':')[0]} holds no ledger", hint="postgresql://…, or the path of a file"
        )
    path = Path(place).resolve()  # where a link leads nowhere yet, SQLite would let all read it
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            # Never one that is there: closing it would drop SQLite's locks of this process.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise InvalidInput(
            f"cannot write the ledger {path}: {error.strerror}",
            hint="set XDG_STATE_HOME to a folder of yours, or IDP_LEDGER",
        ) from error
    return _sqlite(path)


def _sqlite(path: Path) -> sa.Engine:
    def connect() -> sqlite3.Connection:
        found = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        try:
            _set_up(found)
        except BaseException:
            found.close()
            raise
        return found

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.QueuePool)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: sqlite3.Connection) -> None:
    connection.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:  # SQLite does not wait for others here
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _begin(connection: sa.Connection) -> None:
    """Begin as a writer at once, so that no reader has to become one while another writes."""
    writes = connection.get_execution_options().get("idp_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql(place: str) -> sa.Engine:
    url = _url(place).set(drivername="postgresql+psycopg")
    try:
        return sa.create_engine(
            url, connect_args={"connect_timeout": PATIENCE, "client_encoding": "utf8"}
        )
    except ImportError as error:
        raise InvalidInput(
            "a ledger on PostgreSQL needs its driver", hint="pip install 'idp-toolchain[postgres]'"
        ) from error


@contextmanager
def told(place: str) -> Iterator[None]:
    """Tell the database's errors in our words."""
    try:
        yield
    except DBAPIError as error:
        raise _told(place, error) from error
    except sqlite3.Error as error:
        raise _told(place, error) from error


_SAID: tuple[tuple[str, type[IdpError], str, str], ...] = (
    ("is locked", LedgerBusy, "others have been writing it for too long", "try again"),
    ("disk is full", InvalidInput, "the disk is full", "make room; nothing was half written"),
    ("disk i/o", InvalidInput, "the disk fails", "see the disk; nothing was half written"),
    ("readonly", InvalidInput, "it may only be read", "see its owner and mode"),
    ("unable to open", InvalidInput, "it cannot be opened", "name a file that is yours, no folder"),
    ("not a database", InvalidInput, "it is no SQLite file", "name another, or move it away"),
    ("malformed", InvalidInput, "it is damaged", "bring back a backup: ledger.db.*.bak beside it"),
    ("append-only", NotAllowed, "what is recorded is never changed", ""),
    ("permission denied", NotAllowed, "this role may not", "see `idp ledger grants`"),
    ("must be owner", NotAllowed, "this role may not", "see `idp ledger grants`"),
    (
        "password authentication",
        NotAllowed,
        "its server refuses the login",
        "PGPASSWORD, ~/.pgpass",
    ),
    ("no password supplied", NotAllowed, "it asks for a password", "PGPASSWORD, ~/.pgpass"),
)


def _told(place: str, error: Any) -> IdpError:
    said = " ".join(str(getattr(error, "orig", error)).split())
    for words, kind, what, mend in _SAID:
        if words in said.lower():
            return kind(f"the ledger {place}: {what}", hint=mend)
    return RemoteFailed(f"the ledger {place}: {said}", hint="try again")
