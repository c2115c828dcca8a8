"""Making a service from a template: a repository with one commit, or nothing at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idp import git, proc, road
from idp.errors import InvalidInput, Refused, UsageError
from idp.plan import Effect, Plan
from idp.releases import Release
from idp.service.renders import Render, Renders, Wanted
from idp.workshop import workshop

NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""A name that the catalog takes: Backstage's rule for metadata.name."""

NAME_QUESTIONS = ("name", "service_name", "project_name", "project_slug")
OWNER_QUESTIONS = ("owner", "team")


@dataclass(frozen=True)
class Request:
    """What is asked of a new service.

    Attributes:
        dest: its folder, which must not exist, or be empty.
        into: the repository it becomes a folder of; None makes a repository of its own.
        defaults: take the template's defaults for what `data` does not answer.
        ask: a person can be asked.
        remote: the URL to push to.
    """

    name: str
    dest: Path
    into: Path | None = None
    owner: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    defaults: bool = False
    ask: bool = False
    remote: str = ""


@dataclass(frozen=True)
class Created:
    """A service that was made, or would be.

    Attributes:
        commit: its first commit; empty for a dry run, or inside another repository.
    """

    name: str
    path: str
    template: str
    version: str
    commit: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """A service that is rendered, and not yet in its place."""

    request: Request
    release: Release
    folder: Path
    render: Render
    files: tuple[str, ...]

    def plan(self) -> Plan:
        """Return the plan of making it."""
        request, release = self.request, self.release
        pushed = (Effect("pushed", request.remote),) if request.remote else ()
        return Plan(
            "create-service",
            str(request.dest),
            inputs={
                "template": release.template,
                "version": release.version,
                "commit": release.commit,
            },
            preconditions=_state(request),
            effects=(*(Effect("added", name) for name in self.files), *pushed),
            result=self.render.tree,
            risk="remote" if request.remote else "local",
        )

    def created(self, commit: str) -> Created:
        """Return what is told of it."""
        return Created(
            self.request.name,
            str(self.request.dest),
            self.release.template,
            self.release.version,
            commit,
            self.files,
        )


def check(request: Request) -> None:
    """Check what can be checked before anything is written.

    Raises:
        InvalidInput: the name, or the place.
        Refused: something is there already.
    """
    if not NAME.fullmatch(request.name):
        raise InvalidInput(
            f"{request.name!r} is no name for a service",
            hint="1 to 63 letters, digits, and - _ . between them, like payments-api",
        )
    if request.remote.startswith("-"):
        raise InvalidInput(f"{request.remote!r} is no URL to push to")
    if request.into is not None:
        git.find(request.into)
        if request.remote:
            raise UsageError("--remote goes with a repository of its own, not with --into")
    if os.path.lexists(request.dest) and not _is_empty(request.dest):
        raise Refused(f"{request.dest} is there already", hint="choose another with --dest DIR")


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _state(request: Request) -> dict[str, str]:
    free = not os.path.lexists(request.dest) or _is_empty(request.dest)
    return {"destination": "free" if free else "taken"}


@contextmanager
def drafted(request: Request, release: Release, renders: Renders, *, dry: bool) -> Iterator[Draft]:
    """Render a service beside its place (in a temporary folder for a dry run)."""
    beside = next(p for p in request.dest.parents if p.is_dir())
    with workshop(renders.work if dry else beside) as room:
        folder = room / request.dest.name
        wanted = Wanted(
            release,
            request.dest.name,
            release.config.answers_file,
            {},
            _data(request, release),
            {},
            request.ask,
        )
        render = renders.render_into(wanted, folder, room)
        _check_answered(request, wanted, render, release)
        if release.trusted:
            _run_tasks(release, folder, render.answers, room / "home")
        yield Draft(request, release, folder, render, _files(folder))


def _data(request: Request, release: Release) -> dict[str, Any]:
    """Return the answers given, with the name and the owner where the template asks for them."""
    data, questions = dict(request.data), release.config.questions
    told = ((NAME_QUESTIONS, request.name), (OWNER_QUESTIONS, request.owner))
    for names, value in told:
        asked = next((n for n in names if n in questions), "")
        if asked and value:
            data.setdefault(asked, value)
    return data


def _check_answered(request: Request, wanted: Wanted, render: Render, release: Release) -> None:
    """Without a person to ask, defaults are taken only if that was said."""
    if request.defaults or request.ask:
        return
    questions = release.config.questions
    open_ones = [
        name
        for name in render.answers
        if name not in wanted.data and questions[name].get("when") is not False
    ]
    if open_ones:
        flags = " ".join(f"--data {name}=…" for name in open_ones)
        raise UsageError(f"no answer for {', '.join(open_ones)}", hint=f"{flags}, or --defaults")


def _run_tasks(release: Release, folder: Path, answers: Mapping[str, Any], home: Path) -> None:
    if not release.config.tasks:
        return
    from idp.scaffold import tasks

    home.mkdir()
    scene = tasks.Scene(release.config, release.tree, folder, home, answers, "copy", True)
    tasks.run_all(scene, [(task, {"stage": "task"}) for task in release.config.tasks])
    shutil.rmtree(folder / ".git", ignore_errors=True)  # the one commit is ours to make


def _files(folder: Path) -> tuple[str, ...]:
    found = (
        Path(root) / name
        for root, folders, names in os.walk(folder)
        for name in (*names, *(f for f in folders if (Path(root) / f).is_symlink()))
    )
    return tuple(sorted(path.relative_to(folder).as_posix() for path in found))


def carry_out(draft: Draft, ask: road.Ask) -> Created:
    """Commit, push and put a draft in its place."""
    request = draft.request

    def apply() -> Created:
        commit = "" if request.into else _commit(draft)
        if request.remote:
            _push(draft.folder, request.remote)
        _put(draft.folder, request.dest)
        return draft.created(commit)

    return road.carry_out(draft.plan(), apply, observe=lambda: _state(request), ask=ask)


def _commit(draft: Draft) -> str:
    folder, release = draft.folder, draft.release
    env = git.clean_env()
    git.run("init", "--quiet", "--initial-branch=main", cwd=folder, env=env)
    # The template's .gitignore counts, not what this user ignores everywhere.
    git.run("add", "--all", cwd=folder, env=env, config=("core.excludesFile=/dev/null",))
    env |= git.identity_env(folder)
    message = f"feat: create {draft.request.name} from {release.name} {release.version}"
    git.run("commit", "--quiet", "--allow-empty", "-m", message, cwd=folder, env=env)
    return git.text("rev-parse", "HEAD", cwd=folder)


def _push(folder: Path, url: str) -> None:
    git.add_remote(folder, "origin", url)
    with git.talking_to(url):
        git.run("push", "--quiet", "--set-upstream", "origin", "main", cwd=folder)


def _put(folder: Path, dest: Path) -> None:
    """Move the whole service into its place at once."""
    proc.no_way_back()
    missing = [p for p in dest.parents if not p.exists()]
    dest.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(dest)
    except OSError as error:
        for parent in missing:
            parent.rmdir()
        raise Refused(f"cannot make {dest}: {error.strerror}") from error
