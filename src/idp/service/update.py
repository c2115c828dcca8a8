"""Bringing a service forward to another release of its template."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from idp import git, proc, road
from idp.errors import InvalidInput, NotFound, Refused
from idp.git import Entry, Tree
from idp.plan import Effect, Plan
from idp.config.source import parse_source
from idp.releases import UNRELEASED, Release, Shelf
from idp.service import journal, worktree
from idp.service.answers import Answers, Service, with_comments
from idp.service.commands import Migrated, Runner
from idp.service.merge import (
    FileOutcome,
    Policy,
    Sides,
    changes,
    merge,
    outcomes,
    settle,
    under,
    with_our_line_ends,
)
from idp.service.renders import Render, Renders, Wanted
from idp.service.scratch import Labels, Merged, Scratch

ORIGINS = 6
"""How many former answers are tried at most to find those that the files follow."""

Status = Literal["updated", "up-to-date", "conflicts"]


@dataclass(frozen=True)
class Request:
    """What is asked of an update.

    Attributes:
        to: the release; empty is the newest.
        source: where the template is now, if it has moved.
        data: answers given now.
        restore: paths deleted by the owner that shall come back.
        heal: paths to bring back to what the recorded release renders.
        check: a command that must succeed on the merged tree; None is none, "" the template's.
        force: apply although the check fails.
        ask: a person can be asked for new answers.
    """

    to: str = ""
    source: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    restore: tuple[str, ...] = ()
    heal: tuple[str, ...] = ()
    check: str | None = None
    force: bool = False
    ask: bool = False


@dataclass(frozen=True)
class Update:
    """An update that is ready to be applied; `local` are files that are in no commit."""

    service: Service
    old: Release
    new: Release
    sides: Sides
    merged: Merged
    files: tuple[FileOutcome, ...]
    local: tuple[worktree.Wish, ...]
    scratch: Scratch
    notes: tuple[str, ...]

    @property
    def status(self) -> Status:
        """What it comes to."""
        if self.merged.conflicts:
            return "conflicts"
        return "up-to-date" if self.merged.tree == self.sides.ours else "updated"

    def diff(self, *, color: bool) -> str:
        """Return the change as a patch."""
        mine, result = map(self.scratch.write, (self.sides.ours, self.merged.tree))
        ink = f"--color={'always' if color else 'never'}"
        done = self.scratch.git("diff-tree", "-p", "-M", ink, mine, result)
        return done.stdout.decode(errors="replace")

    def wishes(self) -> list[worktree.Wish]:
        """Return what shall become of each changed path of the repository."""
        changed = changes(self.sides.ours, self.merged)
        listed = worktree.wishes(self.service.prefix, self.sides.ours, changed, self.merged.tree)
        return [*listed, *self.local]

    def plan(self) -> Plan:
        """Return the plan of this update."""
        return Plan(
            "update-service", str(self.service.folder),
            inputs={"template": self.new.template, "from": self.old.version,
                    "to": self.new.version, "commit": self.new.commit},
            preconditions={"HEAD": self.service.head},
            effects=tuple(Effect(f.outcome, f.path) for f in self.files),
            result=self.scratch.write(self.merged.tree),
        )  # fmt: skip


@contextmanager
def prepared(service: Service, shelf: Shelf, renders: Renders, request: Request) -> Iterator[Update]:
    """Merge in a throwaway repository; the service is not touched.

    Raises:
        NotFound: a release is missing.
        Refused: the check failed.
        proc.CommandFailed: a migration or a task failed.
    """
    old, new = _releases(service, shelf, request)
    with TemporaryDirectory(prefix="idp-update-") as folder:
        borrowed = (service.repo.objects, renders.objects)
        name = service.folder.resolve().name
        scratch = Scratch.make(Path(folder) / name, service.repo.object_format, borrowed)
        yield _Merging(service, old, new, renders, scratch, request, Path(folder)).result()


def _releases(service: Service, shelf: Shelf, request: Request) -> tuple[Release, Release]:
    answers = service.answers
    if answers.version == UNRELEASED:
        raise InvalidInput(
            f"{service.folder} was made from an unreleased template: what it was is not known",
            hint="make it anew from a release, or set `_commit` to the release it is closest to",
        )
    source = parse_source(request.source or answers.template)
    old = shelf.release(replace(source, version=answers.version))
    if request.heal and not request.to:
        return old, old
    wanted = request.to or source.version or shelf.origin(source).default()
    return old, old if wanted == old.version else shelf.release(replace(source, version=wanted))


@dataclass(frozen=True)
class _Merging:
    """The steps of one update; each takes from the one before."""

    service: Service
    old: Release
    new: Release
    renders: Renders
    scratch: Scratch
    request: Request
    folder: Path

    def result(self) -> Update:
        service, committed = self.service, self.service.tree(self.service.head)
        migrated = self._before(committed)
        base, theirs = self._both(migrated.answers, committed)
        base, origin = self._nearest(base, committed)
        rendered = Sides(self.scratch.read(base.tree), migrated.tree,
                         self.scratch.read(theirs.tree))  # fmt: skip
        runner = self._runner(theirs.answers)
        self._check_paths(rendered)
        sides = settle(rendered, self._policy(runner, theirs))
        sides = with_our_line_ends(self.scratch, sides)
        merged = self._with_answers(merge(self.scratch, sides, self._labels), sides)
        if not merged.conflicts and self._moves(base, theirs):
            merged = runner.after(merged.tree, rendered.theirs, service.tree(origin), committed,
                                  self._labels)  # fmt: skip
        self._check(runner, merged)
        sides = replace(sides, ours=committed)
        files = outcomes(self.scratch, sides, merged)
        local = self._local_files(rendered, base, theirs)
        return Update(service, self.old, self.new, sides, merged, files, local, self.scratch,
                      self._notes(theirs.answers))  # fmt: skip

    @property
    def _labels(self) -> Labels:
        name = self.new.name
        return f"{name}-{self.old.version}", "yours", f"{name}-{self.new.version}"

    def _nearest(self, first: Render, committed: Tree) -> tuple[Render, str]:
        """Return the render that the files follow, and its commit, where answers have changed."""
        origins = self.service.origins[-ORIGINS:]
        if len(origins) == 1:
            return first, origins[0].commit
        ours = self.scratch.write(committed)
        renders = [self.renders.make(self._wanted(self.old, o.answers.values, {}, committed))
                   for o in origins]  # fmt: skip
        near = min(range(len(origins)), key=lambda i: self.scratch.distance(renders[i].tree, ours))
        return renders[near], origins[near].commit

    def _with_answers(self, merged: Merged, sides: Sides) -> Merged:
        """Let the answers file say what was rendered: its values are no matter for a merge."""
        path = self.service.answers_file
        theirs, ours = sides.theirs.get(path), sides.ours.get(path)
        result = merged.tree.get(path)
        if theirs is None or ours is None or result is None:
            return merged
        new, mine, now = self.scratch.blobs([theirs.oid, ours.oid, result.oid])
        if path not in merged.conflicts and _same_answers(now, new):
            return merged
        blob = self.scratch.write_blob(with_comments(new, mine))
        stages = {p: s for p, s in merged.conflicts.items() if p != path}
        return Merged({**merged.tree, path: Entry(theirs.mode, blob)}, stages)

    def _local_files(self, sides: Sides, base: Render, theirs: Render) -> tuple[worktree.Wish, ...]:
        """Return what shall become of files that the rendered .gitignore keeps out of commits."""
        paths = set(theirs.ignored) - set(sides.ours)
        prefix = self.service.prefix
        return tuple(worktree.Wish(f"{prefix}{path}", sides.base.get(path), {}, sides.theirs[path],
                                   local=True)
                     for path in sorted(paths) if sides.base.get(path) != sides.theirs[path])  # fmt: skip

    def _check_paths(self, sides: Sides) -> None:
        """Refuse to restore or heal what the template does not bring."""
        for asked, there in ((self.request.restore, {*sides.base, *sides.theirs}),
                             (self.request.heal, {*sides.base})):  # fmt: skip
            for path in asked:
                inside = _inside(path, self.service)
                if not any(map(under([inside]), there)):
                    raise NotFound(f"the template brings no {path}", hint="see --status")

    def _moves(self, base: Render, theirs: Render) -> bool:
        return self.old.tree_id != self.new.tree_id or base.tree != theirs.tree

    def _runner(self, answers: Mapping[str, Any]) -> Runner:
        return Runner(self.scratch, self.old, self.new, answers, self.folder / "home")

    def _before(self, committed: Tree) -> Migrated:
        """Run the "before" migrations on a copy of ours; they may change the answers."""
        now = self.service.answers.values
        if self.old.tree_id == self.new.tree_id:
            return Migrated(committed, now)
        tree = self._runner(now).before(committed)
        if tree is committed:
            return Migrated(committed, now)
        entry = tree.get(self.service.answers_file)
        content = self.scratch.blobs([entry.oid])[0] if entry else b""
        return Migrated(tree, Answers.parse(content, self.service.answers_file).values)

    def _both(self, answers: Mapping[str, Any], committed: Tree) -> tuple[Render, Render]:
        """Render both releases, side by side where neither is cached."""
        base = self._wanted(self.old, self.service.origins[0].answers.values, {}, committed)
        theirs = self._wanted(self.new, answers, self.request.data, committed, self.request.ask)
        if self.renders.cached(base) or self.renders.cached(theirs):
            return self.renders.make(base), self.renders.make(theirs)
        from idp.scaffold import render  # noqa: F401 - imported once, before the fork

        with proc.forked(lambda: self.renders.make(base)) as other:
            made = self.renders.make(theirs)
            return other(), made

    def _wanted(self, release: Release, answers: Mapping[str, Any], data: Mapping[str, Any],
                committed: Tree, ask: bool = False) -> Wanted:  # fmt: skip
        paths = [p for p in release.config.external_data.values() if p in committed]
        seeds = self.scratch.blobs([committed[p].oid for p in paths]) if paths else []
        return Wanted(release, self.scratch.folder.name, self.service.answers_file, answers, data,
                      dict(zip(paths, seeds, strict=True)), ask)  # fmt: skip

    def _policy(self, runner: Runner, theirs: Render) -> Policy:
        config = self.new.config
        restored, healed = (under(_inside(path, self.service) for path in paths)
                            for paths in (self.request.restore, self.request.heal))  # fmt: skip
        return Policy(runner.matching(config.exclude), runner.matching(config.skip_if_exists),
                      frozenset(theirs.ignored), restored, healed)  # fmt: skip

    def _check(self, runner: Runner, merged: Merged) -> None:
        """Run the check on the merged tree."""
        named = self.new.config.own.get("check", "") if self.new.trusted else ""
        command = self.request.check or (named if self.request.check == "" else "")
        if self.request.check == "" and not command:
            raise InvalidInput("the template names no check, or is not trusted",
                               hint="--check 'make test'")  # fmt: skip
        if not command or merged.conflicts:
            return
        try:
            runner.check(merged.tree, command, own=bool(self.request.check))
        except proc.CommandFailed as error:
            if not self.request.force:
                raise Refused(f"the check failed: {command}", details=error.details,
                              hint="--force updates all the same") from error  # fmt: skip

    def _notes(self, answers: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a person should know: what was left out, which answer was not valid."""
        left = self.new.left_out
        notes = [f"not trusted, so without its {' and '.join(left)} (--trust)"] if left else []
        unknown = sorted(self.request.data.keys() - self.new.config.questions.keys())
        notes += [f"{self.new.version} asks no {', '.join(unknown)}"] if unknown else []
        was = self.service.answers.values
        notes += [f"the answer {key}={was[key]!r} is not valid in {self.new.version}: "
                  f"{answers[key]!r} was taken" for key in was.keys() & answers.keys()
                  if key not in self.request.data and was[key] != answers[key]]  # fmt: skip
        return tuple(notes)


def _same_answers(one: bytes, other: bytes) -> bool:
    try:
        return Answers.parse(one, "") == Answers.parse(other, "")
    except InvalidInput:
        return False


def _inside(path: str, service: Service) -> str:
    """Return a path as it is in the service, given from there or from where we stand."""
    home = service.folder.resolve()
    inside = os.path.relpath(home / path, home)
    if inside.startswith(".."):
        raise InvalidInput(f"{path} is outside the service", hint=f"name a path below {home}")
    return inside


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
        worktree.check(update.service.repo, update.wishes())


def carry_out(update: Update, target: Target, ask: road.Ask) -> str:
    """Apply an update; return the commit made, if one was.

    With conflicts nothing is committed: they are left in the index, and no branch is written.
    """
    repo = update.service.repo

    def apply() -> str:
        if target.branch:
            return _write_branch(update, target.branch) if update.status == "updated" else ""
        with journal.lock(repo):
            return _stage(update, target)

    return road.carry_out(update.plan(), apply, observe=lambda: {"HEAD": repo.head()}, ask=ask)


def _stage(update: Update, target: Target) -> str:
    repo, wanted = update.service.repo, update.wishes()
    todo = worktree.check(repo, wanted)
    commit = ""
    if wanted:
        _bring_objects(update)
    if target.commit and update.status == "updated":
        commit = _commit(update, wanted)
    if todo or commit:
        journal.change(repo, update.service.head, _title(update), todo,
                       ("HEAD", commit) if commit else None)  # fmt: skip
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
    with TemporaryDirectory(prefix="idp-index-") as folder:
        index = Path(folder) / "index"
        repo.run("read-tree", update.service.head, index=index)
        lines = b"".join(git.index_lines(w.path, w.stages) for w in wanted)
        repo.run("update-index", "-z", "--replace", "--index-info", stdin=lines, index=index)
        tree = repo.run("write-tree", index=index).stdout.decode().strip()
    env = git.clean_env(**git.identity_env(repo.top))
    done = git.run("commit-tree", tree, "-p", update.service.head, "-m", _title(update),
                   cwd=repo.top, env=env)  # fmt: skip
    return done.stdout.decode().strip()


def _title(update: Update) -> str:
    return f"chore: update from {update.old.version} to {update.new.version} of {update.new.name}"


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


def undo(repo: git.Repo, ask: road.Ask, *, dry: bool) -> Undone:
    """Bring back what was there before the last update.

    Raises:
        NotFound: there is none to undo.
        Refused: it is committed.
    """
    with journal.lock(repo):
        found = journal.undoable(repo)
        paths = tuple(step.path for step in found.steps)
        if dry:
            return Undone(found.title, paths, "")
        plan = Plan("undo", str(repo.top), preconditions={"HEAD": repo.head()},
                    effects=tuple(Effect("restored", path) for path in paths))  # fmt: skip
        kept = road.carry_out(plan, lambda: journal.undo(repo, found),
                              observe=lambda: {"HEAD": repo.head()}, ask=ask)  # fmt: skip
    return Undone(found.title, paths, str(kept or ""))
