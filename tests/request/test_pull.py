"""Requests as pull requests on a forge: whose review counts, of which commit, and for how long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from idp import git as door
from idp.config.guardrails import RequestSettings
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused
from idp.forge.connect import connect
from idp.forge.credentials import Credential
from idp.forge.place import Place
from idp.identity import Identity
from idp.request.base import HANDOVER_KEY, Fulfilment, Request
from idp.request.connect import forge_desk
from idp.request.pull import ForgeDesk

from ..clock import FakeClock
from ..forge.conftest import forge as forge
from ..forge.conftest import forge_keys as forge_keys
from ..forge.standin import Pull, Repo, StandIn
from ..service.stories import git
from .stories import NOBODY, asked, decided, plan

DONE = Fulfilment("fulfilled", "made pay/production/db")


@dataclass
class Platform:
    """The platform's repository on a forge; each person is at a desk of their own."""

    forge: StandIn
    room: Path
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)

    @property
    def repo(self) -> Repo:
        return self.forge.repos["acme/platform"]

    @property
    def pull(self) -> Pull:
        (pull,) = self.forge.pulls
        return pull

    def who(self, login: str) -> Identity:
        return Identity(f"{self.forge.host}:{login}", "forge")

    def at(self, login: str) -> ForgeDesk:
        """Return the desk as somebody has it, logged in."""
        self.forge.login = login
        place = Place(self.forge.host, "github")
        credential = Credential(place.host, self.forge.token, "test")
        spoken = connect(place, credential, self.clock, self.said.append)

        def git_env(url: str) -> Mapping[str, str]:
            return door.logged_in(url, place.git_user, self.forge.token)

        settings = RequestSettings("acme/platform")
        return forge_desk(spoken, settings, git_env, self.clock, self.room, self.said.append)

    def opened(self, **inputs: str) -> Request:
        """Have pat ask for something."""
        return self.at("pat").open(asked(plan(**inputs), self.who("pat")))

    def approve(self, request: Request, login: str = "ada") -> Request:
        desk = self.at(login)
        return desk.decide(request.id, decided(request), self.who(login))

    def review(self, login: str, state: str = "APPROVED", commit: str = "") -> None:
        """Have somebody review in the browser."""
        self.pull.reviews.append(
            {
                "id": self.forge.new_id(),
                "user": {"login": login, "type": "User"},
                "state": state,
                "body": "",
                "commit_id": commit or self.pull.head,
                "submitted_at": "2026-11-23T12:30:00Z",
            }
        )

    def commit(self, branch: str, path: str, content: str) -> str:
        """Have somebody push a commit to a branch of the repository."""
        where, tip = self.repo.git_dir, self.repo.head(branch)
        index = {"GIT_INDEX_FILE": str(self.room / "index")}
        file = self.room / "content"
        file.write_text(content)
        oid = git(where, "hash-object", "-w", str(file)).strip()
        git(where, "read-tree", tip, **index)
        git(where, "update-index", "--add", "--cacheinfo", f"100644,{oid},{path}", **index)
        tree = git(where, "write-tree", **index).strip()
        made = git(where, "commit-tree", tree, "-p", tip, "-m", "by hand").strip()
        git(where, "update-ref", f"refs/heads/{branch}", made)
        return made

    def merge(self) -> None:
        """Have somebody merge in the browser."""
        pull = self.pull
        self.at("grace").forge.merge("acme/platform", pull.number, pull.head)

    def file(self, request: Request, branch: str = "main") -> str:
        return git(self.repo.git_dir, "cat-file", "blob", f"{branch}:requests/{request.id}.yaml")


@pytest.fixture
def platform(forge: StandIn, tmp_path: Path) -> Platform:
    """Give a protected repository in which ada and grace may write, and pat may read."""
    repo = forge.add_repo("acme/platform")
    room = tmp_path / "room"
    room.mkdir()
    where = repo.git_dir
    tree = git(where, "hash-object", "-w", "-t", "tree", "/dev/null").strip()
    first = git(where, "commit-tree", tree, "-m", "the platform").strip()
    git(where, "update-ref", "refs/heads/main", first)
    repo.roles.update(ada="write", grace="maintain", pat="read", eve="read")
    repo.protection["main"] = {}
    return Platform(forge, room)


def test_a_request_is_a_pull_request_with_one_readable_file(platform: Platform) -> None:
    request = platform.opened(size="large")
    assert (request.state, request.requester) == ("pending", platform.who("pat").id)
    assert request.url == f"{platform.forge.url}/acme/platform/pull/1"
    written = json.loads(platform.file(request, f"idp/request/{request.id}"))
    assert written["plan"]["inputs"] == {"size": "large"}
    assert written["digest"] == request.digest == plan(size="large").digest
    assert request.digest in platform.pull.body
    assert platform.at("pat").approved(request.digest) is None


def test_an_approval_reviews_and_merges(platform: Platform) -> None:
    request = platform.opened()
    approved = platform.approve(request)
    assert approved.state == "approved"
    [decision] = approved.decisions
    assert (decision.who, decision.digest) == (platform.who("ada").id, request.digest)
    assert platform.pull.merged_at and platform.file(request)
    found = platform.at("ci").approved(request.digest)
    assert found and found.id == request.id
    assert platform.at("ci").approved(plan(size="2").digest) is None


def test_the_same_plan_is_asked_for_once(platform: Platform) -> None:
    request = platform.opened()
    assert platform.opened().id == request.id
    platform.approve(request)
    assert platform.opened().id == request.id
    assert len(platform.forge.pulls) == 1


def test_one_cut_short_before_its_pull_request_is_finished(platform: Platform) -> None:
    platform.forge.fail("POST", "/pulls$", 403)
    with pytest.raises(NotAllowed):
        platform.opened()
    assert platform.forge.pulls == []
    [branch] = [name for name in platform.repo.branches() if name.startswith("idp/request/")]
    assert platform.opened().id == branch.rpartition("/")[2]
    assert len(platform.forge.pulls) == 1


def test_the_forge_s_reviews_count_and_no_machine_s_word(platform: Platform) -> None:
    request = platform.opened()
    with pytest.raises(NotAllowed, match="cannot review"):
        platform.at("ada").decide(request.id, decided(request), NOBODY)
    with pytest.raises(NotAllowed, match="where the token is pat's"):
        platform.at("pat").decide(request.id, decided(request), platform.who("ada"))
    assert platform.pull.reviews == [] and platform.pull.merged_at is None


@pytest.mark.parametrize("login", ["pat", "PAT"])
def test_nobody_approves_their_own(platform: Platform, login: str) -> None:
    request = platform.opened()
    platform.repo.roles["pat"] = "admin"
    with pytest.raises(Refused, match="your own"):
        platform.approve(request, login)
    platform.review(login)
    platform.merge()
    found = platform.at("ci").get(request.id)
    assert found.state == "pending" and "asked for it" in found.outcome


def test_who_is_named_in_a_bot_s_request_does_not_approve_it(platform: Platform) -> None:
    job = Identity("https://token.actions.githubusercontent.com#x", "oidc", {"actor": "Ada"})
    request = platform.at("robot").open(asked(plan(), job))
    with pytest.raises(Refused, match="your own"):
        platform.approve(request, "ada")
    assert platform.approve(request, "grace").state == "approved"


def test_merged_without_a_review_is_not_approved(platform: Platform) -> None:
    request = platform.opened()
    platform.merge()
    found = platform.at("ci").get(request.id)
    assert found.state == "pending" and "nobody with the right has approved" in found.outcome
    assert platform.at("ci").approved(request.digest) is None


@pytest.mark.parametrize("role", ["read", "triage", None])
def test_a_review_of_who_may_not_write_does_not_count(platform: Platform, role: str | None) -> None:
    request = platform.opened()
    platform.review("ada")
    platform.merge()
    assert platform.at("ci").approved(request.digest)
    platform.repo.roles.pop("ada")
    if role:
        platform.repo.roles["ada"] = role
    assert platform.at("ci").approved(request.digest) is None
    assert "may not write" in platform.at("ci").get(request.id).outcome


def test_a_dismissed_review_does_not_count(platform: Platform) -> None:
    request = platform.opened()
    platform.review("ada")
    platform.review("ada", "DISMISSED")
    platform.merge()
    assert platform.at("ci").approved(request.digest) is None


def test_somebody_with_the_right_against_it_keeps_it(platform: Platform) -> None:
    request = platform.opened()
    platform.review("ada")
    platform.review("grace", "CHANGES_REQUESTED")
    platform.merge()
    found = platform.at("ci").get(request.id)
    assert found.state == "pending" and "grace asked for changes" in found.outcome


def test_a_commit_after_the_review_takes_the_approval_away(platform: Platform) -> None:
    request = platform.opened()
    platform.review("ada")
    platform.commit(f"idp/request/{request.id}", "more.txt", "unseen")
    platform.merge()
    found = platform.at("ci").get(request.id)
    assert found.state == "pending" and "before what was changed since" in found.outcome
    assert platform.at("ci").approved(request.digest) is None


def test_a_plan_changed_on_its_branch_is_no_request_any_more(platform: Platform) -> None:
    request = platform.opened()
    branch = f"idp/request/{request.id}"
    changed = platform.file(request, branch).replace("pay/production/db", "everything")
    platform.commit(branch, f"requests/{request.id}.yaml", changed)
    platform.review("ada")
    platform.merge()
    with pytest.raises(InvalidInput, match="changed since it was asked for"):
        platform.at("ci").get(request.id)
    assert platform.at("ci").approved(request.digest) is None
    assert platform.at("ci").list() == ()
    assert any("changed since" in words for words in platform.said)


def test_a_pull_request_that_changes_more_is_not_approved_here(platform: Platform) -> None:
    request = platform.opened()
    platform.commit(f"idp/request/{request.id}", ".github/workflows/requests.yml", "on: push")
    with pytest.raises(Refused, match=r"more than its request: .github/workflows/requests.yml"):
        platform.approve(request)
    assert platform.pull.reviews == [] and platform.pull.merged_at is None


def test_a_file_changed_on_main_afterwards_is_not_carried_out(platform: Platform) -> None:
    request = platform.opened()
    platform.approve(request)
    spaced = platform.file(request) + "\n"
    platform.commit("main", f"requests/{request.id}.yaml", spaced)
    found = platform.at("ci").get(request.id)
    assert found.state == "pending" and "not what was reviewed" in found.outcome
    assert platform.at("ci").approved(request.digest) is None


def test_a_file_put_on_main_by_hand_is_refused(platform: Platform) -> None:
    request = platform.opened()
    copied = json.loads(platform.file(request, f"idp/request/{request.id}"))
    platform.at("pat").cancel(request.id, platform.who("pat"))
    other = f"{request.id[:9]}aaaaa"
    platform.commit("main", f"requests/{other}.yaml", json.dumps({**copied, "id": other}))
    with pytest.raises(Refused, match="has no pull request: nobody reviewed it"):
        platform.at("ci").get(other)
    assert platform.at("ci").approved(request.digest) is None


def test_a_request_is_void_after_its_days_by_the_forge_s_clock(platform: Platform) -> None:
    request = platform.opened()
    platform.approve(request)
    platform.clock.time = request.created_at + timedelta(days=7, seconds=-1)
    assert platform.at("ci").approved(request.digest)
    platform.clock.time += timedelta(seconds=1)
    assert platform.at("ci").get(request.id).state == "expired"
    assert platform.at("ci").approved(request.digest) is None
    with pytest.raises(Refused, match="expired"):
        platform.approve(request, "grace")


def test_nobody_approves_twice_but_a_merge_cut_short_is_finished(platform: Platform) -> None:
    request = platform.opened()
    platform.forge.fail("PUT", "/merge$", 405)
    assert platform.approve(request).state == "pending"
    assert any("not merged yet" in words for words in platform.said)
    assert platform.approve(request).state == "approved"
    assert len(platform.pull.reviews) == 1
    with pytest.raises(Refused, match="already"):
        platform.approve(request)


def test_a_refusal_says_why_and_closes(platform: Platform) -> None:
    request = platform.opened()
    desk = platform.at("ada")
    refused = desk.decide(
        request.id, decided(request, "refused", "staging first"), platform.who("ada")
    )
    assert (refused.state, refused.outcome) == ("refused", "staging first")
    assert platform.pull.state == "closed" and not platform.pull.merged_at
    with pytest.raises(Refused, match="nothing is left to decide"):
        platform.approve(request, "grace")


def test_only_who_asked_takes_it_back(platform: Platform) -> None:
    request = platform.opened()
    with pytest.raises(Refused, match="not yours"):
        platform.at("ada").cancel(request.id, platform.who("ada"))
    assert platform.at("pat").cancel(request.id, platform.who("pat")).state == "cancelled"


def test_what_was_carried_out_is_told_once(platform: Platform) -> None:
    request = platform.opened()
    desk = platform.at("github-actions[bot]")
    with pytest.raises(Refused, match="pending, and not approved"):
        desk.close(request.id, DONE, platform.who("ci"))
    platform.approve(request)
    desk = platform.at("github-actions[bot]")
    failed = desk.close(request.id, Fulfilment("failed", "sealed"), platform.who("ci"))
    assert (failed.state, failed.outcome) == ("failed", "sealed")
    assert desk.approved(request.digest)
    done = desk.close(request.id, DONE, platform.who("ci"))
    assert (done.state, done.outcome) == ("fulfilled", DONE.outcome)
    assert desk.approved(request.digest) is None
    assert len(platform.pull.comments) == 1
    assert platform.at("pat").get(request.id).state == "fulfilled"


def test_what_is_to_be_handed_over_comes_in_a_comment_sealed(platform: Platform) -> None:
    request = platform.opened(**{HANDOVER_KEY: "a key"})
    platform.approve(request)
    desk = platform.at("github-actions[bot]")
    assert desk.close(request.id, DONE, platform.who("ci")).begun
    platform.clock.time += timedelta(days=30)
    assert desk.approved(request.digest), "what was begun does not expire"
    desk.close(request.id, replace(DONE, handover="hpke1.x"), platform.who("ci"))
    assert platform.at("pat").get(request.id).handover == "hpke1.x"


@pytest.mark.parametrize(("login", "state"), [("eve", "fulfilled"), ("pat", "fulfilling")])
def test_a_stranger_s_comment_tells_nothing(platform: Platform, login: str, state: str) -> None:
    request = platform.opened()
    platform.approve(request)
    said = {"request": request.id, "state": state, "outcome": "", "handover": "theirs"}
    text = f"Fulfilled\n\n```json\n{json.dumps(said)}\n```\n"
    platform.at(login).forge.comment("acme/platform", 1, "idp-request", text)
    found = platform.at("ci").get(request.id)
    assert (found.state, found.handover, found.begun) == ("approved", "", False)


def test_a_branch_that_nobody_protects_is_told(platform: Platform) -> None:
    platform.opened()
    assert platform.said == []
    platform.repo.protection.clear()
    platform.opened()
    assert any("main of acme/platform is not protected" in words for words in platform.said)


def test_a_request_is_found_by_the_beginning_of_its_id(platform: Platform) -> None:
    request = platform.opened()
    assert platform.at("ada").get(request.id[4:8]).id == request.id
    with pytest.raises(NotFound, match="no request nothing"):
        platform.at("ada").get("nothing")


def test_all_are_listed_whatever_became_of_them(platform: Platform) -> None:
    first, second = platform.opened(), platform.opened(size="2")
    platform.at("ada").decide(second.id, decided(second, "refused"), platform.who("ada"))
    platform.approve(first)
    assert {one.id: one.state for one in platform.at("pat").list()} == {
        first.id: "approved",
        second.id: "refused",
    }


def test_a_repository_that_cannot_hold_requests_is_told(platform: Platform) -> None:
    platform.repo.archived = True
    with pytest.raises(Refused, match="acme/platform is archived"):
        platform.at("pat")
    del platform.forge.repos["acme/platform"]
    with pytest.raises(NotFound, match="has no repository acme/platform"):
        platform.at("pat")
