"""An update before it is applied: what was asked for, and what it comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from idp.plan import Effect, Plan
from idp.releases import Release
from idp.service import worktree
from idp.service.answers import Service
from idp.service.merge import FileOutcome, Sides, changes
from idp.service.scratch import Merged, Scratch

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
    """An update that is ready to be applied.

    Attributes:
        local: files that are in no commit.
        owed: the release since which the template's commands are still to be run, if any are.
        waiting: those commands.
    """

    service: Service
    old: Release
    new: Release
    sides: Sides
    merged: Merged
    files: tuple[FileOutcome, ...]
    local: tuple[worktree.Wish, ...]
    scratch: Scratch
    notes: tuple[str, ...]
    owed: str
    waiting: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is called in one line, as Conventional Commits want it."""
        old, new = self.old.version, self.new.version
        folder = re.sub(r"[^\w.-]+", "-", self.service.prefix.rstrip("/").rsplit("/", 1)[-1])
        scope = f"({folder})" if folder else ""
        return f"chore{scope}: update from {old} to {new} of {self.new.name}"

    @property
    def status(self) -> Status:
        """What it comes to."""
        if self.merged.conflicts:
            return "conflicts"
        return "up-to-date" if self.merged.tree == self.sides.ours else "updated"

    @property
    def reminders(self) -> tuple[str, ...]:
        """How the commands that wait are run later, from the clone that remembers them."""
        if not self.owed:
            return ()
        if self.merged.conflicts:
            return (
                "the template's commands wait: resolve, commit, and run `idp update-service` again",
            )
        return ("to make up for what was left out: commit, and `idp update-service --trust`",)

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
            "update-service",
            str(self.service.folder),
            inputs={
                "template": self.new.template,
                "from": self.old.version,
                "to": self.new.version,
                "commit": self.new.commit,
            },
            preconditions={"HEAD": self.service.head},
            effects=tuple(Effect(f.outcome, f.path) for f in self.files),
            result=self.scratch.write(self.merged.tree),
        )
