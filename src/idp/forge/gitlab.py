"""GitLab, gitlab.com and self-managed from 16.0 on, over its REST API (v4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from idp.errors import NotFound
from idp.forge import gitlab_shapes as shapes
from idp.forge.base import (
    Account,
    Check,
    Comment,
    Deployment,
    DeploymentStatus,
    File,
    Issue,
    Kind,
    NewDeployment,
    NewRepository,
    Pages,
    Proposal,
    Protection,
    PullRequest,
    Repository,
    Role,
    Tree,
)
from idp.forge.gitlab_approval import Approval
from idp.forge.gitlab_protection import protect
from idp.forge.listing import repositories
from idp.forge.shapes import (
    Answer,
    differences,
    is_marked,
    lines,
    listed,
    marked,
    not_renamed,
    with_marker,
)
from idp.rest import Conflict, Reply, Server

PAGE = 100
SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# A guest cannot read a private project's code, and no role is between reporter and developer.
ACCESS: Mapping[Role, int] = {"read": 20, "triage": 20, "write": 30, "maintain": 40, "admin": 50}


class GitLab(Approval):
    """GitLab as `base.Forge`, spoken to as one account."""

    kind: Kind = "gitlab"

    def __init__(self, host: str, server: Server) -> None:
        self.host = host
        self._server = server

    @cached_property
    def _user(self) -> Answer:
        return dict(self._server.get("/user").data)

    def account(self) -> Account:
        """Return whom the token speaks for; an OAuth token's scopes are not told."""
        own = self._server.get("/personal_access_tokens/self", ok=(400, 401, 403, 404, 405))
        scopes = frozenset(own.data["scopes"]) if own.status == 200 else None
        return Account(self._user["username"], bool(self._user.get("bot")), scopes)

    def repository(self, repo: str) -> Repository | None:
        """Return a repository, or None where there is none (that we may see)."""
        found = self._there(_project(repo))
        return shapes.repository(found.data) if found else None

    def _there(self, path: str) -> Reply | None:
        reply = self._server.get(path, ok=(404,))
        return reply if reply.status == 200 else None

    def create_repository(self, wanted: NewRepository) -> Repository:
        """Make a project without a commit, in a group or for the account itself."""
        if (found := self.repository(wanted.full_name)) is not None:
            return not_renamed(found, wanted.full_name, self.host)
        group, _, name = wanted.full_name.rpartition("/")
        body = {
            "name": name,
            "path": name,
            "namespace_id": self._namespace(group),
            "description": wanted.description,
            "visibility": wanted.visibility,
            "initialize_with_readme": False,
        }
        path = _project(wanted.full_name)
        made = self._server.send("POST", "/projects", body, unless=lambda: self._there(path))
        return shapes.repository(made.data)

    def _namespace(self, group: str) -> int:
        found = self._there(f"/namespaces/{quote(group, safe='')}")
        if found is None:
            raise NotFound(
                f"no group {group} on {self.host} that the token may see",
                hint="make it there, or name another: forge: {owner: …} in idp-platform.yaml",
            )
        return int(found.data["id"])

    def set_topics(self, repo: str, topics: Sequence[str]) -> None:
        """Make these the project's topics."""
        self._server.send("PUT", _project(repo), {"topics": list(topics)})

    def check_team(self, repo: str, team: str) -> None:
        """Raise NotFound where there is no such group; the project may not be there."""
        self._group(repo, team.lstrip("@"))

    def grant(self, repo: str, team: str, role: Role) -> None:
        """Share a project with a group, which is what a team is here.

        A name is looked for in the project's own group and those above it, never elsewhere; a
        path (`acme/payments`, `/platform`) is taken as it is.
        """
        group, access = self._group(repo, team.lstrip("@")), ACCESS[role]
        path = f"{_project(repo)}/share"

        def shared() -> Reply | None:
            links = self._server.get(_project(repo)).data.get("shared_with_groups") or ()
            level = {link["group_id"]: link["group_access_level"] for link in links}.get(group)
            return None if level is None else Reply(200, level)

        before = shared()
        if before and before.data == access:
            return
        if before:
            self._server.send("DELETE", f"{path}/{group}", ok=(404,))
        new = {"group_id": group, "group_access": access}
        self._server.send("POST", path, new, unless=shared)

    def _group(self, repo: str, team: str) -> int:
        above = repo.split("/")[:-1]
        paths = ["/".join([*above[:depth], team]) for depth in range(len(above), 0, -1)]
        for path in [team.strip("/")] if "/" in team else paths:
            query = {"with_projects": "false"}
            reply = self._server.get(f"/groups/{quote(path, safe='')}", query, ok=(404,))
            if reply.status == 200:
                return int(reply.data["id"])
        raise NotFound(
            f"no group {team} for {repo} on {self.host} that the token may see",
            hint="a group elsewhere is named by its path: acme/payments, /platform",
        )

    def protect(self, repo: str, branch: str, protection: Protection) -> None:
        """Protect a branch.

        Raises:
            NotSupported: approvals were asked for that this plan cannot require; the rest is done.
        """
        protect(self._server, _project(repo), branch, protection)

    def pull_request(self, repo: str, number: int) -> PullRequest:
        """Return a merge request."""
        data = self._server.get(f"{_project(repo)}/merge_requests/{number}").data
        return shapes.pull_request(data, self._source(repo, data))

    def open_pull_requests(self, repo: str, branch: str = "") -> Iterator[PullRequest]:
        """Yield the open ones, or those from one branch of the repository itself."""
        for data in self._open(repo, branch):
            yield shapes.pull_request(data, self._source(repo, data))

    def last_pull_request(self, repo: str, branch: str) -> PullRequest | None:
        """Return the newest one from one branch of the project itself, whatever its state."""
        query = {"state": "all", "order_by": "created_at", "sort": "desc", "source_branch": branch}
        listed = self._all(f"{_project(repo)}/merge_requests", query)
        return next(
            (shapes.pull_request(each, repo) for each in listed if shapes.is_own(each)), None
        )

    def _source(self, repo: str, data: Answer) -> str:
        """Return where a merge request's branch is; empty for a fork that we may not see."""
        if shapes.is_own(data):
            return repo
        project = data["source_project_id"]
        found = self._there(f"/projects/{project}") if project else None
        return shapes.repository(found.data).full_name if found else ""

    def _open(self, repo: str, branch: str) -> Iterator[Answer]:
        query = {"state": "opened", "order_by": "created_at", "sort": "asc"}
        if branch:
            query["source_branch"] = branch
        for data in self._all(f"{_project(repo)}/merge_requests", query):
            if not branch or (shapes.is_own(data) and data["source_branch"] == branch):
                yield data

    def _all(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        return listed(self._server.pages(path, {"per_page": PAGE, **(query or {})}))

    def propose(self, repo: str, proposal: Proposal) -> PullRequest:
        """Open a merge request, or bring the open one of that branch up to date."""
        proposal = replace(proposal, body=shapes.inert(proposal.body))

        def opened() -> Reply | None:
            found = list(self._open(repo, proposal.branch))
            found.sort(key=lambda data: bool(data["target_branch"] != proposal.base))
            return Reply(200, found[0]) if found else None

        path = f"{_project(repo)}/merge_requests"
        body = {
            "target_branch": proposal.base,
            "title": f"Draft: {proposal.title}" if proposal.draft else proposal.title,
            "description": proposal.body,
        }
        if (reply := opened()) is None:
            new = {"source_branch": proposal.branch, **body}
            try:
                reply = self._server.send("POST", path, new, unless=opened)
            except Conflict:
                # Somebody else's run has opened it in between.
                if (reply := opened()) is None:
                    raise
        pull = shapes.pull_request(reply.data, repo)
        if not differences(pull, proposal):
            return pull
        changed = self._server.send("PUT", f"{path}/{pull.number}", body)
        return shapes.pull_request(changed.data, repo)

    def close_pull_request(self, repo: str, number: int) -> None:
        """Close a merge request without merging it."""
        path = f"{_project(repo)}/merge_requests/{number}"
        self._server.send("PUT", path, {"state_event": "close"})

    def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        """Return jobs and other statuses of a commit, the last one of each name."""
        path = f"{_project(repo)}/repository/commits/{quote(sha, safe='')}/statuses"
        return shapes.checks(self._all(path))

    def comment(self, repo: str, number: int, marker: str, body: str) -> Comment:
        """Write our note on a merge request, with this hidden marker, or bring it up to date."""

        def written() -> Reply | None:
            found = self._note(repo, number, marker)
            return Reply(200, found) if found else None

        text = {"body": marked(marker, shapes.inert(body))}
        path = f"{_project(repo)}/merge_requests/{number}/notes"
        data = (written() or self._server.send("POST", path, text, unless=written)).data
        if lines(data["body"]) != text["body"]:
            data = self._server.send("PUT", f"{path}/{data['id']}", text).data
        return self._told(repo, number, data)

    def comments(self, repo: str, number: int, marker: str) -> tuple[Comment, ...]:
        """Return all notes on a merge request with this hidden marker, whoever wrote them."""
        query = {"order_by": "created_at", "sort": "asc"}
        listed = self._all(f"{_project(repo)}/merge_requests/{number}/notes", query)
        return with_marker(marker, (self._told(repo, number, data) for data in listed))

    def _told(self, repo: str, number: int, data: Answer) -> Comment:
        url = f"https://{self.host}/{repo}/-/merge_requests/{number}#note_{data['id']}"
        return Comment(data["id"], data["author"]["username"], lines(data["body"]), url)

    def _note(self, repo: str, number: int, marker: str) -> Answer | None:
        query = {"order_by": "created_at", "sort": "asc"}
        for data in self._all(f"{_project(repo)}/merge_requests/{number}/notes", query):
            is_ours = data["author"]["username"] == self._user["username"]
            if is_ours and is_marked(marker, lines(data["body"])):
                return dict(data)
        return None

    def deploy(self, repo: str, wanted: NewDeployment) -> Deployment:
        """Tell of a deployment; the one of the same commit and environment is returned.

        One that GitLab's own CI made is left alone: nobody else may say how it stands.
        """
        path = f"{_project(repo)}/deployments"

        def told() -> Reply | None:
            for data in self._deployments(repo, wanted.environment):
                if data["sha"] == wanted.sha and not data.get("deployable"):
                    return Reply(200, data)
            return None

        if (known := told()) is not None:
            return shapes.deployment(known.data)
        tag = self._there(f"{_project(repo)}/repository/tags/{quote(wanted.ref, safe='')}")
        body = {
            "environment": wanted.environment,
            "sha": wanted.sha,
            "ref": wanted.ref,
            "tag": tag is not None,
            "status": "running",
        }
        return shapes.deployment(self._server.send("POST", path, body, unless=told).data)

    def _deployments(self, repo: str, environment: str) -> Iterator[Answer]:
        query = {"order_by": "id", "sort": "desc"}
        if environment:
            query["environment"] = environment
        return self._all(f"{_project(repo)}/deployments", query)

    def deployments(self, repo: str, environment: str = "") -> Iterator[Deployment]:
        """Yield deployments, the newest first."""
        return map(shapes.deployment, self._deployments(repo, environment))

    def set_status(self, repo: str, deployment: Deployment, status: DeploymentStatus) -> None:
        """Say how a deployment stands; `inactive` stops the environment, if nothing newer runs."""
        if status.state == "inactive":
            newest = next(self.deployments(repo, deployment.environment), None)
            if newest is None or newest.id == deployment.id:
                self._stop(repo, deployment.environment)
            return
        path = f"{_project(repo)}/deployments/{deployment.id}"
        wanted, now = (
            shapes.DEPLOYMENT_STATUSES[status.state],
            self._server.get(path).data["status"],
        )
        # GitLab refuses a status twice, and what has run to be running again.
        if wanted != now and (wanted != "running" or now in ("created", "blocked")):
            self._server.send("PUT", path, {"status": wanted})
        if status.url:
            environment = self._environment(repo, deployment.environment)
            if environment.get("external_url") != status.url:
                where = f"{_project(repo)}/environments/{environment['id']}"
                self._server.send("PUT", where, {"external_url": status.url})

    def _stop(self, repo: str, name: str) -> None:
        environment = self._environment(repo, name)
        if environment["state"] != "available":
            return
        path = f"{_project(repo)}/environments/{environment['id']}"
        # To stop it twice is to stop it.
        self._server.send("POST", f"{path}/stop", unless=lambda: None)

    def _environment(self, repo: str, name: str) -> Answer:
        for data in self._all(f"{_project(repo)}/environments", {"name": name}):
            return dict(data)
        raise NotFound(f"{repo} on {self.host} has no environment {name}")

    def repositories(self, owner: str, pages: Pages | None = None) -> Iterator[Repository]:
        """Yield the projects of a group and those below it, or of a person."""
        name = quote(owner, safe="")
        query = {"with_projects": "false"}
        is_group = self._server.get(f"/groups/{name}", query, ok=(404,)).status == 200
        query = {"per_page": str(PAGE), "order_by": "id", "sort": "asc"}
        if is_group:
            query |= {"include_subgroups": "true", "with_shared": "false"}
        path = f"/{'groups' if is_group else 'users'}/{name}/projects"
        return repositories(self._server, path, query, shapes.repository, pages)

    def files(self, repo: str, ref: str, etag: str = "") -> Tree | None:
        """Return all files of a commit or branch; the etag is the commit."""
        path = f"{_project(repo)}/repository/tree"
        try:
            # A branch may move on while we read page by page.
            sha = ref if SHA.fullmatch(ref) else self._commit(repo, ref)
            if sha == etag:
                return None
            query = {"ref": sha, "recursive": "true", "pagination": "keyset"}
            blobs = tuple(shapes.blobs(self._all(path, query)))
        except NotFound:
            found = self.repository(repo)
            if found is None or not found.is_empty:
                raise
            return Tree()
        return Tree(blobs, sha, sha)

    def _commit(self, repo: str, ref: str) -> str:
        path = f"{_project(repo)}/repository/commits/{quote(ref, safe='')}"
        return str(self._server.get(path, {"stats": "false"}).data["id"])

    def read(self, repo: str, path: str, ref: str, etag: str = "") -> File | None:
        """Read a file; None where it is unchanged since `etag`, which is its blob's name."""
        where = f"{_project(repo)}/repository/files/{quote(path, safe='')}"
        query = {"ref": ref}
        if etag and _blob(self._server.send("HEAD", where, query=query)) == etag:
            return None
        reply = self._server.get(f"{where}/raw", query, raw=True)
        return File(reply.body, _blob(reply))

    def issues(self, repo: str, label: str) -> Iterator[Issue]:
        """Yield the issues with a label, open and closed."""
        query = {"labels": label, "state": "all", "scope": "all"}
        found = map(shapes.issue, self._all(f"{_project(repo)}/issues", query))
        # GitLab reads the words None and Any as no label and any label.
        return (issue for issue in found if label in issue.labels)


def _project(repo: str) -> str:
    return f"/projects/{quote(repo, safe='')}"


def _blob(reply: Reply) -> str:
    return reply.headers.get("x-gitlab-blob-id", "")
