"""GitHub as a forge: what we make of its answers, in the shapes that it has them.

That GitHub would take our requests is held by test_github_requests.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, Refused, RemoteFailed
from idp.forge.base import (
    Account,
    Blob,
    Check,
    Deployment,
    DeploymentStatus,
    NewDeployment,
    NewRepository,
    NotSupported,
    Proposal,
    Protection,
    Review,
    Tree,
)
from idp.forge.github import GitHub
from idp.rest import Conflict, Server

from ..clock import FakeClock

PAY = "/repos/acme/pay"
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
LOST = httpx.ReadError("Connection reset by peer")
ABSENT = httpx.Response(404, json={"message": "Not Found"})
PROPOSAL = Proposal("idp/update", "main", "Update to 1.2.0", "What is new", draft=False)
DEPLOYMENT = Deployment(7, SHA, SHA, "pr-7", datetime(2026, 11, 23, tzinfo=UTC))

Answer = httpx.Response | Exception | dict[str, Any] | list[Any]


class Hub(httpx.BaseTransport):
    """Answers each operation with what is next for it, the last answer again and again."""

    def __init__(self, answers: Mapping[str, Answer | tuple[Answer, ...]]) -> None:
        self.answers = {
            operation: list(told) if isinstance(told, tuple) else [told]
            for operation, told in {
                "GET /user": {"login": "pat", "type": "User"},
                **answers,
            }.items()
        }
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path, _, query = request.url.raw_path.decode().partition("?")
        operation = f"{request.method} {path}"
        told = self.answers.get(f"{operation}?{query}") or self.answers[operation]
        answer = told.pop(0) if len(told) > 1 else told[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return httpx.Response(200, json=answer)

    @property
    def changes(self) -> list[str]:
        """What was sent that changes something."""
        return [f"{r.method} {r.url.path}" for r in self.asked if r.method != "GET"]

    def body(self, operation: str) -> Any:
        """Return what was sent with the last request of an operation."""
        bodies = [r.content for r in self.asked if f"{r.method} {r.url.path}" == operation]
        return json.loads(bodies[-1])


def github(hub: Hub, base: str = "https://api.github.com") -> GitHub:
    return GitHub("github.com", Server(base, FakeClock(), transport=hub))


def told(status: int, message: str) -> httpx.Response:
    return httpx.Response(status, json={"message": message})


def repository(name: str = "acme/pay", **more: Any) -> dict[str, Any]:
    return {
        "full_name": name,
        "html_url": f"https://github.com/{name}",
        "clone_url": f"https://github.com/{name}.git",
        "ssh_url": f"git@github.com:{name}.git",
        "default_branch": "main",
        "private": True,
        "visibility": "internal",
        "archived": False,
        "size": 12,
        "topics": ["python"],
        "description": None,
        **more,
    }


def pull(**more: Any) -> dict[str, Any]:
    side = {"sha": SHA, "repo": {"full_name": "acme/pay"}}
    return {
        "number": 7,
        "node_id": "PR_7",
        "html_url": "https://github.com/acme/pay/pull/7",
        "title": PROPOSAL.title,
        "body": PROPOSAL.body,
        "state": "open",
        "draft": False,
        "user": {"login": "pat"},
        "head": {"ref": "idp/update", **side},
        "base": {"ref": "main", **side},
        "created_at": "2026-11-23T09:00:00Z",
        "merged_at": None,
        **more,
    }


def comment(number: int, author: str, body: str) -> dict[str, Any]:
    url = f"https://github.com/acme/pay/pull/7#issuecomment-{number}"
    return {"id": number, "user": {"login": author}, "body": body, "html_url": url}


def deployment(**more: Any) -> dict[str, Any]:
    return {
        "id": 7,
        "sha": SHA,
        "ref": SHA,
        "environment": "pr-7",
        "created_at": "2026-11-23T09:00:00Z",
        **more,
    }


# whom a token speaks for


@pytest.mark.parametrize(
    "headers, scopes",
    [
        ({"X-OAuth-Scopes": "read:org, repo"}, frozenset({"repo", "read:org"})),
        ({"X-OAuth-Scopes": ""}, frozenset()),
        ({}, None),
    ],
    ids=["a classic token", "one that may nothing", "a fine-grained token"],
)
def test_a_token_speaks_for_a_person(
    headers: dict[str, str], scopes: frozenset[str] | None
) -> None:
    user = httpx.Response(200, json={"login": "pat", "type": "User"}, headers=headers)
    assert github(Hub({"GET /user": user})).account() == Account("pat", False, scopes)


@pytest.mark.parametrize(
    "base, graphql",
    [
        ("https://api.github.com", "POST /graphql"),
        ("https://git.example.com/api/v3", "POST /api/graphql"),
    ],
)
def test_a_workflows_token_speaks_for_the_bot_of_its_app(base: str, graphql: str) -> None:
    """It may not read /user, which GitHub answers with 403."""
    refused = told(403, "Resource not accessible by integration")
    viewer = {"data": {"viewer": {"login": "github-actions[bot]"}}}
    hub = Hub({"GET /user": refused, "GET /api/v3/user": refused, graphql: viewer})
    assert github(hub, base).account() == Account("github-actions[bot]", True, None)


# repositories


def test_a_repository_that_is_there_is_not_made_again() -> None:
    hub = Hub({f"GET {PAY}": repository()})
    made = github(hub).create_repository(NewRepository("acme/pay", "", "private"))
    assert (made.full_name, made.visibility, made.is_empty) == ("acme/pay", "internal", False)
    assert hub.changes == []


def test_a_repository_whose_making_was_not_confirmed_is_not_made_twice() -> None:
    hub = Hub({f"GET {PAY}": (ABSENT, repository(size=0)), "POST /orgs/acme/repos": LOST})
    made = github(hub).create_repository(NewRepository("acme/pay", "Takes\n payments", "internal"))
    assert made.https_url == "https://github.com/acme/pay.git"
    assert hub.changes == ["POST /orgs/acme/repos"]
    assert hub.body("POST /orgs/acme/repos") == {
        "name": "pay",
        "description": "Takes payments",
        "private": True,
        "visibility": "internal",
    }


def test_the_old_name_of_a_repository_is_not_taken() -> None:
    moved = httpx.Response(301, headers={"Location": "https://api.github.com/repositories/1"})
    hub = Hub({f"GET {PAY}": moved, "GET /repositories/1": repository("acme/payments")})
    with pytest.raises(Conflict, match="is now called acme/payments"):
        github(hub).create_repository(NewRepository("acme/pay", "", "private"))
    assert hub.changes == []


def test_an_organisation_that_is_not_there_is_named() -> None:
    hub = Hub({f"GET {PAY}": ABSENT, "POST /orgs/acme/repos": ABSENT})
    with pytest.raises(NotFound, match="no organisation acme") as error:
        github(hub).create_repository(NewRepository("acme/pay", "", "private"))
    assert "pat/pay" in error.value.hint


def test_a_person_has_no_internal_repository() -> None:
    hub = Hub({"GET /repos/pat/pay": ABSENT})
    with pytest.raises(NotSupported, match="internal"):
        github(hub).create_repository(NewRepository("pat/pay", "", "internal"))
    assert hub.changes == []


@pytest.mark.parametrize("branches, is_empty", [([], True), ([{"name": "main"}], False)])
def test_a_repository_pushed_to_just_now_is_not_empty(branches: list[Any], is_empty: bool) -> None:
    """GitHub counts its size about once an hour."""
    hub = Hub({f"GET {PAY}": repository(size=0), f"GET {PAY}/branches": branches})
    found = github(hub).repository("acme/pay")
    assert found is not None
    assert found.is_empty is is_empty


@pytest.mark.parametrize("name", ["pay", "acme/pay/more", "../user", "acme/..", "a b/c", ""])
def test_what_is_no_repository_is_not_asked_for(name: str) -> None:
    hub = Hub({})
    with pytest.raises(InvalidInput, match="no repository of GitHub"):
        github(hub).repository(name)
    assert hub.asked == []


def test_all_repositories_of_an_owner_are_listed_page_by_page() -> None:
    path = "/orgs/acme/repos"
    query = "per_page=100&sort=created&direction=asc"
    link = {"Link": f'<https://api.github.com{path}?{query}&page=2>; rel="next"'}
    hub = Hub(
        {
            "GET /orgs/acme": {"login": "acme"},
            f"GET {path}?{query}": httpx.Response(200, json=[repository()], headers=link),
            f"GET {path}?{query}&page=2": [repository("acme/mail")],
        }
    )
    names = [each.full_name for each in github(hub).repositories("acme")]
    assert names == ["acme/pay", "acme/mail"]


def test_a_team_that_is_not_there_is_named() -> None:
    team = "/orgs/acme/teams/platform-crew"
    hub = Hub({f"GET {team}": ABSENT, f"PUT {team}{PAY}": ABSENT})
    with pytest.raises(NotFound, match="no team platform-crew in acme"):
        github(hub).check_team("acme/pay", "@acme/Platform Crew")
    with pytest.raises(NotFound, match="no team platform-crew in acme"):
        github(hub).grant("acme/pay", "@acme/Platform Crew", "write")
    assert hub.body(f"PUT /orgs/acme/teams/platform-crew{PAY}") == {"permission": "push"}


def test_a_plan_without_protection_is_told_with_its_mend() -> None:
    no = "Upgrade to GitHub Pro or make this repository public to enable this feature."
    hub = Hub({f"PUT {PAY}/branches/main/protection": told(403, no)})
    with pytest.raises(NotSupported) as error:
        github(hub).protect("acme/pay", "main", Protection())
    assert "make the repository public" in error.value.hint


def test_protection_that_is_not_allowed_is_no_matter_of_the_plan() -> None:
    hub = Hub({f"PUT {PAY}/branches/main/protection": told(403, "Resource not accessible")})
    with pytest.raises(NotAllowed):
        github(hub).protect("acme/pay", "main", Protection())


# pull requests


def test_a_pull_request_is_opened() -> None:
    hub = Hub({f"GET {PAY}/pulls": [], f"POST {PAY}/pulls": pull()})
    opened = github(hub).propose("acme/pay", PROPOSAL)
    assert (opened.number, opened.repository, opened.state) == (7, "acme/pay", "open")
    assert hub.asked[0].url.params["head"] == "acme:idp/update"


def test_one_that_is_as_it_should_be_is_left_alone() -> None:
    hub = Hub({f"GET {PAY}/pulls": [pull(body="What is new")]})
    github(hub).propose("acme/pay", PROPOSAL)
    assert hub.changes == []


def test_only_what_differs_is_changed() -> None:
    hub = Hub({f"GET {PAY}/pulls": [pull(title="Old")], f"PATCH {PAY}/pulls/7": pull()})
    assert github(hub).propose("acme/pay", PROPOSAL).title == PROPOSAL.title
    assert hub.body(f"PATCH {PAY}/pulls/7") == {"title": PROPOSAL.title}


@pytest.mark.parametrize(
    "was_draft, mutation",
    [(True, "markPullRequestReadyForReview"), (False, "convertPullRequestToDraft")],
)
def test_a_draft_becomes_ready_and_back(was_draft: bool, mutation: str) -> None:
    """REST cannot: GraphQL does it."""
    hub = Hub({f"GET {PAY}/pulls": [pull(draft=was_draft)], "POST /graphql": {"data": {"x": {}}}})
    wanted = Proposal(*_but_draft(PROPOSAL), draft=not was_draft)
    assert github(hub).propose("acme/pay", wanted).draft is not was_draft
    sent = hub.body("POST /graphql")
    assert mutation in sent["query"]
    assert sent["variables"] == {"id": "PR_7"}


def _but_draft(proposal: Proposal) -> tuple[str, str, str, str]:
    return proposal.branch, proposal.base, proposal.title, proposal.body


def test_what_graphql_refuses_is_told() -> None:
    error = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}
    refused = {"data": None, "errors": [error]}
    hub = Hub({f"GET {PAY}/pulls": [pull(draft=True)], "POST /graphql": refused})
    with pytest.raises(NotAllowed, match="Resource not accessible by integration"):
        github(hub).propose("acme/pay", PROPOSAL)


def test_a_pull_request_whose_opening_was_not_confirmed_is_not_opened_twice() -> None:
    hub = Hub({f"GET {PAY}/pulls": ([], [pull()]), f"POST {PAY}/pulls": LOST})
    assert github(hub).propose("acme/pay", PROPOSAL).number == 7
    assert hub.changes == [f"POST {PAY}/pulls"]


def test_one_that_another_run_opened_meanwhile_is_brought_up_to_date() -> None:
    there = told(422, "A pull request already exists for acme:idp/update.")
    hub = Hub(
        {
            f"GET {PAY}/pulls": ([], [pull(title="Old")]),
            f"POST {PAY}/pulls": there,
            f"PATCH {PAY}/pulls/7": pull(),
        }
    )
    assert github(hub).propose("acme/pay", PROPOSAL).title == PROPOSAL.title


def test_a_plan_without_drafts_is_told() -> None:
    no = told(422, "Draft pull requests are not supported in this repository.")
    hub = Hub({f"GET {PAY}/pulls": [], f"POST {PAY}/pulls": no})
    with pytest.raises(NotSupported, match="no draft pull requests in acme/pay"):
        github(hub).propose("acme/pay", Proposal(*_but_draft(PROPOSAL), draft=True))


def test_a_workflow_that_may_open_none_is_told_where_to_allow_it() -> None:
    no = told(403, "GitHub Actions is not permitted to create or approve pull requests.")
    hub = Hub({f"GET {PAY}/pulls": [], f"POST {PAY}/pulls": no})
    with pytest.raises(NotAllowed) as error:
        github(hub).propose("acme/pay", PROPOSAL)
    assert "allow GitHub Actions to create pull requests" in error.value.hint


def test_the_same_branch_of_a_fork_is_another() -> None:
    fork = {"ref": "idp/update", "sha": SHA, "repo": {"full_name": "mallory/pay"}}
    gone = {"ref": "idp/update", "sha": SHA, "repo": None}
    hub = Hub({f"GET {PAY}/pulls": [pull(head=fork), pull(head=gone), pull(number=9)]})
    found = github(hub).open_pull_requests("acme/pay", "idp/update")
    assert [each.number for each in found] == [9]


def test_the_last_pull_request_of_a_branch_is_no_fork_s() -> None:
    fork = {"ref": "idp/update", "sha": SHA, "repo": {"full_name": "acme/pay-fork"}}
    listed = [pull(number=9, head=fork), pull(number=8, state="closed"), pull()]
    hub = Hub({f"GET {PAY}/pulls": listed})
    found = github(hub).last_pull_request("acme/pay", "idp/update")
    assert found and (found.number, found.state) == (8, "closed")
    assert github(Hub({f"GET {PAY}/pulls": []})).last_pull_request("acme/pay", "x") is None


def test_a_merged_pull_request_is_not_just_closed() -> None:
    merged = pull(state="closed", merged_at="2026-11-23T10:00:00Z", user=None)
    found = github(Hub({f"GET {PAY}/pulls/7": merged})).pull_request("acme/pay", 7)
    assert (found.state, found.author) == ("merged", "ghost")
    assert found.merged_at == datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_the_last_verdict_of_each_reviewer_counts() -> None:
    said: Sequence[tuple[str, str]] = [
        ("ann", "CHANGES_REQUESTED"),
        ("bob", "APPROVED"),
        ("cem", "COMMENTED"),
        ("dan", "DISMISSED"),
        ("ann", "APPROVED"),
        ("ann", "COMMENTED"),
        ("bob", "PENDING"),
    ]
    at = "2026-11-23T09:00:00Z"
    reviews = [
        {"user": {"login": who}, "state": state, "commit_id": SHA, "submitted_at": at}
        for who, state in said
    ]
    found = github(Hub({f"GET {PAY}/pulls/7/reviews": reviews})).reviews("acme/pay", 7)
    when = datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert found == (
        Review("ann", "approved", SHA, when),
        Review("bob", "approved", SHA, when),
        Review("cem", "commented", SHA, when),
        Review("dan", "dismissed", SHA, when),
    )


def test_checks_are_check_runs_and_commit_statuses() -> None:
    def run(number: int, name: str, conclusion: str | None) -> dict[str, Any]:
        status = "completed" if conclusion else "in_progress"
        url = f"https://github.com/acme/pay/runs/{number}"
        return {
            "id": number,
            "name": name,
            "status": status,
            "conclusion": conclusion,
            "html_url": url,
        }

    runs = [
        run(5, "test", "success"),
        run(4, "test", "failure"),
        run(3, "docs", "skipped"),
        run(2, "image", None),
        run(1, "scan", "timed_out"),
    ]
    statuses = [{"context": "lint", "state": "error", "target_url": None}]
    hub = Hub(
        {
            f"GET {PAY}/commits/{SHA}/check-runs": {"total_count": 5, "check_runs": runs},
            f"GET {PAY}/commits/{SHA}/status": {"state": "failure", "statuses": statuses},
        }
    )
    found = {check.name: check.outcome for check in github(hub).checks("acme/pay", SHA)}
    assert found == {
        "lint": "failure",
        "scan": "failure",
        "image": "pending",
        "docs": "neutral",
        "test": "success",
    }
    assert Check("test", "success", "https://github.com/acme/pay/runs/5") in github(hub).checks(
        "acme/pay", SHA
    )


# comments

COMMENTS = f"{PAY}/issues/7/comments"


def test_our_comment_is_brought_up_to_date_and_nobody_elses() -> None:
    others = [
        comment(1, "mallory", "<!-- idp -->\nnot ours"),
        comment(2, "pat", "see <!-- idp --> above"),
        comment(3, "pat", "<!-- idp -->\r\nold"),
    ]
    changed = comment(3, "pat", "<!-- idp -->\nnew")
    hub = Hub({f"GET {COMMENTS}": others, f"PATCH {PAY}/issues/comments/3": changed})
    assert github(hub).comment("acme/pay", 7, "idp", "new").id == 3
    assert hub.changes == [f"PATCH {PAY}/issues/comments/3"]
    assert hub.body(f"PATCH {PAY}/issues/comments/3") == {"body": "<!-- idp -->\nnew"}


def test_a_comment_that_says_it_already_is_not_written_again() -> None:
    hub = Hub({f"GET {COMMENTS}": [comment(3, "pat", "<!-- idp -->\r\nsame")]})
    assert github(hub).comment("acme/pay", 7, "idp", "same").id == 3
    assert hub.changes == []


def test_a_comment_whose_writing_was_not_confirmed_is_not_written_twice() -> None:
    written = [comment(4, "pat", "<!-- idp -->\nnew")]
    hub = Hub({f"GET {COMMENTS}": ([], written), f"POST {COMMENTS}": LOST})
    assert github(hub).comment("acme/pay", 7, "idp", "new").id == 4
    assert hub.changes == [f"POST {COMMENTS}"]


def test_a_workflow_knows_its_own_comment() -> None:
    ours = comment(5, "github-actions[bot]", "<!-- idp -->\nold")
    persons = comment(6, "github-actions", "<!-- idp -->\nold")
    hub = Hub(
        {
            "GET /user": told(403, "Resource not accessible by integration"),
            "POST /graphql": {"data": {"viewer": {"login": "github-actions[bot]"}}},
            f"GET {COMMENTS}": [persons, ours],
            f"PATCH {PAY}/issues/comments/5": ours,
        }
    )
    assert github(hub).comment("acme/pay", 7, "idp", "new").id == 5
    assert hub.changes == ["POST /graphql", f"PATCH {PAY}/issues/comments/5"]


# deployments


def test_the_deployment_of_a_commit_to_an_environment_is_told_of_once() -> None:
    hub = Hub({f"GET {PAY}/deployments": [deployment()]})
    known = github(hub).deploy("acme/pay", NewDeployment("main", SHA, "pr-7"))
    assert (known.id, hub.changes) == (7, [])
    asked = dict(hub.asked[0].url.params)
    assert (asked["environment"], asked["sha"]) == ("pr-7", SHA)


def test_a_deployment_whose_making_was_not_confirmed_is_not_made_twice() -> None:
    hub = Hub({f"GET {PAY}/deployments": ([], [deployment()]), f"POST {PAY}/deployments": LOST})
    wanted = NewDeployment("main", SHA, "pr-7", "x" * 200, is_transient=True)
    assert github(hub).deploy("acme/pay", wanted).id == 7
    assert hub.changes == [f"POST {PAY}/deployments"]
    sent = hub.body(f"POST {PAY}/deployments")
    assert (sent["auto_merge"], sent["required_contexts"], sent["ref"]) == (False, [], SHA)
    assert len(sent["description"]) == 140


def test_a_merge_in_place_of_a_deployment_is_told() -> None:
    merged = told(202, "Auto-merged main into topic on deployment.")
    hub = Hub({f"GET {PAY}/deployments": [], f"POST {PAY}/deployments": merged})
    with pytest.raises(Conflict, match="made no deployment"):
        github(hub).deploy("acme/pay", NewDeployment("main", SHA, "pr-7"))


def test_a_status_says_no_more_than_is_known() -> None:
    statuses = f"{PAY}/deployments/7/statuses"
    hub = Hub({f"POST {statuses}": httpx.Response(201, json={"id": 1})})
    status = DeploymentStatus("in_progress", description="Building\nthe image " + "x" * 200)
    github(hub).set_status("acme/pay", DEPLOYMENT, status)
    sent = hub.body(f"POST {statuses}")
    assert set(sent) == {"state", "description"}
    assert len(sent["description"]) == 140


@pytest.mark.parametrize("known, times", [("success", 1), ("in_progress", 2)])
def test_a_status_whose_saying_was_not_confirmed_is_not_said_twice(known: str, times: int) -> None:
    statuses = f"{PAY}/deployments/7/statuses"
    said = httpx.Response(201, json={"id": 9})
    hub = Hub({f"POST {statuses}": (LOST, said), f"GET {statuses}": [{"id": 8, "state": known}]})
    github(hub).set_status("acme/pay", DEPLOYMENT, DeploymentStatus("success"))
    assert hub.changes == [f"POST {statuses}"] * times


# files and issues


def test_a_tree_too_large_for_one_answer_is_walked_folder_by_folder() -> None:
    def tree(*entries: tuple[str, str, str], truncated: bool = False) -> dict[str, Any]:
        told = [{"path": p, "type": kind, "sha": sha, "size": 5} for p, kind, sha in entries]
        return {"sha": "root", "tree": told, "truncated": truncated}

    trees = f"GET {PAY}/git/trees"
    root = tree(("a.txt", "blob", "1"), ("lib", "tree", "2"), ("x", "commit", "3"))
    hub = Hub(
        {
            f"{trees}/release%2F1?recursive=1": tree(truncated=True),
            f"{trees}/root": root,
            f"{trees}/2?recursive=1": tree(("b.txt", "blob", "4"), ("deep/c.txt", "blob", "5")),
        }
    )
    found = github(hub).files("acme/pay", "release/1")
    assert found and found.blobs == (
        Blob("a.txt", "1", 5),
        Blob("lib/b.txt", "4", 5),
        Blob("lib/deep/c.txt", "5", 5),
    )


def test_a_tree_is_told_once_and_again_only_when_it_changed() -> None:
    whole = {"sha": "root", "tree": [], "truncated": False}
    first = httpx.Response(200, json=whole, headers={"ETag": 'W/"1"'})
    hub = Hub({f"GET {PAY}/git/trees/main?recursive=1": (first, httpx.Response(304))})
    forge = github(hub)
    found = forge.files("acme/pay", "main")
    assert found and found.etag == 'W/"1"'
    assert forge.files("acme/pay", "main", found.etag) is None
    assert hub.asked[1].headers["If-None-Match"] == 'W/"1"'


def test_a_repository_without_a_commit_has_no_files() -> None:
    hub = Hub({f"GET {PAY}/git/trees/main": told(409, "Git Repository is empty.")})
    assert github(hub).files("acme/pay", "main") == Tree()


def test_a_file_is_read_raw_and_once() -> None:
    raw = {"Content-Type": "application/vnd.github.raw+json; charset=utf-8", "ETag": 'W/"1"'}
    first = httpx.Response(200, content=b'{"cut', headers=raw)
    path = f"GET {PAY}/contents/docs/a%20b.json"
    hub = Hub({path: (first, httpx.Response(304))})
    forge = github(hub)
    found = forge.read("acme/pay", "docs/a b.json", "main")
    assert found is not None
    assert found.content == b'{"cut'
    assert hub.asked[0].headers["Accept"] == "application/vnd.github.raw+json"
    assert forge.read("acme/pay", "docs/a b.json", "main", found.etag) is None
    assert hub.asked[1].headers["If-None-Match"] == 'W/"1"'


def test_a_folder_is_no_file() -> None:
    hub = Hub({f"GET {PAY}/contents/docs": [{"name": "a.md", "type": "file"}]})
    with pytest.raises(NotFound, match="docs in acme/pay is a folder"):
        github(hub).read("acme/pay", "docs", "main")


def test_pull_requests_are_no_issues() -> None:
    def issue(number: int, **more: Any) -> dict[str, Any]:
        return {
            "number": number,
            "html_url": f"https://github.com/acme/pay/issues/{number}",
            "title": "Down",
            "labels": [{"name": "incident"}, "sev1"],
            "state": "closed",
            "created_at": "2026-11-23T09:00:00Z",
            "closed_at": "2026-11-23T10:00:00Z",
            **more,
        }

    hub = Hub({f"GET {PAY}/issues": [issue(1), issue(2, pull_request={"url": "x"})]})
    (found,) = github(hub).issues("acme/pay", "incident")
    assert (found.number, found.labels, found.is_open) == (1, ("incident", "sev1"), False)
    assert found.closed_at == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert dict(hub.asked[0].url.params)["state"] == "all"


# what is no GitHub


@pytest.mark.parametrize("answer", [{"hello": "world"}, ["hello"], httpx.Response(200)], ids=str)
def test_an_answer_that_is_none_of_githubs_is_told(answer: Answer) -> None:
    with pytest.raises(RemoteFailed, match="GitHub"):
        github(Hub({f"GET {PAY}/pulls/7": answer})).pull_request("acme/pay", 7)


def test_an_account_that_is_none_is_told() -> None:
    """The first thing asked at a forge's address."""
    with pytest.raises(RemoteFailed, match="no GitHub shape") as error:
        github(Hub({"GET /user": {"username": "pat"}})).account()
    assert error.value.hint == "is it GitHub that answers at the forge's address?"


def test_a_listing_that_is_none_is_told() -> None:
    with pytest.raises(IdpError, match="no list"):
        list(github(Hub({f"GET {PAY}/deployments": {"hello": "world"}})).deployments("acme/pay"))


# --- approving and merging ------------------------------------------------------------------------


def test_nobody_reviews_their_own() -> None:
    said = told(422, "Can not approve your own pull request")
    with pytest.raises(Refused, match="is pat's own: somebody else has to review it"):
        github(Hub({f"POST {PAY}/pulls/7/reviews": said})).review(
            "acme/pay", 7, SHA, "approved", ""
        )


def test_a_review_whose_answer_was_lost_is_not_given_twice() -> None:
    mine = {
        "user": {"login": "Pat"},
        "state": "APPROVED",
        "commit_id": SHA,
        "submitted_at": "2026-11-23T08:40:00Z",
    }
    hub = Hub(
        {f"POST {PAY}/pulls/7/reviews": told(502, "bad"), f"GET {PAY}/pulls/7/reviews": [mine]}
    )
    github(hub).review("acme/pay", 7, SHA, "approved", "")
    assert len(hub.changes) == 1


def test_a_merge_goes_the_way_that_the_repository_allows() -> None:
    forbidden = told(405, "Merge commits are not allowed on this repository.")
    hub = Hub({f"PUT {PAY}/pulls/7/merge": (forbidden, {"merged": True})})
    github(hub).merge("acme/pay", 7, SHA)
    sent = [json.loads(each.content) for each in hub.asked if each.method == "PUT"]
    assert sent == [
        {"sha": SHA, "merge_method": "merge"},
        {"sha": SHA, "merge_method": "squash"},
    ]


@pytest.mark.parametrize(
    ("answer", "role"),
    [
        ({"permission": "write", "role_name": "maintain"}, "maintain"),
        ({"permission": "write", "role_name": "release-manager"}, "write"),
        ({"permission": "read", "role_name": "triage"}, "triage"),
        ({"permission": "none", "role_name": ""}, None),
        (told(404, "ada is not a user"), None),
    ],
)
def test_what_an_account_may_do(answer: Answer, role: str | None) -> None:
    hub = Hub({f"GET {PAY}/collaborators/ada/permission": answer})
    assert github(hub).role("acme/pay", "ada") == role


@pytest.mark.parametrize(
    ("protected", "rules", "told_so"),
    [
        (True, [], True),
        (False, [{"type": "pull_request"}], True),
        (False, [{"type": "deletion"}], False),
        (False, told(404, "Not Found"), False),
    ],
)
def test_a_branch_is_protected_by_a_ruleset_too(
    protected: bool, rules: Answer, told_so: bool
) -> None:
    hub = Hub(
        {
            f"GET {PAY}/branches/main": {"protected": protected},
            f"GET {PAY}/rules/branches/main": rules,
        }
    )
    assert github(hub).is_protected("acme/pay", "main") is told_so
