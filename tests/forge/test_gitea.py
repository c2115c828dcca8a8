"""Gitea's and Forgejo's own ways, against the recorded shapes of their documentation.

No server was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from idp.errors import InvalidInput, NotFound
from idp.forge.base import (
    Deployment,
    DeploymentStatus,
    NewDeployment,
    NewRepository,
    NotSupported,
    Protection,
    Role,
)

from .documented import SHA, Documented, Lost, documented

PAY = "/repos/acme/pay"
TEAMS = "/orgs/acme/teams"
RULES = f"{PAY}/branch_protections"


@pytest.fixture
def gitea() -> Iterator[Documented]:
    with documented("gitea") as server:
        yield server


def test_a_repository_of_one_s_own_is_made_without_an_organisation(gitea: Documented) -> None:
    gitea.answers("GET /repos/IDP-bot/pay", 404)
    gitea.answers("POST /user/repos", gitea.shape("repository", full_name="idp-bot/pay"))
    made = gitea.forge().create_repository(NewRepository("IDP-bot/pay", "", "public"))
    assert made.full_name == "idp-bot/pay"
    [(_, body)] = gitea.sent("POST")
    assert body == {"name": "pay", "description": "", "private": False, "auto_init": False}


def test_no_repository_can_be_made_internal(gitea: Documented) -> None:
    with pytest.raises(NotSupported, match="Gitea cannot make a repository internal"):
        gitea.forge().create_repository(NewRepository("acme/pay", "", "internal"))
    assert gitea.asked == []


@pytest.mark.parametrize(
    ("private", "internal", "read"),
    [(True, False, "private"), (False, True, "internal"), (False, False, "public")],
)
def test_who_sees_a_repository(gitea: Documented, private: bool, internal: bool, read: str) -> None:
    data = gitea.shape("repository", private=private, internal=internal)
    gitea.answers(f"GET {PAY}", data)
    found = gitea.forge().repository("acme/pay")
    assert found and found.visibility == read


def test_a_renamed_repository_is_found_under_its_new_name(gitea: Documented) -> None:
    there = "https://gitea.example.com/api/v1/repos/acme/payments"
    gitea.answers(f"GET {PAY}", httpx.Response(307, headers={"Location": there}))
    gitea.answers("GET /repos/acme/payments", gitea.shape("repository", full_name="acme/payments"))
    found = gitea.forge().repository("acme/pay")
    assert found and found.full_name == "acme/payments"


@pytest.mark.parametrize("role", ["read", "triage", "write", "maintain"])
def test_a_team_that_may_write_is_given_the_repository(gitea: Documented, role: Role) -> None:
    gitea.answers(f"GET {TEAMS}", [gitea.shape("team", name="Payments")])
    gitea.answers(f"PUT {PAY}/teams/payments", httpx.Response(204))
    gitea.forge().grant("acme/pay", "@acme/payments", role)
    assert gitea.changes == [f"PUT {PAY}/teams/payments"]


@pytest.mark.parametrize(
    ("permission", "units", "role", "needs"),
    [
        ("read", {"repo.code": "read"}, "write", "has read, write needs write"),
        ("read", {"repo.code": "read", "repo.issues": "read"}, "triage", "triage needs write"),
        ("write", {"repo.code": "write"}, "admin", "has write, admin needs admin"),
        ("none", {}, "read", "has none, read needs read"),
    ],
)
def test_a_team_s_own_permission_is_its_limit(
    gitea: Documented, permission: str, units: dict[str, str], role: Role, needs: str
) -> None:
    team = gitea.shape("team", permission=permission, units_map=units)
    gitea.answers(f"GET {TEAMS}", [team])
    with pytest.raises(NotSupported, match=f"one permission for all .* {needs}"):
        gitea.forge().grant("acme/pay", "payments", role)
    assert gitea.changes == []


def test_a_team_with_rights_by_unit_counts_by_that_unit(gitea: Documented) -> None:
    team = gitea.shape("team", permission="read", units_map={"repo.code": "write"})
    gitea.answers(f"GET {TEAMS}", [team])
    gitea.answers(f"PUT {PAY}/teams/payments", httpx.Response(204))
    gitea.forge().grant("acme/pay", "payments", "write")
    assert gitea.changes == [f"PUT {PAY}/teams/payments"]


def test_a_team_that_has_the_repository_keeps_it(gitea: Documented) -> None:
    gitea.answers(f"GET {TEAMS}", [gitea.shape("team")])
    gitea.answers(f"PUT {PAY}/teams/payments", 422)
    gitea.answers(f"GET {PAY}/teams/payments", gitea.shape("team"))
    gitea.forge().grant("acme/pay", "payments", "write")
    assert gitea.changes == [f"PUT {PAY}/teams/payments"]


def test_a_team_that_is_refused_is_told(gitea: Documented) -> None:
    gitea.answers(f"GET {TEAMS}", [gitea.shape("team")])
    gitea.answers(f"PUT {PAY}/teams/payments", 422)
    gitea.answers(f"GET {PAY}/teams/payments", 404)
    with pytest.raises(InvalidInput, match="refused it"):
        gitea.forge().grant("acme/pay", "payments", "write")


def test_a_team_is_found_beyond_the_first_page(gitea: Documented) -> None:
    """Teams come with their number, and without a link to the next page."""
    others = [gitea.shape("team", id=n, name=f"team-{n}") for n in range(50)]
    counted = {"X-Total-Count": "51"}
    gitea.answers(
        f"GET {TEAMS}",
        httpx.Response(200, json=others, headers=counted),
        httpx.Response(200, json=[gitea.shape("team")], headers=counted),
    )
    gitea.answers(f"PUT {PAY}/teams/payments", httpx.Response(204))
    gitea.forge().grant("acme/pay", "payments", "write")
    assert [asked.query["page"] for asked in gitea.asked[:2]] == ["1", "2"]


def test_a_team_that_is_not_there_is_named(gitea: Documented) -> None:
    gitea.answers(f"GET {TEAMS}", [])
    with pytest.raises(NotFound, match="no team called payments in acme"):
        gitea.forge().grant("acme/pay", "payments", "write")


def test_a_person_has_no_teams(gitea: Documented) -> None:
    gitea.answers("GET /orgs/ada/teams", 404)
    with pytest.raises(NotFound, match="ada is no organisation"):
        gitea.forge().grant("ada/pay", "payments", "write")


def test_a_branch_is_protected(gitea: Documented) -> None:
    gitea.answers(f"GET {RULES}/main", 404)
    gitea.answers(f"POST {RULES}", gitea.shape("branch_protection"))
    gitea.forge().protect("acme/pay", "main", Protection(1, True, ("CI / test (push)",)))
    [(_, rule)] = gitea.sent("POST")
    assert rule == {
        "rule_name": "main",
        "enable_push": False,
        "required_approvals": 1,
        "block_on_rejected_reviews": True,
        "block_on_official_review_requests": True,
        "enable_status_check": True,
        "status_check_contexts": ["CI / test (push)"],
        "block_admin_merge_override": True,
        "apply_to_admins": True,
    }


def test_a_protected_branch_is_changed(gitea: Documented) -> None:
    gitea.answers(f"GET {RULES}/main", gitea.shape("branch_protection"))
    gitea.answers(f"PATCH {RULES}/main", gitea.shape("branch_protection"))
    gitea.forge().protect("acme/pay", "main", Protection(0, False))
    [(_, rule)] = gitea.sent("PATCH")
    assert rule["enable_push"] is True and rule["required_approvals"] == 0
    assert "rule_name" not in rule


def test_a_branch_is_protected_once_when_the_answer_was_lost(gitea: Documented) -> None:
    gitea.answers(f"GET {RULES}/main", 404, gitea.shape("branch_protection"))
    gitea.answers(f"POST {RULES}", Lost())
    gitea.forge().protect("acme/pay", "main", Protection())
    assert gitea.changes == [f"POST {RULES}"]


def test_a_merged_pull_request_whose_branch_is_deleted(gitea: Documented) -> None:
    head = {"label": "idp/update", "ref": "refs/pull/7/head", "sha": SHA, "repo": None}
    data = gitea.shape(
        "pull_request",
        state="closed",
        merged=True,
        merged_at="2026-11-23T10:00:00+01:00",
        head=head,
    )
    gitea.answers(f"GET {PAY}/pulls/7", data)
    found = gitea.forge().pull_request("acme/pay", 7)
    assert (found.state, found.branch, found.repository) == ("merged", "idp/update", "")
    assert found.merged_at and found.merged_at.isoformat() == "2026-11-23T09:00:00+00:00"


def test_a_server_that_does_not_say_draft_says_it_in_the_title(gitea: Documented) -> None:
    data = gitea.shape("pull_request", title="[WIP] Update")
    del data["draft"]
    gitea.answers(f"GET {PAY}/pulls/7", data)
    found = gitea.forge().pull_request("acme/pay", 7)
    assert found.draft and found.title == "Update"


def test_a_title_that_only_looks_like_a_draft_s_is_kept(gitea: Documented) -> None:
    gitea.answers(f"GET {PAY}/pulls/7", gitea.shape("pull_request", title="Draft: a letter"))
    assert gitea.forge().pull_request("acme/pay", 7).title == "Draft: a letter"


def test_open_pull_requests_come_page_by_page(gitea: Documented) -> None:
    link = {"Link": '<https://10.0.0.7:3000/api/v1/x?page=2>; rel="next"'}
    gitea.answers(
        f"GET {PAY}/pulls",
        httpx.Response(200, json=[gitea.shape("pull_request")], headers=link),
        [gitea.shape("pull_request", number=8)],
    )
    found = gitea.forge().open_pull_requests("acme/pay")
    assert [pull.number for pull in found] == [7, 8]
    assert [asked.query["page"] for asked in gitea.asked] == ["1", "2"]


def test_a_branch_s_last_pull_request_is_looked_for_among_the_newest(gitea: Documented) -> None:
    other = {"label": "fix", "ref": "fix", "sha": SHA, "repo": {"full_name": "acme/pay"}}
    page = [gitea.shape("pull_request", head=other)] * 50
    more = {"X-Total-Count": "1000"}
    pages = [httpx.Response(200, json=page, headers=more) for _ in range(3)]
    gitea.answers(f"GET {PAY}/pulls", *pages)
    assert gitea.forge().last_pull_request("acme/pay", "idp/update") is None
    assert [asked.query["page"] for asked in gitea.asked] == ["1", "2", "3"]
    assert "sort" not in gitea.asked[0].query


def test_the_last_verdict_of_each_reviewer_counts(gitea: Documented) -> None:
    def review(author: str, state: str, **more: Any) -> Any:
        return gitea.shape("review", user={"login": author}, state=state, **more)

    given = [
        review("ada", "REQUEST_CHANGES"),
        review("ada", "APPROVED"),
        review("ada", "COMMENT"),
        review("grace", "APPROVED", dismissed=True),
        review("eve", "PENDING"),
        gitea.shape("review", user=None, state="REQUEST_REVIEW"),
    ]
    gitea.answers(f"GET {PAY}/pulls/7/reviews", given)
    found = gitea.forge().reviews("acme/pay", 7)
    assert [(each.author, each.verdict, each.commit) for each in found] == [
        ("ada", "approved", SHA),
        ("grace", "dismissed", SHA),
    ]


def test_checks_are_the_last_status_of_each_name(gitea: Documented) -> None:
    def status(name: str, said: str, **more: Any) -> Any:
        return gitea.shape("commit_status", context=name, status=said, **more)

    newest_first = [
        status("test", "success"),
        status("test", "failure"),
        status("lint", "warning", target_url=""),
        status("scan", "pending", target_url="https://ci.example.com/9"),
        status("build", "error"),
    ]
    gitea.answers(f"GET {PAY}/commits/{SHA}/statuses", newest_first)
    found = gitea.forge().checks("acme/pay", SHA)
    assert [(check.name, check.outcome, check.url) for check in found] == [
        ("test", "success", "https://gitea.example.com/acme/pay/actions/runs/4/jobs/0"),
        ("lint", "neutral", ""),
        ("scan", "pending", "https://ci.example.com/9"),
        ("build", "failure", "https://gitea.example.com/acme/pay/actions/runs/4/jobs/0"),
    ]
    assert gitea.asked[0].query["sort"] == "highestindex"


def test_deployments_are_not_supported_and_say_so(gitea: Documented) -> None:
    forge = gitea.forge()
    with pytest.raises(NotSupported, match="Gitea has no deployments"):
        forge.deploy("acme/pay", NewDeployment("main", SHA, "staging"))
    with pytest.raises(NotSupported, match="Gitea has no deployments"):
        forge.deployments("acme/pay")
    known = Deployment(1, SHA, "main", "staging", gitea.clock.now())
    with pytest.raises(NotSupported, match="Gitea has no deployments"):
        forge.set_status("acme/pay", known, DeploymentStatus("success"))
    assert gitea.asked == []


def test_repositories_of_an_organisation(gitea: Documented) -> None:
    gitea.answers("GET /orgs/acme", gitea.shape("organization"))
    gitea.answers("GET /orgs/acme/repos", [gitea.shape("repository")])
    assert [each.full_name for each in gitea.forge().repositories("acme")] == ["acme/pay"]


def test_repositories_of_a_person(gitea: Documented) -> None:
    gitea.answers("GET /orgs/ada", 404)
    gitea.answers("GET /users/ada/repos", [gitea.shape("repository")])
    assert len(list(gitea.forge().repositories("ada"))) == 1


def test_files_are_those_of_one_commit_though_the_branch_moves_on(gitea: Documented) -> None:
    tree = gitea.shape("tree")
    path = f"{PAY}/git/trees/{SHA}"
    gitea.answers(f"GET {PAY}/branches/feature/x", gitea.shape("branch"))
    first = tree | {"tree": tree["tree"][:2], "truncated": True}
    gitea.answers(f"GET {path}", first, tree | {"tree": tree["tree"][2:], "page": 2})
    found = gitea.forge().files("acme/pay", "feature/x")
    assert found and (found.commit, found.etag) == (SHA, SHA)
    assert [(blob.path, blob.size) for blob in found.blobs] == [
        ("catalog-info.yaml", 310),
        ("docs/index.md", 6),
    ]
    assert [asked.query["page"] for asked in gitea.asked[1:]] == ["1", "2"]


def test_a_file_is_read_once_and_again_only_when_it_changed(gitea: Documented) -> None:
    path = f"{PAY}/raw/docs/index.md"
    whole = httpx.Response(200, text="# Pay\n", headers={"ETag": '"79f7bbd"'})
    gitea.answers(f"GET {path}", whole, httpx.Response(304))
    forge = gitea.forge()
    first = forge.read("acme/pay", "docs/index.md", "main")
    assert first and first.content == b"# Pay\n"
    assert forge.read("acme/pay", "docs/index.md", "main", first.etag) is None
    assert gitea.asked[1].headers["If-None-Match"] == '"79f7bbd"'
    assert gitea.asked[0].query == {"ref": "main"}
