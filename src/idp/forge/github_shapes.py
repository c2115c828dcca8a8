"""GitHub's JSON, as it comes over the wire, and what it means in the words of `base`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

from idp.errors import InvalidInput
from idp.forge.base import (
    Account,
    Blob,
    Check,
    Comment,
    Deployment,
    Issue,
    Outcome,
    Protection,
    PullRequest,
    PullState,
    Repository,
    Review,
    Verdict,
    Visibility,
)
from idp.forge.shapes import last_verdicts, lines, maybe_moment, moment, understood

GHOST = "ghost"
"""The login that GitHub shows for an account that is no more."""

VERDICTS: dict[str, Verdict] = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "changes_requested",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
}
CONCLUSIONS: dict[str, Outcome] = {"success": "success", "neutral": "neutral", "skipped": "neutral"}
STATUSES: dict[str, Outcome] = {"success": "success", "pending": "pending"}

LONGEST = 140
"""Characters of a description of a deployment, and of its status."""


@dataclass(frozen=True)
class Tree:
    """A folder of a commit; one that is not whole was cut short by GitHub."""

    sha: str
    is_whole: bool
    files: tuple[Blob, ...]
    folders: tuple[tuple[str, str], ...]


@understood("GitHub")
def account(data: Any, scopes: str | None) -> Account:
    """Return a person; `scopes` is what GitHub says in a header of a classic token's."""
    held = None if scopes is None else frozenset(re.findall(r"[^\s,]+", scopes))
    return Account(data["login"], data.get("type") == "Bot", held)


@understood("GitHub")
def app(data: Any) -> Account:
    """Return an app, by the name that it has as an author."""
    return Account(f"{data['viewer']['login'].removesuffix('[bot]')}[bot]", True, None)


@understood("GitHub")
def tree(data: Any) -> Tree:
    """Return a folder's files and the hashes of its folders; submodules are neither."""
    entries = data["tree"]
    return Tree(
        sha=data["sha"],
        is_whole=not data["truncated"],
        files=tuple(
            Blob(entry["path"], entry["sha"], entry.get("size"))
            for entry in entries
            if entry["type"] == "blob"
        ),
        folders=tuple((e["path"], e["sha"]) for e in entries if e["type"] == "tree"),
    )


@understood("GitHub")
def repository(data: Any) -> Repository:
    """Return a repository, empty by its size; older servers know `private` for `visibility`."""
    visibility: Visibility = "private" if data["private"] else "public"
    if data.get("visibility") in get_args(Visibility):
        visibility = data["visibility"]
    return Repository(
        full_name=data["full_name"],
        url=data["html_url"],
        https_url=data["clone_url"],
        ssh_url=data["ssh_url"],
        default_branch=data["default_branch"],
        visibility=visibility,
        is_archived=bool(data.get("archived")),
        is_empty=not data.get("size"),
        topics=tuple(data.get("topics") or ()),
        description=data.get("description") or "",
        pushed_at=maybe_moment(data.get("pushed_at")),
    )


@understood("GitHub")
def pull_request(data: Any) -> PullRequest:
    """Return a pull request; the repository of its branch is empty when that fork is gone."""
    head = data["head"]
    merged_at = maybe_moment(data.get("merged_at"))
    state: PullState = "open" if data["state"] == "open" else "closed"
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        title=data["title"],
        body=lines(data.get("body")),
        branch=head["ref"],
        base=data["base"]["ref"],
        head=head["sha"],
        repository=(head.get("repo") or {}).get("full_name", ""),
        state="merged" if merged_at else state,
        draft=bool(data.get("draft")),
        author=author(data),
        created_at=moment(data["created_at"]),
        merged_at=merged_at,
    )


@understood("GitHub")
def is_from(data: Any, branch: str) -> bool:
    """Tell whether a pull request comes from a branch of the repository itself, and of no fork."""
    head = data["head"]
    is_own = head.get("repo") and head["repo"]["full_name"] == data["base"]["repo"]["full_name"]
    return bool(is_own) and head["ref"] == branch


@understood("GitHub")
def last_reviews(data: Iterable[Any]) -> tuple[Review, ...]:
    """Return each reviewer's last verdict; a later comment takes no verdict back."""
    return last_verdicts(
        Review(
            author(given),
            VERDICTS[given["state"]],
            given.get("commit_id") or "",
            maybe_moment(given.get("submitted_at")),
        )
        for given in data
        if given["state"] in VERDICTS
    )


@understood("GitHub")
def check_runs(data: Iterable[Any]) -> tuple[Check, ...]:
    """Return check runs, the last one last; what ended in no success and is not neutral failed."""
    return tuple(map(_check_run, sorted(data, key=lambda run: int(run["id"]))))


def _check_run(run: Any) -> Check:
    outcome: Outcome = "pending"
    if run["status"] == "completed":
        outcome = CONCLUSIONS.get(run["conclusion"], "failure")
    return Check(run["name"], outcome, run.get("html_url") or run.get("details_url") or "")


@understood("GitHub")
def commit_status(data: Any) -> Check:
    """Return a commit status, the older kind of check."""
    outcome = STATUSES.get(data["state"], "failure")
    return Check(data["context"], outcome, data.get("target_url") or "")


@understood("GitHub")
def comment(data: Any) -> Comment:
    """Return a comment."""
    return Comment(data["id"], author(data), data.get("body") or "", data["html_url"])


@understood("GitHub")
def deployment(data: Any) -> Deployment:
    """Return a deployment."""
    created_at = moment(data["created_at"])
    return Deployment(data["id"], data["sha"], data["ref"], data["environment"], created_at)


@understood("GitHub")
def issue(data: Any) -> Issue:
    """Return an issue; a label may be a bare name."""
    labels = (part if isinstance(part, str) else part["name"] for part in data["labels"])
    return Issue(
        number=data["number"],
        url=data["html_url"],
        title=data["title"],
        labels=tuple(labels),
        is_open=data["state"] == "open",
        created_at=moment(data["created_at"]),
        closed_at=maybe_moment(data.get("closed_at")),
    )


def author(data: Any) -> str:
    """Return who wrote it."""
    return (data.get("user") or {}).get("login") or GHOST


def path_of(repo: str) -> str:
    """Return the path of a repository.

    Raises:
        InvalidInput: it is no OWNER/NAME.
    """
    if not re.fullmatch(r"(?!\.+/)[\w.-]+/(?!\.+$)[\w.-]+", repo, re.ASCII):
        raise InvalidInput(f"{repo!r} is no repository of GitHub", hint="write OWNER/NAME")
    return f"/repos/{repo}"


def protection_body(wanted: Protection) -> dict[str, Any]:
    """Return what branch protection is asked for; administrators are not above it."""
    reviews = {
        "required_approving_review_count": wanted.reviews,
        "require_code_owner_reviews": wanted.code_owners,
        "dismiss_stale_reviews": True,
    }
    checks = {"strict": False, "contexts": list(wanted.checks)}
    return {
        "required_status_checks": checks if wanted.checks else None,
        "enforce_admins": True,
        "required_pull_request_reviews": reviews if wanted.reviews else None,
        "restrictions": None,
        "allow_force_pushes": False,
        "allow_deletions": False,
    }


def cut(description: str) -> str:
    """Return what fits the description of a deployment and of its status."""
    line = " ".join(description.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def alike(text: str, other: str) -> bool:
    """Tell whether two texts differ in what a forge may write its own way at most: line ends."""
    return lines(text).strip() == lines(other).strip()
