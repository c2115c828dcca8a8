"""Gitea's reviews and merges, and who may give and do them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from idp.errors import InvalidInput, NotAllowed, Refused
from idp.forge import gitea_shapes as shapes
from idp.forge.base import Judgement, PullRequest, Review, Role
from idp.forge.shapes import last_verdicts, merged_or_told
from idp.rest import Conflict, Reply, Server

EVENTS: Mapping[Judgement, str] = {
    "approved": "APPROVED",
    "changes_requested": "REQUEST_CHANGES",
}
ROLES: Mapping[str, Role] = {
    "read": "read",
    "write": "write",
    "admin": "admin",
    "owner": "admin",
}
METHODS = ("merge", "squash", "rebase")
"""Ways to merge, in the order in which they are tried: a repository may forbid some."""


class _Tea(Protocol):
    """What of Gitea is needed here."""

    host: str
    _server: Server

    @property
    def _login(self) -> str: ...
    def pull_request(self, repo: str, number: int) -> PullRequest: ...
    def reviews(self, repo: str, number: int) -> tuple[Review, ...]: ...
    def _all(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]: ...


class Approval:
    """The part of Gitea that approves."""

    def reviews(self: _Tea, repo: str, number: int) -> tuple[Review, ...]:
        """Return the last verdict of each reviewer."""
        given = self._all(f"{_repo(repo)}/pulls/{number}/reviews")
        return last_verdicts(
            shapes.review(data)
            for data in given
            if data["user"] and data["state"] in shapes.VERDICTS
        )

    def review(
        self: _Tea, repo: str, number: int, commit: str, verdict: Judgement, body: str
    ) -> None:
        """Approve a pull request as of a commit, or say what is against it, as this account."""

        def given() -> Reply | None:
            mine = [one for one in self.reviews(repo, number) if one.author == self._login]
            is_given = any((one.verdict, one.commit) == (verdict, commit) for one in mine)
            return Reply(200, None) if is_given else None

        path = f"{_repo(repo)}/pulls/{number}/reviews"
        asked = {"commit_id": commit, "event": EVENTS[verdict], "body": body}
        try:
            self._server.send("POST", path, asked, unless=given)
        except InvalidInput as error:
            if "your own pull" not in error.message:
                raise
            raise Refused(
                f"pull request {number} of {repo} is {self._login}'s own: somebody else has to "
                "review it"
            ) from error

    def merge(self: _Tea, repo: str, number: int, commit: str) -> None:
        """Merge a pull request as of a commit, in the first way that the repository allows."""
        path = f"{_repo(repo)}/pulls/{number}/merge"

        def merged() -> Reply | None:
            is_merged = self.pull_request(repo, number).state == "merged"
            return Reply(200, None) if is_merged else None

        for method in METHODS:
            asked = {"Do": method, "head_commit_id": commit}
            try:
                self._server.send("POST", path, asked, unless=merged)
                return
            except (InvalidInput, NotAllowed, Conflict) as error:
                is_forbidden = "not allowed" in error.message.lower() and "(405)" in error.message
                if not is_forbidden or method == METHODS[-1]:
                    merged_or_told(error, self.pull_request(repo, number), commit)
                    return

    def role(self: _Tea, repo: str, login: str) -> Role | None:
        """Return what an account may do in a repository."""
        path = f"{_repo(repo)}/collaborators/{quote(login, safe='')}/permission"
        reply = self._server.get(path, ok=(404,))
        return None if reply.status == 404 else ROLES.get(str(reply.data["permission"]))

    def is_protected(self: _Tea, repo: str, branch: str) -> bool:
        """Tell whether a branch is protected."""
        return bool(self._server.get(f"{_repo(repo)}/branches/{quote(branch)}").data["protected"])


def _repo(repo: str) -> str:
    return f"/repos/{quote(repo)}"
