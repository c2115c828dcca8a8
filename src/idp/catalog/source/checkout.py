"""What a git checkout says of itself, read by hand: a process for each would take 30 times as long.

The formats are those of gitrepository-layout(5) and git-config(1).
"""

from __future__ import annotations

import os
import re
from functools import cached_property

from idp.errors import InvalidInput
from idp.forge.address import Address, parse_remote

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ORIGIN = re.compile(r'\[remote "origin"\]\s*(?:[#;].*)?', re.I)
_URL = re.compile(r'\s*url\s*=\s*"?([^"#;]*?)"?\s*(?:\s[#;].*)?', re.I)


class Checkout:
    """A folder with a `.git`, which in a linked worktree or a submodule is a file."""

    def __init__(self, top: str) -> None:
        self.top = top

    @cached_property
    def git_dir(self) -> str:
        """The git folder."""
        inside = f"{self.top}/.git"
        if not os.path.isfile(inside):  # noqa: PTH113 - this is called for every repository
            return inside
        named = _read(inside).removeprefix("gitdir:").strip()
        return os.path.normpath(os.path.join(self.top, named))  # noqa: PTH118

    @cached_property
    def common_dir(self) -> str:
        """Where the branches and the configuration are: elsewhere for a linked worktree."""
        is_own = self.git_dir == f"{self.top}/.git"
        named = "" if is_own else _read(f"{self.git_dir}/commondir").strip()
        return os.path.normpath(os.path.join(self.git_dir, named)) if named else self.git_dir  # noqa: PTH118

    @cached_property
    def commit(self) -> str:
        """The commit that is checked out, empty before the first."""
        said = _read(f"{self.git_dir}/HEAD").strip()
        if not said.startswith("ref:"):
            return said if _COMMIT.fullmatch(said) else ""
        ref = said.removeprefix("ref:").strip()
        loose = _read(f"{self.common_dir}/{ref}").strip()
        return loose if _COMMIT.fullmatch(loose) else self._packed(ref)

    def _packed(self, ref: str) -> str:
        for line in _read(f"{self.common_dir}/packed-refs").splitlines():
            commit, _, name = line.partition(" ")
            if name == ref and _COMMIT.fullmatch(commit):
                return commit
        return ""

    @cached_property
    def address(self) -> Address | None:
        """Where its origin is, None if that is no forge."""
        try:
            return parse_remote(self._origin())
        except (InvalidInput, ValueError):
            return None

    @property
    def repository(self) -> str:
        """The repository's address in a browser, empty if it has none."""
        return f"https://{self.address.host}/{self.address.name}" if self.address else ""

    def _origin(self) -> str:
        """Return the first URL of the remote `origin`."""
        is_origin = False
        for line in _read(f"{self.common_dir}/config").splitlines():
            if line.lstrip().startswith("["):
                is_origin = bool(_ORIGIN.fullmatch(line.strip()))
            elif is_origin and (found := _URL.fullmatch(line)):
                return found[1]
        return ""


def around(folder: str) -> Checkout | None:
    """Return the checkout that a folder lies in."""
    while not os.path.lexists(f"{folder}/.git"):
        above = folder.rpartition("/")[0]
        if not above:
            return None
        folder = above
    return Checkout(folder)


def _read(path: str) -> str:
    """Return a small text file, nothing if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - half the time
            return file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
