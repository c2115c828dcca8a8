"""Registering a service in a platform file on this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idp import git
from idp.errors import InvalidInput, Refused
from idp.plan import Effect, Plan
from idp.register.insertion import Edit
from idp.road import Road
from idp.workshop import workshop


@dataclass(frozen=True)
class Local:
    """What becomes of a platform file.

    Attributes:
        file: where it is, no link.
        repo: the work tree to commit to; None leaves the change in the file.
        message: of the commit.
    """

    file: Path
    edit: Edit
    repo: git.Repo | None
    message: str

    @property
    def plan(self) -> Plan:
        """The plan of it."""
        effects = [Effect("updated", str(self.file))]
        if self.repo:
            effects.append(Effect("committed", self.repo.text("rev-parse", "--abbrev-ref", "HEAD")))
        return Plan(
            "catalog register",
            self.edit.source,
            inputs={"source": self.edit.source, "platform": str(self.file)},
            preconditions=self.seen(self.edit.before),
            effects=tuple(effects),
            result=_digest(self.edit.after),
        )

    def seen(self, content: bytes) -> Mapping[str, str]:
        """Return what must hold still when the file is written."""
        head = {"HEAD": self.repo.head()} if self.repo else {}
        return {str(self.file): _digest(content), **head}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def check_committable(file: Path) -> git.Repo:
    """Return the work tree of a platform file that a commit may change.

    Raises:
        InvalidInput: it is in none, git does not know it, or nothing is committed yet.
        Refused: it has changes of somebody's, or a merge or rebase is in progress.
    """
    repo = git.find(file.parent)
    repo.head()
    git.check_calm(repo, detached_is_fine=False)
    name = f":(literal){file.relative_to(repo.top.resolve()).as_posix()}"
    if not repo.text("ls-files", "--", name):
        raise InvalidInput(f"git does not track {file}", hint="add and commit it first")
    if repo.text("status", "--porcelain", "--", name):
        raise Refused(
            f"{file} has changes that are not committed",
            hint="commit or stash them, or leave --commit out",
        )
    return repo


def carry_out(local: Local, road: Road) -> str:
    """Write the file, and commit it where that is wanted; return the commit, else "".

    Raises:
        Refused: the file or HEAD has changed since it was read.
        InvalidInput: the file cannot be written.
    """

    def apply() -> str:
        _write(local.file, local.edit.after)
        return _commit(local, local.repo) if local.repo else ""

    def observe() -> Mapping[str, str]:
        return local.seen(local.file.read_bytes())

    return road.carry_out(local.plan, apply, observe=observe, proof=lambda commit: commit)


def _write(file: Path, content: bytes) -> None:
    """Write a file in one step; its mode stays."""
    try:
        with workshop(file.parent) as room:
            beside = room / file.name
            beside.write_bytes(content)
            beside.chmod(file.stat().st_mode)
            os.replace(beside, file)  # noqa: PTH105 - the word that the tests look for
    except OSError as error:
        raise InvalidInput(f"cannot write {file}: {error.strerror}") from error


def _commit(local: Local, repo: git.Repo) -> str:
    """Commit this file alone, whatever else is staged; where that fails, the file is as it was."""
    who = git.clean_env(**git.identity_env(repo.top))
    name = f":(literal){local.file.relative_to(repo.top.resolve()).as_posix()}"
    asked = ("--quiet", "--only", "-m", local.message, "--", name)
    try:
        git.run("commit", *asked, cwd=repo.top, env=who)
    except BaseException:
        _write(local.file, local.edit.before)
        raise
    return repo.head()
