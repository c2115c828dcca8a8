"""Gitea and Forgejo over their REST API (v1): Gitea 1.19 or newer, any Forgejo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any
from urllib.parse import quote, urljoin

from idp.errors import InvalidInput, NotFound
from idp.forge import gitea_shapes as shapes
from idp.forge.base import (
    Account,
    Blob,
    Check,
    Comment,
    Deployment,
    DeploymentStatus,
    File,
    Issue,
    Kind,
    NewDeployment,
    NewRepository,
    NotSupported,
    Pages,
    Proposal,
    Protection,
    PullRequest,
    Repository,
    Role,
    Tree,
)
from idp.forge.gitea_approval import Approval
from idp.forge.shapes import (
    Answer,
    differences,
    is_marked,
    listed,
    marked,
    not_renamed,
    with_marker,
)
from idp.rest import Conflict, Reply, Server

PAGE = 50
"""Items a page: the most that a server gives by default."""

RECENT = 3 * PAGE
"""Pull requests among which the last one of a branch is looked for."""

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
PERMISSIONS = ("none", "read", "write", "admin", "owner")
# What a team must have, and of which unit of a repository, to be given a role.
NEEDED: Mapping[Role, tuple[str, str]] = {
    "read": ("repo.code", "read"),
    "triage": ("repo.issues", "write"),
    "write": ("repo.code", "write"),
    "maintain": ("repo.code", "write"),
    "admin": ("", "admin"),
}


class Gitea(Approval):
    """Gitea or Forgejo, spoken to as one account."""

    kind: Kind = "gitea"

    def __init__(self, host: str, server: Server) -> None:
        self.host = host
        self._server = server

    @cached_property
    def _login(self) -> str:
        return str(self._server.get("/user").data["login"])

    def account(self) -> Account:
        """Return whom the token speaks for; Gitea does not tell a token's scopes."""
        return Account(self._login, is_bot=False, scopes=None)

    def repository(self, repo: str) -> Repository | None:
        """Return a repository, or None where there is none (that we may see)."""
        reply = self._server.get(_repo(repo), ok=(404,))
        return shapes.repository(reply.data) if reply.status == 200 else None

    def create_repository(self, wanted: NewRepository) -> Repository:
        """Make a repository without a commit, in an organisation or for the account itself.

        Raises:
            NotSupported: an internal one: here the organisation decides who sees its repositories.
        """
        if wanted.visibility == "internal":
            raise NotSupported(
                "Gitea cannot make a repository internal",
                hint="visibility private or public; in an organisation that is `limited`, public "
                "repositories are seen by whoever is logged in",
            )
        if (found := self.repository(wanted.full_name)) is not None:
            return not_renamed(found, wanted.full_name, self.host)
        owner, _, name = wanted.full_name.partition("/")
        own = owner.lower() == self._login.lower()
        body = {
            "name": name,
            "description": wanted.description,
            "private": wanted.visibility == "private",
            "auto_init": False,
        }
        made = self._server.send(
            "POST",
            "/user/repos" if own else f"/orgs/{quote(owner)}/repos",
            body,
            unless=lambda: self._there(_repo(wanted.full_name)),
        )
        return shapes.repository(made.data)

    def _there(self, path: str) -> Reply | None:
        reply = self._server.get(path, ok=(404,))
        return reply if reply.status == 200 else None

    def set_topics(self, repo: str, topics: Sequence[str]) -> None:
        """Make these the repository's topics."""
        self._server.send("PUT", f"{_repo(repo)}/topics", {"topics": list(topics)})

    def check_team(self, repo: str, team: str) -> None:
        """Raise NotFound where a repository's owner has no such team; the repository may not be."""
        self._team(repo.partition("/")[0], team.rpartition("/")[2].lstrip("@"))

    def grant(self, repo: str, team: str, role: Role) -> None:
        """Give a team a repository; what it may do there is the team's own permission.

        Its name or @OWNER/NAME names it.

        Raises:
            NotFound: the organisation has no such team.
            NotSupported: the team's own permission is less than the role.
        """
        owner, team = repo.partition("/")[0], team.rpartition("/")[2].lstrip("@")
        found = self._team(owner, team)
        unit, least = NEEDED[role]
        has = max(
            found.get("permission") or "none",
            (found.get("units_map") or {}).get(unit, "none"),
            key=PERMISSIONS.index,
        )
        if PERMISSIONS.index(has) < PERMISSIONS.index(least):
            raise NotSupported(
                f"Gitea gives a team one permission for all its repositories: {owner}/{team} has "
                f"{has}, {role} needs {least}",
                hint=f"raise it at https://{self.host}/org/{owner}/teams, or ask for less",
            )
        path = f"{_repo(repo)}/teams/{quote(team, safe='')}"
        try:
            self._server.send("PUT", path)
        except InvalidInput:
            # So it also says that the team has the repository already.
            if self._there(path) is None:
                raise

    def _team(self, owner: str, team: str) -> Answer:
        try:
            for found in self._all(f"/orgs/{quote(owner)}/teams"):
                if found["name"].lower() == team.lower():
                    return dict(found)
        except NotFound as error:
            raise NotFound(f"{owner} is no organisation on {self.host}") from error
        raise NotFound(
            f"no team called {team} in {owner} on {self.host}",
            hint=f"see https://{self.host}/org/{owner}/teams",
        )

    def protect(self, repo: str, branch: str, protection: Protection) -> None:
        """Protect a branch; a code owner is waited for as every reviewer who was asked."""
        asks = bool(protection.reviews or protection.code_owners or protection.checks)
        rule = {
            "enable_push": not asks,
            "required_approvals": protection.reviews,
            "block_on_rejected_reviews": protection.reviews > 0,
            "block_on_official_review_requests": protection.code_owners,
            "enable_status_check": bool(protection.checks),
            "status_check_contexts": list(protection.checks),
            # Of these Gitea knows the one, Forgejo the other.
            "block_admin_merge_override": True,
            "apply_to_admins": True,
        }
        rules = f"{_repo(repo)}/branch_protections"
        path = f"{rules}/{quote(branch, safe='')}"

        if self._there(path):
            self._server.send("PATCH", path, rule)
            return
        new = {"rule_name": branch, **rule}
        self._server.send("POST", rules, new, unless=lambda: self._there(path))

    def pull_request(self, repo: str, number: int) -> PullRequest:
        """Return a pull request."""
        return shapes.pull_request(self._server.get(f"{_repo(repo)}/pulls/{number}").data)

    def open_pull_requests(self, repo: str, branch: str = "") -> Iterator[PullRequest]:
        """Yield the open ones, or those from one branch of the repository itself."""
        return map(shapes.pull_request, self._open(repo, branch))

    def last_pull_request(self, repo: str, branch: str) -> PullRequest | None:
        """Return the newest one from one branch of the repository itself, whatever its state.

        Gitea lists all of the repository, the newest first: only the last RECENT are looked at.
        """
        recent = islice(self._all(f"{_repo(repo)}/pulls", {"state": "all"}), RECENT)
        found = (each for each in recent if shapes.own_branch(each) == branch)
        return next(map(shapes.pull_request, found), None)

    def _open(self, repo: str, branch: str = "") -> Iterator[Answer]:
        query = {"state": "open", "sort": "oldest"}
        for data in self._all(f"{_repo(repo)}/pulls", query):
            if not branch or shapes.own_branch(data) == branch:
                yield data

    def _all(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        """Yield the entries of a listing, page by page.

        Reviews and teams come with their number and without a link to the next page.
        """
        read, number, is_more = 0, 1, True
        while is_more:
            reply = self._server.get(path, {"limit": PAGE, "page": number, **(query or {})})
            entries = list(listed([reply]))
            yield from entries
            read, number = read + len(entries), number + 1
            total = int(reply.headers.get("x-total-count", 0))
            is_more = bool(entries) and (bool(reply.next) or read < total)

    def propose(self, repo: str, proposal: Proposal) -> PullRequest:
        """Open a pull request, or bring the open one of that branch up to date."""

        def opened() -> Reply | None:
            found = list(self._open(repo, proposal.branch))
            found.sort(key=lambda data: bool(data["base"]["ref"] != proposal.base))
            return Reply(200, found[0]) if found else None

        path = f"{_repo(repo)}/pulls"
        title = f"WIP: {proposal.title}" if proposal.draft else proposal.title
        body = {"base": proposal.base, "title": title, "body": proposal.body}
        if (reply := opened()) is None:
            new = {"head": proposal.branch, **body}
            try:
                reply = self._server.send("POST", path, new, unless=opened)
            except Conflict:
                # Somebody else's run has opened it in between.
                if (reply := opened()) is None:
                    raise
        pull = shapes.pull_request(reply.data)
        if not differences(pull, proposal):
            return pull
        changed = self._server.send("PATCH", f"{path}/{pull.number}", body)
        return shapes.pull_request(changed.data)

    def close_pull_request(self, repo: str, number: int) -> None:
        """Close a pull request without merging it."""
        self._server.send("PATCH", f"{_repo(repo)}/pulls/{number}", {"state": "closed"})

    def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        """Return what checks said of a commit, the last one of each name."""
        path = f"{_repo(repo)}/commits/{quote(sha, safe='')}/statuses"
        last: dict[str, Check] = {}
        for data in self._all(path, {"sort": "highestindex"}):
            name = data["context"]
            last.setdefault(name, Check(name, shapes.outcome(data), self._link(data["target_url"])))
        return tuple(last.values())

    def _link(self, url: str) -> str:
        """Return a whole URL: that of a run of Gitea's own Actions is a path."""
        return urljoin(f"https://{self.host}", url) if url else ""

    def comment(self, repo: str, number: int, marker: str, body: str) -> Comment:
        """Write our comment with this hidden marker, or bring it up to date."""

        def written() -> Reply | None:
            found = self._comment(repo, number, marker)
            return Reply(200, found) if found else None

        text = {"body": marked(marker, body)}
        path = f"{_repo(repo)}/issues/{number}/comments"
        reply = written() or self._server.send("POST", path, text, unless=written)
        found = shapes.comment(reply.data)
        if found.body == text["body"]:
            return found
        path = f"{_repo(repo)}/issues/comments/{found.id}"
        return shapes.comment(self._server.send("PATCH", path, text).data)

    def _comment(self, repo: str, number: int, marker: str) -> Answer | None:
        for data in self._server.get(f"{_repo(repo)}/issues/{number}/comments").data:
            found = shapes.comment(data)
            if found.author == self._login and is_marked(marker, found.body):
                return dict(data)
        return None

    def comments(self, repo: str, number: int, marker: str) -> tuple[Comment, ...]:
        """Return all comments on a pull request with this hidden marker, whoever wrote them."""
        listed = self._server.get(f"{_repo(repo)}/issues/{number}/comments").data
        return with_marker(marker, map(shapes.comment, listed))

    def deploy(self, repo: str, wanted: NewDeployment) -> Deployment:
        """Raise NotSupported: Gitea has no deployments."""
        raise _no_deployments()

    def deployments(self, repo: str, environment: str = "") -> Iterator[Deployment]:
        """Raise NotSupported: Gitea has no deployments."""
        raise _no_deployments()

    def set_status(self, repo: str, deployment: Deployment, status: DeploymentStatus) -> None:
        """Raise NotSupported: Gitea has no deployments."""
        raise _no_deployments()

    def repositories(self, owner: str, pages: Pages | None = None) -> Iterator[Repository]:
        """Yield the repositories of an organisation or a person; Gitea's pages have no etags."""
        name = quote(owner)
        is_org = self._server.get(f"/orgs/{name}", ok=(404,)).status == 200
        path = f"/{'orgs' if is_org else 'users'}/{name}/repos"
        return map(shapes.repository, self._all(path))

    def files(self, repo: str, ref: str, etag: str = "") -> Tree | None:
        """Return all files of a commit or branch; the etag is the commit."""
        try:
            sha = self._commit(repo, ref)
            return None if sha == etag else Tree(tuple(self._walk(repo, sha)), sha, sha)
        except NotFound:
            found = self.repository(repo)
            if found is None or not found.is_empty:
                raise
            return Tree()

    def _commit(self, repo: str, ref: str) -> str:
        """Return the commit of a branch, which may move on while we read page by page."""
        if SHA.fullmatch(ref):
            return ref
        branch = self._server.get(f"{_repo(repo)}/branches/{quote(ref)}")
        return str(branch.data["commit"]["id"])

    def _walk(self, repo: str, sha: str) -> Iterator[Blob]:
        number, is_more = 1, True
        while is_more:
            query: dict[str, str | int] = {"recursive": "true", "page": number}
            data = self._server.get(f"{_repo(repo)}/git/trees/{sha}", query).data
            yield from shapes.blobs(data)
            number, is_more = number + 1, data["truncated"]

    def read(self, repo: str, path: str, ref: str, etag: str = "") -> File | None:
        """Read a file; None where it is unchanged since `etag`."""
        where = f"{_repo(repo)}/raw/{quote(path)}"
        reply = self._server.get(where, {"ref": ref}, etag=etag, raw=True)
        return None if reply.status == 304 else File(reply.body, reply.etag)

    def issues(self, repo: str, label: str) -> Iterator[Issue]:
        """Yield the issues with a label, open and closed."""
        query = {"state": "all", "type": "issues", "labels": label}
        found = map(shapes.issue, self._all(f"{_repo(repo)}/issues", query))
        # For a label that it does not know, Gitea answers with all issues.
        return (issue for issue in found if label in issue.labels)


def _repo(repo: str) -> str:
    return f"/repos/{quote(repo)}"


def _no_deployments() -> NotSupported:
    return NotSupported(
        "Gitea has no deployments", hint="read them from the CI's statuses of the commit"
    )
