"""Who may do what on GitLab, against the recorded shapes of its documentation; no server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from idp.errors import NotFound
from idp.forge.base import NotSupported, Protection, Role

from .documented import Documented, Lost, documented

PAY = "/projects/acme%2Fpay"
RULES = f"{PAY}/protected_branches"
MAIN = f"{RULES}/main"
APPROVALS = f"{PAY}/approval_rules"
FREE = {"code_owner_approval_required": False}


@pytest.fixture
def gitlab() -> Iterator[Documented]:
    with documented("gitlab") as server:
        yield server


@pytest.mark.parametrize(
    ("role", "access"),
    [("read", 20), ("triage", 20), ("write", 30), ("maintain", 40), ("admin", 50)],
)
def test_a_group_beside_the_project_is_given_a_role(
    gitlab: Documented, role: Role, access: int
) -> None:
    gitlab.answers("GET /groups/acme%2Fpayments", gitlab.shape("group"))
    gitlab.answers(f"GET {PAY}", gitlab.shape("project"))
    gitlab.answers(f"POST {PAY}/share", gitlab.shape("share_made"))
    gitlab.forge().grant("acme/pay", "payments", role)
    assert gitlab.sent("POST") == [(f"{PAY}/share", {"group_id": 31, "group_access": access})]


def test_another_role_replaces_the_one_before(gitlab: Documented) -> None:
    shared = gitlab.shape("project", shared_with_groups=[gitlab.shape("share")])
    gitlab.answers("GET /groups/acme%2Fpayments", gitlab.shape("group"))
    gitlab.answers(f"GET {PAY}", shared)
    gitlab.answers(f"DELETE {PAY}/share/31", httpx.Response(204))
    gitlab.answers(f"POST {PAY}/share", gitlab.shape("share_made"))
    gitlab.forge().grant("acme/pay", "payments", "write")
    assert gitlab.changes == [f"DELETE {PAY}/share/31", f"POST {PAY}/share"]


def test_a_role_that_is_given_already_is_left_alone(gitlab: Documented) -> None:
    gitlab.answers("GET /groups/acme%2Fpayments", gitlab.shape("group"))
    shared = gitlab.shape("project", shared_with_groups=[gitlab.shape("share")])
    gitlab.answers(f"GET {PAY}", shared)
    gitlab.forge().grant("acme/pay", "payments", "maintain")
    assert gitlab.changes == []


def test_a_role_is_given_once_when_the_answer_was_lost(gitlab: Documented) -> None:
    shared = gitlab.shape("project", shared_with_groups=[gitlab.shape("share")])
    gitlab.answers("GET /groups/acme%2Fpayments", gitlab.shape("group"))
    gitlab.answers(f"GET {PAY}", gitlab.shape("project"), shared)
    gitlab.answers(f"POST {PAY}/share", Lost())
    gitlab.forge().grant("acme/pay", "payments", "maintain")
    assert gitlab.changes == [f"POST {PAY}/share"]


def test_a_group_is_looked_for_upwards_and_never_among_strangers(gitlab: Documented) -> None:
    gitlab.answers("GET /groups/acme%2Fshop%2Fpayments", 404)
    gitlab.answers("GET /groups/acme%2Fpayments", 404)
    with pytest.raises(NotFound, match="no group payments for acme/shop/pay"):
        gitlab.forge().grant("acme/shop/pay", "payments", "write")
    assert gitlab.changes == []


@pytest.mark.parametrize(
    ("team", "path"), [("@acme/payments", "acme%2Fpayments"), ("/platform", "platform")]
)
def test_a_group_can_be_named_by_its_path(gitlab: Documented, team: str, path: str) -> None:
    gitlab.answers(f"GET /groups/{path}", gitlab.shape("group"))
    shared = gitlab.shape("project", shared_with_groups=[gitlab.shape("share")])
    gitlab.answers(f"GET {PAY}", shared)
    gitlab.forge().grant("acme/pay", team, "maintain")
    assert gitlab.changes == []  # it has that role


def test_a_new_branch_is_protected(gitlab: Documented) -> None:
    gitlab.answers(f"GET {MAIN}", 404)
    gitlab.answers(f"POST {RULES}", gitlab.shape("protected_branch"))
    gitlab.answers(f"GET {APPROVALS}", [])
    gitlab.answers(f"POST {APPROVALS}", gitlab.shape("approval_rule", approvals_required=2))
    gitlab.forge().protect("acme/pay", "main", Protection(reviews=2))
    assert gitlab.sent("POST") == [
        (
            RULES,
            {
                "name": "main",
                "push_access_level": 0,
                "merge_access_level": 30,
                "allow_force_push": False,
                "code_owner_approval_required": True,
            },
        ),
        (
            APPROVALS,
            {"name": "All Members", "approvals_required": 2, "rule_type": "any_approver"},
        ),
    ]


def test_the_protection_of_a_new_project_is_replaced(gitlab: Documented) -> None:
    gitlab.answers(f"GET {MAIN}", gitlab.shape("protected_branch_of_new_project"))
    gitlab.answers(f"DELETE {MAIN}", httpx.Response(204))
    gitlab.answers(f"POST {RULES}", gitlab.shape("protected_branch", **FREE))
    gitlab.forge().protect("acme/pay", "main", Protection(reviews=0, code_owners=False))
    assert gitlab.changes == [f"DELETE {MAIN}", f"POST {RULES}"]
    assert gitlab.sent("POST")[0][1]["push_access_level"] == 30


def test_a_branch_that_somebody_may_push_to_by_name_is_protected_anew(gitlab: Documented) -> None:
    level = {"id": 1, "access_level": 0, "user_id": 8}
    named = gitlab.shape("protected_branch", push_access_levels=[level], **FREE)
    gitlab.answers(f"GET {MAIN}", named)
    gitlab.answers(f"DELETE {MAIN}", httpx.Response(204))
    gitlab.answers(f"POST {RULES}", gitlab.shape("protected_branch", **FREE))
    gitlab.answers(f"PUT {PAY}", gitlab.shape("project"))
    gitlab.forge().protect("acme/pay", "main", Protection(0, False, ("test",)))
    assert gitlab.sent("PUT") == [(PAY, {"only_allow_merge_if_pipeline_succeeds": True})]


def test_protecting_twice_changes_nothing(gitlab: Documented) -> None:
    gitlab.answers(f"GET {MAIN}", gitlab.shape("protected_branch"))
    gitlab.answers(f"GET {APPROVALS}", [gitlab.shape("approval_rule")])
    gitlab.forge().protect("acme/pay", "main", Protection())
    assert gitlab.changes == []


def test_fewer_things_asked_for_are_taken_back_in_place(gitlab: Documented) -> None:
    forced = gitlab.shape("protected_branch", allow_force_push=True)
    gitlab.answers(f"GET {MAIN}", forced)
    gitlab.answers(f"PATCH {MAIN}", gitlab.shape("protected_branch", **FREE))
    gitlab.answers(f"GET {APPROVALS}", [gitlab.shape("approval_rule")])
    gitlab.answers(f"PUT {APPROVALS}/12", gitlab.shape("approval_rule", approvals_required=2))
    gitlab.forge().protect("acme/pay", "main", Protection(2, code_owners=False))
    wanted = {"allow_force_push": False, "code_owner_approval_required": False}
    assert gitlab.sent("PATCH") == [(MAIN, wanted)]
    assert gitlab.sent("PUT")[0][1] == {"name": "All Members", "approvals_required": 2}


@pytest.mark.parametrize("status", [403, 404])
def test_a_plan_without_approvals_protects_and_says_what_it_lacks(
    gitlab: Documented, status: int
) -> None:
    gitlab.answers(f"GET {MAIN}", 404)
    gitlab.answers(f"POST {RULES}", gitlab.shape("protected_branch", **FREE))
    gitlab.answers(f"GET {APPROVALS}", status)
    gitlab.answers(f"POST {APPROVALS}", status)
    with pytest.raises(NotSupported) as caught:
        gitlab.forge().protect("acme/pay", "main", Protection())
    assert str(caught.value) == (
        "gitlab.example.com cannot require approvals before a merge or the approval of a code "
        "owner on this plan: main is protected without"
    )
    assert "reviews: 0, code_owners: false" in caught.value.hint
