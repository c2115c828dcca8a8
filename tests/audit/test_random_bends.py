"""Whatever is done to whatever trail is found, and at the right record."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from idp.audit import Trail, new_act
from idp.audit.record import Kind, Record
from idp.audit.seal import Seals
from idp.audit.verify import Verified, verify
from idp.identity import Identity
from idp.ledger import open_ledger
from idp.ledger import trail as rows

from ..clock import FakeClock
from .test_trail import bend

TEXT = st.text(max_size=20)
KINDS: list[Kind] = ["intent", "outcome", "refused", "note"]
RECORDS = st.lists(
    st.builds(
        lambda kind, subject, why, inputs: Record(
            kind,
            new_act(),
            Identity("github.com:ann", "forge"),
            "deploy",
            subject,
            why=why,
            details=inputs,
        ),
        st.sampled_from(KINDS),
        TEXT,
        TEXT,
        st.dictionaries(TEXT, TEXT | st.booleans() | st.integers(-9, 9), max_size=3),
    ),
    min_size=3,
    max_size=8,
)
COLUMNS = ["hash", "act", "kind", "at", "who", "action", "subject", "team", "body"]
TIME = "2020-02-02T02:02:02.000000Z"
MOVED = 10_000


def written(folder: Path, records: list[Record]) -> Trail:
    """Write a trail, one record or several in a transaction."""
    trail = Trail(
        open_ledger(str(folder / "ledger.db"), FakeClock(), lambda _: None),
        Seals(folder / "audit"),
        FakeClock(),
    )
    for record in records[:-2]:
        with trail.writing() as writing:
            writing.append(record)
    with trail.writing() as writing:
        for record in records[-2:]:
            writing.append(record)
    trail.ledger.close()
    return trail


def verified(trail: Trail, place: Path) -> Verified:
    ledger = open_ledger(str(place), FakeClock(), lambda _: None)
    with ledger.reading() as tx:
        head = trail.seals.head(trail.ledger.id)
        found = verify(ledger.id, rows.links(tx), head, (), {trail.seals.public})
    ledger.close()
    return found


@st.composite
def bends(draw: st.DrawFn, many: int) -> tuple[list[str], int]:
    """Return what is done to a trail of so many records, and the record that it is found at."""
    how = draw(st.sampled_from(["change", "byte", "remove", "cut", "swap", "insert", "repeat"]))
    at = draw(st.integers(1, many))
    here, table = f"WHERE seq = {at}", "audit_record"
    if how == "change":
        column = draw(st.sampled_from(COLUMNS))
        value = {"at": f"'{TIME}'", "body": "x'7b7d'"}.get(column, "'bent'")
        return [f"UPDATE {table} SET {column} = {value} {here}"], at
    if how == "byte":
        cut = "CAST(substr(body, 1, length(body) - 1) AS BLOB)"
        return [f"UPDATE {table} SET body = CAST({cut} || ' ' AS BLOB) {here}"], at
    if how == "remove":
        return [f"DELETE FROM {table} {here}"], at
    if how == "cut":
        return [f"DELETE FROM {table} WHERE seq >= {at}"], at
    if how == "swap":
        other = draw(st.integers(1, many).filter(lambda number: number != at))
        moves = ((at, MOVED), (other, at), (MOVED, other))
        told = [f"UPDATE {table} SET seq = {to} WHERE seq = {of}" for of, to in moves]
        return told, min(at, other)
    copied = draw(st.integers(1, many)) if how == "insert" else at
    names = ", ".join(COLUMNS)
    copy = f"INSERT INTO {table} (seq, {names}) SELECT {at}, {names} FROM {table}"
    return [
        f"UPDATE {table} SET seq = seq + {MOVED} WHERE seq >= {at}",
        f"{copy} WHERE seq = {copied if copied < at else copied + MOVED}",
        f"UPDATE {table} SET seq = seq - {MOVED - 1} WHERE seq > {MOVED}",
    ], at + (copied == at)


@settings(max_examples=60, deadline=None)
@given(records=RECORDS, data=st.data())
def test_every_bend_is_found_at_its_record(records: list[Record], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, many = Path(name), len(records)
        trail = written(folder, records)
        whole = verified(trail, folder / "ledger.db")
        assert (whole.ok, whole.records, whole.signed) == (True, many, many), whole
        for number in range(4):
            statements, at = data.draw(bends(many))
            copy = folder / f"copy-{number}.db"
            with closing(sqlite3.connect(folder / "ledger.db")) as database:
                database.execute("VACUUM INTO ?", (str(copy),))
            bend(str(copy), *statements)
            found = verified(trail, copy)
            assert (found.ok, found.broken_at) == (False, at), (statements, found)
        assert verified(trail, folder / "ledger.db").ok
