"""GitLab's approvals and merges, and who may give and do them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from idp.errors import InvalidInput, NotAllowed, Refused
from idp.forge import gitlab_shapes as shapes
from idp.forge.base import Judgement, PullRequest, Review, Role
from idp.forge.shapes import Answer, merged_or_told
from idp.rest import Conflict, Reply, Server


class _Lab(Protocol):
    """What of GitLab is needed here."""

    host: str
    _server: Server

    @property
    def _user(self) -> Answer: ...
    def pull_request(self, repo: str, number: int) -> PullRequest: ...
    def _all(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]: ...


class Approval:
    """The part of GitLab that approves."""

    def reviews(self: _Lab, repo: str, number: int) -> tuple[Review, ...]:
        """Return the last verdict of each reviewer; approvals first of all.

        An approval is of the commit that was the newest when it was given; without a commit where
        GitLab does not say when that was.
        """
        path = f"{_project(repo)}/merge_requests/{number}"
        approvals = self._server.get(f"{path}/approvals").data
        found = shapes.reviews(approvals, self._all(f"{path}/reviewers"))
        if not any(review.at for review in found):
            return found
        versions = shapes.versions(self._all(f"{path}/versions"))
        return tuple(shapes.as_of(review, versions) for review in found)

    def review(
        self: _Lab, repo: str, number: int, commit: str, verdict: Judgement, body: str
    ) -> None:
        """Approve a merge request as of a commit; or take an approval back, and say why."""
        path = f"{_project(repo)}/merge_requests/{number}"
        me = str(self._user["username"])
        if verdict == "changes_requested":
            self._server.send("POST", f"{path}/unapprove", ok=(404,), unless=lambda: None)
            text = {"body": shapes.inert(body)}
            self._server.send("POST", f"{path}/notes", text, unless=lambda: None)
            return

        def given() -> Reply | None:
            approvals = self._server.get(f"{path}/approvals").data
            who = [each["user"]["username"].lower() for each in approvals["approved_by"]]
            return Reply(200, None) if me.lower() in who else None

        try:
            self._server.send("POST", f"{path}/approve", {"sha": commit}, unless=given)
        except NotAllowed as error:
            # GitLab says so of one's own, and of what one has approved already.
            if given():
                return
            raise Refused(
                f"merge request {number} of {repo} may not be approved by {me}: {error.message}",
                hint="somebody else with the right has to, and not its author",
            ) from error

    def merge(self: _Lab, repo: str, number: int, commit: str) -> None:
        """Merge a merge request as of a commit."""
        path = f"{_project(repo)}/merge_requests/{number}/merge"
        try:
            self._server.send("PUT", path, {"sha": commit})
        except (InvalidInput, NotAllowed, Conflict) as error:
            merged_or_told(error, self.pull_request(repo, number), commit)

    def role(self: _Lab, repo: str, login: str) -> Role | None:
        """Return what an account may do in a project, as its member or through a group."""
        users = self._server.get("/users", {"username": login}).data
        found = [user for user in users if user["username"].lower() == login.lower()]
        if not found or found[0].get("state", "active") != "active":
            return None
        path = f"{_project(repo)}/members/all/{found[0]['id']}"
        member = self._server.get(path, ok=(404,))
        return None if member.status == 404 else shapes.role(member.data)

    def is_protected(self: _Lab, repo: str, branch: str) -> bool:
        """Tell whether a branch is protected, by its name or by a pattern."""
        path = f"{_project(repo)}/repository/branches/{quote(branch, safe='')}"
        return bool(self._server.get(path).data["protected"])


def _project(repo: str) -> str:
    return f"/projects/{quote(repo, safe='')}"
