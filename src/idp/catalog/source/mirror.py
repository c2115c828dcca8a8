"""Bare copies of remote repositories in the cache.

They hold the whole history of what was fetched: `idp catalog history` reads old files from them,
without a network too. A clone without blobs would be smaller, and would ask the server for each.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp import git, proc
from idp.catalog.source.walk import readable
from idp.errors import NotFound
from idp.workshop import locked, workshop

EnvFor = Callable[[str], Mapping[str, str]]
"""Gives the environment in which git reaches a URL, with a credential where there is one."""

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True)
class Tip:
    """What a branch or a tag is now.

    Attributes:
        name: in full, `refs/heads/main`; the commit itself where that was asked for.
    """

    name: str
    commit: str

    @property
    def short(self) -> str:
        """The branch, tag or commit as a page's URL has it."""
        return self.name.removeprefix("refs/heads/").removeprefix("refs/tags/")

    @property
    def what(self) -> str:
        """Whether it is a branch, a tag or a commit."""
        if self.name == self.commit:
            return "commit"
        return "tag" if self.name.startswith("refs/tags/") else "branch"


@dataclass(frozen=True)
class Mirror:
    """The copy of one repository.

    Attributes:
        cache: idp's cache; mirrors are kept below it.
    """

    url: str
    cache: Path
    env_for: EnvFor

    @property
    def path(self) -> Path:
        """The mirror's folder."""
        return self.cache / "catalog" / f"{hashlib.sha256(self.url.encode()).hexdigest()[:24]}.git"

    def tip(self, ref: str = "") -> Tip:
        """Ask the server what a branch, a tag or its default branch is now.

        Raises:
            NotFound: it has none of this name.
            NotAllowed, RemoteFailed: it refused us, or cannot be reached.
        """
        if _COMMIT.fullmatch(ref):
            return Tip(ref, ref)
        names = (f"refs/heads/{ref}", f"refs/tags/{ref}") if ref else ("HEAD",)
        with git.talking_to(self.url):
            asked = ("ls-remote", "--symref", "--", self.url, *names)
            said = git.run(*asked, env=self.env_for(self.url)).stdout.decode(errors="replace")
        rows = [line.split("\t", 1) for line in said.splitlines()]
        found = {name: what for what, name in rows if not what.startswith("ref: ")}
        default = next((what[5:] for what, _ in rows if what.startswith("ref: ")), "HEAD")
        for name in names:
            if name in found:
                return Tip(name if ref else default, found[name])
        what = f"branch or tag {ref!r}" if ref else "commit yet"
        raise NotFound(f"{self.url} has no {what}", hint="git ls-remote shows what it has")

    def fetch(self, tip: Tip) -> str:
        """Fetch a tip with its history; return the commit, which may be newer than was said.

        Raises:
            NotAllowed, RemoteFailed: the server refused us, or cannot be reached.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.path.parent):
            self._make()
        kept = f"refs/idp/{hashlib.sha256(tip.name.encode()).hexdigest()[:24]}"
        with locked(self.path):
            self._mend()
            if tip.name != tip.commit or not self.has(tip.commit):
                with git.talking_to(self.url):
                    words = ("--quiet", "--no-tags", "--no-write-fetch-head", "--")
                    self.run("fetch", *words, self.url, f"+{tip.name}:{kept}")
        named = tip.commit if tip.name == tip.commit else kept
        return self.run("rev-parse", f"{named}^{{commit}}").stdout.decode().strip()

    def _make(self) -> None:
        """Make the empty mirror, whole or not at all."""
        if not self.path.exists():
            with workshop(self.path.parent) as room:
                git.run("init", "--quiet", "--bare", "--", str(room / "new"))
                (room / "new").rename(self.path)

    def _mend(self) -> None:
        """Remove what a killed fetch left: while we hold the lock, nobody is at it."""
        for left in (*self.path.glob("*.lock"), *self.path.glob("refs/idp/*.lock")):
            left.unlink()
        for left in self.path.glob("objects/**/tmp_*"):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()

    def has(self, commit: str) -> bool:
        """Tell whether a commit is here already."""
        if not self.path.exists() or not _COMMIT.fullmatch(commit):
            return False
        return not self.run("cat-file", "-e", f"{commit}^{{commit}}", ok=(0, 1, 128)).code

    def files(self, commit: str) -> dict[str, str]:
        """Return the plain files of a commit: their blobs by path."""
        listing = self.run("ls-tree", "-r", "-z", commit).stdout
        tree = git.tree_of(listing)
        return {readable(p): entry.oid for p, entry in tree.items() if entry.mode[:3] == "100"}

    def run(self, *args: str, **more: Any) -> proc.Finished:
        """Run git in the mirror."""
        more.setdefault("env", self.env_for(self.url))
        return git.run(*args, cwd=self.path, **more)
