"""A new index, made beside the old one, whose name it takes when it is done."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idp.catalog.index import schema
from idp.errors import InvalidInput
from idp.workshop import workshop

_FAST = ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE")
_MEMORY = "cache_size = -65536"  # KiB: random places of a large index are written


@contextmanager
def drafted(path: Path, former: Path | None) -> Iterator[sqlite3.Connection]:
    """Give a copy of `former`, or an empty index; it becomes `path` if the block ends well.

    Raises:
        InvalidInput: the disk is full, or not ours to write on; `former` is damaged; what is at
            `path` is no index, or one of a newer idp.
    """
    check_replaceable(path)
    with workshop(path.parent) as folder:
        draft = folder / "index.db"
        try:
            if former:
                shutil.copyfile(former, draft)
            with _connected(draft) as connection:
                if not former:
                    schema.create(connection)
                yield connection
                connection.commit()
            _settle(draft, path)
        except (sqlite3.OperationalError, OSError) as error:
            raise InvalidInput(f"cannot write {path}: {error}", hint="is the disk full?") from error
        except sqlite3.DatabaseError as error:
            hint = "remove it, and ingest again"
            raise InvalidInput(f"{former} is damaged: {error}", hint=hint) from error


def check_replaceable(path: Path) -> None:
    """Refuse to write over what is not ours: only an older or a damaged index is made anew.

    Its header tells, which a damaged one still has (https://sqlite.org/fileformat.html).
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        header = file.read(100)
    version, application = (int.from_bytes(header[at : at + 4], "big") for at in (60, 68))
    if header and application != schema.APPLICATION:
        raise InvalidInput(
            f"{path} is no catalog index: it is not written over",
            hint="name another file, or remove this one",
        )
    if version > schema.SCHEMA:
        raise InvalidInput(f"{path} was written by a newer idp", hint="update idp")


@contextmanager
def _connected(draft: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(draft.absolute().as_uri(), uri=True, isolation_level=None)
    try:
        for setting in (*_FAST, _MEMORY):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        yield connection
    finally:
        connection.close()


def _settle(draft: Path, path: Path) -> None:
    """Let a draft that is whole on the disk take its name."""
    held = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
    draft.replace(path)
