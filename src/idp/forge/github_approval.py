"""GitHub's reviews and merges, and who may give and do them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from idp.errors import InvalidInput, NotAllowed, Refused
from idp.forge import github_shapes as shapes
from idp.forge.base import Account, Judgement, PullRequest, Review, Role
from idp.forge.github_shapes import path_of
from idp.forge.shapes import merged_or_told
from idp.rest import Conflict, Query, Reply, Server

EVENTS: Mapping[Judgement, str] = {
    "approved": "APPROVE",
    "changes_requested": "REQUEST_CHANGES",
}
ROLES: Mapping[str, Role] = {
    "read": "read",
    "triage": "triage",
    "write": "write",
    "maintain": "maintain",
    "admin": "admin",
}
METHODS = ("merge", "squash", "rebase")
"""Ways to merge, in the order in which they are tried: a repository may forbid some."""


class _Hub(Protocol):
    """What of GitHub is needed here."""

    host: str
    _server: Server

    def account(self) -> Account: ...
    def pull_request(self, repo: str, number: int) -> PullRequest: ...
    def _all(self, path: str, within: str = "", query: Query | None = None) -> Iterator[Any]: ...


class Approval:
    """The part of GitHub that approves."""

    def reviews(self: _Hub, repo: str, number: int) -> tuple[Review, ...]:
        """Return the last verdict of each reviewer; a comment takes none back."""
        return shapes.last_reviews(self._all(f"{path_of(repo)}/pulls/{number}/reviews"))

    def review(
        self: _Hub, repo: str, number: int, commit: str, verdict: Judgement, body: str
    ) -> None:
        """Approve a pull request as of a commit, or say what is against it, as this account."""
        path = f"{path_of(repo)}/pulls/{number}/reviews"
        login = self.account().login

        def given() -> Reply | None:
            known = shapes.last_reviews(self._all(path))
            mine = [one for one in known if one.author.lower() == login.lower()]
            is_given = any((one.verdict, one.commit) == (verdict, commit) for one in mine)
            return Reply(200, None) if is_given else None

        asked = {"commit_id": commit, "event": EVENTS[verdict], "body": body}
        try:
            self._server.send("POST", path, asked, unless=given)
        except InvalidInput as error:
            if "your own pull request" not in error.message:
                raise
            raise Refused(
                f"pull request {number} of {repo} is {login}'s own: somebody else has to review it"
            ) from error

    def merge(self: _Hub, repo: str, number: int, commit: str) -> None:
        """Merge a pull request as of a commit, in the first way that the repository allows."""
        path = f"{path_of(repo)}/pulls/{number}/merge"
        for method in METHODS:
            try:
                self._server.send("PUT", path, {"sha": commit, "merge_method": method})
                return
            except (InvalidInput, NotAllowed, Conflict) as error:
                is_forbidden = "not allowed on this repository" in error.message
                if not is_forbidden or method == METHODS[-1]:
                    merged_or_told(error, self.pull_request(repo, number), commit)
                    return

    def role(self: _Hub, repo: str, login: str) -> Role | None:
        """Return what an account may do; an organisation's own role counts as what it is above."""
        path = f"{path_of(repo)}/collaborators/{quote(login, safe='')}/permission"
        reply = self._server.get(path, ok=(404,))
        if reply.status == 404:
            return None
        named = str(reply.data.get("role_name", ""))
        return ROLES.get(named) or ROLES.get(str(reply.data["permission"]))

    def is_protected(self: _Hub, repo: str, branch: str) -> bool:
        """Tell whether a branch is protected, by branch protection or by a ruleset."""
        name = quote(branch, safe="")
        if self._server.get(f"{path_of(repo)}/branches/{name}").data["protected"]:
            return True
        # Older servers have no rulesets.
        rules = self._server.get(f"{path_of(repo)}/rules/branches/{name}", ok=(404,))
        found = rules.data if rules.status == 200 else ()
        return any(rule.get("type") == "pull_request" for rule in found)
