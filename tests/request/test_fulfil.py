"""Carrying out what was approved: once, again after a kill, and only where it may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from idp.config.guardrails import RequestSettings
from idp.errors import Interrupted, InvalidInput, Refused, RemoteFailed
from idp.request.base import Fulfilment, Request
from idp.request.desk import LedgerDesk
from idp.request.fulfil import check_place, fulfil, waiting

from .stories import ADA, PAT, approve, asked, plan


class Killed(BaseException):
    """The process is gone: nothing of ours runs any more."""


@dataclass
class Vault:
    """Somewhere outside, in which carrying out leaves its mark; doing it again changes nothing."""

    made: set[str] = field(default_factory=set)
    acts: int = 0
    breaks: list[BaseException] = field(default_factory=list)

    def carry(self, request: Request) -> Fulfilment:
        self.acts += request.subject not in self.made
        self.made.add(request.subject)
        if self.breaks:
            raise self.breaks.pop()
        return Fulfilment("fulfilled", f"made {request.subject}")


@pytest.fixture
def vault() -> Vault:
    return Vault()


def run(desk: LedgerDesk, request: Request, vault: Vault) -> Request:
    return fulfil(desk, request.id, {"secret request": vault.carry}, ADA)


def test_what_was_approved_is_carried_out_once(desk: LedgerDesk, vault: Vault) -> None:
    request = approve(desk, desk.open(asked(plan())))
    assert [one.id for one in waiting(desk, {"secret request": vault.carry})] == [request.id]
    done = run(desk, request, vault)
    assert (done.state, done.outcome) == ("fulfilled", "made pay/production/db")
    assert run(desk, request, vault) == done
    assert vault.acts == 1
    assert waiting(desk, {"secret request": vault.carry}) == ()


def test_what_was_not_approved_is_not_carried_out(desk: LedgerDesk, vault: Vault) -> None:
    pending = desk.open(asked(plan()))
    cancelled = desk.open(asked(plan("another")))
    desk.cancel(cancelled.id, PAT)
    for request, state in ((pending, "pending"), (cancelled, "cancelled")):
        with pytest.raises(Refused, match=f"is {state}, and not approved"):
            run(desk, request, vault)
    assert vault.made == set()


def test_killed_between_the_act_and_its_record_it_is_finished_by_the_next_run(
    desk: LedgerDesk, vault: Vault
) -> None:
    request = approve(desk, desk.open(asked(plan())))
    vault.breaks = [Killed()]
    with pytest.raises(Killed):
        run(desk, request, vault)
    assert desk.get(request.id).state == "approved"
    assert run(desk, request, vault).state == "fulfilled"
    assert vault.acts == 1


def test_what_failed_says_why_and_can_be_run_again(desk: LedgerDesk, vault: Vault) -> None:
    request = approve(desk, desk.open(asked(plan())))
    vault.breaks = [RemoteFailed("the vault is sealed")]
    with pytest.raises(RemoteFailed, match="sealed"):
        run(desk, request, vault)
    failed = desk.get(request.id)
    assert (failed.state, failed.outcome) == ("failed", "the vault is sealed")
    assert run(desk, request, vault).state == "fulfilled"


def test_a_person_who_says_no_has_not_made_it_fail(desk: LedgerDesk, vault: Vault) -> None:
    request = approve(desk, desk.open(asked(plan())))
    vault.breaks = [Interrupted("nothing was changed")]
    with pytest.raises(Interrupted):
        run(desk, request, vault)
    assert desk.get(request.id).state == "approved"


def test_what_its_requester_carries_out_is_said_to_be_theirs(desk: LedgerDesk) -> None:
    request = approve(desk, desk.open(asked(plan())))
    with pytest.raises(InvalidInput, match="carried out by who asked") as caught:
        fulfil(desk, request.id, {}, ADA)
    assert "again" in caught.value.hint
    assert desk.get(request.id).state == "approved"


GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "Acme/platform",
    "GITHUB_REF_PROTECTED": "true",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_COMMIT_BRANCH": "main",
    "CI_PROJECT_PATH": "acme/platform",
    "CI_COMMIT_REF_PROTECTED": "true",
}
SETTINGS = RequestSettings("acme/platform")


@pytest.mark.parametrize("environ", [GITHUB, GITLAB, {}], ids=["GitHub", "GitLab", "no CI"])
def test_the_protected_branch_s_own_ci_may(environ: Mapping[str, str]) -> None:
    check_place(environ, SETTINGS)


@pytest.mark.parametrize(
    "environ",
    [
        GITHUB | {"GITHUB_REF": "refs/heads/mine"},
        GITHUB | {"GITHUB_REF": "refs/tags/main"},
        GITHUB | {"GITHUB_REF": "refs/pull/7/merge"},
        GITHUB | {"GITHUB_REPOSITORY": "pat/platform"},
        GITLAB | {"CI_COMMIT_BRANCH": "mine"},
        {name: value for name, value in GITLAB.items() if name != "CI_COMMIT_BRANCH"},
        GITLAB | {"CI_PROJECT_PATH": "pat/platform"},
    ],
)
def test_another_branch_s_ci_may_not(environ: Mapping[str, str]) -> None:
    with pytest.raises(Refused, match="requests are carried out on main of acme/platform"):
        check_place(environ, SETTINGS)


@pytest.mark.parametrize(
    "environ",
    [GITHUB | {"GITHUB_REF_PROTECTED": "false"}, GITLAB | {"CI_COMMIT_REF_PROTECTED": "false"}],
)
def test_a_branch_that_is_not_protected_may_not(environ: Mapping[str, str]) -> None:
    with pytest.raises(Refused, match="is not protected"):
        check_place(environ, SETTINGS)
