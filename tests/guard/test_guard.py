"""What the platform asks of a plan is asked before it is touched, and what is done is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from idp.budget import OverBudget
from idp.errors import Refused, RemoteFailed
from idp.guard import AwaitingApproval, Denied
from idp.ledger import Ledger

from ..budget.stories import take
from .stories import World, another_day, plan


@pytest.fixture
def world(ledger: Ledger, tmp_path: Path) -> World:
    """A platform that has just begun."""
    return World(ledger, tmp_path)


def test_what_a_policy_denies_is_not_touched_and_is_recorded_as_refused(world: World) -> None:
    with pytest.raises(Denied, match="nothing is changed on a friday") as caught:
        world.carry_out(plan("friday"))
    assert (caught.value.exit_code, caught.value.hint) == (5, "come back on monday")
    assert world.changed == 0
    assert world.records() == ["refused nothing is changed on a friday github.com:pat"]


def test_a_warning_is_said_and_holds_nobody_up(world: World) -> None:
    assert world.carry_out(plan("thursday")) == "done"
    assert world.said == ["warning: it is nearly friday"]


def test_intent_and_outcome_are_two_records_of_one_act(world: World) -> None:
    world.carry_out(plan(euros="30"))
    intent, outcome = world.bodies()
    assert world.records() == ["intent  github.com:pat", "outcome done github.com:pat"]
    assert intent["act"] == outcome["act"]
    assert intent["plan"] == outcome["plan"] == plan(euros="30").digest
    assert (intent["cost"], outcome["proof"]) == ("30.00 EUR", "DONE")
    assert world.committed() == 30


def test_the_intent_is_there_before_the_act(world: World) -> None:
    seen: list[str] = []
    world.during(lambda: seen.extend(world.records())).carry_out(plan())
    assert seen == ["intent  github.com:pat"]


def test_a_plan_for_this_machine_asks_no_server_who_it_is(world: World) -> None:
    world.carry_out(plan(risk="local"))
    with pytest.raises(Denied):
        world.carry_out(plan("friday", risk="local"))
    assert world.asked_who == 0
    assert all("unverified:" in one for one in world.records())


def test_what_costs_too_much_waits_until_somebody_else_has_approved_it(world: World) -> None:
    wanted = plan(euros="60")
    with pytest.raises(AwaitingApproval, match="needs approval") as caught:
        world.carry_out(wanted)
    (request,) = world.desk.list()
    assert caught.value.exit_code == 5
    assert f"idp request approve {request.id}" in caught.value.hint
    assert (world.changed, request.digest) == (0, wanted.digest)
    assert world.committed() == 0
    assert world.records() == [f"note request {request.id} github.com:pat"]
    with pytest.raises(AwaitingApproval):
        world.carry_out(wanted)
    assert len(world.desk.list()) == 1

    world.approve(request)
    assert world.carry_out(wanted) == "done"
    assert world.desk.get(request.id).state == "fulfilled"
    assert world.committed() == 60
    intent = next(one for one in world.bodies() if one["kind"] == "intent")
    assert intent["verdict"]["request"] == request.id


def test_an_approval_is_of_one_plan_and_serves_once(world: World) -> None:
    wanted = plan(euros="60")
    with pytest.raises(AwaitingApproval):
        world.carry_out(wanted)
    world.approve(world.desk.list()[0])
    with pytest.raises(AwaitingApproval):
        world.carry_out(another_day(wanted))
    assert world.changed == 0
    world.carry_out(wanted)
    with pytest.raises(AwaitingApproval):
        world.carry_out(wanted)
    assert world.changed == 1


def test_an_approved_plan_that_fails_is_still_approved(world: World) -> None:
    wanted = plan(euros="60")
    with pytest.raises(AwaitingApproval):
        world.carry_out(wanted)
    world.approve(world.desk.list()[0])
    world.broken = RemoteFailed("the cluster is gone")
    with pytest.raises(RemoteFailed):
        world.carry_out(wanted)
    world.broken = None
    assert world.carry_out(wanted) == "done"


def test_the_cost_is_reserved_while_it_is_carried_out(world: World) -> None:
    seen = []
    world.during(lambda: seen.append(world.committed())).carry_out(plan(euros="30"))
    assert seen == [30]


@pytest.mark.parametrize(
    ("error", "recorded", "why"),
    [
        (RemoteFailed("the cluster is gone"), "failed", "the cluster is gone"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt"),
        (ValueError("a secret: hunter2"), "failed", "ValueError"),
    ],
)
def test_what_failed_gives_back_what_it_reserved(
    world: World, error: BaseException, recorded: str, why: str
) -> None:
    world.broken = error
    with pytest.raises(type(error)):
        world.carry_out(plan(euros="30"))
    assert world.committed() == 0
    assert world.records()[1:] == [f"outcome {recorded} github.com:pat"]
    assert world.bodies()[1]["details"] == {"error": why}


def test_what_the_budget_does_not_hold_is_neither_begun_nor_recorded_as_begun(
    world: World,
) -> None:
    take(world.ledger, "env:other", "90")
    with pytest.raises(OverBudget, match=r"env:pay-1 would add 20\.00 EUR"):
        world.carry_out(plan(euros="20"))
    assert (world.changed, world.records()) == (0, [])
    assert world.committed() == 90


def test_done_and_not_recorded_is_said(world: World) -> None:
    def break_the_ledger() -> None:
        broken.trail_fails = RemoteFailed("the ledger is gone")

    broken = world.during(break_the_ledger)
    assert broken.carry_out(plan()) == "done"
    assert broken.said == ["warning: done, and not recorded: the ledger is gone"]
    assert world.records() == ["intent  github.com:pat"]


def test_failed_and_not_recorded_is_said_and_the_failure_goes_up(world: World) -> None:
    def break_all() -> None:
        broken.trail_fails = RemoteFailed("the ledger is gone")
        broken.broken = RemoteFailed("the cluster is gone")

    broken = world.during(break_all)
    with pytest.raises(RemoteFailed, match="the cluster is gone"):
        broken.carry_out(plan())
    assert broken.said == ["warning: not recorded: the ledger is gone"]


def test_ci_holds_no_budget_in_a_ledger_of_its_own(world: World) -> None:
    world.in_ci = True
    if world.ledger.is_shared:
        assert world.carry_out(plan(euros="20")) == "done"
        return
    for go in (world.carry_out, world.road().rehearse):
        with pytest.raises(Refused, match="seen by this machine alone"):
            go(plan(euros="20"))
    assert world.changed == 0


def test_what_makes_the_ledger_is_recorded_once_it_is_there(world: World) -> None:
    seen: list[str] = []
    made = world.during(lambda: seen.extend(world.records()))
    made.carry_out(plan(), late=True)
    assert (seen, made.changed) == ([], 1)
    assert world.records() == ["intent  github.com:pat", "outcome done github.com:pat"]
    with pytest.raises(Denied):
        made.carry_out(plan("friday"), late=True)
    assert made.changed == 1


# A dry run.


@pytest.mark.parametrize("euros", ["", "50"])
def test_what_would_pass_is_rehearsed_in_silence(world: World, euros: str) -> None:
    world.road().rehearse(plan(euros=euros))
    assert (world.said, world.records()) == ([], [])
    assert world.committed() == 0


def test_a_rehearsal_tells_what_would_be_denied_and_records_nothing(world: World) -> None:
    with pytest.raises(Denied, match="friday"):
        world.road().rehearse(plan("friday"))
    assert world.records() == []


def test_a_rehearsal_tells_that_the_real_run_opens_a_request(world: World) -> None:
    with pytest.raises(AwaitingApproval, match="needs approval") as caught:
        world.road().rehearse(plan(euros="60"))
    assert caught.value.exit_code == 5
    assert caught.value.hint.endswith("; the real run opens a request")
    assert (world.desk.list(), world.records()) == ((), [])


def test_a_rehearsal_knows_what_is_approved(world: World) -> None:
    wanted = plan(euros="60")
    with pytest.raises(AwaitingApproval):
        world.carry_out(wanted)
    world.approve(world.desk.list()[0])
    world.road().rehearse(wanted)
    assert world.desk.list()[0].state == "approved"


def test_a_rehearsal_tells_what_the_budget_would_not_hold(world: World) -> None:
    world.carry_out(plan(euros="45"))
    more = plan(euros="40")
    world.road().rehearse(replace(more, facts=replace(more.facts, holds="env:pay-2")))
    assert world.said == [
        "warning: pay has 85.00 EUR a month committed of 100.00 EUR, "
        "over the soft line of 80.00 EUR"
    ]
    world.carry_out(replace(more, facts=replace(more.facts, holds="env:pay-2")))
    with pytest.raises(OverBudget, match=r"has 15\.00 EUR left"):
        world.road().rehearse(replace(more, facts=replace(more.facts, holds="env:pay-3")))
    assert world.committed() == 85
