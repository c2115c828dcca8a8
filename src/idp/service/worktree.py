"""Telling whether an update would touch work that is not committed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from idp import git
from idp.errors import Refused
from idp.git import Entry, Tree
from idp.service.journal import Change

LINK = "120000"
SHOWN = 20
"""Paths that an error names at most."""


@dataclass(frozen=True)
class Wish:
    """What a path of the repository is to become: index stages, and the work tree's blob.

    A local file is in no commit: it is changed only while it is as the template made it.
    """

    path: str
    committed: Entry | None
    stages: Mapping[int, Entry]
    content: Entry | None
    local: bool = False


def wishes(
    prefix: str, ours: Tree, changed: Iterable[tuple[str, Mapping[int, Entry]]], result: Tree
) -> list[Wish]:
    """Return what shall become of each changed path, in the repository's own paths."""
    return [
        Wish(f"{prefix}{path}", ours.get(path), stages, result.get(path))
        for path, stages in changed
    ]


def check(repo: git.Repo, prefix: str, wanted: Sequence[Wish]) -> list[Change]:
    """Return the changes still to be made, all of them below the service's `prefix`.

    A path may be as it was committed, or already as it shall be (a run again); anything else is
    somebody's work.

    Raises:
        Refused: uncommitted, untracked or ignored work stands where the update would write.
    """
    staged, here = git.staged(repo, prefix), _work_tree(repo, wanted)
    removed = {w.path for w in wanted if w.content is None}
    changes, dirty = [], []
    for wish in wanted:
        old = {} if wish.committed is None or wish.local else {0: wish.committed}
        index, found = staged.get(wish.path, {}), here[wish.path]
        if wish.content is None and isinstance(found, Path) and index == wish.stages:
            continue  # done before: a folder stands where the file was
        mine = _mine(wish, found, repo.top, removed)
        if not (index in (old, wish.stages) and mine):
            dirty += [] if wish.local else [wish.path]
        elif index != wish.stages or found != wish.content:
            changes.append(Change(wish.path, old, wish.stages, wish.content))
    if dirty:
        raise _dirty(dirty)
    return changes


def _mine(wish: Wish, found: Entry | Path | None, top: Path, removed: set[str]) -> bool:
    """Tell whether the work tree holds what was committed or what is to come, and no more."""
    if isinstance(found, Path):
        return wish.committed is None and _all_removed(found, top, removed)
    if found is None and wish.content is not None and _in_the_way(wish.path, top, removed):
        return False
    return found in (wish.committed, wish.content)


def _all_removed(folder: Path, top: Path, removed: set[str]) -> bool:
    files = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    return all(file.relative_to(top).as_posix() in removed for file in files)


def _in_the_way(path: str, top: Path, removed: set[str]) -> bool:
    """Tell whether a parent is a file or a link: we would write through it, or over it."""
    for parent in Path(path).parents:
        here = top / parent
        if os.path.lexists(here) and (here.is_symlink() or not here.is_dir()):
            return parent.as_posix() not in removed
    return False


def _work_tree(repo: git.Repo, wanted: Sequence[Wish]) -> dict[str, Entry | Path | None]:
    """Return what is there: an entry as git would store it, a folder's path, or None."""
    found: dict[str, Entry | Path | None] = {}
    files = []
    for path in (w.path for w in wanted):
        here = repo.top / path
        if _in_the_way(path, repo.top, set()) or not os.path.lexists(here):
            found[path] = None
        elif here.is_symlink():
            found[path] = Entry(LINK, _link_oid(here, repo.object_format))
        elif here.is_dir():
            found[path] = here
        else:
            files.append(path)
    trusted = repo.run("config", "--type=bool", "core.fileMode", ok=(0, 1)).stdout != b"false\n"
    known = {w.path: w.committed or w.content for w in wanted}
    for path, oid in zip(files, _hashes(repo, files), strict=True):
        found[path] = Entry(_mode(repo.top / path, None if trusted else known[path]), oid)
    return found


def _mode(path: Path, known: Entry | None) -> str:
    """Return a file's mode, the one known to git where the disk is not to be trusted."""
    if known is not None:
        return known.mode
    return "100755" if path.stat().st_mode & 0o100 else "100644"


def _hashes(repo: git.Repo, paths: Sequence[str]) -> list[str]:
    """Return the blob names of files, cleaned by their attributes as `git add` would."""
    plain = [p for p in paths if "\n" not in p and not p.startswith('"')]
    lines = "".join(f"{p}\n" for p in plain).encode(errors="surrogateescape")
    words = repo.run("hash-object", "--stdin-paths", stdin=lines).stdout.decode().split()
    named = dict(zip(plain, words, strict=True))
    for path in set(paths) - set(plain):
        named[path] = repo.text("hash-object", "--", path)
    return [named[path] for path in paths]


def _link_oid(path: Path, object_format: str) -> str:
    target = os.fsencode(path.readlink())
    return hashlib.new(object_format, b"blob %d\0" % len(target) + target).hexdigest()


def _dirty(paths: list[str]) -> Refused:
    more = (f"… and {len(paths) - SHOWN} more",) if len(paths) > SHOWN else ()
    return Refused(
        f"the update would touch {len(paths)} path{'s' * (len(paths) > 1)} with work that is "
        f"not committed: {', '.join(paths[:3])}{' …' * (len(paths) > 3)}",
        hint="commit, stash or move it away, or undo an earlier update: idp update-service --abort",
        details=(*paths[:SHOWN], *more),
    )
