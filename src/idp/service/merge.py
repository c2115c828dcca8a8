"""The three-way merge of an update: what git is given, and what its answer means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from idp.git import Entry, Tree
from idp.service.scratch import Labels, Merged, Scratch

Outcome = Literal["added", "updated", "merged", "deleted", "renamed", "kept", "conflict"]
Matches = Callable[[str], bool]


@dataclass(frozen=True)
class FileOutcome:
    """What an update does to a file; `was` is the former path of a renamed one."""

    path: str
    outcome: Outcome
    was: str = ""


@dataclass(frozen=True)
class Sides:
    """The three trees of a merge: the render of old, the service, the render of new."""

    base: Tree
    ours: Tree
    theirs: Tree


@dataclass(frozen=True)
class Policy:
    """What decides before git does.

    Attributes:
        excluded: the new release leaves these out (`_exclude`): they stay as they are.
        skipped: laid down once, then the owner's (`_skip_if_exists`).
        ignored: rendered, but kept out of commits by the rendered .gitignore.
        restored: deleted by the owner and wanted back.
        healed: whatever the owner has made of it, the template's file is wanted.
    """

    excluded: Matches
    skipped: Matches
    ignored: frozenset[str]
    restored: Matches
    healed: Matches


def settle(sides: Sides, policy: Policy) -> Sides:
    """Return the sides as git shall see them."""
    base, theirs = dict(sides.base), dict(sides.theirs)
    for path in set(base) | set(theirs):
        mine = sides.ours.get(path)
        if policy.excluded(path) or (path in policy.ignored and mine is None):
            _set(base, path, None)
            _set(theirs, path, None)
        elif policy.healed(path):
            _set(base, path, mine)
        elif policy.skipped(path):
            _set(base, path, mine)
            if mine is not None:
                _set(theirs, path, mine)
        elif mine is None and policy.restored(path):
            _set(base, path, None)
    return Sides(base, sides.ours, theirs)


def _set(tree: dict[str, Entry], path: str, entry: Entry | None) -> None:
    if entry is None:
        tree.pop(path, None)
    else:
        tree[path] = entry


def with_our_line_ends(scratch: Scratch, sides: Sides) -> Sides:
    """Give the renders the line ends that the owner has chosen for a file.

    Else a file converted from LF to CRLF, or back, would conflict as a whole.
    """
    both = [p for p in sides.ours if _changed_by_both(sides, p)]
    if not both:
        return sides
    texts = scratch.blobs([e.oid for p in both for e in (sides.base[p], sides.ours[p])])
    base, theirs = dict(sides.base), dict(sides.theirs)
    for path, old, mine in zip(both, texts[::2], texts[1::2], strict=True):
        if (convert := _conversion(old, mine)) is not None:
            for tree in (base, theirs):
                content = convert(scratch.blobs([tree[path].oid])[0])
                tree[path] = Entry(tree[path].mode, scratch.write_blob(content))
    return Sides(base, sides.ours, theirs)


def _changed_by_both(sides: Sides, path: str) -> bool:
    old, mine, new = (tree.get(path) for tree in (sides.base, sides.ours, sides.theirs))
    if old is None or mine is None or new is None or "120000" in (old.mode, mine.mode, new.mode):
        return False
    return mine.oid != old.oid and new.oid != old.oid and mine.oid != new.oid


def _conversion(old: bytes, mine: bytes) -> Callable[[bytes], bytes] | None:
    if b"\0" in old or b"\0" in mine:
        return None
    if _line_ends(mine) == b"\r\n" and _line_ends(old) == b"\n":
        return lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if _line_ends(mine) == b"\n" and _line_ends(old) == b"\r\n":
        return lambda content: content.replace(b"\r\n", b"\n")
    return None


def _line_ends(content: bytes) -> bytes:
    """Return the line end that all lines of a text have, b"" where they differ."""
    lines, dos = content.count(b"\n"), content.count(b"\r\n")
    return b"" if not lines or 0 < dos < lines else b"\r\n" if dos else b"\n"


def merge(scratch: Scratch, sides: Sides, labels: Labels) -> Merged:
    """Merge; what the owner has deleted stays deleted."""
    base, ours, theirs = map(scratch.write, (sides.base, sides.ours, sides.theirs))
    merged = scratch.merge(base, ours, theirs, labels)
    gone = {path for path, stages in merged.conflicts.items() if set(stages) == {1, 3}}
    return Merged(
        {path: entry for path, entry in merged.tree.items() if path not in gone},
        {path: stages for path, stages in merged.conflicts.items() if path not in gone},
    )


def protect(
    scratch: Scratch,
    before: Tree,
    after: Tree,
    laid_down: Tree,
    origin: Tree,
    ours: Tree,
    labels: Labels,
) -> Merged:
    """Return the tree after a template's commands, without loss of an owner's edit.

    A file that commands make, which no render holds, has its base in the commit that recorded
    the release (`origin`): if the owner has edited it since, the edit and the command's new
    output are merged.
    """
    if after == before:
        return Merged(after, {})
    mine = {
        path
        for path in set(before) | set(after)
        if before.get(path) != after.get(path)
        and path not in laid_down
        and path in ours
        and origin.get(path) != ours[path]
    }
    # What a command made before and the owner has deleted stays deleted.
    after = {
        path: entry
        for path, entry in after.items()
        if path in before or path in ours or path not in origin
    }
    if not mine:
        return Merged(after, {})
    base = dict(before)
    for path in mine:
        _set(base, path, origin.get(path))
    old, mine_now, new = map(scratch.write, (base, before, after))
    return scratch.merge(old, mine_now, new, labels)


def outcomes(scratch: Scratch, sides: Sides, merged: Merged) -> tuple[FileOutcome, ...]:
    """Tell what becomes of each file that the template or the update touches."""
    renames = _renames(scratch, sides.ours, merged.tree)
    found = [FileOutcome(path, "conflict") for path in merged.conflicts]
    found += [
        FileOutcome(new, "renamed", old)
        for old, new in renames.items()
        if new not in merged.conflicts
    ]
    told = set(merged.conflicts) | set(renames) | set(renames.values())
    for path in _all_paths(sides, merged) - told:
        if (outcome := _outcome(sides, merged.tree, path)) is not None:
            found.append(FileOutcome(path, outcome))
    return tuple(sorted(found, key=lambda f: f.path))


def _all_paths(sides: Sides, merged: Merged) -> set[str]:
    return set(sides.base) | set(sides.ours) | set(sides.theirs) | set(merged.tree)


def _outcome(sides: Sides, result: Tree, path: str) -> Outcome | None:
    old, mine, new, now = (
        tree.get(path) for tree in (sides.base, sides.ours, sides.theirs, result)
    )
    if now == mine:
        return "kept" if old != new and mine != new else None
    if now is None:
        return "deleted"
    if mine is None:
        return "added"
    return "updated" if now == new else "merged"


def _renames(scratch: Scratch, ours: Tree, result: Tree) -> dict[str, str]:
    """Return new paths by old, as git finds them."""
    gone = {p: e for p, e in ours.items() if p not in result}
    come = {p: e for p, e in result.items() if p not in ours}
    if not gone or not come:
        return {}
    words = scratch.git(
        "diff-tree",
        "-r",
        "-z",
        "--find-renames",
        "--diff-filter=R",
        "--name-status",
        scratch.write(gone),
        scratch.write(come),
    ).stdout
    parts = words.decode(errors="surrogateescape").split("\0")
    return {parts[i + 1]: parts[i + 2] for i in range(0, len(parts) - 2, 3)}


def changes(ours: Tree, merged: Merged) -> Iterator[tuple[str, Mapping[int, Entry]]]:
    """Yield what the index must hold for each path that differs: stage 0, 1–3, or nothing."""
    for path in sorted(set(ours) | set(merged.tree) | set(merged.conflicts)):
        if path in merged.conflicts:
            yield path, merged.conflicts[path]
        elif ours.get(path) != merged.tree.get(path):
            entry = merged.tree.get(path)
            yield path, {} if entry is None else {0: entry}


def under(paths: Iterable[str]) -> Matches:
    """Match paths that are, or lie below, one of the given ones (relative to the service)."""
    wanted = tuple(os.path.normpath(p) for p in paths)
    return lambda path: any(path == w or w == "." or path.startswith(f"{w}/") for w in wanted)
