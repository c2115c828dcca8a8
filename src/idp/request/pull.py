"""Requests as pull requests in the platform's repository: its forge's reviews decide."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from idp import git
from idp.clock import Clock
from idp.clone import HEADS, Clone, Remote, author_env, cloned
from idp.config.guardrails import RequestSettings
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused
from idp.forge.base import Forge, Proposal, PullRequest
from idp.identity import Identity
from idp.request import paper, told
from idp.request.base import Asked, Decision, Fulfilment, Request, State
from idp.request.evidence import Evidence
from idp.request.paper import Paper
from idp.request.people import are_same, login_name, names_of
from idp.request.told import MARKER, Became, Told

BRANCHES = "idp/request/"
TRAILER = "Idp-Request-Tree"


@dataclass(frozen=True)
class _Case:
    """A request with the pull request that holds it, and what its forge says of that."""

    paper: Paper
    pull: PullRequest
    evidence: Evidence
    request: Request


@dataclass(frozen=True)
class ForgeDesk:
    """A repository on a forge as `base.Desk`.

    Attributes:
        remote: the repository, as git reaches it.
        room: the folder for what is passing.
        say: tells a person what an approval here is worth.
    """

    forge: Forge
    remote: Remote
    settings: RequestSettings
    clock: Clock
    room: Path
    say: Callable[[str], None]
    local: bool = False

    def open(self, asked: Asked) -> Request:
        """Open a request; the pending or approved one of the same digest is returned instead."""
        self._tell_protection()
        for id in self._ids(paper.prefix_of(asked.digest)):
            if (found := self._reopened(id, asked.digest)) is not None:
                return found
        drawn = paper.drawn(asked, self.clock.now(), self.settings.expires_days)
        with cloned(self.remote, self.settings.branch, self.room, None) as clone:
            self._push(clone, drawn)
        self.forge.propose(self._repo, self._proposal(drawn))
        return self.get(drawn.id)

    def list(self) -> tuple[Request, ...]:
        """Return all requests, the newest first; what is none is told."""
        found = []
        for id in self._ids("req-"):
            try:
                found.append(self._case(id).request)
            except (InvalidInput, Refused) as error:
                self.say(f"warning: {id}: {error}")
        return tuple(sorted(found, key=lambda one: one.created_at, reverse=True))

    def get(self, id: str) -> Request:
        """Return a request by its id, or by a beginning of it that only one has."""
        return self._case(self._full(id)).request

    def decide(self, id: str, decision: Decision, who: Identity) -> Request:
        """Approve or refuse it: by a review as this account, then merge it or close it.

        Raises:
            NotAllowed: the forge does not say that this is who decides.
            Refused: the requester's own, decided by them before, changed, or no longer pending.
        """
        self._tell_protection()
        case = self._case(self._full(id))
        login = self._check_who(case, who)
        if decision.digest != case.paper.digest:
            raise Refused(
                f"{case.paper.id} is not what you looked at: its plan has another digest",
                hint=f"idp request show {case.paper.id}",
            )
        if case.request.state not in ("pending", "approved") or case.request.begun:
            raise Refused(f"{case.paper.id} is {case.request.state}: nothing is left to decide")
        if decision.verdict == "approved":
            self._approve(case, login, decision.why)
        else:
            self._refuse(case, decision.why)
        return self.get(case.paper.id)

    def cancel(self, id: str, who: Identity) -> Request:
        """Take it back, as the requester: close its pull request."""
        case = self._case(self._full(id))
        if not case.evidence.is_requester(self._login) or not are_same(
            names_of(who), [login_name(self._login)]
        ):
            raise Refused(
                f"{case.paper.id} is not yours: {case.request.requester} asked for it",
                hint=f"idp request refuse {case.paper.id}",
            )
        if case.pull.state != "open":
            raise Refused(
                f"{case.pull.url} is {case.pull.state}: it cannot be taken back",
                hint=f"as {case.request.state} it ends on {case.request.expires_at:%Y-%m-%d}",
            )
        self.forge.close_pull_request(self._repo, case.pull.number)
        return self.get(case.paper.id)

    def approved(self, digest: str) -> Request | None:
        """Return the approved, unexpired and unfulfilled request of exactly this plan."""
        for id in self._ids(paper.prefix_of(digest)):
            try:
                request = self._case(id).request
            except (InvalidInput, Refused) as error:
                self.say(f"warning: {id}: {error}")
                continue
            if request.digest == digest and request.state in ("approved", "failed"):
                self._tell_protection()
                return request
        return None

    def close(self, id: str, fulfilment: Fulfilment, who: Identity) -> Request:
        """Record in a comment that an approved one was carried out, or could not be.

        Raises:
            Refused: it is not approved.
        """
        self._tell_protection()
        case = self._case(self._full(id))
        request = case.request
        if request.state == "fulfilled" and not (fulfilment.handover and not request.handover):
            return request
        if request.state not in ("approved", "failed", "fulfilled"):
            raise Refused(f"{request.id} is {request.state}, and not approved: {request.outcome}")
        state: Became = fulfilment.state
        if state == "fulfilled" and request.owes_handover and not fulfilment.handover:
            state = "fulfilling"
        handover = fulfilment.handover or request.handover
        text = Told(state, fulfilment.outcome, handover).written(request.id)
        self.forge.comment(self._repo, case.pull.number, MARKER, text)
        return self.get(request.id)

    @property
    def _repo(self) -> str:
        return self.settings.repository

    @cached_property
    def _login(self) -> str:
        return self.forge.account().login

    @cached_property
    def _is_protected(self) -> bool:
        return self.forge.is_protected(self._repo, self.settings.branch)

    def _tell_protection(self) -> None:
        if not self._is_protected:
            self.say(
                f"warning: {self.settings.branch} of {self._repo} is not protected: whoever may "
                "push there can change what carries requests out, and nobody has to review it"
            )

    def _path(self, id: str) -> str:
        return f"{self.settings.folder}/{id}.yaml"

    def _ids(self, prefix: str) -> builtins.list[str]:
        """Return the ids of all requests that begin so: those of branches, and those merged."""
        pattern = f"{HEADS}{BRANCHES}{prefix}*"
        listed = self.remote.read("ls-remote", "--", self.remote.url, pattern).decode()
        ids = {line.split("\t")[1].rpartition("/")[2] for line in listed.splitlines()}
        tree = self.forge.files(self._repo, self.settings.branch)
        for blob in tree.blobs if tree else ():
            folder, _, name = blob.path.rpartition("/")
            if folder == self.settings.folder and name.endswith(".yaml"):
                ids.add(name.removesuffix(".yaml"))
        return sorted(id for id in ids if id.startswith(prefix))

    def _full(self, id: str) -> str:
        wanted = id if id.startswith("req-") else f"req-{id}"
        found = self._ids(wanted)
        if wanted in found or len(found) == 1:
            return wanted if wanted in found else found[0]
        if not found and self.forge.last_pull_request(self._repo, f"{BRANCHES}{wanted}"):
            return wanted  # closed, and its branch is gone
        what = f"{wanted} begins the ids {', '.join(found)}" if found else f"no request {id}"
        raise NotFound(f"{what} in {self._repo}", hint="idp request list")

    def _case(self, id: str) -> _Case:
        """Return how a request stands.

        Raises:
            Refused: it is in the repository without a pull request.
            InvalidInput: it was changed since it was asked for.
        """
        repo, path = self._repo, self._path(id)
        pull = self.forge.last_pull_request(repo, f"{BRANCHES}{id}")
        if pull is None:
            raise Refused(
                f"{path} in {repo} has no pull request: nobody reviewed it",
                hint="ask again; what is written there by hand is not carried out",
            )
        raw = self.forge.read(repo, path, pull.head)
        if raw is None:
            raise NotFound(f"{pull.url} holds no {path}")
        known = paper.read(raw.content, f"{path} of {pull.url}")
        if known.id != id:
            raise InvalidInput(f"{path} of {pull.url} is the request {known.id}")
        evidence = Evidence(self.forge, repo, pull, known).read()
        return _Case(known, pull, evidence, self._request(known, pull, evidence, raw.content))

    def _request(self, known: Paper, pull: PullRequest, evidence: Evidence, raw: bytes) -> Request:
        comments = self.forge.comments(self._repo, pull.number, MARKER)
        said = told.last(comments, known.id, evidence.counts)
        state, why = self._state(known, pull, evidence, raw, said)
        # When it was asked for is the forge's word too: who asks could write any day.
        expires_at = pull.created_at + timedelta(days=self.settings.expires_days)
        begun = said is not None and said.state == "fulfilling"
        if state in ("pending", "approved", "failed") and not begun:
            state = "expired" if self.clock.now() >= expires_at else state
        return Request(
            id=known.id,
            action=known.read_plan["action"],
            subject=known.read_plan["subject"],
            plan=known.read_plan,
            digest=known.digest,
            requester=f"{self.forge.host}:{pull.author}",
            why=known.why,
            created_at=pull.created_at,
            expires_at=expires_at,
            state=state,
            decisions=tuple(evidence.decisions),
            url=pull.url,
            outcome=why or (said.outcome if said else ""),
            handover=said.handover if said else "",
            begun=begun,
        )

    def _state(
        self, known: Paper, pull: PullRequest, evidence: Evidence, raw: bytes, said: Told | None
    ) -> tuple[State, str]:
        """Return its state, and what keeps it from being approved where something does."""
        if pull.state == "open":
            return "pending", ""
        if pull.state == "closed":
            is_refused = (said and said.state == "refused") or evidence.against
            return ("refused", "") if is_refused else ("cancelled", "")
        if said and said.state == "fulfilled":
            return "fulfilled", ""
        if pull.base != self.settings.branch:
            return "pending", f"merged into {pull.base}, and not into {self.settings.branch}"
        try:
            now = self.forge.read(self._repo, self._path(known.id), self.settings.branch)
        except NotFound:
            return "cancelled", f"{self._path(known.id)} was taken out of {self.settings.branch}"
        if now is None or now.content != raw:
            return "pending", f"{self._path(known.id)} is not what was reviewed: changed since"
        if evidence.lacking:
            return "pending", f"merged, but {evidence.lacking}"
        return ("failed" if said and said.state == "failed" else "approved"), ""

    def _reopened(self, id: str, digest: str) -> Request | None:
        """Return the open request of a plan; one whose branch was pushed is proposed at last."""
        try:
            request = self._case(id).request
        except Refused:
            raw = self._on_branch(id)
            if raw is None or raw.digest != digest:
                return None
            self.forge.propose(self._repo, self._proposal(raw))
            request = self._case(id).request
        except InvalidInput:
            return None
        return request if request.digest == digest and request.is_open else None

    def _on_branch(self, id: str) -> Paper | None:
        try:
            raw = self.forge.read(self._repo, self._path(id), f"{BRANCHES}{id}")
            return paper.read(raw.content, id) if raw else None
        except InvalidInput:
            return None

    def _push(self, clone: Clone, drawn: Paper) -> None:
        repo, head = clone.repo, clone.repo.head()
        asked = ("hash-object", "-w", "--no-filters", "--stdin")
        oid = repo.run(*asked, stdin=drawn.written()).stdout.decode().strip()
        lines = git.index_lines(self._path(drawn.id), {0: git.Entry("100644", oid)}, repo.nothing)
        tree = clone.write_tree(head, lines)
        message = f"{_title(drawn)}\n\n{TRAILER}: {tree}\n"
        commit = clone.write_commit(tree, head, message, author_env(repo))
        clone.push(f"{BRANCHES}{drawn.id}", "", commit)

    def _proposal(self, drawn: Paper) -> Proposal:
        text = (
            f"{drawn.why}\n\n"
            f"| | |\n|---|---|\n| action | `{drawn.read_plan['action']}` |\n"
            f"| subject | `{drawn.read_plan['subject']}` |\n| plan | `{drawn.digest}` |\n\n"
            f"The plan is in `{self._path(drawn.id)}`. `idp request approve {drawn.id}` reviews "
            f"and merges it, `idp request refuse {drawn.id}` closes it. What is approved is this "
            "very plan: a later commit takes an approval away.\n"
        )
        branch = f"{BRANCHES}{drawn.id}"
        return Proposal(branch, self.settings.branch, _title(drawn), text, draft=False)

    def _check_who(self, case: _Case, who: Identity) -> str:
        if not who.is_verified or not are_same(names_of(who), [login_name(self._login)]):
            raise NotAllowed(
                f"{who.id} cannot review on {self.forge.host}, where the token is {self._login}'s",
                hint=f"idp auth login {self.forge.host}",
            )
        if case.evidence.is_requester(self._login):
            raise Refused(
                f"{case.paper.id} is your own: somebody else has to decide it",
                hint=f"idp request cancel {case.paper.id} takes it back",
            )
        return self._login

    def _approve(self, case: _Case, login: str, why: str) -> None:
        """Review and merge; where the review was given already, go on with the merge."""
        has_approved = login.lower() in map(str.lower, case.evidence.standing)
        if has_approved and case.pull.state != "open":
            raise Refused(f"you have approved {case.paper.id} already")
        self._check_alone(case)
        if not has_approved:
            text = f"{why}\n\nPlan `{case.paper.digest}`".strip()
            self.forge.review(self._repo, case.pull.number, case.pull.head, "approved", text)
        if case.pull.state != "open":
            return
        try:
            self.forge.merge(self._repo, case.pull.number, case.pull.head)
        except Refused as error:
            self.say(f"approved, and not merged yet: {error.message}")

    def _check_alone(self, case: _Case) -> None:
        """Refuse a pull request that changes more than its request: it would be merged unseen."""
        with cloned(self.remote, self.settings.branch, self.room, None) as clone:
            tip = clone.fetch(case.pull.branch)
            if tip != case.pull.head and case.pull.state == "open":
                raise Refused(
                    f"{case.pull.url} has moved on to {tip[:12] or 'nothing'} just now",
                    hint=f"idp request show {case.paper.id}",
                )
            asked = ("diff", "--name-only", "-z", f"HEAD...{case.pull.head}")
            changed = clone.repo.run(*asked).stdout.decode(errors="replace").split("\0")
        others = [name for name in changed if name and name != self._path(case.paper.id)]
        if others and case.pull.state == "open":
            raise Refused(
                f"{case.pull.url} changes more than its request: {', '.join(others[:5])}",
                hint="refuse it: a request changes one file",
            )

    def _refuse(self, case: _Case, why: str) -> None:
        if case.pull.state != "open":
            raise Refused(
                f"{case.pull.url} is merged: it cannot be refused any more",
                hint=f"revert it: without {self._path(case.paper.id)} nothing is carried out",
            )
        number, head = case.pull.number, case.pull.head
        text = why or "Refused."
        self.forge.comment(self._repo, number, MARKER, Told("refused", why).written(case.paper.id))
        self.forge.review(self._repo, number, head, "changes_requested", text)
        self.forge.close_pull_request(self._repo, number)


def _title(drawn: Paper) -> str:
    return f"request: {drawn.read_plan['action']} {drawn.read_plan['subject']} ({drawn.id})"
