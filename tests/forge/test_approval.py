"""Reviewing, merging, and who has the right to: GitLab and Gitea as their pages say it.

No server was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from idp.errors import InvalidInput, Refused

from .documented import SHA, Documented, Lost, documented

LAB = "/projects/acme%2Fpay"
TEA = "/repos/acme/pay"
OLD = "0f3c4a1d2e5b6a79808f9e8d7c6b5a4938271605"


@pytest.fixture
def gitlab() -> Iterator[Documented]:
    with documented("gitlab") as server:
        yield server


@pytest.fixture
def gitea() -> Iterator[Documented]:
    with documented("gitea") as server:
        yield server


def answer(status: int, said: dict[str, str]) -> httpx.Response:
    return httpx.Response(status, json=said)


def merged(server: Documented, **more: Any) -> Any:
    """Return the pull request, merged."""
    if server.kind == "gitlab":
        return server.shape("merge_request", state="merged", **more)
    return server.shape("pull_request", state="closed", merged=True, **more)


def test_gitlab_approves_as_of_a_commit(gitlab: Documented) -> None:
    gitlab.answers(f"POST {LAB}/merge_requests/7/approve", gitlab.shape("approvals"))
    gitlab.forge().review("acme/pay", 7, SHA, "approved", "seen")
    assert gitlab.sent("POST") == [(f"{LAB}/merge_requests/7/approve", {"sha": SHA})]


def test_gitlab_does_not_approve_twice_when_the_answer_was_lost(gitlab: Documented) -> None:
    mine = [{"user": {"username": "idp-bot"}, "approved_at": "2026-11-23T08:40:00.000Z"}]
    gitlab.answers(f"POST {LAB}/merge_requests/7/approve", Lost())
    gitlab.answers(
        f"GET {LAB}/merge_requests/7/approvals", gitlab.shape("approvals", approved_by=mine)
    )
    gitlab.forge().review("acme/pay", 7, SHA, "approved", "seen")
    assert gitlab.changes == [f"POST {LAB}/merge_requests/7/approve"]


def test_gitlab_says_who_may_not_approve(gitlab: Documented) -> None:
    gitlab.answers(f"POST {LAB}/merge_requests/7/approve", 401)
    gitlab.answers(f"GET {LAB}/merge_requests/7/approvals", gitlab.shape("approvals"))
    with pytest.raises(Refused, match="may not be approved by idp-bot"):
        gitlab.forge().review("acme/pay", 7, SHA, "approved", "")


def test_gitlab_takes_an_approval_back_and_says_why(gitlab: Documented) -> None:
    gitlab.answers(f"POST {LAB}/merge_requests/7/unapprove", 404)
    gitlab.answers(f"POST {LAB}/merge_requests/7/notes", gitlab.shape("note"))
    gitlab.forge().review("acme/pay", 7, SHA, "changes_requested", "/merge it later")
    assert gitlab.sent("POST")[-1] == (
        f"{LAB}/merge_requests/7/notes",
        {"body": r"\/merge it later"},
    )


def test_gitlab_s_approval_is_of_the_commit_that_was_the_newest_then(gitlab: Documented) -> None:
    path = f"{LAB}/merge_requests/7"
    later = gitlab.shape("version", created_at="2026-11-23T08:45:00.000Z")
    first = gitlab.shape("version", head_commit_sha=OLD)
    gitlab.answers(f"GET {path}/approvals", gitlab.shape("approvals"))
    gitlab.answers(f"GET {path}/reviewers", [])
    gitlab.answers(f"GET {path}/versions", [later, first])
    [review] = gitlab.forge().reviews("acme/pay", 7)
    assert (review.author, review.verdict, review.commit) == ("ada", "approved", OLD)


def test_gitlab_of_a_version_that_tells_no_time_tells_no_commit(gitlab: Documented) -> None:
    path = f"{LAB}/merge_requests/7"
    untimed = gitlab.shape("approvals", approved_by=[{"user": {"username": "ada"}}])
    gitlab.answers(f"GET {path}/approvals", untimed)
    gitlab.answers(f"GET {path}/reviewers", [])
    [review] = gitlab.forge().reviews("acme/pay", 7)
    assert (review.author, review.commit) == ("ada", "")


@pytest.mark.parametrize(
    ("level", "role"), [(10, None), (20, "read"), (30, "write"), (40, "maintain"), (50, "admin")]
)
def test_gitlab_s_roles_are_levels(gitlab: Documented, level: int, role: str | None) -> None:
    gitlab.answers("GET /users", [gitlab.shape("user", username="Ada", id=6)])
    member = gitlab.shape("member", access_level=level)
    gitlab.answers(f"GET {LAB}/members/all/6", member)
    assert gitlab.forge().role("acme/pay", "ada") == role


def test_gitlab_gives_no_role_to_who_is_blocked_no_member_or_nobody(gitlab: Documented) -> None:
    blocked = gitlab.shape("user", username="ada", id=6, state="blocked")
    gitlab.answers("GET /users", [blocked], [gitlab.shape("user", username="ada", id=6)], [])
    gitlab.answers(f"GET {LAB}/members/all/6", 404)
    assert [gitlab.forge().role("acme/pay", "ada") for _ in range(3)] == [None, None, None]


def test_gitlab_tells_a_protected_branch(gitlab: Documented) -> None:
    branch = gitlab.shape("lab_branch")
    where = f"GET {LAB}/repository/branches/release%2F1"
    gitlab.answers(where, branch, branch | {"protected": False})
    assert gitlab.forge().is_protected("acme/pay", "release/1")
    assert not gitlab.forge().is_protected("acme/pay", "release/1")


def test_gitea_reviews_as_of_a_commit(gitea: Documented) -> None:
    gitea.answers(f"POST {TEA}/pulls/7/reviews", gitea.shape("review"), gitea.shape("review"))
    gitea.forge().review("acme/pay", 7, SHA, "approved", "seen")
    gitea.forge().review("acme/pay", 7, SHA, "changes_requested", "no")
    assert [body["event"] for _, body in gitea.sent("POST")] == ["APPROVED", "REQUEST_CHANGES"]
    assert {body["commit_id"] for _, body in gitea.sent("POST")} == {SHA}


def test_gitea_does_not_review_twice_when_the_answer_was_lost(gitea: Documented) -> None:
    mine = gitea.shape("review", user={"login": "idp-bot"})
    gitea.answers(f"POST {TEA}/pulls/7/reviews", Lost())
    gitea.answers(f"GET {TEA}/pulls/7/reviews", [mine])
    gitea.forge().review("acme/pay", 7, SHA, "approved", "seen")
    assert gitea.changes == [f"POST {TEA}/pulls/7/reviews"]


def test_gitea_lets_nobody_approve_their_own(gitea: Documented) -> None:
    said = {"message": "approve your own pull is not allowed"}
    gitea.answers(f"POST {TEA}/pulls/7/reviews", answer(422, said))
    with pytest.raises(Refused, match="is idp-bot's own"):
        gitea.forge().review("acme/pay", 7, SHA, "approved", "")


@pytest.mark.parametrize(
    ("permission", "role"),
    [("none", None), ("read", "read"), ("write", "write"), ("admin", "admin"), ("owner", "admin")],
)
def test_gitea_s_roles(gitea: Documented, permission: str, role: str | None) -> None:
    path = f"GET {TEA}/collaborators/ada/permission"
    gitea.answers(path, gitea.shape("permission", permission=permission))
    assert gitea.forge().role("acme/pay", "ada") == role


def test_gitea_gives_nobody_no_role(gitea: Documented) -> None:
    gitea.answers(f"GET {TEA}/collaborators/nobody/permission", 404)
    assert gitea.forge().role("acme/pay", "nobody") is None


def test_gitea_tells_a_protected_branch(gitea: Documented) -> None:
    branch = gitea.shape("branch")
    gitea.answers(f"GET {TEA}/branches/main", branch, branch | {"protected": True})
    assert not gitea.forge().is_protected("acme/pay", "main")
    assert gitea.forge().is_protected("acme/pay", "main")


def test_gitea_merges_in_a_way_that_the_repository_allows(gitea: Documented) -> None:
    forbidden = {"message": "merge is not allowed an allowed merge style for this repository"}
    gitea.answers(f"POST {TEA}/pulls/7/merge", answer(405, forbidden), answer(200, {}))
    gitea.forge().merge("acme/pay", 7, SHA)
    assert [body for _, body in gitea.sent("POST")] == [
        {"Do": "merge", "head_commit_id": SHA},
        {"Do": "squash", "head_commit_id": SHA},
    ]


MERGES = {
    "gitlab": (f"PUT {LAB}/merge_requests/7/merge", f"GET {LAB}/merge_requests/7"),
    "gitea": (f"POST {TEA}/pulls/7/merge", f"GET {TEA}/pulls/7"),
}


@pytest.fixture(params=["gitlab", "gitea"])
def forge(request: pytest.FixtureRequest) -> Iterator[Documented]:
    with documented(request.param) as server:
        yield server


def pull(server: Documented, **more: Any) -> Any:
    return server.shape("merge_request" if server.kind == "gitlab" else "pull_request", **more)


def test_a_merge_is_of_the_commit_that_was_reviewed(forge: Documented) -> None:
    merge, _ = MERGES[forge.kind]
    forge.answers(merge, merged(forge))
    forge.forge().merge("acme/pay", 7, SHA)
    [(_, body)] = forge.sent(merge.split()[0])
    assert SHA in body.values()


def test_what_may_not_be_merged_yet_is_told(forge: Documented) -> None:
    merge, look = MERGES[forge.kind]
    forge.answers(merge, answer(405, {"message": "Does not have enough approvals"}))
    forge.answers(look, pull(forge))
    with pytest.raises(Refused, match=r"was not merged: .*enough approvals"):
        forge.forge().merge("acme/pay", 7, SHA)


def test_a_branch_that_moved_on_is_not_merged(forge: Documented) -> None:
    merge, look = MERGES[forge.kind]
    forge.answers(merge, 409)
    forge.answers(look, pull(forge))
    with pytest.raises(Refused, match=f"has moved on to {SHA[:12]}"):
        forge.forge().merge("acme/pay", 7, OLD)


def test_what_is_merged_already_is_left_so(forge: Documented) -> None:
    merge, look = MERGES[forge.kind]
    forge.answers(merge, answer(405, {"message": "it is merged"}))
    forge.answers(look, merged(forge))
    forge.forge().merge("acme/pay", 7, SHA)


def test_only_comments_that_begin_with_the_marker_are_told(forge: Documented) -> None:
    is_lab = forge.kind == "gitlab"
    path = f"{LAB}/merge_requests/7/notes" if is_lab else f"{TEA}/issues/7/comments"
    theirs = {"author": {"username": "eve"}} if is_lab else {"user": {"login": "eve"}}
    name = "note" if is_lab else "comment"
    citing = forge.shape(name, body="see <!-- idp -->")
    forge.answers(f"GET {path}", [forge.shape(name), forge.shape(name, **theirs), citing])
    found = forge.forge().comments("acme/pay", 7, "idp")
    assert [one.author for one in found] == ["idp-bot", "eve"]


def test_an_answer_without_a_reason_is_an_error_of_its_own(gitea: Documented) -> None:
    gitea.answers(f"POST {TEA}/pulls/7/reviews", 422)
    with pytest.raises(InvalidInput, match="refused it"):
        gitea.forge().review("acme/pay", 7, SHA, "approved", "")
