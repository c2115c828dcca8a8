"""Requests in the ledger: who may decide what, and when it is void. Told on both databases."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from idp.config.guardrails import RequestSettings
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused
from idp.identity import Identity
from idp.ledger import events, open_ledger
from idp.ledger.records import Event, EventKind
from idp.request.base import HANDOVER_KEY, Fulfilment, Request
from idp.request.desk import LedgerDesk

from ..clock import FakeClock
from .stories import ADA, GRACE, NOBODY, PAT, approve, asked, decided, plan

WEEK = timedelta(days=7)
DONE = Fulfilment("fulfilled", "made pay/production/db")


def test_a_request_waits_until_another_person_approves_it(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    assert (request.state, request.requester, request.local) == ("pending", PAT.id, True)
    assert desk.approved(request.digest) is None
    approve(desk, request)
    found = desk.approved(request.digest)
    assert found and found.id == request.id
    assert [(one.who, one.verdict) for one in found.decisions] == [(ADA.id, "approved")]


def test_what_was_asked_for_is_kept_whole(desk: LedgerDesk) -> None:
    wanted = plan("pay/staging/café", note="one\ntwo")
    request = desk.get(desk.open(asked(wanted, why="für später")).id)
    assert request.digest == wanted.digest
    assert request.plan == json.loads(wanted.canonical)
    assert (request.action, request.subject) == (wanted.action, wanted.subject)
    assert request.why == "für später"


def test_the_same_plan_is_asked_for_once(desk: LedgerDesk) -> None:
    first = desk.open(asked(plan()))
    assert desk.open(asked(plan())).id == first.id
    approve(desk, first)
    assert desk.open(asked(plan(), GRACE)).id == first.id
    assert desk.open(asked(plan("another"))).id != first.id
    assert len(desk.list()) == 2


def test_a_plan_is_asked_for_anew_once_its_request_is_over(
    desk: LedgerDesk, clock: FakeClock
) -> None:
    first = desk.open(asked(plan()))
    desk.cancel(first.id, PAT)
    clock.sleep(1)
    second = desk.open(asked(plan()))
    assert second.id != first.id and second.state == "pending"
    assert [one.id for one in desk.list()] == [second.id, first.id]


@pytest.mark.parametrize(
    "who",
    [
        PAT,
        Identity("GitHub.com:PAT", "forge"),
        Identity("https://token.actions.githubusercontent.com#x", "oidc", {"actor": "Pat"}),
        Identity("https://gitlab.example.com#project", "oidc", {"user_login": "pat"}),
    ],
    ids=["itself", "in capitals", "from a job", "from a pipeline"],
)
def test_nobody_approves_what_they_asked_for_by_whatever_name(
    desk: LedgerDesk, who: Identity
) -> None:
    request = desk.open(asked(plan()))
    with pytest.raises(Refused, match="your own"):
        approve(desk, request, who)
    assert desk.get(request.id).state == "pending"


def test_a_job_s_request_is_not_approved_by_who_started_the_job(desk: LedgerDesk) -> None:
    job = Identity("https://token.actions.githubusercontent.com#x", "oidc", {"actor": "ada"})
    request = desk.open(asked(plan(), job))
    with pytest.raises(Refused, match="your own"):
        approve(desk, request, ADA)
    assert approve(desk, request, GRACE).state == "approved"


def test_somebody_of_whom_only_this_machine_knows_decides_nothing(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    for verdict in ("approved", "refused"):
        with pytest.raises(NotAllowed, match="nobody but this machine") as caught:
            desk.decide(request.id, decided(request, verdict), NOBODY)
        assert caught.value.hint == "idp auth login"
    assert desk.get(request.id).state == "pending"


@pytest.mark.parametrize("again", [ADA, Identity("github.com:Ada", "forge")])
def test_nobody_approves_twice(desk: LedgerDesk, again: Identity) -> None:
    request = desk.open(asked(plan()))
    approve(desk, request, ADA)
    with pytest.raises(Refused, match="already"):
        approve(desk, request, again)
    assert len(desk.get(request.id).decisions) == 1


def test_who_approved_may_still_refuse(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    approve(desk, request)
    refused = desk.decide(request.id, decided(request, "refused", "too broad"), ADA)
    assert refused.state == "refused" and refused.decisions[0].why == "too broad"
    assert desk.approved(request.digest) is None
    with pytest.raises(Refused, match="nothing is left to decide"):
        approve(desk, request, GRACE)


def test_a_decision_on_another_plan_is_none(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    other = replace(decided(request), digest=plan("another").digest)
    with pytest.raises(Refused, match="not what you looked at"):
        desk.decide(request.id, other, ADA)


def test_approved_is_this_very_plan_and_no_other(desk: LedgerDesk) -> None:
    approve(desk, desk.open(asked(plan(size="1"))))
    assert desk.approved(plan(size="1").digest)
    assert desk.approved(plan(size="2").digest) is None


def test_a_digest_that_is_not_the_plan_s_opens_nothing(desk: LedgerDesk) -> None:
    with pytest.raises(InvalidInput, match="digest"):
        desk.open(replace(asked(plan()), digest=plan("another").digest))
    assert desk.list() == ()


@pytest.mark.parametrize("is_approved", [False, True])
def test_a_request_is_void_after_its_days(
    desk: LedgerDesk, clock: FakeClock, is_approved: bool
) -> None:
    request = desk.open(asked(plan()))
    if is_approved:
        approve(desk, request)
    clock.time += WEEK - timedelta(seconds=1)
    assert desk.get(request.id).state == ("approved" if is_approved else "pending")
    clock.time += timedelta(seconds=1)
    assert desk.get(request.id).state == "expired"
    assert desk.approved(request.digest) is None
    with pytest.raises(Refused, match="expired"):
        approve(desk, request, GRACE)
    with pytest.raises(Refused, match="expired"):
        desk.close(request.id, DONE, PAT)


def test_only_who_asked_takes_it_back(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    with pytest.raises(Refused, match="not yours"):
        desk.cancel(request.id, ADA)
    approve(desk, request)
    assert desk.cancel(request.id, PAT).state == "cancelled"
    assert desk.approved(request.digest) is None


def test_closed_once_is_closed(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    with pytest.raises(Refused, match="pending, and not approved"):
        desk.close(request.id, DONE, ADA)
    approve(desk, request)
    assert desk.close(request.id, DONE, ADA).state == "fulfilled"
    again = desk.close(request.id, Fulfilment("failed", "too late"), ADA)
    assert (again.state, again.outcome) == ("fulfilled", DONE.outcome)
    assert desk.approved(request.digest) is None


def test_one_that_failed_can_be_run_again(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    approve(desk, request)
    failed = desk.close(request.id, Fulfilment("failed", "the vault is sealed"), ADA)
    assert (failed.state, failed.outcome) == ("failed", "the vault is sealed")
    found = desk.approved(request.digest)
    assert found and found.id == request.id
    assert desk.close(request.id, DONE, ADA).state == "fulfilled"


def test_what_is_still_to_be_handed_over_keeps_a_request_open(
    desk: LedgerDesk, clock: FakeClock
) -> None:
    request = desk.open(asked(plan(**{HANDOVER_KEY: "a key"})))
    approve(desk, request)
    begun = desk.close(request.id, DONE, ADA)
    assert (begun.state, begun.begun) == ("approved", True)
    clock.time += WEEK
    assert desk.approved(request.digest), "what was begun does not expire"
    with pytest.raises(Refused, match="being carried out"):
        desk.cancel(request.id, PAT)
    done = desk.close(request.id, replace(DONE, handover="sealed"), ADA)
    assert (done.state, done.handover) == ("fulfilled", "sealed")


def test_a_request_is_found_by_the_beginning_of_its_id(desk: LedgerDesk) -> None:
    request, other = desk.open(asked(plan())), desk.open(asked(plan("another")))
    assert desk.get(request.id[:9]).id == request.id
    assert desk.get(request.id.removeprefix("req-")).id == request.id
    with pytest.raises(NotFound, match=rf"{min(request.id, other.id)}"):
        desk.get("req-")
    with pytest.raises(NotFound, match="no request nothing"):
        desk.get("nothing")


def forged(desk: LedgerDesk, request: Request, kind: EventKind, who: str, **body: object) -> None:
    """Write an event past the desk, as who may insert into the database could."""
    with desk.ledger.writing() as tx:
        step = len(events.events(tx, request.id)) + 1
        raw = json.dumps(body).encode()
        events.add(tx, Event(request.id, step, kind, desk.clock.now(), who, raw))


def test_events_that_may_not_be_change_nothing(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    own, other = ["github.com:pat", "login:pat"], ["github.com:ada", "login:ada"]
    forged(desk, request, "approved", PAT.id, digest=request.digest, names=own)
    forged(desk, request, "approved", ADA.id, digest="0" * 64, names=other)
    forged(desk, request, "approved", "unverified:0@x", digest=request.digest,
           names=["unverified:0@x"])  # fmt: skip
    forged(desk, request, "approved", "", digest=request.digest, names=[])
    forged(desk, request, "fulfilled", ADA.id, outcome="", handover="")
    assert desk.get(request.id).state == "pending"
    assert desk.approved(request.digest) is None


def test_a_changed_plan_is_told_and_approves_nothing(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))
    with desk.ledger.reading() as tx:
        paper = json.loads(events.events(tx, request.id)[0].body)
    paper["id"], paper["plan"]["subject"] = f"{request.id}x", "everything"
    with desk.ledger.writing() as tx:
        raw = json.dumps(paper).encode()
        events.add(tx, Event(paper["id"], 1, "opened", desk.clock.now(), PAT.id, raw))
    with pytest.raises(InvalidInput, match="changed since it was asked for"):
        desk.get(f"{request.id}x")
    assert [one.id for one in desk.list()] == [request.id]


def test_two_who_decide_at_once_both_count_and_a_refusal_wins(desk: LedgerDesk) -> None:
    request = desk.open(asked(plan()))

    def decide(what: tuple[Identity, str]) -> str:
        who, verdict = what
        try:
            return desk.decide(
                request.id,
                decided(request, "approved" if verdict == "approved" else "refused"),
                who,
            ).state
        except Refused as error:
            return error.message

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(decide, [(ADA, "approved"), (GRACE, "refused")]))
    assert desk.get(request.id).state == "refused"


def _approve_in_a_process(place: str, id: str, digest: str, login: str) -> str:
    clock = FakeClock()
    ledger = open_ledger(place, clock, print)
    desk = LedgerDesk(ledger, RequestSettings(), clock)
    request = desk.get(id)
    try:
        approve(desk, request, Identity(f"github.com:{login}", "forge"))
        return "approved"
    except Refused as error:
        return error.message
    finally:
        ledger.close()


def test_approvers_in_processes_at_once_leave_one_decision_each(
    desk: LedgerDesk, place: str
) -> None:
    request = desk.open(asked(plan()))
    logins = ["ada", "grace", "ADA", "Grace", "ada", "pat"]
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        said = pool.starmap(
            _approve_in_a_process,
            [(place, request.id, request.digest, login) for login in logins],
        )
    found = desk.get(request.id)
    assert said.count("approved") == 2
    assert sorted(one.who.lower() for one in found.decisions) == [ADA.id, GRACE.id]
    assert found.state == "approved"


def test_two_who_ask_at_once_for_the_same_open_one_request(desk: LedgerDesk) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: desk.open(asked(plan())).id, range(8)))
    assert len(set(opened)) == 1 and len(desk.list()) == 1
