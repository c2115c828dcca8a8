"""The stand-in's pull requests, comments, checks, deployments and issues."""

from __future__ import annotations

import re
from typing import Any

from ..service.stories import git
from .standin import Answer, Pull, StandIn
from .standin_call import NOT_FOUND, WHEN, Call, invalid, paged, repo_json


def pull_json(forge: StandIn, pull: Pull) -> dict[str, Any]:
    """Return a pull request as GitHub tells it."""
    name = pull.repo.full_name
    return {
        "id": pull.number,
        "node_id": f"PR_{name}_{pull.number}",
        "number": pull.number,
        "html_url": f"{forge.url}/{name}/pull/{pull.number}",
        "title": pull.title,
        "body": pull.body,
        "state": pull.state,
        "draft": pull.draft,
        "merged": pull.merged_at is not None,
        "merged_at": pull.merged_at,
        "created_at": WHEN,
        "user": {"login": pull.author, "type": "User"},
        "head": _side(forge, pull, pull.branch, pull.head),
        "base": _side(forge, pull, pull.base, pull.repo.head(pull.base)),
    }


def _side(forge: StandIn, pull: Pull, name: str, sha: str) -> dict[str, Any]:
    label = f"{pull.repo.owner}:{name}"
    return {"ref": name, "sha": sha, "label": label, "repo": repo_json(forge, pull.repo)}


def _pull(asked: Call) -> Pull | None:
    pulls = (p for p in asked.forge.pulls if p.repo is asked.repo)
    return next((p for p in pulls if p.number == int(asked.words[2])), None)


def list_pulls(asked: Call) -> Answer:
    state, head, base = (asked.query.get(key, "") for key in ("state", "head", "base"))
    found = [
        pull
        for pull in asked.forge.pulls
        if pull.repo is asked.repo
        and (state == "all" or pull.state == (state or "open"))
        and head in ("", f"{pull.repo.owner}:{pull.branch}")
        and base in ("", pull.base)
    ]
    return paged(asked, [pull_json(asked.forge, pull) for pull in reversed(found)])


def make_pull(asked: Call) -> Answer:
    repo, body = asked.repo, asked.body
    branch = body["head"].rpartition(":")[2]
    for field, name in (("head", branch), ("base", body["base"])):
        if not repo.head(name):
            error = {"resource": "PullRequest", "field": field, "code": "invalid"}
            return Answer(422, {"message": "Validation Failed", "errors": [error]})
    same = (p for p in asked.forge.pulls if p.repo is repo and p.state == "open")
    if any((p.branch, p.base) == (branch, body["base"]) for p in same):
        return invalid(f"A pull request already exists for {repo.owner}:{branch}.", "PullRequest")
    if repo.head(branch) == repo.head(body["base"]):
        return invalid(f"No commits between {body['base']} and {branch}", "PullRequest")
    number = 1 + sum(p.repo is repo for p in asked.forge.pulls) + len(repo.issues)
    pull = Pull(repo, number, body["title"], body.get("body") or "", branch, body["base"],
                bool(body.get("draft")), author=asked.forge.login)  # fmt: skip
    asked.forge.pulls.append(pull)
    return Answer(201, pull_json(asked.forge, pull))


def get_pull(asked: Call) -> Answer:
    pull = _pull(asked)
    return NOT_FOUND if pull is None else Answer(200, pull_json(asked.forge, pull))


def change_pull(asked: Call) -> Answer:
    pull = _pull(asked)
    if pull is None:
        return NOT_FOUND
    for key in asked.body.keys() & {"title", "body", "state", "base"}:
        setattr(pull, key, asked.body[key])
    return Answer(200, pull_json(asked.forge, pull))


def reviews(asked: Call) -> Answer:
    pull = _pull(asked)
    return NOT_FOUND if pull is None else paged(asked, pull.reviews)


def give_review(asked: Call) -> Answer:
    pull, states = _pull(asked), {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}
    if pull is None:
        return NOT_FOUND
    who, event = asked.forge.login, asked.body["event"]
    if who == pull.author:
        word = "approve" if event == "APPROVE" else "request changes on"
        return Answer(422, {"message": f"Can not {word} your own pull request"})
    made = {
        "id": asked.forge.new_id(),
        "user": {"login": who, "type": "User"},
        "state": states[event],
        "body": asked.body["body"],
        "commit_id": asked.body["commit_id"],
        "submitted_at": WHEN,
    }
    pull.reviews.append(made)
    return Answer(200, made)


def merge(asked: Call) -> Answer:
    """Merge a pull request with a merge commit, as GitHub does."""
    pull = _pull(asked)
    if pull is None:
        return NOT_FOUND
    if pull.state != "open":
        return Answer(405, {"message": "Pull Request is not mergeable"})
    if asked.body["sha"] != pull.head:
        return Answer(409, {"message": "Head branch was modified. Review and try the merge again."})
    where, base = asked.repo.git_dir, asked.repo.head(pull.base)
    tree = git(where, "merge-tree", "--write-tree", base, pull.head).strip()
    words = ("commit-tree", tree, "-p", base, "-p", pull.head, "-m", f"Merge #{pull.number}")
    commit = git(where, *words).strip()
    git(where, "update-ref", f"refs/heads/{pull.base}", commit)
    pull.state, pull.merged_at = "closed", WHEN
    return Answer(200, {"sha": commit, "merged": True, "message": "merged"})


def graphql(asked: Call) -> Answer:
    """Answer the two mutations that REST has not."""
    query, variables = asked.body["query"], asked.body.get("variables", {})
    said = f"{query} {variables}"
    for pull in asked.forge.pulls:
        if re.search(rf"\bPR_{re.escape(pull.repo.full_name)}_{pull.number}\b", said):
            pull.draft = "convertPullRequestToDraft" in query
            done = {"pullRequest": {"isDraft": pull.draft, "number": pull.number}}
            name = "convertPullRequestToDraft" if pull.draft else "markPullRequestReadyForReview"
            return Answer(200, {"data": {name: done}})
    error = {"type": "NOT_FOUND", "message": "Could not resolve to a node"}
    return Answer(200, {"data": None, "errors": [error]})


def comments(asked: Call) -> Answer:
    pull = _pull(asked)
    if pull is None:
        return NOT_FOUND
    if asked.body is None:
        return paged(asked, pull.comments)
    number = asked.forge.new_id()
    url = pull_json(asked.forge, pull)["html_url"]
    made = {
        "id": number,
        "body": asked.body["body"],
        "user": {"login": asked.forge.login, "type": "User"},
        "html_url": f"{url}#issuecomment-{number}",
        "created_at": WHEN,
    }
    pull.comments.append(made)
    return Answer(201, made)


def comment(asked: Call) -> Answer:
    wanted = int(asked.words[2])
    for pull in asked.forge.pulls:
        for known in pull.comments:
            if known["id"] == wanted and pull.repo is asked.repo:
                known["body"] = asked.body["body"] if asked.body else known["body"]
                return Answer(200, known)
    return NOT_FOUND


def checks(asked: Call) -> Answer:
    return paged(asked, asked.forge.checks.get(asked.words[2], []), "check_runs")


def status(asked: Call) -> Answer:
    known = asked.forge.statuses.get(asked.words[2], [])
    return Answer(200, {"state": "pending", "statuses": known, "sha": asked.words[2]})


def list_deployments(asked: Call) -> Answer:
    wanted = {key: asked.query[key] for key in ("environment", "sha", "ref") if key in asked.query}
    known = asked.repo.deployments
    found = [d for d in known if all(d[key] == value for key, value in wanted.items())]
    return paged(asked, found[::-1])


def make_deployment(asked: Call) -> Answer:
    name = asked.body["ref"]
    made = {
        "id": asked.forge.new_id(),
        "sha": asked.repo.head(name) or name,
        "ref": name,
        "environment": asked.body.get("environment", "production"),
        "created_at": WHEN,
        "statuses": [],
    }
    asked.repo.deployments.append(made)
    return Answer(201, made)


def set_status(asked: Call) -> Answer:
    for known in asked.repo.deployments:
        if known["id"] == int(asked.words[2]):
            known["statuses"].append(asked.body)
            return Answer(201, {"id": asked.forge.new_id(), **asked.body})
    return NOT_FOUND


def issues(asked: Call) -> Answer:
    labels = set(filter(None, asked.query.get("labels", "").split(",")))
    state = asked.query.get("state", "open")
    found = [
        issue
        for issue in asked.repo.issues
        if labels <= {label["name"] for label in issue["labels"]}
        and state in ("all", issue["state"])
    ]
    return paged(asked, found)
