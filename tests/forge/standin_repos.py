"""The stand-in's accounts, teams and repositories, with GitHub's bodies, statuses and errors."""

from __future__ import annotations

import hashlib

from ..service.stories import git
from .standin import Answer
from .standin_call import NOT_FOUND, Call, invalid, paged, repo_json


def user(asked: Call) -> Answer:
    return Answer(200, {"login": asked.forge.login, "type": "User", "id": 1})


def owner(asked: Call) -> Answer:
    kinds = {asked.forge.org: "Organization", asked.forge.login: "User"}
    kind = kinds.get(asked.words[0])
    if kind is None or (asked.path.startswith("/orgs/") and kind == "User"):
        return NOT_FOUND
    return Answer(200, {"login": asked.words[0], "type": kind, "id": 2})


def list_repos(asked: Call) -> Answer:
    whose = asked.words[0] if asked.words else asked.forge.login
    found = [r for r in asked.forge.repos.values() if r.owner == whose]
    page = paged(asked, [repo_json(asked.forge, repo) for repo in found])
    etag = f'W/"{hashlib.sha256(page.body).hexdigest()}"'
    if asked.headers.get("If-None-Match") == etag:
        asked.forge.unchanged += 1
        return Answer(304, headers={"ETag": etag})
    return Answer(200, page.data, {**page.headers, "ETag": etag})


def make_repo(asked: Call) -> Answer:
    whose = asked.words[0] if asked.words else asked.forge.login
    if asked.words and whose != asked.forge.org:
        return NOT_FOUND
    name = f"{whose}/{asked.body['name']}"
    if name in asked.forge.repos:
        return invalid("name already exists on this account", "Repository", "name")
    hidden = "private" if asked.body.get("private") else "public"
    repo = asked.forge.add_repo(
        name,
        visibility=asked.body.get("visibility", hidden),
        description=asked.body.get("description") or "",
    )
    return Answer(201, repo_json(asked.forge, repo))


def get_repo(asked: Call) -> Answer:
    return Answer(200, repo_json(asked.forge, asked.repo))


def change_repo(asked: Call) -> Answer:
    for key in asked.body.keys() & {"description", "visibility", "archived"}:
        setattr(asked.repo, key, asked.body[key])
    return get_repo(asked)


def topics(asked: Call) -> Answer:
    if asked.body is not None:
        asked.repo.topics = list(asked.body["names"])
    return Answer(200, {"names": asked.repo.topics})


def team(asked: Call) -> Answer:
    organisation, slug = asked.words
    if organisation != asked.forge.org or slug not in asked.forge.teams:
        return NOT_FOUND
    return Answer(200, {"slug": slug, "name": slug, "id": 7})


def grant(asked: Call) -> Answer:
    organisation, slug, *name = asked.words
    known = organisation == asked.forge.org and slug in asked.forge.teams
    repo = asked.forge.repos.get("/".join(name))
    if not known or repo is None:
        return NOT_FOUND
    repo.teams[slug] = asked.body["permission"]
    return Answer(204)


def branches(asked: Call) -> Answer:
    found = asked.repo.branches().items()
    return paged(asked, [{"name": n, "commit": {"sha": s}, "protected": False} for n, s in found])


def branch(asked: Call) -> Answer:
    name = asked.words[2]
    sha = asked.repo.head(name)
    if not sha:
        return Answer(404, {"message": "Branch not found"})
    protected = name in asked.repo.protection
    return Answer(200, {"name": name, "commit": {"sha": sha}, "protected": protected})


def protect(asked: Call) -> Answer:
    if not asked.repo.head(asked.words[2]):
        return Answer(404, {"message": "Branch not found"})
    asked.repo.protection[asked.words[2]] = asked.body
    return Answer(200, {"url": f"{asked.forge.url}/api/v3{asked.path}"})


def protection(asked: Call) -> Answer:
    known = asked.repo.protection.get(asked.words[2])
    return Answer(404, {"message": "Branch not protected"}) if known is None else Answer(200, known)


def permission(asked: Call) -> Answer:
    name = asked.repo.roles.get(asked.words[2].lower())
    if name is None:
        return NOT_FOUND
    least = {"maintain": "write", "triage": "read"}.get(name, name)
    return Answer(200, {"permission": least, "role_name": name})


def rules(asked: Call) -> Answer:
    return Answer(200, [])


def ref(asked: Call) -> Answer:
    sha = asked.repo.head(asked.words[2])
    name = f"refs/heads/{asked.words[2]}"
    return (
        Answer(200, {"ref": name, "object": {"type": "commit", "sha": sha}}) if sha else NOT_FOUND
    )


def commits(asked: Call) -> Answer:
    if not asked.repo.branches():
        return Answer(409, {"message": "Git Repository is empty."})
    start = asked.query.get("sha", "main")
    listed = git(asked.repo.git_dir, "rev-list", "--max-count=30", start).split()
    return paged(asked, [{"sha": sha} for sha in listed])


def tree(asked: Call) -> Answer:
    if not asked.repo.branches():
        return Answer(409, {"message": "Git Repository is empty."})
    listed = git(asked.repo.git_dir, "ls-tree", "-r", "-l", "-z", asked.words[2])
    found = []
    for line in filter(None, listed.split("\0")):
        about, path = line.split("\t", 1)
        mode, kind, sha, size = about.split()
        found.append({"path": path, "mode": mode, "type": kind, "sha": sha, "size": int(size)})
    data = {"sha": asked.words[2], "tree": found, "truncated": False}
    etag = f'W/"{hashlib.sha256(listed.encode()).hexdigest()}"'
    if asked.headers.get("If-None-Match") == etag:
        return Answer(304, headers={"ETag": etag})
    return Answer(200, data, {"ETag": etag})


def contents(asked: Call) -> Answer:
    where = f"{asked.query.get('ref', 'main')}:{asked.words[2]}"
    try:
        content = git(asked.repo.git_dir, "cat-file", "blob", where)
    except AssertionError:
        return NOT_FOUND
    raw = content.encode(errors="surrogateescape")
    etag = f'"{hashlib.sha256(raw).hexdigest()}"'
    if asked.headers.get("If-None-Match") == etag:
        return Answer(304, headers={"ETag": etag})
    kind = "application/vnd.github.raw; charset=utf-8"
    return Answer(200, raw=raw, headers={"ETag": etag, "Content-Type": kind})
