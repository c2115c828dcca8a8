"""Templates in plain folders, the built-in ones among them."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from idp.releases.origin import UNRELEASED, new_folder, no_release
from idp.scaffold.version import newest_first, newest_stable

BYTECODE = "__pycache__"
"""What pip makes of the Python files of the built-in templates: no part of a release."""


def digest(folder: Path) -> str:
    """Return the SHA-256 over a folder's paths, executable bits and bytes."""
    total = hashlib.sha256()
    files = (p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir())
    for path in sorted(p for p in files if BYTECODE not in p.parts):
        link = path.is_symlink()
        content = os.fsencode(path.readlink()) if link else path.read_bytes()
        kind = "l" if link else "x" if path.stat().st_mode & 0o100 else "f"
        name = path.relative_to(folder).as_posix()
        total.update(f"{kind} {len(content)} {name}\0".encode() + content)
    return total.hexdigest()


@dataclass(frozen=True)
class Folder:
    """A plain folder; its releases, if it has any, are the folders `releases/X.Y.Z`."""

    url: str
    path: Path
    cache: Path

    def versions(self) -> list[str]:
        """Return the released versions, newest first."""
        root = self.path / "releases"
        return newest_first([p.name for p in root.iterdir()] if root.is_dir() else [])

    def default(self) -> str:
        """Return the newest stable release, or the folder as it is."""
        return newest_stable(self.versions()) or UNRELEASED

    def export(self, version: str) -> tuple[str, str, str, Path]:
        """Return the release's folder: it is immutable where it lies."""
        spelled = version if version == UNRELEASED else version.removeprefix("v")
        tree = self.path if spelled == UNRELEASED else self.path / "releases" / spelled
        if (spelled != UNRELEASED and spelled not in self.versions()) or not tree.is_dir():
            raise no_release(self.url, version, self.versions())
        hashed = digest(tree)
        return spelled, hashed, hashed, self._clean(tree, hashed)

    def _clean(self, tree: Path, hashed: str) -> Path:
        """Return the folder, or a copy of it without bytecode."""
        if not any(tree.rglob(BYTECODE)):
            return tree
        target = self.cache / "trees" / hashed
        with new_folder(target) as made:
            if made:
                ignore = shutil.ignore_patterns(BYTECODE)
                shutil.copytree(tree, made, symlinks=True, dirs_exist_ok=True, ignore=ignore)
        return target
