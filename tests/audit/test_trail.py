"""The trail: whatever is bent is found, and many writers keep one chain."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from idp.audit import Trail, new_act
from idp.audit.record import Record
from idp.audit.seal import Checkpoint, Seals
from idp.audit.verify import Verified, verify
from idp.identity import Identity
from idp.ledger import trail as rows

from ..service.stories import Run, idp

WRITER = Path(__file__).parent / "writer.py"
ANN = Identity("github.com:ann", "forge")


def add(trail: Trail, many: int = 1, why: str = "") -> None:
    for number in range(many):
        with trail.writing() as writing:
            writing.append(Record("intent", new_act(), ANN, "deploy", f"pay-{number}", why=why))


def verified(trail: Trail, *anchors: Checkpoint, keys: tuple[str, ...] = ()) -> Verified:
    head = trail.seals.head(trail.ledger.id)
    believed = keys or (trail.seals.public,)
    with trail.ledger.reading() as tx:
        return verify(trail.ledger.id, rows.links(tx), head, anchors, believed)


def bend(place: str, *statements: str) -> None:
    """Do what somebody can do who owns the database: the triggers go first."""
    if "://" in place:
        with psycopg.connect(place) as connection:
            connection.execute("ALTER TABLE audit_record DISABLE TRIGGER ALL")
            for statement in statements:
                connection.execute(statement.encode())
        return
    database = sqlite3.connect(place)
    for change in ("update", "delete"):
        database.execute(f"DROP TRIGGER IF EXISTS audit_record_no_{change}")
    for statement in statements:
        database.execute(statement)
    database.commit()
    database.close()


def test_what_was_written_is_there_and_whole(trail: Trail) -> None:
    add(trail, 5, why="a new release")
    found = verified(trail)
    assert (found.ok, found.records, found.signed, found.unanchored) == (True, 5, 5, 5)


BENT = [
    ("UPDATE audit_record SET subject = 'other' WHERE seq = 3", 3, "columns differ"),
    ("UPDATE audit_record SET hash = repeat('0', 64) WHERE seq = 3", 3, "another hash"),
    ("DELETE FROM audit_record WHERE seq = 3", 3, "record 3 is missing"),
    ("DELETE FROM audit_record WHERE seq = 1", 1, "record 1 is missing"),
    ("DELETE FROM audit_record WHERE seq >= 4", 4, "cut"),
]


@pytest.mark.parametrize(("statement", "at", "what"), BENT)
def test_what_is_bent_is_found(
    statement: str, at: int, what: str, trail: Trail, place: str
) -> None:
    add(trail, 5)
    bend(place, statement.replace("repeat('0', 64)", f"'{'0' * 64}'"))
    found = verified(trail)
    assert (found.ok, found.broken_at) == (False, at)
    assert what in found.what


def test_two_records_that_change_places_are_found(trail: Trail, place: str) -> None:
    add(trail, 4)
    moves = ((2, 99), (3, 2), (99, 3))
    bend(place, *(f"UPDATE audit_record SET seq = {to} WHERE seq = {of}" for of, to in moves))
    assert verified(trail).broken_at == 2


def test_a_trail_rewritten_without_the_key_is_found(trail: Trail, place: str) -> None:
    add(trail, 3)
    head = trail.seals.head(trail.ledger.id)
    bend(place, "DELETE FROM audit_record")
    forger = Trail(trail.ledger, Seals(trail.seals.folder / "forger"), trail.clock)
    add(forger, 3, why="all is well")
    assert trail.seals.head(trail.ledger.id) == head
    found = verified(trail)
    assert (found.ok, found.broken_at) == (False, 3)
    assert "rewritten" in found.what


def test_one_rewritten_with_the_key_is_found_by_what_is_anchored(trail: Trail, place: str) -> None:
    add(trail, 3)
    anchor = trail.seals.head(trail.ledger.id)
    assert anchor
    bend(place, "DELETE FROM audit_record")
    (trail.seals.folder / f"{trail.ledger.id}.head.json").unlink()
    add(trail, 4, why="all is well")
    assert verified(trail).ok, "the key itself vouches for it"
    assert verified(trail, anchor).broken_at == 3


def test_a_head_of_another_key_is_not_believed(trail: Trail) -> None:
    add(trail, 2)
    pinned = base64.b64encode(bytes(32)).decode()
    found = verified(trail, keys=(pinned,))
    assert not found.ok and "unknown key" in found.what


def test_a_head_that_was_edited_is_not_believed(trail: Trail) -> None:
    add(trail, 2)
    file = trail.seals.folder / f"{trail.ledger.id}.head.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"seq": 1}))
    assert "not signed by its key" in verified(trail).what


def test_a_head_that_lags_is_only_older(trail: Trail) -> None:
    add(trail, 2)
    file = trail.seals.folder / f"{trail.ledger.id}.head.json"
    was = file.read_text()
    add(trail, 2)
    file.write_text(was)
    found = verified(trail)
    assert (found.ok, found.records, found.signed) == (True, 4, 2)


def test_eight_processes_keep_one_chain(trail: Trail, place: str) -> None:
    words = [sys.executable, str(WRITER), place, str(trail.seals.folder), "12"]
    writers = [subprocess.Popen(words) for _ in range(8)]
    assert [writer.wait() for writer in writers] == [0] * 8
    found = verified(trail)
    assert (found.ok, found.records, found.signed) == (True, 96, 96)


def test_a_transaction_that_fails_leaves_nothing(trail: Trail) -> None:
    add(trail)
    with pytest.raises(OSError), trail.writing() as writing:
        writing.append(Record("intent", new_act(), ANN, "deploy", "pay"))
        raise OSError
    assert verified(trail).records == 1


def test_names_that_are_no_unicode_are_recorded(trail: Trail) -> None:
    with trail.writing() as writing:
        writing.append(Record("intent", new_act(), ANN, "deploy", os.fsdecode(b"pay\xff")))
    assert verified(trail).ok


def rows_of(run: Run) -> list[dict[str, Any]]:
    return [dict(row) for row in json.loads(run.out)]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder in which a service was made."""
    monkeypatch.chdir(tmp_path)
    assert idp("create-service", "pay", "--defaults").code == 0
    return tmp_path


def test_what_a_command_did_is_told(made: Path) -> None:
    intent, outcome = rows_of(idp("audit", "log", "--json"))
    assert (intent["kind"], intent["action"]) == ("intent", "create-service")
    assert intent["verdict"] == "allowed"
    assert intent["act"] == outcome["act"] and outcome["outcome"] == "done"
    assert intent["who"].startswith("unverified:") and len(outcome["proof"]) == 40
    assert rows_of(idp("audit", "log", "--action", "undo", "--json")) == []
    assert len(idp("audit", "log", "--csv").out.splitlines()) == 3
    lines = idp("audit", "log", "--jsonl").out.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2]


def test_an_intent_without_outcome_is_told_to_be_open(made: Path) -> None:
    assert rows_of(idp("audit", "log", "--open", "--json")) == []
    ledger = made / "home" / "state" / "idp" / "ledger.db"
    bend(str(ledger), "DELETE FROM audit_record WHERE seq = 2")
    (one,) = rows_of(idp("audit", "log", "--open", "--json"))
    assert (one["seq"], one["outcome"]) == (1, "open")


def test_verify_exits_3_where_it_is_bent(made: Path) -> None:
    ledger = made / "home" / "state" / "idp" / "ledger.db"
    sound = idp("audit", "verify", "--json")
    assert (sound.code, sound.json["ok"], sound.json["records"]) == (0, True, 2)
    kept = made / "checkpoints.jsonl"
    kept.write_text(idp("audit", "export", "--checkpoint").out)
    pinned = ("--anchors", str(kept), "--key", idp("audit", "key").out.strip())
    assert "anchored up to record 2, 0 since" in idp("audit", "verify", *pinned).out
    bend(str(ledger), "DELETE FROM audit_record WHERE seq = 2")
    bent = idp("audit", "verify", "--json")
    assert (bent.code, bent.json["ok"], bent.json["broken_at"]) == (3, False, 2)
    assert "BENT at record 2" in idp("audit", "verify").out


def test_the_export_is_the_bytes_that_were_hashed(made: Path) -> None:
    first, second = idp("audit", "export").out.splitlines()
    assert json.loads(second)["prev"] == rows_of(idp("audit", "log", "--json"))[0]["hash"]
    assert rows_of(idp("audit", "export", "--json")) == [json.loads(first), json.loads(second)]
