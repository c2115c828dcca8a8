"""idp request, as people and the platform's CI run it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from idp.clock import SystemClock
from idp.config.guardrails import RequestSettings
from idp.identity import Identity
from idp.ledger import open_ledger
from idp.request.base import Request
from idp.request.desk import LedgerDesk

from ..forge.conftest import forge as forge
from ..forge.conftest import forge_keys as forge_keys
from ..forge.standin import StandIn
from ..service.stories import Run, idp
from .stories import asked, plan


@dataclass(frozen=True)
class People:
    """Those who share a ledger on this machine, each logged in to the forge in their turn."""

    forge: StandIn
    desk: LedgerDesk

    def run(self, login: str, *words: str) -> Run:
        self.forge.login = login
        return idp("request", *words)

    def opened(self, subject: str = "pay/production/db") -> Request:
        """Have pat ask for something that pat carries out."""
        who = Identity(f"{self.forge.host}:pat", "forge")
        return self.desk.open(asked(plan(subject), who))

    def state(self, request: Request) -> str:
        return self.desk.get(request.id).state


@pytest.fixture
def people(forge: StandIn, home: Path) -> Iterator[People]:
    ledger = open_ledger(str(home / "state" / "idp" / "ledger.db"), SystemClock(), print)
    yield People(forge, LedgerDesk(ledger, RequestSettings(), SystemClock()))
    ledger.close()


def test_another_person_approves_and_is_told_what_that_is_worth(people: People) -> None:
    request = people.opened()
    run = people.run("ada", "approve", request.id[:9], "--yes", "--why", "seen")
    assert run.code == 0, run.everything
    assert run.out.startswith(f"{request.id} approved: secret request pay/production/db")
    assert "enforces nothing" in run.err
    [decision] = people.desk.get(request.id).decisions
    assert (decision.who, decision.why) == (f"{people.forge.host}:ada", "seen")


def test_one_s_own_is_refused_with_what_to_do(people: People) -> None:
    request = people.opened()
    run = people.run("PAT", "approve", request.id, "--yes")
    assert run.code == 5
    assert "your own" in run.err and f"idp request cancel {request.id}" in run.err
    assert people.state(request) == "pending"
    assert people.run("pat", "cancel", request.id, "--yes").code == 0
    assert people.state(request) == "cancelled"


def test_who_is_logged_in_nowhere_decides_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    request = people.opened()
    run = people.run("ada", "approve", request.id, "--yes")
    assert run.code == 4 and "idp auth login" in run.err
    assert people.state(request) == "pending"


def test_a_person_is_asked_before_deciding(people: People) -> None:
    request = people.opened()
    run = people.run("ada", "refuse", request.id)
    assert run.code == 2 and "--yes" in run.err
    assert "the new database" in run.err, "what is decided is shown"
    assert people.state(request) == "pending"


def test_open_requests_are_listed_and_shown(people: People) -> None:
    request, other = people.opened(), people.opened("another")
    people.run("ada", "refuse", other.id, "--yes", "--why", "staging first")
    listed = people.run("ada", "list", "--json", "--fields", "id,state")
    assert json.loads(listed.out) == [{"id": request.id, "state": "pending"}]
    every = people.run("ada", "list", "--all", "--json", "--fields", "state")
    assert sorted(row["state"] for row in json.loads(every.out)) == ["pending", "refused"]
    refused = people.run("ada", "list", "--state", "refused", "--json", "--fields", "id")
    assert json.loads(refused.out) == [{"id": other.id}]
    shown = people.run("ada", "show", other.id)
    assert shown.code == 0 and "staging first" in shown.out and other.digest in shown.out


def test_one_that_there_is_not_is_told(people: People) -> None:
    run = people.run("ada", "show", "req-none")
    assert run.code == 3 and "no request req-none" in run.err


def test_what_its_requester_carries_out_is_not_carried_out_for_them(people: People) -> None:
    request = people.opened()
    assert people.run("ada", "approve", request.id, "--yes").code == 0
    run = people.run("ada", "fulfil", request.id, "--yes")
    assert run.code == 3 and "carried out by who asked" in run.err
    assert people.run("ada", "fulfil").code == 0
    assert people.state(request) == "approved"
