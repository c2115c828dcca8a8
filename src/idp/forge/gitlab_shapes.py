"""GitLab's JSON, as it comes over the wire, and what it means in the words of `base`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from idp.forge.base import (
    Blob,
    Check,
    Deployment,
    DeploymentState,
    Issue,
    Outcome,
    PullRequest,
    PullState,
    Repository,
    Review,
    Role,
    Verdict,
)
from idp.forge.shapes import Answer, lines, maybe_moment, moment, understood

DRAFT = re.compile(r"\s*(?:\[draft\]|\(draft\)|draft:|wip:|\[wip\])\s*", re.IGNORECASE)
STATES: Mapping[str, PullState] = {
    "opened": "open",
    "locked": "open",
    "closed": "closed",
    "merged": "merged",
}
VERDICTS: Mapping[str, Verdict] = {
    "requested_changes": "changes_requested",
    "reviewed": "commented",
    "approved": "approved",
}
OUTCOMES: Mapping[str, Outcome] = {
    "success": "success",
    "failed": "failure",
    "canceled": "failure",
    "skipped": "neutral",
    "manual": "neutral",
}
DEPLOYMENT_STATUSES: Mapping[DeploymentState, str] = {
    "queued": "running",
    "in_progress": "running",
    "success": "success",
    "failure": "failed",
    "error": "failed",
}
LEVELS: tuple[tuple[int, Role], ...] = (
    (50, "admin"),
    (40, "maintain"),
    (30, "write"),
    (20, "read"),
)
QUICK_ACTION = re.compile(r"^/(?=[a-z])", re.MULTILINE | re.IGNORECASE)
gitlab = understood("GitLab")


def inert(text: str) -> str:
    r"""Return a text without quick actions: a line `/close` in it would be carried out as ours.

    With a backslash before it, it still reads as it is written.
    """
    return QUICK_ACTION.sub(r"\/", text)


@gitlab
def repository(data: Answer) -> Repository:
    """Return a project; one without a commit has no default branch."""
    return Repository(
        full_name=data["path_with_namespace"],
        url=data["web_url"],
        https_url=data["http_url_to_repo"],
        ssh_url=data["ssh_url_to_repo"],
        default_branch=data.get("default_branch") or "",
        visibility=data["visibility"],
        is_archived=bool(data.get("archived")),
        is_empty=bool(data["empty_repo"]),
        topics=tuple(data.get("topics") or ()),
        description=data.get("description") or "",
    )


@gitlab
def blobs(entries: Iterable[Answer]) -> list[Blob]:
    """Return a tree's files; submodules are none, and of sizes GitLab says nothing."""
    return [Blob(each["path"], each["id"], None) for each in entries if each["type"] == "blob"]


@gitlab
def is_own(data: Answer) -> bool:
    """Tell whether a merge request's branch is in the project itself and in no fork."""
    return bool(data["source_project_id"] == data["target_project_id"])


@gitlab
def pull_request(data: Answer, repository: str) -> PullRequest:
    """Return a merge request; `repository` is where its branch is."""
    draft = bool(data["draft"])
    prefix = DRAFT.match(data["title"]) if draft else None
    return PullRequest(
        number=data["iid"],
        url=data["web_url"],
        title=data["title"][prefix.end() :] if prefix else data["title"],
        body=lines(data["description"]),
        branch=data["source_branch"],
        base=data["target_branch"],
        head=data["sha"] or "",
        repository=repository,
        state=STATES[data["state"]],
        draft=draft,
        author=data["author"]["username"],
        created_at=moment(data["created_at"]),
        merged_at=maybe_moment(data["merged_at"]),
    )


@gitlab
def reviews(approvals: Answer, reviewers: Iterable[Answer]) -> tuple[Review, ...]:
    """Return who approved, and what the other reviewers said; GitLab names no commit."""
    said = {
        each["user"]["username"]: VERDICTS[each["state"]]
        for each in reviewers
        if each["state"] in VERDICTS
    }
    when: dict[str, str | None] = {}
    for each in approvals["approved_by"]:
        said[each["user"]["username"]] = "approved"
        when[each["user"]["username"]] = each.get("approved_at")
    return tuple(
        Review(who, verdict, "", maybe_moment(when.get(who))) for who, verdict in said.items()
    )


@gitlab
def versions(listed: Iterable[Answer]) -> list[tuple[datetime, str]]:
    """Return when each state of a merge request's branch was pushed, and its commit, in order."""
    return sorted((moment(each["created_at"]), each["head_commit_sha"]) for each in listed)


def as_of(review: Review, versions: Sequence[tuple[datetime, str]]) -> Review:
    """Return a review with the commit that was the newest when it was given."""
    at = review.at
    seen = [commit for when, commit in versions if at and when <= at]
    return replace(review, commit=seen[-1]) if seen else review


@gitlab
def role(member: Answer) -> Role | None:
    """Return what a member may do; a guest cannot read a private project's code."""
    level = int(member["access_level"])
    if member.get("state", "active") != "active":
        return None
    return next((name for least, name in LEVELS if level >= least), None)


@gitlab
def checks(statuses: Iterable[Answer]) -> tuple[Check, ...]:
    """Return the last status of each name; a job that may fail fails nothing."""
    last: dict[str, Check] = {}
    for data in sorted(statuses, key=lambda each: int(each["id"])):
        outcome = OUTCOMES.get(data["status"], "pending")
        if outcome == "failure" and data.get("allow_failure"):
            outcome = "neutral"
        last[data["name"]] = Check(data["name"], outcome, data.get("target_url") or "")
    return tuple(last.values())


@gitlab
def deployment(data: Answer) -> Deployment:
    """Return a deployment."""
    return Deployment(
        data["id"],
        data["sha"],
        data["ref"],
        data["environment"]["name"],
        moment(data["created_at"]),
    )


@gitlab
def issue(data: Answer) -> Issue:
    """Return an issue."""
    return Issue(
        number=data["iid"],
        url=data["web_url"],
        title=data["title"],
        labels=tuple(data["labels"]),
        is_open=data["state"] == "opened",
        created_at=moment(data["created_at"]),
        closed_at=maybe_moment(data["closed_at"]),
    )
