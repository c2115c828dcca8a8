"""GitLab's own ways, against the recorded shapes of its documentation; no server was asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from idp.errors import InvalidInput, NotFound
from idp.forge.base import Check, NewRepository, Proposal

from .documented import SHA, Documented, documented

PAY = "/projects/acme%2Fpay"
FILE = f"{PAY}/repository/files/docs%2Findex.md"


@pytest.fixture
def gitlab() -> Iterator[Documented]:
    with documented("gitlab") as server:
        yield server


def test_a_personal_token_tells_its_scopes(gitlab: Documented) -> None:
    gitlab.answers("GET /personal_access_tokens/self", gitlab.shape("token"))
    assert gitlab.forge().account().scopes == frozenset({"api"})


def test_an_oauth_token_tells_none(gitlab: Documented) -> None:
    gitlab.answers("GET /personal_access_tokens/self", 401)
    assert gitlab.forge().account().scopes is None


def test_a_project_without_a_commit(gitlab: Documented) -> None:
    data = gitlab.shape("project", default_branch=None, empty_repo=True, description=None)
    gitlab.answers(f"GET {PAY}", data)
    found = gitlab.forge().repository("acme/pay")
    assert found and (found.is_empty, found.default_branch, found.description) == (True, "", "")


def test_a_project_is_made_in_a_subgroup(gitlab: Documented) -> None:
    gitlab.answers("GET /projects/acme%2Fshop%2Fpay", 404)
    gitlab.answers("GET /namespaces/acme%2Fshop", gitlab.shape("namespace", id=12))
    made = gitlab.shape("project", path_with_namespace="acme/shop/pay", visibility="internal")
    gitlab.answers("POST /projects", made)
    wanted = NewRepository("acme/shop/pay", "", "internal")
    assert gitlab.forge().create_repository(wanted).visibility == "internal"
    [(_, body)] = gitlab.sent("POST")
    assert (body["namespace_id"], body["path"], body["visibility"]) == (12, "pay", "internal")


def test_a_group_that_is_not_there_is_named(gitlab: Documented) -> None:
    gitlab.answers(f"GET {PAY}", 404)
    gitlab.answers("GET /namespaces/acme", 404)
    with pytest.raises(NotFound, match=r"no group acme on gitlab\.example\.com"):
        gitlab.forge().create_repository(NewRepository("acme/pay", "", "private"))
    assert gitlab.changes == []


def test_what_gitlab_says_of_a_field_is_passed_on(gitlab: Documented) -> None:
    gitlab.answers(f"GET {PAY}", 404)
    gitlab.answers("GET /namespaces/acme", gitlab.shape("namespace"))
    refusal = {"message": {"visibility_level": ["internal is not allowed in a private group."]}}
    gitlab.answers("POST /projects", httpx.Response(400, json=refusal))
    with pytest.raises(InvalidInput, match="visibility_level internal is not allowed"):
        gitlab.forge().create_repository(NewRepository("acme/pay", "", "internal"))


def test_a_merge_request_from_a_fork_says_whose(gitlab: Documented) -> None:
    fork = gitlab.shape("merge_request", source_project_id=99)
    gitlab.answers(f"GET {PAY}/merge_requests/7", fork, fork)
    gitlab.answers("GET /projects/99", gitlab.shape("project", path_with_namespace="eve/pay"), 404)
    forge = gitlab.forge()
    assert forge.pull_request("acme/pay", 7).repository == "eve/pay"
    assert forge.pull_request("acme/pay", 7).repository == ""


@pytest.mark.parametrize(
    ("state", "merged_at", "read"),
    [
        ("opened", None, "open"),
        ("locked", None, "open"),
        ("closed", None, "closed"),
        ("merged", "2026-11-23T10:00:00.000+01:00", "merged"),
    ],
)
def test_the_states_of_a_merge_request(
    gitlab: Documented, state: str, merged_at: str | None, read: str
) -> None:
    data = gitlab.shape("merge_request", state=state, merged_at=merged_at)
    gitlab.answers(f"GET {PAY}/merge_requests/7", data)
    found = gitlab.forge().pull_request("acme/pay", 7)
    assert found.state == read
    assert (found.merged_at.isoformat() if found.merged_at else None) == (
        "2026-11-23T09:00:00+00:00" if merged_at else None
    )


def test_open_merge_requests_are_asked_for_by_branch_and_page_by_page(gitlab: Documented) -> None:
    url = f"https://gitlab.example.com/api/v4{PAY}/merge_requests?page=2&per_page=100"
    first = httpx.Response(
        200, json=[gitlab.shape("merge_request")], headers={"Link": f'<{url}>; rel="next"'}
    )
    second = [gitlab.shape("merge_request", iid=8)]
    gitlab.answers(f"GET {PAY}/merge_requests", first, second)
    found = gitlab.forge().open_pull_requests("acme/pay", "idp/update")
    assert [pull.number for pull in found] == [7, 8]
    assert gitlab.asked[0].query["source_branch"] == "idp/update"
    assert gitlab.asked[0].query["state"] == "opened"


def test_reviews_are_approvals_and_what_reviewers_said(gitlab: Documented) -> None:
    path = f"{PAY}/merge_requests/7"
    idle = gitlab.shape("reviewer", user={"username": "eve"}, state="unreviewed")
    gitlab.answers(f"GET {path}/approvals", gitlab.shape("approvals"))
    gitlab.answers(f"GET {path}/reviewers", [gitlab.shape("reviewer"), idle])
    gitlab.answers(f"GET {path}/versions", [gitlab.shape("version")])
    found = gitlab.forge().reviews("acme/pay", 7)
    assert {review.author: review.verdict for review in found} == {
        "ada": "approved",
        "grace": "changes_requested",
    }


def test_checks_are_the_last_of_each_name(gitlab: Documented) -> None:
    def job(id: int, name: str, status: str, **more: Any) -> Any:
        return gitlab.shape("commit_status", id=id, name=name, status=status, **more)

    statuses = [
        job(5, "test", "success"),
        job(2, "test", "failed"),
        job(3, "lint", "failed", allow_failure=True),
        job(4, "build", "canceled", target_url=None),
        job(6, "deploy", "manual"),
        job(7, "scan", "running"),
    ]
    gitlab.answers(f"GET {PAY}/repository/commits/{SHA}/statuses", statuses)
    found = gitlab.forge().checks("acme/pay", SHA)
    assert {check.name: check.outcome for check in found} == {
        "lint": "neutral",
        "build": "failure",
        "test": "success",
        "deploy": "neutral",
        "scan": "pending",
    }
    assert Check("build", "failure", "") in found


def test_a_comment_s_url_leads_to_the_note(gitlab: Documented) -> None:
    notes = f"{PAY}/merge_requests/7/notes"
    gitlab.answers(f"GET {notes}", [gitlab.shape("note")])
    made = gitlab.forge().comment("acme/pay", 7, "idp", "hello")
    assert made.url == "https://gitlab.example.com/acme/pay/-/merge_requests/7#note_301"
    assert gitlab.changes == []


def test_a_changelog_cannot_give_orders_in_our_name(gitlab: Documented) -> None:
    """GitLab carries out lines such as `/close` in a description or a note."""
    text = "/close\nsee /docs\n/Approve"
    mild = "\\/close\nsee /docs\n\\/Approve"
    pulls = f"{PAY}/merge_requests"
    gitlab.answers(f"GET {pulls}", [], [gitlab.shape("merge_request", description=mild)])
    gitlab.answers(f"POST {pulls}", gitlab.shape("merge_request", description=mild))
    gitlab.answers(f"GET {pulls}/7/notes", [])
    gitlab.answers(f"POST {pulls}/7/notes", gitlab.shape("note", body=f"<!-- idp -->\n{mild}"))
    proposal = Proposal("idp/update", "main", "Update to 1.2.0", text, draft=False)
    for _ in range(2):
        gitlab.forge().propose("acme/pay", proposal)
    gitlab.forge().comment("acme/pay", 7, "idp", text)
    [(_, opened), (_, said)] = gitlab.sent("POST")
    assert opened["description"] == mild
    assert said == {"body": f"<!-- idp -->\n{mild}"}


def test_projects_of_a_group_and_those_below_it(gitlab: Documented) -> None:
    gitlab.answers("GET /groups/acme%2Fshop", gitlab.shape("group"))
    gitlab.answers("GET /groups/acme%2Fshop/projects", [gitlab.shape("project")])
    assert [each.full_name for each in gitlab.forge().repositories("acme/shop")] == ["acme/pay"]
    assert gitlab.asked[1].query["include_subgroups"] == "true"


def test_projects_of_a_person(gitlab: Documented) -> None:
    gitlab.answers("GET /groups/ada", 404)
    gitlab.answers("GET /users/ada/projects", [gitlab.shape("project")])
    assert len(list(gitlab.forge().repositories("ada"))) == 1


def test_files_are_those_of_one_commit_though_the_branch_moves_on(gitlab: Documented) -> None:
    tree = f"{PAY}/repository/tree"
    url = f"https://gitlab.example.com/api/v4{tree}?ref={SHA}&recursive=true&page_token=70fd"
    entries = gitlab.shape("tree")
    first = httpx.Response(200, json=entries[:2], headers={"Link": f'<{url}>; rel="next"'})
    gitlab.answers(f"GET {PAY}/repository/commits/feature%2Fx", gitlab.shape("commit"))
    gitlab.answers(f"GET {tree}", first, entries[2:])
    found = gitlab.forge().files("acme/pay", "feature/x")
    assert found and (found.commit, found.etag) == (SHA, SHA)
    assert [blob.path for blob in found.blobs] == ["catalog-info.yaml", "docs/index.md"]
    assert [asked.query["ref"] for asked in gitlab.asked[1:]] == [SHA, SHA]
    assert gitlab.asked[1].query["pagination"] == "keyset"


def test_a_file_is_read_once_and_again_only_when_it_changed(gitlab: Documented) -> None:
    headers = gitlab.shape("file_headers")
    newer = {**headers, "X-Gitlab-Blob-Id": "b" * 40}
    gitlab.answers(
        f"GET {FILE}/raw",
        httpx.Response(200, text="# Pay\n", headers=headers),
        httpx.Response(200, text="# Pay!\n", headers=newer),
    )
    gitlab.answers(
        f"HEAD {FILE}", httpx.Response(200, headers=headers), httpx.Response(200, headers=newer)
    )
    forge = gitlab.forge()
    first = forge.read("acme/pay", "docs/index.md", "main")
    assert first and first.content == b"# Pay\n"
    assert forge.read("acme/pay", "docs/index.md", "main", first.etag) is None
    second = forge.read("acme/pay", "docs/index.md", "main", first.etag)
    assert second and (second.content, second.etag) == (b"# Pay!\n", "b" * 40)


def test_a_json_file_is_read_as_it_is(gitlab: Documented) -> None:
    content = b'{"half": '
    headers = {"Content-Type": "application/json"}
    gitlab.answers(f"GET {FILE}/raw", httpx.Response(200, content=content, headers=headers))
    found = gitlab.forge().read("acme/pay", "docs/index.md", "main")
    assert found and found.content == content
