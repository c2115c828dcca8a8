"""`idp secret` as a person calls it: alone on a machine, and with Vault and a second person."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from idp.clock import SystemClock
from idp.config.guardrails import RequestSettings
from idp.identity import Identity
from idp.ledger import open_ledger
from idp.request.base import Decision
from idp.request.desk import LedgerDesk
from tests.secret.stories import CANARY, PATH, Story
from tests.service.stories import idp

ONE = ("db", "--service", "pay", "--env", "production")
WHY = ("--why", "the database moved")
BOB = Identity("github.com:bob", "forge")


def given(monkeypatch: pytest.MonkeyPatch, value: str = CANARY) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{value}\n"))


@pytest.fixture
def vault(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A platform whose secrets are in Vault, on which this person has all rights."""
    platform = tmp_path / "idp-platform.yaml"
    secrets = {"backend": "vault", "url": story.bao.url, "mount": story.mount}
    platform.write_text(json.dumps({"version": 1, "secrets": secrets}))
    monkeypatch.setenv("IDP_PLATFORM", str(platform))
    monkeypatch.setenv("VAULT_TOKEN", story.bao.root)
    return story


def approve(home: Path) -> str:
    clock = SystemClock()
    ledger = open_ledger(str(home / "state" / "idp" / "ledger.db"), clock, print)
    desk = LedgerDesk(ledger, RequestSettings(), clock)
    newest = desk.list()[0]
    desk.decide(newest.id, Decision(BOB.id, "approved", None, newest.digest), BOB)
    return newest.id


def test_on_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch)
    done = idp("secret", "request", *ONE, *WHY, "--stdin", "--json")
    assert (done.code, done.json["status"], done.json["enforced"]) == (0, "written", False)
    assert "nothing is enforced" in done.err and CANARY not in done.everything
    again = idp("secret", "request", *ONE, *WHY, "--stdin", "--json")
    assert (again.code, again.json["status"]) == (0, "there")
    shown = idp("secret", "show", *ONE, "--json")
    assert shown.json["keys"] == ["value"] and CANARY not in shown.everything
    listed = idp("secret", "list", "--service", "pay", "--json")
    assert [one["path"] for one in json.loads(listed.out)] == [PATH]
    given(monkeypatch, "another")
    assert idp("secret", "rotate", *ONE, *WHY, "--stdin", "--json").json["version"] == 2
    gone = idp("--yes", "secret", "revoke", *ONE, *WHY, "--json")
    assert (gone.code, gone.json["status"]) == (0, "revoked")
    assert idp("secret", "show", *ONE).code == 3


def test_with_vault_and_a_second_person(
    vault: Story, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = idp("--yes", "secret", "request", *ONE, *WHY, "--stdin")
    assert asked.code == 5 and "awaits approval" in asked.err
    pending = idp("--yes", "secret", "request", *ONE, *WHY, "--stdin")
    assert pending.code == 5 and "idp request approve req-" in pending.err
    id = approve(home)
    approved = idp("--yes", "secret", "request", *ONE, *WHY, "--stdin")
    assert approved.code == 5 and f"idp request fulfil {id}" in approved.err
    done = idp("--yes", "request", "fulfil", id)
    assert done.code == 0, done.err
    given(monkeypatch)
    written = idp("secret", "request", *ONE, *WHY, "--stdin", "--json")
    assert (written.code, written.json["version"]) == (0, 1), written.err
    assert vault.data()["data"] == {"value": CANARY}
    assert CANARY not in done.everything + written.everything
    kept = [path for path in home.rglob("*") if path.is_file()]
    assert [path for path in kept if CANARY.encode() in path.read_bytes()] == []


def test_a_dry_run_asks_for_nothing(vault: Story, home: Path) -> None:
    done = idp("secret", "request", *ONE, *WHY, "--dry-run", "--json")
    assert (done.code, done.json["status"]) == (0, "planned"), done.err
    assert not (home / "state" / "idp" / "handover").exists()


def test_nobody_is_there_to_type_a_value() -> None:
    done = idp("--no-input", "secret", "request", *ONE, *WHY)
    assert done.code == 2 and "--stdin reads it, --generate makes one" in done.err


def test_an_empty_value_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, "")
    done = idp("secret", "request", *ONE, *WHY, "--stdin")
    assert done.code == 2 and "is empty" in done.err
    assert idp("secret", "show", *ONE).code == 3


@pytest.mark.parametrize("name", ["../x", "a/b", "", "x" * 65])
def test_what_is_no_name(name: str) -> None:
    done = idp("secret", "show", "--service", "pay", "--env", "dev", "--", name)
    assert done.code == 3 and "is no name of a secret" in done.err
