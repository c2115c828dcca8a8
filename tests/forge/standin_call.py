"""What the stand-in's answers are made of: a call, pages, errors, and a repository as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from .standin import Answer, Repo, StandIn

WHEN = "2026-11-23T12:00:00Z"
NOT_FOUND = Answer(404, {"message": "Not Found"})


@dataclass(frozen=True)
class Call:
    """A request to the API: what was asked of whom."""

    forge: StandIn
    query: Mapping[str, str]
    body: Any
    headers: Message
    words: tuple[str, ...]
    path: str

    @property
    def repo(self) -> Repo:
        """The repository that the path names."""
        return self.forge.repos[f"{self.words[0]}/{self.words[1]}"]


def invalid(message: str, resource: str = "", field: str = "") -> Answer:
    """Return GitHub's answer to a body that it cannot accept."""
    error = {"resource": resource, "code": "custom", "field": field, "message": message}
    return Answer(422, {"message": "Validation Failed", "errors": [error]})


def paged(asked: Call, items: list[Any], key: str = "") -> Answer:
    """Return one page of a listing, with the Link header to the next."""
    size = min(int(asked.query.get("per_page", 30)), asked.forge.page_size)
    page = int(asked.query.get("page", 1))
    part = items[(page - 1) * size : page * size]
    headers = {}
    if page * size < len(items):
        query = urlencode({**asked.query, "page": page + 1})
        url = f"{asked.forge.url}/api/v3{asked.path}?{query}"
        headers["Link"] = f'<{url}>; rel="next"'
    data = {"total_count": len(items), key: part} if key else part
    return Answer(200, data, headers)


def repo_json(forge: StandIn, repo: Repo) -> dict[str, Any]:
    """Return a repository as GitHub tells it."""
    return {
        "id": abs(hash(repo.full_name)) % 10**8,
        "name": repo.name,
        "full_name": repo.full_name,
        "owner": {
            "login": repo.owner,
            "type": "Organization" if repo.owner == forge.org else "User",
        },
        "private": repo.visibility != "public",
        "visibility": repo.visibility,
        "description": repo.description or None,
        "html_url": f"{forge.url}/{repo.full_name}",
        "clone_url": forge.git_url(repo.full_name),
        "ssh_url": f"git@127.0.0.1:{repo.full_name}.git",
        "default_branch": "main",
        "archived": repo.archived,
        "size": len(repo.branches()),
        "topics": repo.topics,
        "created_at": WHEN,
        "pushed_at": repo.pushed_at,
    }
