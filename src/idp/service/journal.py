"""Changing a work tree so that a kill at any moment leaves it old or new, and it can be undone.

Under the git folder, in `idp/`: `journal.json` (the intent, written first), `old/N` (pre-images),
`new/N` (what comes, moved into place one by one), `lock`. An interrupted change is finished by the
next command; a finished one can be undone until HEAD moves.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from idp import git, proc
from idp.errors import NotFound, Refused
from idp.git import Entry

State = Literal["applying", "applied", "undoing"]


@dataclass(frozen=True)
class Change:
    """What becomes of one path of the repository.

    Attributes:
        before, after: the index stages; {} is absent.
        content: the blob for the work tree; None removes the file.
    """

    path: str
    before: Mapping[int, Entry]
    after: Mapping[int, Entry]
    content: Entry | None


@dataclass(frozen=True)
class Step:
    """A change as it is journalled; `wrote` is the SHA-256 of the file laid down."""

    path: str
    before: list[list[str]]
    after: list[list[str]]
    had: bool
    has: bool
    wrote: str = ""


@dataclass(frozen=True)
class Journal:
    """One change of a work tree."""

    state: State
    head: str
    title: str
    move: tuple[str, str] | None
    steps: tuple[Step, ...]


def _home(repo: git.Repo) -> Path:
    return repo.git_dir / "idp"


@contextmanager
def lock(repo: git.Repo) -> Iterator[None]:
    """Keep every other idp, and every other git, from changing this work tree.

    Raises:
        Refused: one is at it.
    """
    home = _home(repo)
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Refused(f"another idp is changing {repo.top}", hint="wait for it") from error
        with _index_lock(repo):
            yield


@contextmanager
def _index_lock(repo: git.Repo) -> Iterator[None]:
    """Hold git's own lock; `idp/held` is a second name of it, so that a killed run's is known."""
    theirs, ours = repo.git_dir / "index.lock", _home(repo) / "held"
    _release(theirs, ours)
    ours.unlink(missing_ok=True)
    ours.touch()
    try:
        theirs.hardlink_to(ours)
    except FileExistsError as error:
        raise Refused(
            f"another git is at work: {theirs} is there",
            hint="wait for it; remove the file if none is",
        ) from error
    try:
        yield
    finally:
        _release(theirs, ours)


def _release(theirs: Path, ours: Path) -> None:
    if ours.exists() and theirs.exists() and ours.samefile(theirs):
        theirs.unlink()


def read(repo: git.Repo) -> Journal | None:
    """Return the last change, if it can still be finished or undone."""
    try:
        raw = json.loads((_home(repo) / "journal.json").read_bytes())
    except FileNotFoundError:
        return None
    move = tuple(raw["move"]) if raw["move"] else None
    return Journal(
        raw["state"], raw["head"], raw["title"], move, tuple(Step(**step) for step in raw["steps"])
    )


def is_interrupted(git_dir: Path) -> bool:
    """Tell whether a killed run left a change half made, without asking git."""
    try:
        state = json.loads((git_dir / "idp" / "journal.json").read_bytes())["state"]
    except (OSError, ValueError, KeyError):
        return False
    return bool(state != "applied")


def _write(repo: git.Repo, journal: Journal) -> None:
    part = _home(repo) / "journal.part"
    with part.open("w") as out:
        json.dump(asdict(journal), out)
        out.flush()
        os.fsync(out.fileno())
    part.replace(_home(repo) / "journal.json")


def change(
    repo: git.Repo,
    head: str,
    title: str,
    changes: Sequence[Change],
    move: tuple[str, str] | None = None,
) -> None:
    """Change index and work tree, and then move a reference to a new commit.

    Args:
        changes: their blobs are in the repository's object database; every path has been checked.
        move: (reference, commit).
    """
    _clear(repo)
    steps = tuple(_staged(repo, changes))
    journal = Journal("applying", head, title, move, steps)
    proc.no_way_back()
    _write(repo, journal)
    try:
        _forward(repo, journal)
    except Exception:
        _backward(repo, journal)
        raise


def _clear(repo: git.Repo) -> None:
    home = _home(repo)
    (home / "journal.json").unlink(missing_ok=True)
    for name in ("old", "new"):
        shutil.rmtree(home / name, ignore_errors=True)
        (home / name).mkdir()


def _staged(repo: git.Repo, changes: Sequence[Change]) -> Iterator[Step]:
    """Save what is there and lay ready what comes; nothing is changed yet."""
    fresh = _check_out(repo, changes)
    for number, change in enumerate(changes):
        here, old = repo.top / change.path, _home(repo) / "old" / str(number)
        had = os.path.lexists(here) and (here.is_symlink() or here.is_file())
        if had:
            shutil.copy2(here, old, follow_symlinks=False)
        wrote = ""
        if change.content is not None:
            new = _home(repo) / "new" / str(number)
            (fresh / change.path).rename(new)
            wrote = _hash(new)
        yield Step(
            change.path,
            _listed(change.before),
            _listed(change.after),
            had,
            change.content is not None,
            wrote,
        )
    shutil.rmtree(fresh, ignore_errors=True)


def _check_out(repo: git.Repo, changes: Sequence[Change]) -> Path:
    """Write the new files into a folder, with the line ends and filters of their attributes."""
    fresh, index = _home(repo) / "fresh", _home(repo) / "fresh.index"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    index.unlink(missing_ok=True)
    repo.run("read-tree", "HEAD", index=index)
    lines = b"".join(
        git.index_lines(c.path, {} if c.content is None else {0: c.content}, repo.nothing)
        for c in changes
    )
    repo.run("update-index", "-z", "--replace", "--index-info", stdin=lines, index=index)
    names = "".join(f"{c.path}\0" for c in changes if c.content is not None)
    env = git.clean_env(
        GIT_INDEX_FILE=str(index), GIT_DIR=str(repo.git_dir), GIT_WORK_TREE=str(fresh)
    )
    git.run(
        "checkout-index",
        "-z",
        "--stdin",
        cwd=fresh,
        env=env,
        stdin=names.encode(errors="surrogateescape"),
    )
    index.unlink(missing_ok=True)
    return fresh


def _listed(stages: Mapping[int, Entry]) -> list[list[str]]:
    return [[str(stage), entry.mode, entry.oid] for stage, entry in sorted(stages.items())]


def _stages(listed: Sequence[Sequence[str]]) -> dict[int, Entry]:
    return {int(stage): Entry(mode, oid) for stage, mode, oid in listed}


def _hash(path: Path) -> str:
    link = path.is_symlink()
    content = os.fsencode(path.readlink()) if link else path.read_bytes()
    kind = b"l" if link else b"x" if path.stat().st_mode & 0o100 else b"f"
    return hashlib.sha256(kind + content).hexdigest()


def _forward(repo: git.Repo, journal: Journal) -> None:
    """Bring the work tree to the new state; what is there already is left."""
    for number, step in enumerate(journal.steps):
        if not step.has:
            _remove(repo.top, repo.top / step.path, _home(repo) / "old" / str(number))
    for number, step in enumerate(journal.steps):
        new = _home(repo) / "new" / str(number)
        if step.has and os.path.lexists(new):
            _place(repo, step, new, _home(repo) / "old" / str(number))
    _set_index(repo, {step.path: _stages(step.after) for step in journal.steps})
    if journal.move:
        reference, commit = journal.move
        repo.run("update-ref", "-m", journal.title, reference, commit, journal.head)
        journal = replace(journal, head=commit)
    _write(repo, replace(journal, state="applied"))


def _place(repo: git.Repo, step: Step, new: Path, old: Path) -> None:
    target = repo.top / step.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target) and not (step.had and _same(target, old)):
        return  # edited since we were killed: the owner's work stays, ours is in the index
    new.replace(target)


def _remove(top: Path, target: Path, old: Path) -> None:
    if not os.path.lexists(target) or not os.path.lexists(old) or not _same(target, old):
        return
    target.unlink()
    _prune(top, target.parent)


def _prune(top: Path, folder: Path) -> None:
    """Remove folders that have become empty, as git does."""
    with suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _same(one: Path, other: Path) -> bool:
    if one.is_dir() and not one.is_symlink():
        return False
    return _hash(one) == _hash(other)


def _set_index(repo: git.Repo, wanted: Mapping[str, Mapping[int, Entry]]) -> None:
    """Set the stages of these paths in the index, all else in it as it is, in one rename."""
    ours = _home(repo) / "index"
    ours.unlink(missing_ok=True)
    shutil.copyfile(repo.index, ours)
    lines = b"".join(git.index_lines(path, stages, repo.nothing) for path, stages in wanted.items())
    repo.run("update-index", "-z", "--replace", "--index-info", stdin=lines, index=ours)
    repo.run("update-index", "-q", "--unmerged", "--refresh", index=ours, ok=(0, 1))
    ours.replace(repo.index)


def recover(repo: git.Repo) -> str | None:
    """Finish what a killed run began; return what it was.

    Raises:
        Refused: another idp, or another git, is at work.
    """
    held = (_home(repo) / "held").exists() and (repo.git_dir / "index.lock").exists()
    journal = read(repo)
    if not held and (journal is None or journal.state == "applied"):
        return None
    with lock(repo):
        journal = read(repo)
        if journal is None or journal.state == "applied":
            return None
        (_forward if journal.state == "applying" else _backward)(repo, journal)
    return journal.title


def undoable(repo: git.Repo) -> Journal:
    """Return the last change, if it can be undone.

    Raises:
        NotFound: there is none.
        Refused: it has been committed since.
    """
    journal = read(repo)
    if journal is None:
        raise NotFound("there is no update to undo")
    if journal.move and journal.state == "applied":
        raise Refused("that update is committed", hint=f"git revert {journal.head[:12]}")
    if repo.head() != journal.head:
        raise Refused("there are commits since that update", hint="git revert the commit")
    return journal


def undo(repo: git.Repo, journal: Journal) -> Path | None:
    """Bring back what was there; return the folder that keeps what was edited since, if any."""
    kept = _keep_edits(repo, journal)
    proc.no_way_back()
    _write(repo, replace(journal, state="undoing"))
    _backward(repo, journal)
    return kept


def _keep_edits(repo: git.Repo, journal: Journal) -> Path | None:
    """Copy files that a person has edited since: undoing must not lose them."""
    edited = [s.path for n, s in enumerate(journal.steps) if _edited(repo, s, n)]
    if not edited:
        return None
    folder = _home(repo) / "kept" / hashlib.sha256(repr(edited).encode()).hexdigest()[:8]
    for path in edited:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(repo.top / path, folder / path, follow_symlinks=False)
    return folder


def _edited(repo: git.Repo, step: Step, number: int) -> bool:
    here, old = repo.top / step.path, _home(repo) / "old" / str(number)
    if not os.path.lexists(here) or (here.is_dir() and not here.is_symlink()):
        return False
    return _hash(here) != step.wrote and not (step.had and _same(here, old))


def _backward(repo: git.Repo, journal: Journal) -> None:
    for step in journal.steps:
        target = repo.top / step.path
        if not step.had and step.has and os.path.lexists(target):
            target.unlink()
            _prune(repo.top, target.parent)
    for number, step in enumerate(journal.steps):
        if step.had:
            _bring_back(repo.top / step.path, _home(repo) / "old" / str(number))
    _set_index(repo, {step.path: _stages(step.before) for step in journal.steps})
    _clear(repo)


def _bring_back(target: Path, old: Path) -> None:
    if os.path.lexists(target) and _same(target, old):
        return
    part = target.with_name(f".{target.name}.idp")
    target.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    shutil.copy2(old, part, follow_symlinks=False)
    part.replace(target)
