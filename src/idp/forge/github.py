"""GitHub, github.com and Enterprise: its REST API of 2022-11-28, and GraphQL where it has none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, RemoteFailed
from idp.forge import github_graphql as graphql
from idp.forge import github_shapes as shapes
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
from idp.forge.github_approval import Approval
from idp.forge.github_shapes import alike, cut, path_of, protection_body
from idp.forge.listing import repositories
from idp.forge.shapes import differences, is_marked, marked, not_renamed, with_marker
from idp.rest import Conflict, Query, Reply, Server

RAW = "application/vnd.github.raw+json"
PAGE = {"per_page": 100}
LISTING: Query = {**PAGE, "sort": "created", "direction": "asc"}
WHOLE = {"recursive": 1}
FEW = 10
"""Items a page where the first one is most often the one: forks of one owner answer to it too."""
PERMISSIONS: Mapping[Role, str] = {
    "read": "pull",
    "triage": "triage",
    "write": "push",
    "maintain": "maintain",
    "admin": "admin",
}
LONGEST_DESCRIPTION = 350


class GitHub(Approval):
    """GitHub as `base.Forge`, spoken to as one account.

    Args:
        host: where its pages are.
        server: its REST API.
    """

    kind: Kind = "github"

    def __init__(self, host: str, server: Server) -> None:
        self.host = host
        self._server = server

    def account(self) -> Account:
        """Return whom the token speaks for; an app's token is told by GraphQL only."""
        reply = self._server.get("/user", ok=(403,))
        if reply.status == 403:
            return shapes.app(graphql.ask(self._server, graphql.VIEWER))
        return shapes.account(reply.data, reply.headers.get("x-oauth-scopes"))

    def repository(self, repo: str) -> Repository | None:
        """Return a repository, or None; a renamed one comes under its new name."""
        reply = self._server.get(path_of(repo), ok=(404,))
        return None if reply.status == 404 else self._known(reply.data)

    def create_repository(self, wanted: NewRepository) -> Repository:
        """Make a repository without a commit, in an organisation or for the account itself."""
        path = path_of(wanted.full_name)
        if (found := self.repository(wanted.full_name)) is not None:
            return not_renamed(found, wanted.full_name, self.host)
        owner, name = wanted.full_name.split("/")
        body = {
            "name": name,
            "description": " ".join(wanted.description.split())[:LONGEST_DESCRIPTION],
            "private": wanted.visibility != "public",
        }
        where, body = self._new(owner, wanted, body)
        try:
            made = self._server.send("POST", where, body, unless=lambda: self._there(path))
        except NotFound as error:
            raise NotFound(
                f"no organisation {owner} on {self.host} that the token may see",
                hint=f"to make it {self._login}'s own: {self._login}/{name}",
            ) from error
        return replace(shapes.repository(made.data), is_empty=True)

    def set_topics(self, repo: str, topics: Sequence[str]) -> None:
        """Make these the repository's topics; GitHub writes them in small letters."""
        names = list(dict.fromkeys(topic.lower() for topic in topics))
        self._server.send("PUT", f"{path_of(repo)}/topics", {"names": names})

    def check_team(self, repo: str, team: str) -> None:
        """Raise NotFound where a repository's owner has no such team; the repository may not be."""
        owner, slug = _team(repo, team)
        if self._server.get(f"/orgs/{owner}/teams/{slug}", ok=(404,)).status == 404:
            raise self._no_team(owner, slug)

    def grant(self, repo: str, team: str, role: Role) -> None:
        """Give a team of the repository's owner a role; its name, slug or @OWNER/SLUG names it."""
        owner, slug = _team(repo, team)
        path = f"/orgs/{owner}/teams/{slug}{path_of(repo)}"
        try:
            self._server.send("PUT", path, {"permission": PERMISSIONS[role]})
        except NotFound as error:
            raise self._no_team(owner, slug, f", or no {repo}") from error

    def _no_team(self, owner: str, slug: str, other: str = "") -> NotFound:
        what = f"no team {slug} in {owner} on {self.host} that the token may see{other}"
        return NotFound(what, hint=f"gh api orgs/{owner}/teams lists them")

    def protect(self, repo: str, branch: str, protection: Protection) -> None:
        """Protect a branch, from its administrators as well.

        By branch protection and no ruleset: every plan and server that has rulesets has it too.
        """
        path = f"{path_of(repo)}/branches/{quote(branch, safe='')}/protection"
        try:
            self._server.send("PUT", path, protection_body(protection))
        except NotAllowed as error:
            if "Upgrade to" not in error.message:
                raise
            raise NotSupported(
                f"{self.host} protects no branch of a private repository on this plan: {repo}",
                hint="make the repository public or internal, or upgrade the owner's plan",
            ) from error

    def pull_request(self, repo: str, number: int) -> PullRequest:
        """Return a pull request."""
        return shapes.pull_request(self._server.get(f"{path_of(repo)}/pulls/{number}").data)

    def open_pull_requests(self, repo: str, branch: str = "") -> Iterator[PullRequest]:
        """Yield the open ones, or those from one branch of the repository itself."""
        return map(shapes.pull_request, self._open(repo, branch))

    def last_pull_request(self, repo: str, branch: str) -> PullRequest | None:
        """Return the newest one from one branch of the repository itself, whatever its state."""
        newest: Query = {"state": "all", "sort": "created", "direction": "desc", "per_page": FEW}
        listed = self._all(f"{path_of(repo)}/pulls", query={**newest, "head": _head(repo, branch)})
        found = (shapes.pull_request(each) for each in listed if shapes.is_from(each, branch))
        return next(found, None)

    def propose(self, repo: str, proposal: Proposal) -> PullRequest:
        """Open a pull request, or bring the open one of that branch up to date."""

        def opened() -> Reply | None:
            found = list(self._open(repo, proposal.branch))
            found.sort(key=lambda pull: bool(pull["base"]["ref"] != proposal.base))
            return Reply(200, found[0]) if found else None

        body = {
            "title": proposal.title,
            "head": proposal.branch,
            "base": proposal.base,
            "body": proposal.body,
            "draft": proposal.draft,
        }
        if (reply := opened()) is None:
            try:
                reply = self._server.send("POST", f"{path_of(repo)}/pulls", body, unless=opened)
            except (InvalidInput, NotAllowed) as error:
                self._explain(error, repo)
                # Somebody else's run may have opened it in between.
                if (reply := opened()) is None:
                    raise
        return self._bring_up_to_date(repo, reply.data, proposal)

    def close_pull_request(self, repo: str, number: int) -> None:
        """Close a pull request without merging it."""
        self._server.send("PATCH", f"{path_of(repo)}/pulls/{number}", {"state": "closed"})

    def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        """Return check runs and commit statuses, the last one of each name."""
        commit = f"{path_of(repo)}/commits/{quote(sha, safe='')}"
        runs = shapes.check_runs(self._all(f"{commit}/check-runs", "check_runs"))
        statuses = map(shapes.commit_status, self._all(f"{commit}/status", "statuses"))
        return tuple({check.name: check for check in (*statuses, *runs)}.values())

    def comment(self, repo: str, number: int, marker: str, body: str) -> Comment:
        """Write our comment with this hidden marker, or bring it up to date."""
        text = marked(marker, body)
        comments = f"{path_of(repo)}/issues/{number}/comments"
        reply = self._comment(repo, number, marker) or self._server.send(
            "POST", comments, {"body": text}, unless=lambda: self._comment(repo, number, marker)
        )
        written = shapes.comment(reply.data)
        if alike(written.body, text):
            return written
        path = f"{path_of(repo)}/issues/comments/{written.id}"
        return shapes.comment(self._server.send("PATCH", path, {"body": text}).data)

    def comments(self, repo: str, number: int, marker: str) -> tuple[Comment, ...]:
        """Return all comments on a pull request with this hidden marker, whoever wrote them."""
        listed = self._all(f"{path_of(repo)}/issues/{number}/comments")
        return with_marker(marker, map(shapes.comment, listed))

    def deploy(self, repo: str, wanted: NewDeployment) -> Deployment:
        """Tell of a deployment; the one of the same commit and environment is returned.

        The commit is sent as its ref: a branch could have moved on since.
        """
        path = f"{path_of(repo)}/deployments"
        query: Query = {"environment": wanted.environment, "sha": wanted.sha, "per_page": 1}

        def told() -> Reply | None:
            known = self._server.get(path, query).data
            return Reply(200, known[0]) if known else None

        body = {
            "ref": wanted.sha,
            "environment": wanted.environment,
            "description": cut(wanted.description),
            "transient_environment": wanted.is_transient,
            "production_environment": wanted.is_production,
            "auto_merge": False,
            "required_contexts": [],
            "payload": dict(wanted.payload),
        }
        reply = told() or self._server.send("POST", path, body, unless=told)
        if reply.status == 202:
            raise Conflict(f"{self.host} merged branches of {repo} and made no deployment")
        return shapes.deployment(reply.data)

    def deployments(self, repo: str, environment: str = "") -> Iterator[Deployment]:
        """Yield deployments, the newest first."""
        only = {"environment": environment} if environment else {}
        return map(shapes.deployment, self._all(f"{path_of(repo)}/deployments", query=only))

    def set_status(self, repo: str, deployment: Deployment, status: DeploymentStatus) -> None:
        """Say how a deployment stands."""
        path = f"{path_of(repo)}/deployments/{deployment.id}/statuses"
        body = {
            "state": status.state,
            "environment_url": status.url,
            "log_url": status.log_url,
            "description": cut(status.description),
        }
        said = {key: value for key, value in body.items() if value}

        def is_said() -> Reply | None:
            known = list(self._all(path))
            last = max(known, key=lambda each: int(each["id"]), default=None)
            is_last = last and all(last.get(key) == value for key, value in said.items())
            return Reply(200, last) if is_last else None

        self._server.send("POST", path, said, unless=is_said)

    def repositories(self, owner: str, pages: Pages | None = None) -> Iterator[Repository]:
        """Yield the repositories of an organisation or a person: all that the token may see."""
        path = "/user/repos"
        query: Query = {**LISTING, "affiliation": "owner"}
        if owner.lower() != self._login.lower():
            is_org = self._server.get(f"/orgs/{owner}", ok=(404,)).status != 404
            path, query = f"/{'orgs' if is_org else 'users'}/{owner}/repos", LISTING
        return repositories(self._server, path, query, shapes.repository, pages)

    def files(self, repo: str, ref: str, etag: str = "") -> Tree | None:
        """Return all files of a commit or branch; None where they are unchanged since `etag`."""
        trees = f"{path_of(repo)}/git/trees"
        try:
            reply = self._server.get(f"{trees}/{quote(ref, safe='')}", WHOLE, etag=etag)
        except Conflict:  # it has no commit
            return Tree()
        if reply.status == 304:
            return None
        return Tree(tuple(self._walk(trees, reply)), reply.etag)

    def read(self, repo: str, path: str, ref: str, etag: str = "") -> File | None:
        """Read a file of up to 100 MB; None where it is unchanged since `etag`."""
        where = f"{path_of(repo)}/contents/{quote(path)}"
        reply = self._server.get(where, {"ref": ref}, etag=etag, accept=RAW, raw=True)
        if reply.status == 304:
            return None
        if reply.headers.get("content-type", "").startswith("application/json"):
            raise NotFound(f"{path} in {repo} is a folder, or of another repository")
        return File(reply.body, reply.etag)

    def issues(self, repo: str, label: str) -> Iterator[Issue]:
        """Yield the issues with a label, open and closed; pull requests are none."""
        listed = self._all(f"{path_of(repo)}/issues", query={"labels": label, "state": "all"})
        return (shapes.issue(each) for each in listed if "pull_request" not in each)

    @cached_property
    def _login(self) -> str:
        return self.account().login

    def _all(self, path: str, within: str = "", query: Query | None = None) -> Iterator[Any]:
        """Yield the entries of a listing, page by page."""
        for reply in self._server.pages(path, {**PAGE, **(query or {})}):
            entries = reply.data.get(within) if within else reply.data
            if not isinstance(entries, list):
                raise RemoteFailed(f"{self.host} answered {path} with something that is no list")
            yield from entries

    def _there(self, path: str) -> Reply | None:
        reply = self._server.get(path, ok=(404,))
        return None if reply.status == 404 else reply

    def _known(self, data: Any) -> Repository:
        """Return a repository; the size of one that was pushed to just now is 0 for a while."""
        known = shapes.repository(data)
        if not known.is_empty:
            return known
        branches = self._server.get(f"{path_of(known.full_name)}/branches", PAGE).data
        return replace(known, is_empty=not branches)

    def _new(
        self, owner: str, wanted: NewRepository, body: dict[str, Any]
    ) -> tuple[str, dict[str, Any]]:
        """Return where to make a repository, and with what."""
        if owner.lower() != self._login.lower():
            visible = {"visibility": wanted.visibility} if wanted.visibility == "internal" else {}
            return f"/orgs/{owner}/repos", body | visible
        if wanted.visibility == "internal":
            raise NotSupported(
                f"{self.host} has internal repositories in organisations only, not for {owner}",
                hint="visibility: private, or an organisation as the owner",
            )
        return "/user/repos", body

    def _open(self, repo: str, branch: str) -> Iterator[Any]:
        """Yield the open pull requests; of a filter that it cannot read GitHub says nothing."""
        query = {"state": "open"}
        if branch:
            query["head"] = _head(repo, branch)
        listed = self._all(f"{path_of(repo)}/pulls", query=query)
        return (each for each in listed if not branch or shapes.is_from(each, branch))

    def _explain(self, error: IdpError, repo: str) -> None:
        """Say what mends a pull request that GitHub does not open."""
        if "Draft pull requests are not supported" in error.message:
            raise NotSupported(
                f"{self.host} has no draft pull requests in {repo} on its plan",
                hint="make the repository public, or upgrade the owner's plan",
            ) from error
        if "not permitted to create" in error.message:
            allow = "Settings, Actions, General: allow GitHub Actions to create pull requests"
            error.hint = f"{allow}; or use the token of a GitHub App"

    def _bring_up_to_date(self, repo: str, found: Any, proposal: Proposal) -> PullRequest:
        """Change only what differs."""
        pull = shapes.pull_request(found)
        differs = differences(pull, proposal)
        if changes := {key: getattr(proposal, key) for key in sorted(differs - {"draft"})}:
            path = f"{path_of(repo)}/pulls/{pull.number}"
            pull = shapes.pull_request(self._server.send("PATCH", path, changes).data)
        if pull.draft != proposal.draft:
            mutation = graphql.DRAFT if proposal.draft else graphql.READY
            graphql.ask(self._server, mutation, id=found["node_id"])
        return replace(pull, draft=proposal.draft)

    def _comment(self, repo: str, number: int, marker: str) -> Reply | None:
        """Return our comment that begins with a marker: one that cites the marker is another."""
        for each in self._all(f"{path_of(repo)}/issues/{number}/comments"):
            known = shapes.comment(each)
            if is_marked(marker, known.body) and known.author == self._login:
                return Reply(200, each)
        return None

    def _walk(self, trees: str, reply: Reply, folder: str = "") -> Iterator[Blob]:
        """Yield a tree's files; one too large for a single answer goes folder by folder."""
        tree = shapes.tree(reply.data)
        goes_down = not tree.is_whole
        if goes_down:
            tree = shapes.tree(self._server.get(f"{trees}/{tree.sha}").data)
        if not tree.is_whole:
            raise NotSupported(f"{self.host} lists no folder as large as {folder or 'this one'}")
        for blob in tree.files:
            yield replace(blob, path=folder + blob.path)
        for path, subtree in tree.folders if goes_down else ():
            below = self._server.get(f"{trees}/{subtree}", WHOLE)
            yield from self._walk(trees, below, f"{folder}{path}/")


def _head(repo: str, branch: str) -> str:
    return f"{repo.split('/')[0]}:{branch}"


def _team(repo: str, team: str) -> tuple[str, str]:
    """Return a repository's owner and the slug of its team."""
    slug = re.sub(r"[^a-z0-9_-]+", "-", team.rsplit("/", 1)[-1].lstrip("@").lower())
    return repo.split("/")[0], slug
