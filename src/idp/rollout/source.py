"""The files of a service as they are now, uncommitted changes too, as one git tree."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idp import git
from idp.provider.base import Source


@dataclass(frozen=True)
class _Scratch:
    """A room for an index and new objects, so that nothing is written into the user's own."""

    repo: git.Repo
    room: Path

    @property
    def env(self) -> Mapping[str, str]:
        theirs = str(self.repo.objects)
        return git.clean_env(
            GIT_INDEX_FILE=str(self.room / "index"),
            GIT_OBJECT_DIRECTORY=str(self.room / "objects"),
            GIT_ALTERNATE_OBJECT_DIRECTORIES=theirs,
        )

    def run(self, *args: str) -> str:
        """Run git in the work tree and return its output."""
        return git.text(*args, cwd=self.repo.top, env=self.env)


def source_of(folder: Path, room: Path) -> Source:
    """Return the files in a folder of a work tree: what git has or would add, no ignored ones.

    Args:
        room: a folder for as long as the source is used; nothing is written into the repository.

    Raises:
        InvalidInput: the folder is in no work tree, or there is no commit yet.
    """
    repo = git.find(folder)
    commit = repo.head()
    under = os.path.relpath(folder.resolve(), repo.top.resolve())
    under = "" if under == "." else under
    scratch = _Scratch(repo, room)
    (room / "objects").mkdir(exist_ok=True)
    _index(scratch, commit, under)
    prefix = [f"--prefix={under}/"] if under else []
    tree = scratch.run("write-tree", "--missing-ok", *prefix)
    committed = repo.run("rev-parse", "--verify", "--quiet", f"{commit}:{under}", ok=(0, 1, 128))
    dirty = committed.stdout.decode().strip() != tree
    return Source(tree, commit, dirty, lambda into: _export(scratch, tree, into))


def _index(scratch: _Scratch, commit: str, under: str) -> None:
    """Fill the index: from the user's own, which knows what has not changed, else from HEAD."""
    theirs, own = scratch.repo.index, scratch.room / "index"
    if theirs.exists():
        shutil.copy2(theirs, own)
    else:
        scratch.run("read-tree", commit)
    scratch.run("add", "--all", "--", f":(literal){under}" if under else ".")


def _export(scratch: _Scratch, tree: str, into: Path) -> None:
    """Write a tree's files into an empty folder."""
    own = scratch.room / "export-index"
    env = {**scratch.env, "GIT_INDEX_FILE": str(own)}
    try:
        git.text("read-tree", tree, cwd=scratch.repo.top, env=env)
        git.text("checkout-index", "--all", f"--prefix={into}/", cwd=scratch.repo.top, env=env)
    finally:
        own.unlink(missing_ok=True)
