"""The paths of the stand-in's REST API."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from . import standin_pulls as pulls
from . import standin_repos as repos
from .standin import Answer, StandIn
from .standin_call import NOT_FOUND, Call

REPO = "/repos/([^/]+)/([^/]+)"

ROUTES: tuple[tuple[str, str, Callable[[Call], Answer]], ...] = (
    ("GET", "/user", repos.user),
    ("GET", "/(?:users|orgs)/([^/]+)", repos.owner),
    ("GET", "/user/repos", repos.list_repos),
    ("GET", "/(?:users|orgs)/([^/]+)/repos", repos.list_repos),
    ("POST", "/user/repos", repos.make_repo),
    ("POST", "/orgs/([^/]+)/repos", repos.make_repo),
    ("GET", "/orgs/([^/]+)/teams/([^/]+)", repos.team),
    ("PUT", "/orgs/([^/]+)/teams/([^/]+)/repos/([^/]+)/([^/]+)", repos.grant),
    ("GET", REPO, repos.get_repo),
    ("PATCH", REPO, repos.change_repo),
    ("GET", f"{REPO}/topics", repos.topics),
    ("PUT", f"{REPO}/topics", repos.topics),
    ("GET", f"{REPO}/branches", repos.branches),
    ("GET", f"{REPO}/branches/(.+)/protection", repos.protection),
    ("PUT", f"{REPO}/branches/(.+)/protection", repos.protect),
    ("GET", f"{REPO}/branches/(.+)", repos.branch),
    ("GET", f"{REPO}/git/ref/heads/(.+)", repos.ref),
    ("GET", f"{REPO}/commits", repos.commits),
    ("GET", f"{REPO}/git/trees/(.+)", repos.tree),
    ("GET", f"{REPO}/contents/(.+)", repos.contents),
    ("GET", f"{REPO}/pulls", pulls.list_pulls),
    ("POST", f"{REPO}/pulls", pulls.make_pull),
    ("GET", f"{REPO}/pulls/([0-9]+)", pulls.get_pull),
    ("PATCH", f"{REPO}/pulls/([0-9]+)", pulls.change_pull),
    ("GET", f"{REPO}/pulls/([0-9]+)/reviews", pulls.reviews),
    ("POST", f"{REPO}/pulls/([0-9]+)/reviews", pulls.give_review),
    ("PUT", f"{REPO}/pulls/([0-9]+)/merge", pulls.merge),
    ("GET", f"{REPO}/collaborators/([^/]+)/permission", repos.permission),
    ("GET", f"{REPO}/rules/branches/(.+)", repos.rules),
    ("GET", f"{REPO}/issues/([0-9]+)/comments", pulls.comments),
    ("POST", f"{REPO}/issues/([0-9]+)/comments", pulls.comments),
    ("PATCH", f"{REPO}/issues/comments/([0-9]+)", pulls.comment),
    ("GET", f"{REPO}/issues/comments/([0-9]+)", pulls.comment),
    ("GET", f"{REPO}/issues", pulls.issues),
    ("GET", f"{REPO}/commits/([^/]+)/check-runs", pulls.checks),
    ("GET", f"{REPO}/commits/([^/]+)/status", pulls.status),
    ("GET", f"{REPO}/deployments", pulls.list_deployments),
    ("POST", f"{REPO}/deployments", pulls.make_deployment),
    ("POST", f"{REPO}/deployments/([0-9]+)/statuses", pulls.set_status),
    ("POST", "/graphql", pulls.graphql),
)


def call(forge: StandIn, method: str, target: str, body: Any, headers: Message) -> Answer:
    """Answer a request to the API."""
    parts = urlsplit(target)
    path = parts.path.removeprefix("/api").removeprefix("/v3")
    wanted = "GET" if method == "HEAD" else method
    scopes = {} if forge.scopes is None else {"X-OAuth-Scopes": forge.scopes}
    for known, pattern, route in ROUTES:
        if known == wanted and (found := re.fullmatch(pattern, path)):
            words = tuple(map(unquote, found.groups()))
            if path.startswith("/repos/") and "/".join(words[:2]) not in forge.repos:
                return NOT_FOUND
            said = route(Call(forge, dict(parse_qsl(parts.query)), body, headers, words, path))
            return Answer(said.status, said.data, {**scopes, **said.headers}, said.raw)
    return NOT_FOUND
