"""Working out an update: the renders, the merge, what a trusted template wants run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from idp import proc
from idp.config.source import parse_source
from idp.errors import InvalidInput, NotFound, Refused
from idp.git import Entry, Tree
from idp.releases import Release, Shelf
from idp.releases.origin import UNRELEASED
from idp.scaffold.version import parse
from idp.service import pending, worktree
from idp.service.answers import Answers, Service, with_comments
from idp.service.commands import Migrated, Runner
from idp.service.merge import (
    Policy,
    Sides,
    merge,
    outcomes,
    settle,
    under,
    with_our_line_ends,
)
from idp.service.proposal import Request, Update
from idp.service.renders import Render, Renders, Wanted
from idp.service.scratch import Labels, Merged, Scratch
from idp.workshop import workshop

ORIGINS = 6
"""How many former answers are tried at most to find those that the files follow."""


@contextmanager
def prepared(
    service: Service, shelf: Shelf, renders: Renders, request: Request
) -> Iterator[Update]:
    """Merge in a throwaway repository; the service is not touched.

    Raises:
        NotFound: a release is missing.
        Refused: the check failed.
        proc.CommandFailed: a migration or a task failed.
    """
    with _merging(service, shelf, renders, request) as merging:
        yield merging.result()


def recorded(
    service: Service, shelf: Shelf, renders: Renders, source: str
) -> tuple[Release, Tree, Tree]:
    """Return the recorded release, what it renders, and what is committed."""
    asked = Request(to=service.answers.version, source=source)
    with _merging(service, shelf, renders, asked) as merging:
        return merging.old, *merging.recorded()


@contextmanager
def _merging(
    service: Service, shelf: Shelf, renders: Renders, request: Request
) -> Iterator[_Merging]:
    old, new = _releases(service, shelf, request)
    with workshop(renders.work) as folder:
        borrowed = (service.repo.objects, renders.objects)
        name = service.folder.resolve().name
        scratch = Scratch.make(folder / name, service.repo.object_format, borrowed)
        yield _Merging(service, old, new, renders, scratch, request, folder)


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
        service = self.service
        committed = self.scratch.read(service.tree(service.head))
        migrated = self._before(committed)
        base, theirs = self._both(migrated.answers, committed)
        base, origin = self._nearest(base, committed)
        rendered = Sides(
            self.scratch.read(base.tree), migrated.tree, self.scratch.read(theirs.tree)
        )
        waiting = pending.since(service)
        runner = self._runner(theirs.answers, waiting or self.old.version)
        self._check_paths(rendered)
        sides = settle(rendered, self._policy(runner, theirs))
        sides = with_our_line_ends(self.scratch, sides)
        merged = self._with_answers(merge(self.scratch, sides, self._labels), sides)
        due = bool(waiting or self._moves(base, theirs)) and any(runner.afterwards())
        owed = runner.since if due and (merged.conflicts or not self.new.trusted) else ""
        if due and not owed:
            made = self.scratch.read(service.tree(origin))
            merged = runner.after(merged.tree, rendered.theirs, made, committed, self._labels)
        checked = self._check(runner, merged)
        sides = replace(sides, ours=committed)
        files = outcomes(self.scratch, sides, merged)
        local = self._local_files(rendered, theirs)
        return Update(
            service,
            self.old,
            self.new,
            sides,
            merged,
            files,
            local,
            self.scratch,
            (*self._notes(theirs.answers), *checked),
            owed,
            runner.shown() if owed else (),
        )

    def recorded(self) -> tuple[Tree, Tree]:
        """Return what the recorded release renders, and what is committed."""
        committed = self.scratch.read(self.service.tree(self.service.head))
        first = self._wanted(self.old, self.service.origins[0].answers.values, {}, committed)
        base, _ = self._nearest(self._make(first), committed)
        return self.scratch.read(base.tree), committed

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
        renders = [
            self._make(self._wanted(self.old, o.answers.values, {}, committed)) for o in origins
        ]
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

    def _local_files(self, sides: Sides, theirs: Render) -> tuple[worktree.Wish, ...]:
        """Return what shall become of files that the rendered .gitignore keeps out of commits."""
        paths = set(theirs.ignored) - set(sides.ours)
        prefix = self.service.prefix
        return tuple(
            worktree.Wish(
                f"{prefix}{path}", sides.base.get(path), {}, sides.theirs[path], local=True
            )
            for path in sorted(paths)
            if sides.base.get(path) != sides.theirs[path]
        )

    def _check_paths(self, sides: Sides) -> None:
        """Refuse to restore or heal what the template does not bring."""
        for asked, there in (
            (self.request.restore, {*sides.base, *sides.theirs}),
            (self.request.heal, {*sides.base}),
        ):
            for path in asked:
                inside = _inside(path, self.service)
                if not any(map(under([inside]), there)):
                    raise NotFound(f"the template brings no {path}", hint="see --status")

    def _moves(self, base: Render, theirs: Render) -> bool:
        return self.old.tree_id != self.new.tree_id or base.tree != theirs.tree

    def _runner(self, answers: Mapping[str, Any], since: str) -> Runner:
        return Runner(self.scratch, since, self.new, answers, self.folder / "home")

    def _before(self, committed: Tree) -> Migrated:
        """Run the "before" migrations on a copy of ours; they may change the answers."""
        now = self.service.answers.values
        if self.old.tree_id == self.new.tree_id:
            return Migrated(committed, now)
        tree = self._runner(now, self.old.version).before(committed)
        if tree is committed:
            return Migrated(committed, now)
        entry = tree.get(self.service.answers_file)
        content = self.scratch.blobs([entry.oid])[0] if entry else b""
        return Migrated(tree, Answers.parse(content, self.service.answers_file).values)

    def _both(self, answers: Mapping[str, Any], committed: Tree) -> tuple[Render, Render]:
        """Render both releases, side by side where neither is cached."""
        base = self._wanted(self.old, self.service.origins[0].answers.values, {}, committed)
        theirs = self._wanted(self.new, answers, self.request.data, committed, self.request.ask)
        if base.key == theirs.key:  # two at once would render into one folder
            made = self._make(theirs)
            return made, made
        old, new = self.renders.cached(base), self.renders.cached(theirs)
        if old or new:
            return (
                old or self.renders.make(base, self.folder),
                new or self.renders.make(theirs, self.folder),
            )
        from idp.scaffold import render  # noqa: F401 - imported once, before the fork

        with proc.forked(lambda: self.renders.make(base, self.folder)) as other:
            made = self.renders.make(theirs, self.folder)
            return other(), made

    def _make(self, wanted: Wanted) -> Render:
        return self.renders.cached(wanted) or self.renders.make(wanted, self.folder)

    def _wanted(
        self,
        release: Release,
        answers: Mapping[str, Any],
        data: Mapping[str, Any],
        committed: Tree,
        ask: bool = False,
    ) -> Wanted:
        paths = [p for p in release.config.external_data.values() if p in committed]
        seeds = self.scratch.blobs([committed[p].oid for p in paths]) if paths else []
        return Wanted(
            release,
            self.scratch.folder.name,
            self.service.answers_file,
            answers,
            data,
            dict(zip(paths, seeds, strict=True)),
            ask,
        )

    def _policy(self, runner: Runner, theirs: Render) -> Policy:
        config = self.new.config
        restored, healed = (
            under(_inside(path, self.service) for path in paths)
            for paths in (self.request.restore, self.request.heal)
        )
        return Policy(
            runner.matching(config.exclude),
            runner.matching(config.skip_if_exists),
            frozenset(theirs.ignored),
            restored,
            healed,
        )

    def _check(self, runner: Runner, merged: Merged) -> tuple[str, ...]:
        """Run the check on the merged tree; return what there is to note of it."""
        named = self.new.config.own.get("check", "") if self.new.trusted else ""
        command = self.request.check or (named if self.request.check == "" else "")
        if self.request.check == "" and not command:
            raise InvalidInput(
                "the template names no check, or is not trusted", hint="--check 'make test'"
            )
        if not command:
            return ()
        if merged.conflicts:
            return (f"not checked while conflicts stand: {command}",)
        try:
            runner.check(merged.tree, command, own=bool(self.request.check))
        except proc.CommandFailed as error:
            if not self.request.force:
                raise Refused(
                    f"the check failed: {command}",
                    details=error.details,
                    hint="--force updates all the same",
                ) from error
            return (f"the check failed, and --force went on: {command}",)
        return ()

    def _notes(self, answers: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a person should know: what was left out, which answer was not valid."""
        left = self.new.left_out
        notes = [f"not trusted, so without its {' and '.join(left)} (--trust)"] if left else []
        old, new = parse(self.old.version), parse(self.new.version)
        if old and new and new < old:
            notes.append(f"going back to {self.new.version}: migrations are not undone")
        unknown = sorted(self.request.data.keys() - self.new.config.questions.keys())
        notes += [f"{self.new.version} asks no {', '.join(unknown)}"] if unknown else []
        was = self.service.answers.values
        notes += [
            f"the answer {key}={was[key]!r} is not valid in {self.new.version}: "
            f"{answers[key]!r} was taken"
            for key in was.keys() & answers.keys()
            if key not in self.request.data and was[key] != answers[key]
        ]
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
