"""Answers of Gitea and Forgejo, in the words of every forge."""

from __future__ import annotations

import re
from collections.abc import Mapping

from idp.forge.base import (
    Blob,
    Comment,
    Issue,
    Outcome,
    PullRequest,
    PullState,
    Repository,
    Review,
    Verdict,
    Visibility,
)
from idp.forge.shapes import Answer, lines, maybe_moment, moment, understood

DRAFT = re.compile(r"\s*(?:WIP:|\[WIP\]|Draft:|\[Draft\])\s*", re.IGNORECASE)
VERDICTS: Mapping[str, Verdict] = {
    "APPROVED": "approved",
    "REQUEST_CHANGES": "changes_requested",
    "COMMENT": "commented",
}
OUTCOMES: Mapping[str, Outcome] = {
    "success": "success",
    "failure": "failure",
    "error": "failure",
    "warning": "neutral",
    "skipped": "neutral",
}
gitea = understood("Gitea")


@gitea
def repository(data: Answer) -> Repository:
    """Return a repository; a mirror's `updated_at` is its newest commit's, and says nothing."""
    visibility: Visibility = "internal" if data.get("internal") else "public"
    return Repository(
        full_name=data["full_name"],
        url=data["html_url"],
        https_url=data["clone_url"],
        ssh_url=data["ssh_url"],
        default_branch=data["default_branch"],
        visibility="private" if data["private"] else visibility,
        is_archived=data["archived"],
        is_empty=data["empty"],
        topics=tuple(data.get("topics") or ()),
        description=data["description"] or "",
        pushed_at=None if data.get("mirror") else maybe_moment(data.get("updated_at")),
    )


@gitea
def own_branch(data: Answer) -> str:
    """Return a pull request's branch; empty where that is in a fork."""
    is_own = _head_repository(data) == data["base"]["repo"]["full_name"]
    return _branch(data["head"]) if is_own else ""


def _branch(head: Answer) -> str:
    """Return a branch's name; once it is deleted, only its label still has it."""
    name = head["label"] if head["ref"].startswith("refs/") else head["ref"]
    return str(name)


def _head_repository(data: Answer) -> str:
    """Return where the branch is; empty for a fork that is gone."""
    return str((data["head"]["repo"] or {}).get("full_name", ""))


@gitea
def pull_request(data: Answer) -> PullRequest:
    """Return a pull request."""
    draft, title = _title(data)
    state: PullState = "open" if data["state"] == "open" else "closed"
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        title=title,
        body=lines(data["body"]),
        branch=_branch(data["head"]),
        base=data["base"]["ref"],
        head=data["head"]["sha"],
        repository=_head_repository(data),
        state="merged" if data["merged"] else state,
        draft=draft,
        author=data["user"]["login"],
        created_at=moment(data["created_at"]),
        merged_at=maybe_moment(data["merged_at"]),
    )


def _title(data: Answer) -> tuple[bool, str]:
    """Return whether it is a draft, and the title without the prefix that makes it one."""
    title = data["title"]
    prefix = DRAFT.match(title)
    # Gitea before 1.22 does not say it but in the title.
    draft = bool(data.get("draft", prefix))
    return draft, title[prefix.end() :] if draft and prefix else title


@gitea
def review(data: Answer) -> Review:
    """Return a review, one of VERDICTS."""
    verdict = "dismissed" if data["dismissed"] else VERDICTS[data["state"]]
    return Review(
        data["user"]["login"], verdict, data["commit_id"] or "", moment(data["submitted_at"])
    )


@gitea
def outcome(data: Answer) -> Outcome:
    """Return what a status of a commit says."""
    return OUTCOMES.get(data["status"], "pending")


@gitea
def comment(data: Answer) -> Comment:
    """Return a comment."""
    return Comment(data["id"], data["user"]["login"], lines(data["body"]), data["html_url"])


@gitea
def issue(data: Answer) -> Issue:
    """Return an issue."""
    return Issue(
        number=data["number"],
        url=data["html_url"],
        title=data["title"],
        labels=tuple(each["name"] for each in data["labels"] or ()),
        is_open=data["state"] == "open",
        created_at=moment(data["created_at"]),
        closed_at=maybe_moment(data["closed_at"]),
    )


@gitea
def blobs(data: Answer) -> list[Blob]:
    """Return the files of a page of a tree; a submodule is none."""
    entries = (entry for entry in data["tree"] if entry["type"] == "blob")
    return [Blob(entry["path"], entry["sha"], entry["size"]) for entry in entries]
