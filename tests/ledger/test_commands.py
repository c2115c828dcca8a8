"""`idp ledger`, as somebody types it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from idp.ledger import open_ledger, trail
from idp.ledger.revision import NEWEST

from ..clock import FakeClock
from ..postgres import new_database
from ..service.stories import idp
from .test_revisions import make_older


def test_show_tells_where_it_is_and_how_much_it_holds(home: Path) -> None:
    place = home / "state" / "idp" / "ledger.db"
    run = idp("ledger", "show")
    assert run.code == 0
    first, _, last = run.out.splitlines()
    assert first == f"{place}, of this machine alone"
    assert last == "0 records, 0 budget entries, 0 request events"
    told = json.loads(idp("ledger", "show", "--json", "--fields", "place,records,revision").out)
    assert told == {"place": str(place), "records": 0, "revision": NEWEST}


def test_a_file_needs_no_migration(home: Path) -> None:
    run = idp("ledger", "migrate")
    assert (run.code, f"{home / 'state' / 'idp' / 'ledger.db'} is of this" in run.err) == (0, True)


def test_an_older_file_is_brought_up_to_date_by_what_opens_it(home: Path) -> None:
    place = home / "state" / "idp" / "ledger.db"
    make_older(str(place))
    run = idp("ledger", "show", "--json")
    told = json.loads(run.out)
    assert (told["revision"], told["records"]) == (NEWEST, 1)
    [kept] = place.parent.glob("*.bak")
    assert f"was migrated from 0001; what it was is kept as {kept}" in run.err


@pytest.fixture
def shared(postgres: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty database, which is this platform's ledger."""
    place = new_database(postgres)
    monkeypatch.setenv("IDP_LEDGER", place)
    return place


def test_its_owner_makes_a_shared_one_and_that_is_its_first_record(shared: str) -> None:
    run = idp("ledger", "show")
    assert (run.code, "hint: its owner runs `idp ledger migrate`" in run.err) == (5, True)
    assert idp("ledger", "migrate").code == 2  # nobody can be asked
    run = idp("ledger", "migrate", "--yes")
    assert (run.code, f"is of revision {NEWEST} now" in run.err) == (0, True)
    ledger = open_ledger(shared, FakeClock(), print)
    with ledger.reading() as tx:
        records = [(one.kind, one.action, one.subject) for one in trail.links(tx)]
    ledger.close()
    assert records == [
        ("intent", "ledger-migrate", shared),
        ("outcome", "ledger-migrate", shared),
    ]
    again = idp("ledger", "migrate")
    assert (again.code, f"is of revision {NEWEST} already" in again.err) == (0, True)
    assert json.loads(idp("ledger", "show", "--json").out)["records"] == 2


def test_an_older_shared_one_is_kept_and_the_record_says_where(shared: str) -> None:
    make_older(shared)
    run = idp("ledger", "migrate", "--yes")
    assert (run.code, "was migrated from 0001" in run.err) == (0, True)
    ledger = open_ledger(shared, FakeClock(), print)
    with ledger.reading() as tx:
        *_, outcome = trail.links(tx)
    ledger.close()
    proof = json.loads(outcome.body)["proof"]
    assert proof.startswith("idp_backup_0001_")
    assert proof in run.err


def test_a_policy_may_deny_a_migration(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = 'calm: {severity: deny, when: plan.action != "ledger-migrate", message: not today}'
    (tmp_path / "idp-platform.yaml").write_text(f"version: 1\npolicies: {{rules: {{{rule}}}}}\n")
    monkeypatch.setenv("IDP_PLATFORM", str(tmp_path / "idp-platform.yaml"))
    run = idp("ledger", "migrate", "--yes")
    assert (run.code, "not today" in run.err) == (5, True)
    assert "revision none" in idp("ledger", "show").err


@pytest.mark.parametrize(
    "place",
    [
        "mysql://x:hunter2@db/idp",
        "postgresql://x:hunter2@db:notaport/idp",
        "/",
        "/dev/null/ledger.db",
    ],
)
def test_a_place_that_holds_no_ledger_is_told_without_its_password(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_LEDGER", place)
    for words in (("ledger", "show"), ("ledger", "migrate", "--yes")):
        run = idp(*words)
        assert run.code == 3, run.err
        assert "fault" not in run.err
        assert "hunter2" not in run.err


def test_a_link_to_where_nothing_is_yet_is_no_way_to_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")
    monkeypatch.setenv("IDP_LEDGER", str(tmp_path / "link.db"))
    assert idp("ledger", "show").code == 0
    assert stat.S_IMODE((tmp_path / "real.db").stat().st_mode) == 0o600


def test_grants_prints_sql_for_plain_names_only() -> None:
    run = idp("ledger", "grants", "idp_client", "--schema", "platform")
    assert run.code == 0
    assert "GRANT INSERT ON platform.audit_record, " in run.out
    for name in ("idp_client; DROP TABLE x", '"x"', "", "Pat"):
        assert idp("ledger", "grants", name).code == 2
    assert idp("ledger", "grants", "idp", "--schema", "a b").code == 2
