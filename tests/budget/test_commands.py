"""`idp budget show` and `idp budget release`, as somebody types them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.ledger import Ledger, entries, open_ledger, trail
from idp.ledger.records import Link

from ..clock import FakeClock
from ..service.stories import idp
from .stories import NOW, take

PLATFORM = """\
version: 1
costs:
  rates: {currency: EUR, source: price list, date: 2026-11-01, flat: {euro: 1}}
  budgets:
    pay: {soft: 80, hard: 100}
    web: {hard: "50.50"}
"""


@pytest.fixture
def kept(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Give this machine's ledger, on a platform with budgets."""
    (tmp_path / "idp-platform.yaml").write_text(PLATFORM)
    monkeypatch.setenv("IDP_PLATFORM", str(tmp_path / "idp-platform.yaml"))
    return open_ledger(str(home / "state" / "idp" / "ledger.db"), FakeClock(), print)


def test_all_teams_are_listed_with_what_is_left(kept: Ledger) -> None:
    take(kept, "env:pay-1", "85")
    take(kept, "env:ops", "5", team="ops")
    run = idp("budget", "show", "--json", "--fields", "team,soft,hard,committed,left,over_soft")
    assert run.code == 0
    assert json.loads(run.out) == [
        {"team": "ops", "soft": None, "hard": None, "committed": "5.00", "left": None,
         "over_soft": False},
        {"team": "pay", "soft": "80", "hard": "100", "committed": "85.00", "left": "15.00",
         "over_soft": True},
        {"team": "web", "soft": None, "hard": "50.50", "committed": "0", "left": "50.50",
         "over_soft": False},
    ]  # fmt: skip
    assert "by the rate card of 2026-11-01" in run.err


def test_a_team_is_shown_with_what_holds_it_since_when_and_why(kept: Ledger) -> None:
    take(kept, "env:pay-1", "30", act="one", at=NOW - timedelta(days=2))
    take(kept, "env:pay-1", "45.5", act="two")
    take(kept, "env:pay-2", "4")
    run = idp("budget", "show", "group:default/pay")
    assert run.code == 0
    lines = run.out.splitlines()
    assert lines[0].startswith("pay, 20")
    assert lines[1:] == [
        "  soft               80.00 EUR",
        "  hard              100.00 EUR",
        "  committed          49.50 EUR",
        "  left               50.50 EUR",
        "held by",
        "  env:pay-1          45.50 EUR  since 2026-11-21 09:00 UTC: a try",
        "  env:pay-2           4.00 EUR  since 2026-11-23 09:00 UTC: a try",
    ]
    held = json.loads(idp("budget", "show", "pay", "--json").out)["holds"]
    assert [(one["key"], one["amount"], one["act"]) for one in held] == [
        ("env:pay-1", "45.50", "two"),
        ("env:pay-2", "4.00", "act-env:pay-2"),
    ]


def test_it_is_told_by_whom_as_the_audit_trail_has_it(kept: Ledger) -> None:
    take(kept, "env:pay-1", "30", act="one")
    intent = ("0" * 64, "one", "intent", NOW, "github.com:octocat", "create", "pay", "pay", b"{}")
    with kept.writing() as tx:
        trail.append(tx, Link(1, *intent))
    assert " by github.com:octocat: a try" in idp("budget", "show", "pay").out
    (held,) = json.loads(idp("budget", "show", "pay", "--json").out)["holds"]
    assert held["who"] == "github.com:octocat"


def test_a_past_month_is_shown_as_it_ended(kept: Ledger) -> None:
    take(kept, "env:old", "30", at=datetime(2025, 1, 31, tzinfo=UTC))
    take(kept, "env:new", "40", at=datetime(2025, 2, 1, tzinfo=UTC))
    told = json.loads(idp("budget", "show", "pay", "--month", "2025-01", "--json").out)
    assert (told["month"], told["committed"]) == ("2025-01", "30.00")
    assert [one["key"] for one in told["holds"]] == ["env:old"]
    december = idp("budget", "show", "pay", "--month", "2024-12")
    assert december.out.endswith("nothing is reserved\n")


def test_what_is_off_is_told(kept: Ledger) -> None:
    for month in ("11/2026", "2026-13", "0000-12", "9999-12"):
        wrong = idp("budget", "show", "--month", month)
        assert (wrong.code, "hint: like 2026-11" in wrong.err) == (3, True)
    unknown = idp("budget", "show", "pai")
    assert (unknown.code, "did you mean 'pay'?" in unknown.err) == (3, True)
    assert idp("budget", "show", "").code == 2
    assert idp("budget", "show", "--fields", "tem").code == 2


def test_without_a_rate_card_it_is_said_that_nothing_is_reserved(
    kept: Ledger, tmp_path: Path
) -> None:
    (tmp_path / "idp-platform.yaml").write_text("version: 1\n")
    run = idp("budget", "show", "--json")
    assert (run.code, json.loads(run.out)) == (0, [])
    assert "the platform has no rate card" in run.err


def test_what_is_left_behind_is_given_back_through_the_road(kept: Ledger) -> None:
    take(kept, "env:pay-1", "60")
    rehearsed = idp("budget", "release", "env:pay-1", "--why", "it is gone", "--dry-run")
    assert rehearsed.code == 0
    assert rehearsed.out == "would be given back to pay: 60.00 EUR a month, held by env:pay-1\n"
    assert json.loads(idp("budget", "show", "pay", "--json").out)["committed"] == "60.00"

    run = idp("budget", "release", "env:pay-1", "--why", "it is gone")
    assert (run.code, run.out) == (
        0,
        "given back to pay: 60.00 EUR a month, held by env:pay-1\n",
    )
    assert json.loads(idp("budget", "show", "pay", "--json").out)["holds"] == []
    with kept.reading() as tx:
        told = list(trail.links(tx, action="budget-release", subject="env:pay-1"))
        entered = [(str(one.amount), one.act) for one in entries.entries(tx, key="env:pay-1")]
    assert [one.kind for one in told] == ["intent", "outcome"]
    assert entered == [("60.00", "act-env:pay-1"), ("-60.00", told[0].act)]


def test_a_key_that_holds_nothing_is_not_released(kept: Ledger) -> None:
    take(kept, "env:pay-1", "60")
    run = idp("budget", "release", "env:pay-2", "--why", "it is gone")
    assert run.code == 3
    assert "'env:pay-2' holds nothing of a budget" in run.err
    assert "did you mean 'env:pay-1'?" in run.err
    assert idp("budget", "release", "env:pay-1", "--why", "").code == 2
