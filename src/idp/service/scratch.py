"""A throwaway repository to merge in: it borrows the service's objects, and can change nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from idp import git, proc
from idp.git import Entry, Tree

PLAIN = (
    "core.autocrlf=false",
    "core.fileMode=true",
    "core.symlinks=true",
    "core.looseCompression=1",
    "core.bare=false",
    "core.excludesFile=/dev/null",
    "core.attributesFile=/dev/null",
)
MERGING = (
    "merge.conflictStyle=zdiff3",
    "merge.renames=true",
    "merge.directoryRenames=false",
    "diff.renames=true",
    "merge.renameLimit=20000",
    "diff.renameLimit=20000",
)
SUBMODULE = "160000"

Labels = tuple[str, str, str]
"""The names of base, ours and theirs in conflict markers."""

ALONE = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
"""What keeps git from the user's configuration: a merge is the same on every machine."""


@dataclass(frozen=True)
class Merged:
    """What a merge came to.

    Attributes:
        tree: all files; a conflicted one holds conflict markers.
        conflicts: the sides of what a person has to decide, by path and index stage.
    """

    tree: Tree
    conflicts: Mapping[str, Mapping[int, Entry]]


@dataclass(frozen=True)
class Scratch:
    """The throwaway repository; `folder` is its work tree."""

    folder: Path
    scratch_index: Path
    _names: dict[frozenset[tuple[str, Entry]], str] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path, object_format: str, borrowed: Iterable[Path]) -> Scratch:
        """Make it in a new folder, borrowing objects from other object databases."""
        form = f"--object-format={object_format}"
        git.run("init", "--quiet", "--template=", form, "--", str(folder))
        lines = "".join(f"{path}\n" for path in borrowed)
        (folder / ".git/objects/info").mkdir(exist_ok=True)
        (folder / ".git/objects/info/alternates").write_bytes(os.fsencode(lines))
        return cls(folder, folder / ".git/scratch-index")

    def git(
        self,
        *args: str,
        stdin: bytes | None = None,
        ok: Sequence[int] = (0,),
        index: Path | None = None,
    ) -> proc.Finished:
        """Run git here, on the index file of its own unless another is named."""
        env = git.clean_env(
            **ALONE,
            GIT_INDEX_FILE=str(index or self.scratch_index),
            **_who(),
            GIT_DIR=str(self.folder / ".git"),
            GIT_WORK_TREE=str(self.folder),
        )
        return git.run(
            *args, cwd=self.folder, env=env, stdin=stdin, ok=ok, config=(*PLAIN, *MERGING)
        )

    def write(self, tree: Tree) -> str:
        """Write a tree object and return its name; one that was read here is there already."""
        key = frozenset(tree.items())
        if key not in self._names:
            self._names[key] = self._written(tree)
        return self._names[key]

    def _written(self, tree: Tree) -> str:
        lines = b"".join(
            f"{e.mode} {e.oid}\t{path}\0".encode(errors="surrogateescape")
            for path, e in tree.items()
        )
        self.git("read-tree", "--empty")
        self.git("update-index", "-z", "--index-info", stdin=lines)
        return self._word("write-tree")

    def read(self, treeish: str) -> dict[str, Entry]:
        """List the files of a tree; submodules are no files."""
        listed = git.tree_of(self.git("ls-tree", "-r", "-z", "--full-tree", treeish).stdout)
        files = {path: entry for path, entry in listed.items() if entry.mode != SUBMODULE}
        if len(files) == len(listed):
            self._names[frozenset(files.items())] = treeish
        return files

    def merge(self, base: str, ours: str, theirs: str, labels: Labels) -> Merged:
        """Merge two trees; `labels` name the sides in conflict markers."""
        start = self._word("commit-tree", base, "-m", "base")
        names = tuple(re.sub(r"[^\w.+-]|\.\.|\.lock$|^-", "-", side) for side in labels[1:])
        for name, tree in zip(names, (ours, theirs), strict=True):
            commit = self._word("commit-tree", tree, "-p", start, "-m", name)
            (self.folder / ".git/refs/heads" / name).write_text(f"{commit}\n")
        done = self.git("merge-tree", "--write-tree", "-z", "--no-messages", *names, ok=(0, 1))
        head, *rows = done.stdout.decode(errors="surrogateescape").rstrip("\0").split("\0")
        merged = Merged(self.read(head), _conflicts(rows if done.code else []))
        return replace(merged, tree=self._name_base(merged, start, labels[0]))

    def _name_base(self, merged: Merged, start: str, label: str) -> Tree:
        """Name the base in conflict markers: git can only tell our passing commit."""
        tree = dict(merged.tree)
        marker = re.compile(rb"^(\|{7,}) %b[0-9a-f]*" % start[:4].encode(), re.M)
        for path in merged.conflicts.keys() & tree.keys():
            content = self.blobs([tree[path].oid])[0]
            named = marker.sub(rb"\1 " + label.encode(), content)
            if named != content:
                tree[path] = Entry(tree[path].mode, self.write_blob(named))
        return tree

    def distance(self, one: str, other: str) -> int:
        """Return how many lines differ between two trees."""
        rows = self.git("diff-tree", "-r", "--numstat", one, other).stdout.decode().splitlines()
        counts = (row.split("\t")[:2] for row in rows)
        return sum(int(n) if n.isdigit() else 1 for pair in counts for n in pair)

    def blobs(self, oids: Sequence[str]) -> list[bytes]:
        """Read blobs."""
        asked = "".join(f"{oid}\n" for oid in oids).encode()
        return list(git.batch(self.git("cat-file", "--batch", stdin=asked).stdout))

    def write_blob(self, content: bytes) -> str:
        """Write a blob and return its name."""
        return self.git("hash-object", "-w", "--stdin", stdin=content).stdout.decode().strip()

    def check_out(self, tree: Tree) -> None:
        """Make the work tree and HEAD hold a tree, for commands that look at them."""
        commit = self._word("commit-tree", self.write(tree), "-m", "before")
        index = self.folder / ".git/index"
        self.git("update-ref", "--no-deref", "HEAD", commit)
        self.git("read-tree", "--reset", "-u", commit, index=index)

    def check_in(self) -> dict[str, Entry]:
        """Return the work tree's files as a tree: what is ignored stays out unless it was in."""
        index = self.folder / ".git/index"
        self.git("add", "--all", index=index)
        return self.read(self.git("write-tree", index=index).stdout.decode().strip())

    def pack(self, oids: Iterable[str]) -> bytes:
        """Return a pack of these objects."""
        asked = "".join(f"{oid}\n" for oid in oids).encode()
        return self.git("pack-objects", "--stdout", "--quiet", "--window=0", stdin=asked).stdout

    def _word(self, *args: str) -> str:
        return self.git(*args).stdout.decode().strip()


def _who() -> dict[str, str]:
    """Name one author and one time, so that a merge comes out the same each time."""
    fixed = {"NAME": "idp", "EMAIL": "idp", "DATE": "1970-01-01T00:00:00Z"}
    return {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in fixed.items()
    }


def _conflicts(rows: Iterable[str]) -> dict[str, dict[int, Entry]]:
    sides: dict[str, dict[int, Entry]] = {}
    for row in rows:
        if not row:
            break
        meta, path = row.split("\t", 1)
        mode, oid, stage = meta.split(" ")
        sides.setdefault(path, {})[int(stage)] = Entry(mode, oid)
    return sides
