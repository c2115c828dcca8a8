"""Making a service from a template: a repository with one commit, or nothing at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from idp import git, proc
from idp.errors import InvalidInput, Refused, UsageError
from idp.plan import Effect, Facts, Plan
from idp.releases import Release
from idp.road import Road
from idp.service.begun import SUBJECT, Begun, tip
from idp.service.publish import ABSENT, BRANCH, EMPTY, NotDone, Publication, Target, check_free
from idp.service.renders import Render, Renders, Wanted
from idp.workshop import locked, workshop

NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
"""A name that the catalog takes: Backstage's rule for metadata.name."""

NAME_QUESTIONS = ("name", "service_name", "project_name", "project_slug")
OWNER_QUESTIONS = ("owner", "team")
REPOSITORY_QUESTIONS = ("repository", "repository_url", "repo_url")


@dataclass(frozen=True)
class Request:
    """What is asked of a new service.

    Attributes:
        dest: its folder, which must not exist, or be empty.
        into: the repository it becomes a folder of; None makes a repository of its own.
        defaults: take the template's defaults for what `data` does not answer.
        ask: a person can be asked.
        remote: the URL to push to.
        target: the repository to be made for it on the platform's forge.
    """

    name: str
    dest: Path
    into: Path | None = None
    owner: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    defaults: bool = False
    ask: bool = False
    remote: str = ""
    target: Target | None = None


@dataclass(frozen=True)
class Created:
    """A service that was made, or would be.

    Attributes:
        commit: its first commit; empty for a dry run, or inside another repository.
        url: its repository on the forge, with --push.
        not_done: settings of that repository which the forge cannot have.
    """

    name: str
    path: str
    template: str
    version: str
    commit: str
    files: tuple[str, ...]
    url: str = ""
    not_done: tuple[NotDone, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A service that is rendered, and not yet in its place."""

    request: Request
    release: Release
    folder: Path
    render: Render
    files: tuple[str, ...]

    @property
    def target(self) -> Target | None:
        """Where it will be published, with the team that owns it."""
        target = self.request.target
        return target and _owned(target, self.render.answers)

    @property
    def description(self) -> str:
        """What it does, where its template asked."""
        return _answer(self.render.answers, ("description",))

    def plan(self) -> Plan:
        """Return the plan of making it."""
        request, release = self.request, self.release
        pushed = (Effect("pushed", request.remote),) if request.remote else ()
        published = tuple(self.target.effects()) if self.target else ()
        return Plan(
            "create-service",
            str(request.dest),
            inputs={
                "template": release.template,
                "version": release.version,
                "commit": release.commit,
            },
            preconditions=_state(request),
            effects=(*(Effect("added", name) for name in self.files), *pushed, *published),
            result=self.render.tree,
            risk="remote" if request.remote or request.target else "local",
            facts=Facts(request.name, _answer(self.render.answers, OWNER_QUESTIONS)),
        )

    def created(self, commit: str, not_done: tuple[NotDone, ...] = ()) -> Created:
        """Return what is told of it."""
        target = self.request.target
        return Created(
            self.request.name,
            str(self.request.dest),
            self.release.template,
            self.release.version,
            commit,
            self.files,
            target.url if target else "",
            not_done,
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
        if request.remote or request.target:
            flag = "--remote" if request.remote else "--push"
            raise UsageError(f"{flag} goes with a repository of its own, not with --into")
    if request.remote and request.target:
        raise UsageError("--remote and --push say two places", hint="give one")
    if request.target is None and is_taken(request.dest):
        raise Refused(f"{request.dest} is there already", hint="choose another folder")


def unasked(request: Request, release: Release) -> Iterator[str]:
    """Yield, of each answer that the template does not ask for, that it is ignored."""
    questions = release.config.questions
    for unknown in sorted(request.data.keys() - questions.keys()):
        close = get_close_matches(unknown, questions, 1)
        mean = f", did you mean {close[0]}?" if close else ""
        yield f"{release.name} does not ask {unknown}{mean}"


def is_taken(dest: Path) -> bool:
    """Tell whether something is where a service is to be."""
    if not os.path.lexists(dest):
        return False
    return not dest.is_dir() or dest.is_symlink() or any(dest.iterdir())


def _state(request: Request) -> dict[str, str]:
    there = {"repository": request.target.found} if request.target else {}
    return {"destination": "taken" if is_taken(request.dest) else "free", **there}


def _owned(target: Target, answers: Mapping[str, Any]) -> Target:
    """Return a target with the team that the answers name, if they name one."""
    return replace(target, team=_answer(answers, OWNER_QUESTIONS) or target.team)


def _answer(answers: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((str(answers[name]) for name in names if answers.get(name)), "")


@contextmanager
def drafted(request: Request, release: Release, renders: Renders, *, dry: bool) -> Iterator[Draft]:
    """Render a service beside its place (in a temporary folder for a dry run).

    Raises:
        Refused: the repository that it would get is in use.
    """
    if request.target:
        check_free(request.target)
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
    """Return the answers given, with name, owner and repository where the template asks."""
    data, questions = dict(request.data), release.config.questions
    url = request.target.url if request.target else ""
    told = (
        (NAME_QUESTIONS, request.name),
        (OWNER_QUESTIONS, request.owner),
        (REPOSITORY_QUESTIONS, url),
    )
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
        owner = next((name for name in OWNER_QUESTIONS if name in questions), "")
        flags = " ".join("--owner …" if n == owner else f"--data {n}=…" for n in open_ones)
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


def carry_out(draft: Draft, road: Road) -> Created:
    """Commit, push and put a draft in its place."""
    request = draft.request

    def apply() -> Created:
        commit = "" if request.into else _commit(draft)
        if request.remote:
            git.add_remote(draft.folder, "origin", request.remote)
            _push(draft.folder, request.remote)
        proc.no_way_back()
        _put(draft.folder, request.dest)
        return draft.created(commit)

    return road.carry_out(
        draft.plan(), apply, observe=lambda: _state(request), proof=lambda made: made.commit
    )


def publish(draft: Draft, publication: Publication, road: Road) -> Created:
    """Commit a draft, make its repository, put it in its place, push and set up."""
    request, target = draft.request, publication.target
    publication = replace(publication, target=draft.target or target)
    publication.check_teams()

    def apply() -> Created:
        with publication.telling(request.name, request.dest):
            commit = _commit(draft)
            git.add_remote(draft.folder, "origin", target.git_url)
            publication.make(draft.description)
            _put(draft.folder, request.dest)
            _push(request.dest, target.git_url, publication.env)
            publication.pushed()
            return draft.created(commit, publication.settle())

    def observe() -> dict[str, str]:
        return _state(request) | {"repository": publication.state()}

    return road.carry_out(draft.plan(), apply, observe=observe, proof=lambda made: made.commit)


def finish(begun: Begun, publication: Publication, road: Road) -> Created:
    """Do what is left of publishing a service."""
    answered = begun.service.answers.values
    target = _owned(begun.target, answered)
    begun, publication = replace(begun, target=target), replace(publication, target=target)

    def apply() -> Created:
        with publication.telling(begun.name, begun.folder):
            if target.found in (ABSENT, EMPTY):
                publication.make(_answer(answered, ("description",)))
                _push(begun.folder, target.git_url, publication.env)
            else:
                _follow(begun.service.repo, target.git_url, publication.env)
            publication.pushed()
            return finished(begun, publication.settle())

    def observe() -> dict[str, str]:
        return {BRANCH: tip(begun.service.repo), "repository": publication.state()}

    return road.carry_out(begun.plan(), apply, observe=observe, proof=lambda made: made.commit)


def finished(begun: Begun, not_done: tuple[NotDone, ...] = ()) -> Created:
    """Return what is told of a service that was there already."""
    answers, target = begun.service.answers, begun.target
    return Created(
        begun.name,
        str(begun.folder),
        answers.template,
        answers.version,
        begun.first,
        begun.files,
        target.url,
        not_done,
    )


def _commit(draft: Draft) -> str:
    folder, release = draft.folder, draft.release
    env = git.clean_env()
    git.run("init", "--quiet", f"--initial-branch={BRANCH}", cwd=folder, env=env)
    # The template's .gitignore counts, not what this user ignores everywhere.
    git.run("add", "--all", cwd=folder, env=env, config=("core.excludesFile=/dev/null",))
    env |= git.identity_env(folder)
    message = f"{SUBJECT.format(name=draft.request.name)}{release.name} {release.version}"
    git.run("commit", "--quiet", "--allow-empty", "-m", message, cwd=folder, env=env)
    return git.text("rev-parse", "HEAD", cwd=folder)


def _push(folder: Path, url: str, env: Mapping[str, str] | None = None) -> None:
    with git.talking_to(url):
        git.run("push", "--quiet", "--set-upstream", "origin", BRANCH, cwd=folder, env=env)


def _follow(repo: git.Repo, url: str, env: Mapping[str, str]) -> None:
    """Let main follow the remote's, unless it follows something: the push's answer was lost."""
    if repo.run("config", "--get", f"branch.{BRANCH}.merge", ok=(0, 1)).code == 0:
        return
    with git.talking_to(url):
        git.run("fetch", "--quiet", "origin", BRANCH, cwd=repo.top, env=env)
    repo.run("branch", "--quiet", f"--set-upstream-to=origin/{BRANCH}", BRANCH)


def _put(folder: Path, dest: Path) -> None:
    """Move the whole service into its place at once.

    A folder that is there stays the one it is, since somebody's shell may stand in it.
    """
    if dest.is_dir():
        with locked(dest), proc.undisturbed():
            _fill(dest, folder)
        return
    missing = [p for p in dest.parents if not p.exists()]
    dest.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.rename(dest)
    except OSError as error:
        for parent in missing:
            parent.rmdir()
        raise Refused(f"cannot make {dest}: {error.strerror}") from error


def _fill(dest: Path, folder: Path) -> None:
    """Move all there is in a folder into one that is still empty, git's part last."""
    if is_taken(dest):
        raise Refused(f"{dest} is there already", hint="choose another folder")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == ".git"):
        entry.rename(dest / entry.name)
