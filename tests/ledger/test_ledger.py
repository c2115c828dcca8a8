"""What is recorded stays, on both databases."""

from __future__ import annotations

import stat
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from idp.errors import InvalidInput, NotAllowed, Refused
from idp.ledger import entries, events, open_ledger, trail
from idp.ledger.grants import grants
from idp.ledger.records import Entry, Event

from ..clock import FakeClock
from .stories import NOW, append_next, link, made, numbers


def test_links_come_back_as_they_were(place: str) -> None:
    ledger = made(place)
    with ledger.writing() as tx:
        for one in (link(1, "intent", "x"), link(2, "outcome", "x"), link(3, "intent", "y")):
            trail.append(tx, one)
    with ledger.reading() as tx:
        assert list(trail.links(tx)) == [
            link(1, "intent", "x"), link(2, "outcome", "x"), link(3, "intent", "y"),
        ]  # fmt: skip
        assert trail.head(tx) == link(3, "intent", "y")
        assert [one.seq for one in trail.links(tx, kinds=["intent"], after=1)] == [3]
        assert [one.seq for one in trail.links(tx, newest_first=True, limit=2)] == [3, 2]
        assert list(trail.links(tx, since=NOW + timedelta(microseconds=1))) == []
        assert [one.act for one in trail.open_acts(tx)] == ["y"]
    ledger.close()


def test_an_error_undoes_the_whole_transaction(place: str) -> None:
    ledger = made(place)
    with pytest.raises(ZeroDivisionError), ledger.writing() as tx:
        trail.append(tx, link(1))
        1 / 0  # noqa: B018
    assert numbers(ledger) == []
    ledger.close()


def test_what_is_held_is_the_sum_of_the_changes(place: str) -> None:
    ledger = made(place)
    with ledger.writing() as tx:
        for amount in ("10.10", "5", "0.1", "0.1", "-5", "1E+17", "0.03"):
            entries.add(tx, Entry("pay", "a", Decimal(amount), "EUR", NOW, "act"))
        entries.add(tx, Entry("pay", "b", Decimal(7), "USD", NOW, "act"))
        entries.add(tx, Entry("ops", "c", Decimal(9), "EUR", NOW, "act"))
        entries.add(tx, Entry("pay", "a", Decimal(1), "EUR", NOW + timedelta(days=1), "act"))
    with ledger.reading() as tx:
        then = entries.sums(tx, "pay", until=NOW + timedelta(days=1))
        assert then == {"EUR": Decimal("100000000000000010.33"), "USD": Decimal(7)}
        assert entries.sums(tx, "pay")["EUR"] == then["EUR"] + 1
    ledger.close()


def test_a_step_of_a_request_is_taken_once(place: str) -> None:
    ledger = made(place)
    opened = Event("req-1", 1, "opened", NOW, "pat", b"{}")
    with ledger.writing() as tx:
        events.add(tx, opened)
    with pytest.raises(Refused), ledger.writing() as tx:
        events.add(tx, opened)
    with ledger.reading() as tx:
        assert events.events(tx, "req-1") == [opened]
    ledger.close()


@pytest.mark.parametrize("change", ["UPDATE audit_record SET who = 'x'", "DELETE FROM ledger"])
def test_nothing_recorded_can_be_changed(place: str, change: str) -> None:
    ledger = made(place)
    append_next(ledger, "pat")
    with pytest.raises(NotAllowed, match="never changed"), ledger.writing() as tx:
        tx.connection.exec_driver_sql(change)
    assert numbers(ledger) == [1]
    ledger.close()


def test_a_client_of_postgresql_may_read_and_add_only(postgres: str) -> None:
    import psycopg

    from ..postgres import new_database

    url = new_database(postgres)
    made(url).close()
    role = f"client_{url[-12:]}"
    with psycopg.connect(url) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN".encode())
        owner.execute(grants(role).encode())
    client = open_ledger(url.replace("owner@", f"{role}@"), FakeClock(), print)
    assert append_next(client, "pat") == 1
    with client.writing() as tx:
        entries.add(tx, Entry("pay", "a", Decimal(1), "EUR", NOW, "act"))
        events.add(tx, Event("req-1", 1, "opened", NOW, "pat", b"{}"))
    for change in ("UPDATE audit_record SET who = 'x'", "DROP TABLE ledger", "CREATE TABLE t ()",
                   "TRUNCATE request_event", "INSERT INTO ledger VALUES ('x', 'y')"):  # fmt: skip
        with pytest.raises(NotAllowed, match="this role may not"), client.writing() as tx:
            tx.connection.exec_driver_sql(change)
    client.close()


def test_a_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    made(str(tmp_path / "new" / "ledger.db")).close()
    assert stat.S_IMODE((tmp_path / "new" / "ledger.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 4080]
)
def test_what_is_no_ledger_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=str(path)):
        open_ledger(str(path), FakeClock(), print)
    assert path.read_bytes() == content
