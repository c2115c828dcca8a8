"""A newer ledger is refused; an older one is migrated after a backup."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Thread

import pytest

from idp.errors import Refused
from idp.ledger import Transaction, migrate, open_ledger, trail
from idp.ledger.connect import engine_of
from idp.ledger.revision import NEWEST
from idp.ledger.upgrading import upgrade

from ..clock import FakeClock
from .stories import NOW, append_next, link, made, numbers


def make_older(place: str) -> None:
    """Make a ledger as the first idp did, with one record."""
    engine = engine_of(place)
    upgrade(engine, place, NOW, "0001")
    with engine.begin() as connection:
        trail.append(Transaction(connection), link(1))
    engine.dispose()


def test_a_newer_ledger_is_refused(place: str) -> None:
    made(place).close()
    engine = engine_of(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    engine.dispose()
    with pytest.raises(Refused, match="newer idp"):
        open_ledger(place, FakeClock(), print)
    with pytest.raises(Refused, match="newer idp"):
        migrate(place, FakeClock(), print)


def test_an_older_file_is_migrated_after_a_backup(tmp_path: Path) -> None:
    place, said = str(tmp_path / "ledger.db"), list[str]()
    make_older(place)
    ledger = open_ledger(place, FakeClock(), said.append)
    assert append_next(ledger, "pat") == 2
    ledger.close()
    [backup] = tmp_path.glob("*.bak")
    assert str(backup) in said[0]
    kept = sqlite3.connect(backup)
    assert kept.execute("SELECT seq FROM audit_record").fetchall() == [(1,)]
    assert kept.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    kept.close()


def test_the_backup_holds_what_was_being_written_when_the_migration_began(tmp_path: Path) -> None:
    place = str(tmp_path / "ledger.db")
    make_older(place)
    older = sqlite3.connect(place, isolation_level=None)
    older.execute("BEGIN IMMEDIATE")
    columns = "hash, act, kind, at, who, action, subject, team, body FROM audit_record"
    older.execute(f"INSERT INTO audit_record SELECT 2, {columns}")
    migrating = Thread(target=lambda: open_ledger(place, FakeClock(), lambda _: None).close())
    migrating.start()
    migrating.join(0.3)
    assert migrating.is_alive()
    older.execute("COMMIT")
    older.close()
    migrating.join()
    [backup] = tmp_path.glob("*.bak")
    kept = sqlite3.connect(backup)
    assert kept.execute("SELECT seq FROM audit_record").fetchall() == [(1,), (2,)]
    kept.close()


def test_an_older_shared_ledger_waits_for_its_owner(postgres: str) -> None:
    from ..postgres import new_database

    place, said = new_database(postgres), list[str]()
    make_older(place)
    with pytest.raises(Refused, match="revision 0001"):
        open_ledger(place, FakeClock(), print)
    before, after, schema = migrate(place, FakeClock(), said.append)
    assert (before, after) == ("0001", NEWEST)
    assert schema in said[0]
    ledger = open_ledger(place, FakeClock(), print)
    assert numbers(ledger) == [1]
    with ledger.reading() as tx:
        found = tx.connection.exec_driver_sql(f"SELECT seq FROM {schema}.audit_record").all()
    assert [tuple(row) for row in found] == [(1,)]
    ledger.close()


def test_a_current_ledger_is_left_as_it_is(place: str) -> None:
    made(place).close()
    assert migrate(place, FakeClock(), print)[:2] == (NEWEST, NEWEST)
