"""What a forge says of who approved a pull request: it alone counts, and no machine's word."""

from __future__ import annotations

from dataclasses import dataclass, field

from idp.forge.base import Forge, PullRequest, Review, Role
from idp.request.base import Decision
from idp.request.paper import Paper
from idp.request.people import are_same, login_name
from idp.request.told import Became

RIGHT: frozenset[Role] = frozenset({"write", "maintain", "admin"})
"""The roles whose review counts."""

BOT = "[bot]"
"""How the accounts of apps, and of GitHub's own CI, end; no person's login can."""


@dataclass
class Evidence:
    """What is known of a pull request's reviews; each account's role is asked for once.

    Attributes:
        standing: who approves the very commit with the right to, and is not who asked.
        against: who has asked for changes with the right to.
    """

    forge: Forge
    repo: str
    pull: PullRequest
    paper: Paper
    decisions: list[Decision] = field(default_factory=list)
    standing: list[str] = field(default_factory=list)
    against: list[str] = field(default_factory=list)
    _roles: dict[str, Role | None] = field(default_factory=dict)

    def read(self) -> Evidence:
        """Read the reviews."""
        for review in self.forge.reviews(self.repo, self.pull.number):
            if review.verdict in ("approved", "changes_requested"):
                self._take(review)
        return self

    @property
    def lacking(self) -> str:
        """What keeps it from being approved; empty for nothing."""
        if self.against:
            return f"{', '.join(self.against)} asked for changes"
        if self.standing:
            return ""
        why = [f"{one.who}: {one.why}" for one in self.decisions if one.why]
        told = f" ({'; '.join(why)})" if why else ""
        return f"nobody with the right has approved commit {self.pull.head[:12]}{told}"

    def is_requester(self, login: str) -> bool:
        """Tell whether an account is the one who asked: the pull request's, or who it names."""
        names = {*self.paper.names, login_name(self.pull.author)}
        return are_same(names, [login_name(login)])

    def counts(self, login: str, state: Became) -> bool:
        """Tell whether an account's word of what became of a request counts."""
        if self.is_requester(login) and state == "fulfilled":
            return True
        if state == "refused":
            return self._has_right(login) and not self.is_requester(login)
        return login.endswith(BOT) or self._has_right(login)

    def _take(self, review: Review) -> None:
        verdict, why = "approved", self._flaw(review)
        if review.verdict == "changes_requested":
            verdict = "refused"
            if self._has_right(review.author) and not self.is_requester(review.author):
                self.against.append(review.author)
        elif not why:
            self.standing.append(review.author)
        who = f"{self.forge.host}:{review.author}"
        digest = self.paper.digest if review.commit == self.pull.head else ""
        is_approval = verdict == "approved"
        self.decisions.append(
            Decision(
                who,
                "approved" if is_approval else "refused",
                review.at,
                digest,
                f"does not count: {why}" if is_approval and why else "",
            )
        )

    def _flaw(self, review: Review) -> str:
        """Return why an approval does not count; empty where it does."""
        if self.is_requester(review.author):
            return "asked for it"
        if not review.commit:
            return f"{self.forge.host} does not say of which commit"
        if review.commit != self.pull.head:
            return f"given for {review.commit[:12]}, before what was changed since"
        if not self._has_right(review.author):
            return "may not write in the repository"
        return ""

    def _has_right(self, login: str) -> bool:
        if login not in self._roles:
            self._roles[login] = self.forge.role(self.repo, login)
        return self._roles[login] in RIGHT
