"""What every forge promises, told once: proposing, commenting, creating, and lost answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from idp.errors import NotAllowed, NotFound, RemoteFailed
from idp.forge.base import Forge, NewRepository, Proposal, Tree
from idp.rest import Conflict, RateLimited

from .documented import SHA, Documented, Lost, documented

PROPOSAL = Proposal("idp/update", "main", "Update to 1.2.0", "What is new", draft=False)
NEW = NewRepository("acme/pay", "Takes payments", "private")


@dataclass
class Words:
    """The same things in the words of one forge."""

    server: Documented
    repo: str
    pulls: str
    comments: str
    create: str
    update: str
    draft: str

    @property
    def forge(self) -> Forge:
        return self.server.forge()

    def pull(self, **changes: Any) -> Any:
        """Return a pull request; `body` and `base` as each forge calls them."""
        if self.server.kind == "gitlab":
            names = {"body": "description", "base": "target_branch"}
            return self.server.shape(
                "merge_request", **{names.get(key, key): value for key, value in changes.items()}
            )
        base = changes.pop("base", "main")
        data = self.server.shape("pull_request", **changes)
        return data | {"base": data["base"] | {"ref": base}}

    def comment(self, author: str, body: str) -> Any:
        if self.server.kind == "gitlab":
            return self.server.shape("note", author={"username": author}, body=body)
        return self.server.shape("comment", user={"login": author}, body=body)

    def repository(self, **changes: Any) -> Any:
        gitlab = self.server.kind == "gitlab"
        return self.server.shape("project" if gitlab else "repository", **changes)


@pytest.fixture(params=["gitlab", "gitea"])
def at(request: pytest.FixtureRequest) -> Iterator[Words]:
    with documented(request.param) as server:
        if request.param == "gitlab":
            repo = "/projects/acme%2Fpay"
            pulls = f"{repo}/merge_requests"
            server.always("GET /namespaces/acme", server.shape("namespace"))
            yield Words(server, repo, pulls, f"{pulls}/7/notes", "/projects", "PUT", "Draft: ")
        else:
            repo = "/repos/acme/pay"
            comments = f"{repo}/issues/7/comments"
            create = "/orgs/acme/repos"
            yield Words(server, repo, f"{repo}/pulls", comments, create, "PATCH", "WIP: ")


def test_the_token_goes_along_and_names_the_account(at: Words) -> None:
    if at.server.kind == "gitlab":
        at.server.answers("GET /personal_access_tokens/self", at.server.shape("token"))
    assert at.forge.account().login == "idp-bot"
    sent = {asked.headers["Authorization"] for asked in at.server.asked}
    assert sent == {"Bearer s3cret" if at.server.kind == "gitlab" else "token s3cret"}


def test_a_repository_that_is_not_there_is_none(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", 404)
    assert at.forge.repository("acme/pay") is None


def test_a_repository_as_it_stands(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", at.repository())
    found = at.forge.repository("acme/pay")
    assert found
    assert (found.full_name, found.default_branch, found.topics) == (
        "acme/pay",
        "main",
        ("golden-path",),
    )
    assert found.https_url == f"https://{at.server.place.host}/acme/pay.git"
    assert found.visibility == "private" and not found.is_empty and not found.is_archived


def test_a_team_is_looked_for_before_its_repository_is_there(at: Words) -> None:
    gitlab = at.server.kind == "gitlab"
    if gitlab:
        at.server.always("GET /groups/acme%2Fpayments", at.server.shape("group"))
        at.server.always("GET /groups/acme%2Fnobody", 404)
    else:
        at.server.always("GET /orgs/acme/teams", [at.server.shape("team")])
    at.forge.check_team("acme/pay", "@acme/payments")
    with pytest.raises(NotFound, match="nobody"):
        at.forge.check_team("acme/pay", "nobody")


def test_create_makes_a_private_repository_without_a_commit(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", 404)
    at.server.answers(f"POST {at.create}", at.repository())
    assert at.forge.create_repository(NEW).full_name == "acme/pay"
    [(_, body)] = at.server.sent("POST")
    assert body["name"] == "pay" and body["description"] == "Takes payments"
    assert body.get("visibility", body.get("private")) in ("private", True)


def test_create_returns_the_repository_that_is_there(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", at.repository())
    assert at.forge.create_repository(NEW).full_name == "acme/pay"
    assert at.server.changes == []


def test_create_knows_a_repository_in_other_letters(at: Words) -> None:
    named = {"gitlab": "path_with_namespace", "gitea": "full_name"}[at.server.kind]
    at.server.answers(f"GET {at.repo}", at.repository(**{named: "Acme/Pay"}))
    assert at.forge.create_repository(NEW).full_name == "Acme/Pay"


def test_create_takes_no_renamed_repository_for_a_new_one(at: Words) -> None:
    name = "path_with_namespace" if at.server.kind == "gitlab" else "full_name"
    at.server.answers(f"GET {at.repo}", at.repository(**{name: "acme/payments"}))
    with pytest.raises(Conflict, match=r"acme/pay on .* is now called acme/payments"):
        at.forge.create_repository(NEW)


def test_create_makes_no_second_repository_when_the_answer_was_lost(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", 404, at.repository())
    at.server.answers(f"POST {at.create}", Lost())
    assert at.forge.create_repository(NEW).full_name == "acme/pay"
    assert at.server.changes == [f"POST {at.create}"]


def test_create_tries_again_when_nothing_was_made(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", 404, 404)
    at.server.answers(f"POST {at.create}", 503, at.repository())
    assert at.forge.create_repository(NEW).full_name == "acme/pay"
    assert len(at.server.clock.slept) == 1


def test_topics_are_replaced(at: Words) -> None:
    path = at.repo if at.server.kind == "gitlab" else f"{at.repo}/topics"
    at.server.answers(f"PUT {path}", at.repository())
    at.forge.set_topics("acme/pay", ["golden-path", "python"])
    assert at.server.sent("PUT") == [(path, {"topics": ["golden-path", "python"]})]


def test_a_pull_request_as_it_stands(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}/7", at.pull(body="What\r\nis new"))
    found = at.forge.pull_request("acme/pay", 7)
    assert (found.number, found.branch, found.base, found.head) == (7, "idp/update", "main", SHA)
    assert (found.repository, found.state, found.author) == ("acme/pay", "open", "idp-bot")
    assert found.body == "What\nis new"
    assert found.created_at.isoformat() == "2026-11-23T08:30:00+00:00"


@pytest.mark.parametrize("title", ["Draft: Update", "[Draft] Update", "WIP: Update"])
def test_a_draft_has_its_title_without_what_makes_it_one(at: Words, title: str) -> None:
    at.server.answers(f"GET {at.pulls}/7", at.pull(title=title, draft=True))
    found = at.forge.pull_request("acme/pay", 7)
    assert found.draft and found.title == "Update"


def test_propose_opens_a_pull_request(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}", [])
    at.server.answers(f"POST {at.pulls}", at.pull())
    assert at.forge.propose("acme/pay", PROPOSAL).number == 7
    [(_, body)] = at.server.sent("POST")
    assert sorted(body.values()) == ["Update to 1.2.0", "What is new", "idp/update", "main"]


def test_propose_opens_a_draft(at: Words) -> None:
    title = f"{at.draft}Update to 1.2.0"
    at.server.answers(f"GET {at.pulls}", [])
    at.server.answers(f"POST {at.pulls}", at.pull(title=title, draft=True))
    draft = Proposal("idp/update", "main", "Update to 1.2.0", "What is new", draft=True)
    found = at.forge.propose("acme/pay", draft)
    assert at.server.sent("POST")[0][1]["title"] == title
    assert found.draft and found.title == "Update to 1.2.0"


def test_propose_brings_the_open_one_up_to_date(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}", [at.pull(title=f"{at.draft}Update to 1.1.0", draft=True)])
    at.server.answers(f"{at.update} {at.pulls}/7", at.pull())
    found = at.forge.propose("acme/pay", PROPOSAL)
    assert at.server.changes == [f"{at.update} {at.pulls}/7"]
    assert at.server.sent(at.update)[0][1]["title"] == "Update to 1.2.0"
    assert (found.title, found.draft) == ("Update to 1.2.0", False)


def test_propose_changes_nothing_where_nothing_differs(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}", [at.pull(body="What\r\nis new\n")])
    proposal = replace(PROPOSAL, body="What\nis new")
    assert at.forge.propose("acme/pay", proposal).number == 7
    assert at.server.changes == []


def test_propose_opens_no_second_one_when_the_answer_was_lost(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}", [], [at.pull()])
    at.server.answers(f"POST {at.pulls}", Lost())
    assert at.forge.propose("acme/pay", PROPOSAL).number == 7
    assert at.server.changes == [f"POST {at.pulls}"]


def test_propose_takes_the_one_that_another_run_opened_meanwhile(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}", [], [at.pull(title="Update to 1.1.0")])
    at.server.answers(f"POST {at.pulls}", 409)
    at.server.answers(f"{at.update} {at.pulls}/7", at.pull())
    assert at.forge.propose("acme/pay", PROPOSAL).title == "Update to 1.2.0"


def test_propose_prefers_the_pull_request_to_the_same_base(at: Words) -> None:
    number = "iid" if at.server.kind == "gitlab" else "number"
    other = at.pull(base="release", **{number: 6})
    at.server.answers(f"GET {at.pulls}", [other, at.pull()])
    assert at.forge.propose("acme/pay", PROPOSAL).number == 7


def test_a_fork_s_branch_of_the_same_name_is_not_ours(at: Words) -> None:
    fork = {"id": 99, "full_name": "eve/pay"}
    theirs = (
        at.pull(source_project_id=99)
        if at.server.kind == "gitlab"
        else at.pull(head={"label": "eve:idp/update", "ref": "idp/update", "repo": fork})
    )
    at.server.answers(f"GET {at.pulls}", [theirs])
    assert list(at.forge.open_pull_requests("acme/pay", "idp/update")) == []


def test_the_last_pull_request_of_a_branch_whatever_its_state(at: Words) -> None:
    number = "iid" if at.server.kind == "gitlab" else "number"
    fork = {"id": 99, "full_name": "eve/pay"}
    theirs = (
        at.pull(source_project_id=99, iid=9)
        if at.server.kind == "gitlab"
        else at.pull(head={"label": "idp/update", "ref": "idp/update", "repo": fork}, number=9)
    )
    at.server.answers(
        f"GET {at.pulls}", [theirs, at.pull(state="closed", **{number: 8}), at.pull()], []
    )
    found = at.forge.last_pull_request("acme/pay", "idp/update")
    assert found and (found.number, found.state, found.head) == (8, "closed", SHA)
    assert at.forge.last_pull_request("acme/pay", "idp/update") is None
    [asked, _] = at.server.asked
    assert asked.query["state"] == "all"
    if at.server.kind == "gitlab":
        newest = (asked.query["source_branch"], asked.query["order_by"], asked.query["sort"])
        assert newest == ("idp/update", "created_at", "desc")


def test_close_leaves_it_unmerged(at: Words) -> None:
    at.server.answers(f"{at.update} {at.pulls}/7", at.pull(state="closed"))
    at.forge.close_pull_request("acme/pay", 7)
    wanted = {"state_event": "close"} if at.server.kind == "gitlab" else {"state": "closed"}
    assert at.server.sent(at.update) == [(f"{at.pulls}/7", wanted)]


def test_comment_writes_one_with_its_marker(at: Words) -> None:
    at.server.answers(f"GET {at.comments}", [])
    at.server.answers(f"POST {at.comments}", at.comment("idp-bot", "<!-- idp -->\nhello"))
    made = at.forge.comment("acme/pay", 7, "idp", "hello")
    assert at.server.sent("POST") == [(at.comments, {"body": "<!-- idp -->\nhello"})]
    assert made.author == "idp-bot" and made.url.startswith(f"https://{at.server.place.host}/")


def test_comment_brings_ours_up_to_date(at: Words) -> None:
    path = at.comments if at.server.kind == "gitlab" else f"{at.repo}/issues/comments"
    at.server.answers(f"GET {at.comments}", [at.comment("idp-bot", "<!-- idp -->\r\nold")])
    at.server.answers(f"{at.update} {path}/301", at.comment("idp-bot", "<!-- idp -->\nhello"))
    assert at.forge.comment("acme/pay", 7, "idp", "hello").body == "<!-- idp -->\nhello"
    assert at.server.changes == [f"{at.update} {path}/301"]


def test_comment_never_touches_another_s_with_the_same_marker(at: Words) -> None:
    theirs = at.comment("eve", "<!-- idp -->\nnot ours")
    citing = at.comment("idp-bot", "see\n> <!-- idp -->")
    at.server.answers(f"GET {at.comments}", [theirs, citing])
    at.server.answers(f"POST {at.comments}", at.comment("idp-bot", "<!-- idp -->\nhello"))
    at.forge.comment("acme/pay", 7, "idp", "hello")
    assert at.server.changes == [f"POST {at.comments}"]


def test_comment_says_nothing_twice_when_the_answer_was_lost(at: Words) -> None:
    at.server.answers(f"GET {at.comments}", [], [at.comment("idp-bot", "<!-- idp -->\nhello")])
    at.server.answers(f"POST {at.comments}", Lost())
    at.forge.comment("acme/pay", 7, "idp", "hello")
    assert at.server.changes == [f"POST {at.comments}"]


def test_a_rate_limit_is_waited_for(at: Words) -> None:
    limited = httpx.Response(429, headers={"Retry-After": "17"}, json={"message": "slow down"})
    at.server.answers(f"GET {at.repo}", limited, at.repository())
    assert at.forge.repository("acme/pay")
    assert 17 <= at.server.clock.slept[0] <= 18
    assert "limits our requests" in at.server.said[0]


def test_a_rate_limit_beyond_patience_says_until_when(at: Words) -> None:
    # Unix seconds of 10:00:00, an hour from now.
    headers = {"RateLimit-Reset": "1795428000"}
    at.server.answers(f"GET {at.repo}", httpx.Response(429, headers=headers, json={}))
    with pytest.raises(RateLimited, match=r"until 10:00:01 UTC"):
        at.forge.repository("acme/pay")


def test_a_refused_token_names_where_it_came_from_and_not_itself(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", 401)
    with pytest.raises(NotAllowed, match="refused the token from the test") as caught:
        at.forge.repository("acme/pay")
    assert "s3cret" not in str(caught.value)
    assert caught.value.hint == f"idp auth login {at.server.place.host}"


def test_an_answer_of_another_shape_is_told_as_one(at: Words) -> None:
    at.server.answers(f"GET {at.repo}", {"hello": "world"})
    with pytest.raises(RemoteFailed, match=r"an answer has no (GitLab|Gitea) shape"):
        at.forge.repository("acme/pay")


def test_a_listing_that_is_none_is_told_as_one(at: Words) -> None:
    at.server.answers(f"GET {at.pulls}", {"hello": "world"})
    with pytest.raises(RemoteFailed, match="no list"):
        list(at.forge.open_pull_requests("acme/pay"))


def test_files_of_an_empty_repository_are_none(at: Words) -> None:
    gitlab = at.server.kind == "gitlab"
    where = "/repository/commits/main" if gitlab else "/branches/main"
    empty = at.repository(**{"empty_repo" if gitlab else "empty": True})
    at.server.answers(f"GET {at.repo}{where}", 404)
    at.server.answers(f"GET {at.repo}", empty)
    assert at.forge.files("acme/pay", "main") == Tree()


def test_files_are_not_listed_again_while_the_branch_stays_where_it_is(at: Words) -> None:
    if at.server.kind == "gitlab":
        at.server.answers(f"GET {at.repo}/repository/commits/main", at.server.shape("commit"))
    else:
        at.server.answers(f"GET {at.repo}/branches/main", at.server.shape("branch"))
    assert at.forge.files("acme/pay", "main", SHA) is None
    assert len(at.server.asked) == 1


def test_files_of_a_branch_that_is_not_there_are_an_error(at: Words) -> None:
    where = "/repository/commits/old" if at.server.kind == "gitlab" else "/branches/old"
    at.server.answers(f"GET {at.repo}{where}", 404)
    at.server.answers(f"GET {at.repo}", at.repository())
    with pytest.raises(NotFound):
        at.forge.files("acme/pay", "old")


def test_only_issues_with_the_very_label_count(at: Words) -> None:
    labels = ["bug"] if at.server.kind == "gitlab" else [{"name": "bug"}]
    other = at.server.shape("issue", labels=labels)
    at.server.answers(f"GET {at.repo}/issues", [at.server.shape("issue"), other])
    [found] = at.forge.issues("acme/pay", "incident")
    assert (found.number, found.labels, found.is_open) == (6, ("incident",), False)
    assert found.closed_at and found.closed_at.isoformat() == "2026-11-20T12:30:00+00:00"
    [asked] = at.server.asked
    assert asked.query["labels"] == "incident" and asked.query["state"] == "all"
