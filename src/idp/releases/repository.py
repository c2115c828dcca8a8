"""Templates in git repositories, on this machine or mirrored from a server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from idp import git
from idp.errors import IdpError, InvalidInput, NotFound
from idp.releases.links import SHARED, write_out
from idp.releases.origin import new_folder, no_release
from idp.scaffold.version import newest_first, newest_stable
from idp.workshop import workshop


def is_git(path: Path) -> bool:
    """Tell whether a folder is the root of a git repository, bare ones included."""
    return (path / ".git").exists() or all((path / n).exists() for n in ("HEAD", "objects", "refs"))


def own_tags(tags: Mapping[str, str], folder: str) -> dict[str, str]:
    """Return the tags, with their commits, that are of the template in a folder of a repository."""
    prefix = _prefix(folder)
    own = {tag: at for tag, at in tags.items() if prefix and prefix.match(tag)}
    return own or {tag: at for tag, at in tags.items() if "/" not in tag}


def short(tag: str, folder: str) -> str:
    """Return a tag without what names the template's folder in it."""
    prefix = _prefix(folder)
    return prefix.sub("", tag) if prefix else tag


@cache
def _prefix(folder: str) -> re.Pattern[str] | None:
    name = re.escape(folder.rsplit("/", 1)[-1])
    return re.compile(rf"{name}[-/](?=v?\d)") if folder else None


class Store(Protocol):
    """A git repository to read releases from."""

    def git_dir(self) -> Path:
        """Return the git folder, which may be a first mirror just made."""

    def refresh(self) -> None:
        """Fetch what is new; raise RemoteFailed."""


@dataclass(frozen=True)
class Local:
    """A repository on this machine, read where it is."""

    path: Path

    def git_dir(self) -> Path:
        """Return its git folder; in a linked worktree `.git` is a file, which git can read."""
        inside = self.path / ".git"
        if inside.is_file():
            return Path(git.text("rev-parse", "--absolute-git-dir", cwd=self.path))
        return inside if inside.exists() else self.path

    def refresh(self) -> None:
        """Nothing to fetch."""


@dataclass(frozen=True)
class Mirror:
    """A bare copy of a remote repository in the cache."""

    url: str
    cache: Path

    @property
    def path(self) -> Path:
        """The mirror's folder."""
        return self.cache / "mirrors" / f"{hashlib.sha256(self.url.encode()).hexdigest()[:24]}.git"

    def git_dir(self) -> Path:
        """Return the mirror, cloned on first use."""
        with new_folder(self.path) as made, git.talking_to(self.url):
            if made:
                git.run("clone", "--quiet", "--mirror", "--", self.url, str(made))
        return self.path

    def refresh(self) -> None:
        """Fetch what is new."""
        with git.talking_to(self.url):
            git.run("fetch", "--quiet", "--prune", "origin", "+refs/*:refs/*", cwd=self.git_dir())


@dataclass(frozen=True)
class GitRepository:
    """A template in a git repository; its releases are tags that are versions.

    In a repository of several templates the tags of one are `FOLDER/v1.2.3` or `FOLDER-v1.2.3`,
    FOLDER being the last part of its path; where it has none, the plain tags count.
    """

    url: str
    folder: str
    store: Store
    cache: Path
    say: Callable[[str], None]
    _known: dict[str, str] = field(default_factory=dict)

    def versions(self) -> list[str]:
        """Return the released versions, newest first; those cached where nothing can be fetched."""
        first = not isinstance(self.store, Mirror) or not self.store.path.exists()
        try:
            if not first:
                self._refresh()
        except IdpError as error:
            self.say(f"{error}: going by what is cached")
        return newest_first([self._short(tag) for tag in self._own_tags()])

    def default(self) -> str:
        """Return the newest stable release, or HEAD of a repository that has none."""
        return newest_stable(self.versions()) or "HEAD"

    def export(self, version: str) -> tuple[str, str, str, Path]:
        """Lay a release down in the cache as a plain folder."""
        commit = self._commit(version)
        if commit is None and isinstance(self.store, Mirror):
            self._refresh()
            commit = self._commit(version)
        if commit is None:
            raise no_release(self.url, version, self.versions())
        tree_id = self._tree_id(commit)
        shared = self._shared(commit, tree_id)
        tree = self._lay_down(tree_id, shared)
        return self._spelling(commit, version), commit, tree.name, tree

    def _git(self, *args: str, ok: tuple[int, ...] = (0,)) -> str:
        done = git.run("--git-dir", str(self.store.git_dir()), *args, cwd=Path("/"), ok=ok)
        return done.stdout.decode(errors="surrogateescape").strip() if not done.code else ""

    def _refresh(self) -> None:
        self._known.clear()
        self.store.refresh()

    def _tags(self) -> dict[str, str]:
        """Return each tag's commit."""
        if not self._known:
            self._known.update(self._listed())
        return self._known

    def _listed(self) -> dict[str, str]:
        shape = "--format=%(objectname) %(*objectname) %(refname:lstrip=2)"
        rows = (r.split(" ") for r in self._git("for-each-ref", shape, "refs/tags").splitlines())
        return {tag: peeled or direct for direct, peeled, tag in rows}

    def _own_tags(self) -> dict[str, str]:
        return own_tags(self._tags(), self.folder)

    def _short(self, tag: str) -> str:
        return short(tag, self.folder)

    def _commit(self, version: str) -> str | None:
        if version.startswith("-"):
            raise InvalidInput(f"{version!r} begins with a dash")
        tags = {self._short(tag): commit for tag, commit in self._own_tags().items()}
        for spelling in (version, f"v{version}", version.removeprefix("v")):
            if spelling in tags:
                return tags[spelling]
        asked = ("rev-parse", "--verify", "--quiet", f"{version}^{{commit}}")
        return self._git(*asked, ok=(0, 1, 128)) or None

    def _spelling(self, commit: str, asked: str) -> str:
        """Return the tag as asked for, else the newest of the commit, else what git describes."""
        tags = [self._short(tag) for tag, at in self._own_tags().items() if at == commit]
        for spelling in (asked, f"v{asked}", asked.removeprefix("v"), *newest_first(tags)):
            if spelling in tags:
                return spelling
        return self._git("describe", "--tags", "--always", "--abbrev=12", commit)

    def _tree_id(self, commit: str) -> str:
        asked = f"{commit}:{self.folder}" if self.folder else f"{commit}^{{tree}}"
        found = self._git("rev-parse", "--verify", "--quiet", asked, ok=(0, 1, 128))
        if not found:
            raise NotFound(f"no folder {self.folder!r} in {self.url} at {commit[:12]}")
        return found

    def _shared(self, commit: str, tree_id: str) -> str:
        """Return the tree of the folder that a template with links shares with those beside it."""
        if not self.folder or "120000 " not in self._git("ls-tree", "-r", tree_id):
            return ""
        beside = "/".join([*self.folder.split("/")[:-1], SHARED])
        return self._git("ls-tree", "-d", "--object-only", commit, "--", beside)

    def _lay_down(self, tree_id: str, shared: str) -> Path:
        target = self.cache / "trees" / "-".join(filter(None, (tree_id, shared)))
        with new_folder(target) as made:
            if made and shared:
                self._export_sharing(tree_id, shared, made)
            elif made:
                self._export(tree_id, made)
        return target

    def _export_sharing(self, tree_id: str, shared: str, into: Path) -> None:
        """Lay both trees down side by side, as in the repository, and follow the links."""
        with workshop(into.parent) as room:
            for name, tree in ((SHARED, shared), ("template", tree_id)):
                (room / name).mkdir()
                self._export(tree, room / name)
            write_out(room / "template", into)

    def _export(self, tree_id: str, into: Path) -> None:
        """Check the tree out by an index of its own: `git archive` would honour export-ignore."""
        with workshop(into.parent) as room:
            env = git.clean_env(
                GIT_DIR=str(self.store.git_dir()),
                GIT_WORK_TREE=str(into),
                GIT_INDEX_FILE=str(room / "index"),
            )
            plain = ("core.autocrlf=false", "core.symlinks=true", "core.bare=false")
            git.run("read-tree", tree_id, cwd=into, env=env)
            listed = git.run("ls-files", "--stage", cwd=into, env=env).stdout
            if b"160000 " in listed:
                raise InvalidInput(f"{self.url} uses git submodules, which templates may not")
            git.run("checkout-index", "--all", "--quiet", cwd=into, env=env, config=plain)
