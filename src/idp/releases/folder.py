"""Templates in plain folders, the built-in ones among them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from idp.releases.links import BYTECODE, entries, shares, write_out
from idp.releases.origin import UNRELEASED, new_folder, no_release
from idp.scaffold.version import newest_first, newest_stable


def digest(folder: Path) -> str:
    """Return the SHA-256 over a template's paths, executable bits and bytes, shared files too."""
    total = hashlib.sha256()
    for entry in entries(folder):
        path = entry.path
        content = os.fsencode(path.readlink()) if entry.is_link else path.read_bytes()
        kind = "l" if entry.is_link else "x" if path.stat().st_mode & 0o100 else "f"
        total.update(f"{kind} {len(content)} {entry.name}\0".encode() + content)
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
        return spelled, hashed, hashed, self._plain(tree, hashed)

    def _plain(self, tree: Path, hashed: str) -> Path:
        """Return the folder, or a copy without bytecode and with the shared files in it."""
        if not any(tree.rglob(BYTECODE)) and not shares(tree):
            return tree
        target = self.cache / "trees" / hashed
        with new_folder(target) as made:
            if made:
                write_out(tree, made)
        return target
