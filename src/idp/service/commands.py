"""A template's own commands during an update: migrations, tasks, its check."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idp import git, proc
from idp.git import Tree
from idp.releases import Release
from idp.scaffold.config import Command, migrations
from idp.service.merge import Matches, protect
from idp.service.scratch import Labels, Merged, Scratch

if TYPE_CHECKING:
    from idp.scaffold.tasks import Scene

Told = tuple[Command, dict[str, str]]
"""A command and the variables it is told."""


@dataclass(frozen=True)
class Migrated:
    """Our side of the merge, and today's answers."""

    tree: Tree
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class Runner:
    """Runs commands in the throwaway repository; an untrusted template's are left out.

    `since` is the release that the last commands led to.
    """

    scratch: Scratch
    since: str
    new: Release
    answers: Mapping[str, Any]
    home: Path

    def before(self, ours: Tree) -> Tree:
        """Return our tree after the "before" migrations: the same object where there are none."""
        chosen = migrations(self.new.config, "before", self.since, self.new.version)
        if not self.new.trusted or not chosen:
            return ours
        return self._run(ours, chosen)

    def after(
        self, merged: Tree, laid_down: Tree, origin: Tree, ours: Tree, labels: Labels
    ) -> Merged:
        """Return the merged tree after the "after" migrations and the tasks."""
        chosen, tasks = self.afterwards()
        migrated = self._run(merged, chosen) if chosen else merged
        made = self._run(migrated, tasks) if tasks else migrated
        # A migration is written to change the owner's files; a task knows nothing of them.
        return protect(self.scratch, migrated, made, laid_down, origin, ours, labels)

    def afterwards(self) -> tuple[list[Told], list[Told]]:
        """Return the "after" migrations and the tasks, whether they may run or not."""
        config = self.new.config
        tasks: list[Told] = [(task, {"stage": "task"}) for task in config.tasks]
        return migrations(config, "after", self.since, self.new.version), tasks

    def shown(self) -> tuple[str, ...]:
        """Return the "after" migrations and the tasks as a person may read them."""
        chosen, tasks = self.afterwards()
        words = (command.words for command, _ in (*chosen, *tasks))
        return tuple(w if isinstance(w, str) else shlex.join(w) for w in words)

    def check(self, merged: Tree, command: str, *, own: bool) -> None:
        """Run a check on the merged tree: the user's own sees the user's environment.

        The tree is the template's too, so no check sees the forges' tokens.
        """
        from idp.forge.credentials import VARIABLES
        from idp.scaffold import tasks

        self.scratch.check_out(merged)
        tokens = {name for names in VARIABLES.values() for name in names}
        mine = {name: value for name, value in git.clean_env().items() if name not in tokens}
        env = mine if own else tasks.scrubbed(self._home())
        proc.run(
            ["/bin/sh", "-c", command],
            cwd=self.scratch.folder,
            env=env,
            timeout=tasks.SECONDS,
            merge_streams=True,
        )

    def matching(self, patterns: Iterable[str]) -> Matches:
        """Return what tells whether a path matches patterns of copier.yml."""
        texts = tuple(patterns)
        if not texts:
            return lambda _: False
        from pathspec import PathSpec

        return PathSpec.from_lines("gitignore", self._scene().patterns(texts)).match_file

    def _run(self, tree: Tree, chosen: list[Told]) -> Tree:
        from idp.scaffold import tasks

        self.scratch.check_out(tree)
        tasks.run_all(self._scene(), chosen)
        return self.scratch.check_in()

    def _scene(self) -> Scene:
        from idp.scaffold import tasks

        return tasks.Scene(
            self.new.config,
            self.new.tree,
            self.scratch.folder,
            self._home(),
            self.answers,
            "update",
            self.new.trusted,
        )

    def _home(self) -> Path:
        self.home.mkdir(exist_ok=True)
        return self.home
