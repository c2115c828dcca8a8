"""Applying an update, and undoing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from idp import git
from idp.errors import InvalidInput, Refused
from idp.plan import Effect, Plan
from idp.road import Road
from idp.service import journal, pending, worktree
from idp.service.proposal import Update
from idp.workshop import workshop


@dataclass(frozen=True)
class Target:
    """Where an update goes: the index (neither), a commit on HEAD, or a branch of its own."""

    commit: bool = False
    branch: str = ""


def look(update: Update, target: Target) -> None:
    """Raise what the real run would raise, changing nothing."""
    if target.branch:
        _check_branch(update.service.repo, target.branch)
    else:
        worktree.check(update.service.repo, update.service.prefix, update.wishes())


def carry_out(update: Update, target: Target, road: Road) -> str:
    """Apply an update; return the commit made, if one was.

    With conflicts nothing is committed: they are left in the index, and no branch is written.
    """
    repo = update.service.repo

    def apply() -> str:
        if target.branch:
            return _write_branch(update, target.branch) if update.status == "updated" else ""
        with journal.lock(repo):
            return _stage(update, target)

    return road.carry_out(
        update.plan(), apply, observe=lambda: {"HEAD": repo.head()}, proof=lambda commit: commit
    )


def _stage(update: Update, target: Target) -> str:
    repo, wanted = update.service.repo, update.wishes()
    todo = worktree.check(repo, update.service.prefix, wanted)
    commit = ""
    if wanted:
        _bring_objects(update)
    if target.commit and update.status == "updated":
        commit = _commit(update, wanted)
    if update.owed:
        pending.keep(update.service, update.owed, update.new.version)
    else:
        pending.forget(update.service)
    if todo or commit:
        journal.change(
            repo, update.service.head, update.title, todo, ("HEAD", commit) if commit else None
        )
    return commit


def _bring_objects(update: Update) -> None:
    """Bring the new blobs into the service's object database: nothing but them is taken over."""
    stages = (e for sides in update.merged.conflicts.values() for e in sides.values())
    mine = {entry.oid for entry in update.sides.ours.values()}
    local = (w.content for w in update.local if w.content)
    new = {e.oid for e in (*update.merged.tree.values(), *stages, *local)} - mine
    if new:
        pack = update.scratch.pack(sorted(new))
        update.service.repo.run("unpack-objects", "-q", stdin=pack)


def _commit(update: Update, wanted: list[worktree.Wish]) -> str:
    """Commit the merged tree on top of HEAD, and nothing that was staged besides."""
    repo = update.service.repo
    with workshop(update.scratch.folder.parent) as folder:
        index = folder / "index"
        repo.run("read-tree", update.service.head, index=index)
        lines = b"".join(git.index_lines(w.path, w.stages, repo.nothing) for w in wanted)
        repo.run("update-index", "-z", "--replace", "--index-info", stdin=lines, index=index)
        tree = repo.run("write-tree", index=index).stdout.decode().strip()
    env = git.clean_env(**git.identity_env(repo.top))
    done = git.run(
        "commit-tree", tree, "-p", update.service.head, "-m", update.title, cwd=repo.top, env=env
    )
    return done.stdout.decode().strip()


def _check_branch(repo: git.Repo, name: str) -> None:
    if repo.run("check-ref-format", "--branch", name, ok=(0, 1, 128)).code:
        raise InvalidInput(f"{name!r} is no name for a branch")
    if repo.run("rev-parse", "--verify", "--quiet", f"refs/heads/{name}", ok=(0, 1)).code == 0:
        raise Refused(f"there is a branch {name} already", hint=f"git branch -D {name}")


def _write_branch(update: Update, name: str) -> str:
    repo, wanted = update.service.repo, update.wishes()
    _check_branch(repo, name)
    _bring_objects(update)
    commit = _commit(update, wanted)
    repo.run("update-ref", f"refs/heads/{name}", commit, "0" * len(commit))
    return commit


@dataclass(frozen=True)
class Undone:
    """An update that was undone; `kept` is the folder of what was edited since, if anything."""

    title: str
    paths: tuple[str, ...]
    kept: str


@dataclass(frozen=True)
class Undoing:
    """An update that can be undone, as long as its repository is locked."""

    repo: git.Repo
    change: journal.Journal
    plan: Plan

    def undone(self, kept: str) -> Undone:
        """Return what is told of it."""
        return Undone(self.change.title, tuple(step.path for step in self.change.steps), kept)


@contextmanager
def undoing(repo: git.Repo) -> Iterator[Undoing]:
    """Lock a repository, and give its last update to be undone.

    Raises:
        NotFound: there is none to undo.
        Refused: it is committed.
    """
    with journal.lock(repo):
        found = journal.undoable(repo)
        plan = Plan(
            "undo",
            str(repo.top),
            preconditions={"HEAD": repo.head()},
            effects=tuple(Effect("restored", step.path) for step in found.steps),
        )
        yield Undoing(repo, found, plan)


def undo(found: Undoing, road: Road) -> Undone:
    """Bring back what was there before the last update."""
    kept = road.carry_out(
        found.plan,
        lambda: journal.undo(found.repo, found.change),
        observe=lambda: {"HEAD": found.repo.head()},
    )
    return found.undone(str(kept or ""))
