"""Every request that we can make of GitHub's REST API, judged by GitHub's own description of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest

from idp.errors import IdpError
from idp.forge.base import (
    Deployment,
    DeploymentStatus,
    Forge,
    NewDeployment,
    NewRepository,
    Proposal,
    Protection,
)
from idp.forge.github import GitHub
from idp.rest import Server

from ..clock import FakeClock
from .description import GRAPHQL, Judge, judging

REPO = "/repos/{owner}/{repo}"
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"
PAY = "/repos/acme/pay"
DEPLOYMENT = Deployment(7, SHA, SHA, "staging", datetime(2026, 11, 23, tzinfo=UTC))
STATUS = DeploymentStatus("success", "https://pr-7.example.com", "https://log.example.com", "Up")
PULL = Proposal("idp/update", "main", "Update to 1.2.0", "What is new", draft=True)

LOST = httpx.Response(502)
ABSENT = httpx.Response(404, json={"message": "Not Found"})
NONE = httpx.Response(200, json=[])
OPENED = {
    "number": 7,
    "node_id": "PR_7",
    "html_url": "https://github.com/acme/pay/pull/7",
    "title": PULL.title,
    "body": PULL.body,
    "state": "open",
    "draft": True,
    "created_at": "2026-11-23T09:00:00Z",
    "merged_at": None,
    "user": {"login": "octocat"},
    "head": {"ref": "idp/update", "sha": SHA, "repo": {"full_name": "acme/pay"}},
    "base": {"ref": "main", "sha": SHA, "repo": {"full_name": "acme/pay"}},
}
OUR_PULL = httpx.Response(200, json=[OPENED | {"title": "Update to 1.1.0"}])
SAID = httpx.Response(
    200,
    json=[
        {
            "id": 1,
            "state": "success",
            "environment_url": "https://pr-7.example.com",
            "log_url": "https://log.example.com",
            "description": "Up",
        }
    ],
)
JUST_MADE = httpx.Response(
    200,
    json={
        "full_name": "acme/pay",
        "html_url": "https://github.com/acme/pay",
        "clone_url": "https://github.com/acme/pay.git",
        "ssh_url": "git@github.com:acme/pay.git",
        "default_branch": "main",
        "private": True,
        "size": 0,
    },
)


@dataclass(frozen=True)
class Story:
    """A call of the protocol, the answers it meets instead of examples, and what it asks for."""

    method: str
    call: Callable[[GitHub], object]
    asks: tuple[str, ...]
    answers: Mapping[str, httpx.Response] = field(default_factory=dict)


STORIES = (
    Story("account", lambda hub: hub.account(), ("GET /user",)),
    Story("repository", lambda hub: hub.repository("acme/pay"), (f"GET {REPO}",)),
    Story(
        "repository",
        lambda hub: hub.repository("acme/pay"),
        (f"GET {REPO}", f"GET {REPO}/branches"),
        {f"GET {PAY}": JUST_MADE},
    ),
    Story(
        "create_repository",
        lambda hub: hub.create_repository(NewRepository("acme/pay", "Takes payments", "private")),
        (f"GET {REPO}", "GET /user", "POST /orgs/{org}/repos"),
        {f"GET {PAY}": ABSENT},
    ),
    Story(
        "create_repository",
        lambda hub: hub.create_repository(NewRepository("octocat/pay", "Mine", "public")),
        (f"GET {REPO}", "GET /user", "POST /user/repos"),
        {"GET /repos/octocat/pay": ABSENT},
    ),
    Story(
        "set_topics", lambda hub: hub.set_topics("acme/pay", ["Python"]), (f"PUT {REPO}/topics",)
    ),
    Story(
        "check_team",
        lambda hub: hub.check_team("acme/pay", "@acme/Payments"),
        ("GET /orgs/{org}/teams/{team_slug}",),
    ),
    Story(
        "grant",
        lambda hub: hub.grant("acme/pay", "@acme/Payments", "maintain"),
        ("PUT /orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}",),
    ),
    Story(
        "protect",
        lambda hub: hub.protect("acme/pay", "release/1", Protection(2, checks=("check", "test"))),
        (f"PUT {REPO}/branches/{{branch}}/protection",),
    ),
    Story(
        "protect",
        lambda hub: hub.protect("acme/pay", "main", Protection(reviews=0)),
        (f"PUT {REPO}/branches/{{branch}}/protection",),
    ),
    Story(
        "pull_request",
        lambda hub: hub.pull_request("acme/pay", 7),
        (f"GET {REPO}/pulls/{{pull_number}}",),
    ),
    Story(
        "open_pull_requests",
        lambda hub: [*hub.open_pull_requests("acme/pay", "idp/update")],
        (f"GET {REPO}/pulls",),
    ),
    Story(
        "last_pull_request",
        lambda hub: hub.last_pull_request("acme/pay", "idp/update"),
        (f"GET {REPO}/pulls",),
    ),
    Story(
        "propose",
        lambda hub: hub.propose("acme/pay", PULL),
        (f"GET {REPO}/pulls", f"POST {REPO}/pulls"),
        {f"GET {PAY}/pulls": NONE, f"POST {PAY}/pulls": httpx.Response(201, json=OPENED)},
    ),
    Story(
        "propose",
        lambda hub: hub.propose("acme/pay", PULL),
        (f"GET {REPO}/pulls", f"PATCH {REPO}/pulls/{{pull_number}}", GRAPHQL),
        {f"GET {PAY}/pulls": OUR_PULL, GRAPHQL: httpx.Response(200, json={"data": {}})},
    ),
    Story(
        "close_pull_request",
        lambda hub: hub.close_pull_request("acme/pay", 7),
        (f"PATCH {REPO}/pulls/{{pull_number}}",),
    ),
    Story(
        "reviews",
        lambda hub: hub.reviews("acme/pay", 7),
        (f"GET {REPO}/pulls/{{pull_number}}/reviews",),
    ),
    Story(
        "review",
        lambda hub: hub.review("acme/pay", 7, SHA, "approved", "Seen"),
        ("GET /user", f"POST {REPO}/pulls/{{pull_number}}/reviews"),
    ),
    Story(
        "review",
        lambda hub: hub.review("acme/pay", 7, SHA, "changes_requested", "Not yet"),
        ("GET /user", f"POST {REPO}/pulls/{{pull_number}}/reviews"),
    ),
    Story(
        "merge",
        lambda hub: hub.merge("acme/pay", 7, SHA),
        (f"PUT {REPO}/pulls/{{pull_number}}/merge",),
    ),
    Story(
        "role",
        lambda hub: hub.role("acme/pay", "octocat"),
        (f"GET {REPO}/collaborators/{{username}}/permission",),
    ),
    Story(
        "is_protected",
        lambda hub: hub.is_protected("acme/pay", "release/1"),
        (f"GET {REPO}/branches/{{branch}}", f"GET {REPO}/rules/branches/{{branch}}"),
        {f"GET {PAY}/branches/release%2F1": httpx.Response(200, json={"protected": False})},
    ),
    Story(
        "comments",
        lambda hub: hub.comments("acme/pay", 7, "idp"),
        (f"GET {REPO}/issues/{{issue_number}}/comments",),
    ),
    Story(
        "checks",
        lambda hub: hub.checks("acme/pay", SHA),
        (f"GET {REPO}/commits/{{ref}}/check-runs", f"GET {REPO}/commits/{{ref}}/status"),
    ),
    Story(
        "comment",
        lambda hub: hub.comment("acme/pay", 7, "idp", "new"),
        (
            f"GET {REPO}/issues/{{issue_number}}/comments",
            f"POST {REPO}/issues/{{issue_number}}/comments",
            f"PATCH {REPO}/issues/comments/{{comment_id}}",
        ),
        {f"GET {PAY}/issues/7/comments": NONE},
    ),
    Story(
        "deploy",
        lambda hub: hub.deploy("acme/pay", NewDeployment("main", SHA, "staging", "Try it", True)),
        (f"GET {REPO}/deployments", f"POST {REPO}/deployments"),
        {f"GET {PAY}/deployments": NONE},
    ),
    Story(
        "deployments",
        lambda hub: [*hub.deployments("acme/pay", "staging")],
        (f"GET {REPO}/deployments",),
    ),
    Story(
        "set_status",
        lambda hub: hub.set_status("acme/pay", DEPLOYMENT, STATUS),
        (
            f"POST {REPO}/deployments/{{deployment_id}}/statuses",
            f"GET {REPO}/deployments/{{deployment_id}}/statuses",
        ),
        {f"POST {PAY}/deployments/7/statuses": LOST, f"GET {PAY}/deployments/7/statuses": SAID},
    ),
    Story(
        "repositories",
        lambda hub: [*hub.repositories("acme")],
        ("GET /user", "GET /orgs/{org}", "GET /orgs/{org}/repos"),
    ),
    Story(
        "repositories",
        lambda hub: [*hub.repositories("mona")],
        ("GET /user", "GET /orgs/{org}", "GET /users/{username}/repos"),
        {"GET /orgs/mona": ABSENT},
    ),
    Story(
        "repositories",
        lambda hub: [*hub.repositories("octocat")],
        ("GET /user", "GET /user/repos"),
    ),
    Story(
        "files",
        lambda hub: hub.files("acme/pay", "release/1"),
        (f"GET {REPO}/git/trees/{{tree_sha}}",),
    ),
    Story(
        "read",
        lambda hub: hub.read("acme/pay", "README.md", "main", '"abc"'),
        (f"GET {REPO}/contents/{{path}}",),
        {f"GET {PAY}/contents/README.md": httpx.Response(304)},
    ),
    Story("issues", lambda hub: [*hub.issues("acme/pay", "incident")], (f"GET {REPO}/issues",)),
)


OPERATIONS = sorted({asked for story in STORIES for asked in story.asks} - {GRAPHQL})


@pytest.fixture(scope="session", params=["api.github.com", "ghec", "ghes-3.17"])
def prism(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the address of a prism that knows what the stories ask for, in an edition of GitHub."""
    with judging(request.param, OPERATIONS, tmp_path_factory.mktemp("github")) as address:
        yield address


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.method)
def test_github_has_nothing_against_our_requests(prism: str, story: Story) -> None:
    judge = Judge(OPERATIONS, story.answers)
    story.call(GitHub("github.com", Server(prism, FakeClock(), transport=judge)))
    assert judge.faults == []
    assert set(judge.asked) == set(story.asks)


def test_the_stories_tell_of_each_method_of_the_protocol() -> None:
    methods = {
        name for name in vars(Forge) if not name.startswith("_") and callable(getattr(Forge, name))
    }
    assert {story.method for story in STORIES} == methods


def test_the_judge_finds_fault_with_what_github_would_refuse(prism: str) -> None:
    judge = Judge(OPERATIONS, {})
    server = Server(prism, FakeClock(), transport=judge)
    with pytest.raises(IdpError):
        server.send("POST", f"{PAY}/pulls", {"title": 7, "colour": "red"})
    assert [word for word in ("base", "title", "colour") if word not in str(judge.faults)] == []
