"""Where templates come from: a name, path or URL and a version become a folder to render."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from idp import git, proc
from idp.config.source import BUILT_IN, Source
from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, RemoteFailed
from idp.scaffold import config
from idp.scaffold.version import is_stable, newest_first

UNRELEASED = "unreleased"
"""The version of a template folder as it lies there, outside every release."""

DENIED = re.compile(r"authentication failed|permission denied|could not read username|403", re.I)


@dataclass(frozen=True)
class Release:
    """One release of a template, ready to be rendered.

    Attributes:
        template: the canonical URL: `idp:NAME`, an absolute path, a git URL; `#folder` behind it.
        version: the tag, or what git describes of a commit.
        commit: the commit, or the SHA-256 of a plain folder.
        tree_id: names the folder's content.
        trusted: it may run tasks, migrations and extensions.
    """

    template: str
    version: str
    commit: str
    tree: Path
    tree_id: str
    trusted: bool

    @cached_property
    def config(self) -> config.TemplateConfig:
        """The release's copier.yml."""
        return config.read(self.tree)

    @property
    def name(self) -> str:
        """A short name: the last part of the URL."""
        last = self.template.rsplit("#", 1)[-1].rstrip("/").rsplit("/", 1)[-1]
        return last.removeprefix("idp:").removesuffix(".git")

    @property
    def left_out(self) -> tuple[str, ...]:
        """Names what an untrusted template is rendered without."""
        return () if self.trusted else self.config.has_code


class Origin(Protocol):
    """Where the releases of one template are."""

    url: str

    def versions(self) -> list[str]:
        """Return the released versions, newest first."""

    def default(self) -> str:
        """Return the version that is meant where none is named."""

    def export(self, version: str) -> tuple[str, str, str, Path]:
        """Return (version as recorded, commit, tree id, folder); raise NotFound."""


@dataclass(frozen=True)
class Shelf:
    """All templates that can be reached.

    Attributes:
        cache: the folder for mirrors and exported releases.
        trusts: says whether the user trusts a template's URL at a commit.
    """

    cache: Path
    trusts: Callable[[str, str], bool]
    say: Callable[[str], None]

    def origin(self, source: Source) -> Origin:
        """Return where the releases of a template are; nothing is fetched yet."""
        folder = source.subfolder or ""
        if source.url.startswith(BUILT_IN):
            return Folder(source.url, builtin(source.url.removeprefix(BUILT_IN)))
        path = local_path(source.url) if source.is_path else None
        if path is not None and not is_git(path):
            return Folder(_with(str(path), folder), path / folder)
        url = str(path or source.url)
        store = Local(path) if path else Mirror(url, self.cache)
        return GitRepository(_with(url, folder), folder, store, self.cache, self.say)

    def release(self, source: Source) -> Release:
        """Return a release, the newest stable one where the source names none.

        Raises:
            NotFound: no such template or release.
            RemoteFailed: it could not be fetched and is not cached.
        """
        origin = self.origin(source)
        version, commit, tree_id, tree = origin.export(source.version or origin.default())
        trusted = self.trusts(origin.url, commit)
        if not trusted:
            tree, tree_id = self._without_extensions(tree, tree_id)
        return Release(origin.url, version, commit, tree, tree_id, trusted)

    def _without_extensions(self, tree: Path, tree_id: str) -> tuple[Path, str]:
        """Return a copy whose copier.yml names no Jinja extension: they are code."""
        path = config.find(tree)
        if path is None or b"_jinja_extensions" not in path.read_bytes():
            return tree, tree_id
        plain_id = f"{tree_id}-plain"
        with new_folder(self.cache / "trees" / plain_id) as made:
            if made:
                shutil.copytree(tree, made, symlinks=True, dirs_exist_ok=True)
                text = (made / path.name).read_text("utf-8")
                (made / path.name).write_text(config.without_extensions(text), "utf-8")
        return self.cache / "trees" / plain_id, plain_id


def _with(url: str, folder: str) -> str:
    return f"{url}#{folder}" if folder else url


def builtin_root() -> Path:
    """Return the folder of the built-in templates: in the wheel, or in a checkout."""
    here = Path(__file__).resolve().parent
    shipped = here / "_templates"
    return shipped if shipped.is_dir() else here.parents[1] / "templates"


def builtin(name: str) -> Path:
    """Return the folder of a built-in template."""
    path = builtin_root() / name
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) or not (path / "releases").is_dir():
        raise NotFound(f"no built-in template called {name!r}", hint="run `idp template list`")
    return path


def local_path(written: str) -> Path:
    """Return the folder that a template's path names; it must look like a path.

    Raises:
        InvalidInput: `name` alone could be meant for anything: `./name` is a path.
        NotFound: no such folder.
    """
    if not written.startswith(("/", "./", "../", "~")) and written not in (".", ".."):
        raise InvalidInput(f"{written!r} is no template",
                           hint=f"idp:NAME, https://…, ssh://…, or a path: ./{written}")  # fmt: skip
    path = Path(written).expanduser().resolve()
    if not path.is_dir():
        raise NotFound(f"no template at {path}", hint="if it has moved: --source URL-OR-PATH")
    return path


def is_git(path: Path) -> bool:
    """Tell whether a folder is the root of a git repository, bare ones included."""
    return (path / ".git").exists() or all((path / n).exists() for n in ("HEAD", "objects", "refs"))


def digest(folder: Path) -> str:
    """Return the SHA-256 over a folder's paths, executable bits and bytes."""
    total = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()):
        link = path.is_symlink()
        content = os.readlink(path).encode() if link else path.read_bytes()
        kind = "l" if link else "x" if path.stat().st_mode & 0o100 else "f"
        name = path.relative_to(folder).as_posix()
        total.update(f"{kind} {len(content)} {name}\0".encode() + content)
    return total.hexdigest()


@dataclass(frozen=True)
class Folder:
    """A plain folder; its releases, if it has any, are the folders `releases/X.Y.Z`."""

    url: str
    path: Path

    def versions(self) -> list[str]:
        """Return the released versions, newest first."""
        root = self.path / "releases"
        return newest_first([p.name for p in root.iterdir()] if root.is_dir() else [])

    def default(self) -> str:
        """Return the newest stable release, or the folder as it is."""
        return next(filter(is_stable, self.versions()), UNRELEASED)

    def export(self, version: str) -> tuple[str, str, str, Path]:
        """Return the release's folder: it is immutable where it lies."""
        spelled = version if version == UNRELEASED else version.removeprefix("v")
        tree = self.path if spelled == UNRELEASED else self.path / "releases" / spelled
        if spelled != UNRELEASED and spelled not in self.versions() or not tree.is_dir():
            raise _no_release(self.url, version, self.versions())
        hashed = digest(tree)
        return spelled, hashed, hashed, tree


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
        """Return its git folder."""
        return Path(git.text("rev-parse", "--absolute-git-dir", cwd=self.path))

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
        with new_folder(self.path) as made, _remote(self.url):
            if made:
                git.run("clone", "--quiet", "--mirror", "--", self.url, str(made))
        return self.path

    def refresh(self) -> None:
        """Fetch what is new."""
        with _remote(self.url):
            git.run("fetch", "--quiet", "--prune", "origin", "+refs/*:refs/*", cwd=self.git_dir())


@contextmanager
def _remote(url: str) -> Iterator[None]:
    try:
        yield
    except proc.CommandFailed as error:
        said = "\n".join(error.details)
        if DENIED.search(said):
            raise NotAllowed(f"{url} refused us", details=error.details) from error
        raise RemoteFailed(f"cannot fetch {url}", details=error.details) from error


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

    def versions(self) -> list[str]:
        """Return the released versions, newest first; what is cached when nothing can be fetched."""
        first = not isinstance(self.store, Mirror) or not self.store.path.exists()
        try:
            if not first:
                self.store.refresh()
        except IdpError as error:
            self.say(f"{error}: going by what is cached")
        return newest_first([self._short(tag) for tag in self._own_tags()])

    def default(self) -> str:
        """Return the newest stable release, or HEAD of a repository that has none."""
        return next(filter(is_stable, self.versions()), "HEAD")

    def export(self, version: str) -> tuple[str, str, str, Path]:
        """Lay a release down in the cache as a plain folder."""
        commit = self._commit(version)
        if commit is None and isinstance(self.store, Mirror):
            self.store.refresh()
            commit = self._commit(version)
        if commit is None:
            raise _no_release(self.url, version, self.versions())
        tree_id = self._tree_id(commit)
        return self._spelling(commit, version), commit, tree_id, self._lay_down(tree_id)

    def _git(self, *args: str, ok: tuple[int, ...] = (0,)) -> str:
        done = git.run("--git-dir", str(self.store.git_dir()), *args, cwd=Path("/"), ok=ok)
        return done.stdout.decode(errors="surrogateescape").strip() if not done.code else ""

    def _tags(self) -> dict[str, str]:
        """Return each tag's commit."""
        shape = "--format=%(objectname) %(*objectname) %(refname:lstrip=2)"
        rows = (r.split(" ") for r in self._git("for-each-ref", shape, "refs/tags").splitlines())
        return {tag: peeled or direct for direct, peeled, tag in rows}

    def _own_tags(self) -> dict[str, str]:
        tags = self._tags()
        own = {tag: at for tag, at in tags.items() if self._prefix and self._prefix.match(tag)}
        return own or tags

    @cached_property
    def _prefix(self) -> re.Pattern[str] | None:
        name = re.escape(self.folder.rsplit("/", 1)[-1])
        return re.compile(rf"{name}[-/](?=v?\d)") if self.folder else None

    def _short(self, tag: str) -> str:
        return self._prefix.sub("", tag) if self._prefix else tag

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

    def _lay_down(self, tree_id: str) -> Path:
        target = self.cache / "trees" / tree_id
        with new_folder(target) as made:
            if made:
                self._export(tree_id, made)
        return target

    def _export(self, tree_id: str, into: Path) -> None:
        """Check the tree out by an index of its own: `git archive` would honour export-ignore."""
        with tempfile.TemporaryDirectory() as scratch:
            env = git.clean_env(GIT_DIR=str(self.store.git_dir()), GIT_WORK_TREE=str(into),
                                GIT_INDEX_FILE=f"{scratch}/index")  # fmt: skip
            plain = ("core.autocrlf=false", "core.symlinks=true", "core.bare=false")
            git.run("read-tree", tree_id, cwd=into, env=env)
            listed = git.run("ls-files", "--stage", cwd=into, env=env).stdout
            if b"160000 " in listed:
                raise InvalidInput(f"{self.url} uses git submodules, which templates may not")
            git.run("checkout-index", "--all", "--quiet", cwd=into, env=env, config=plain)


def _no_release(url: str, version: str, known: list[str]) -> NotFound:
    some = ", ".join(known[:8]) or "none"
    return NotFound(f"{url} has no release {version!r}", hint=f"releases: {some}")


@contextmanager
def new_folder(target: Path) -> Iterator[Path | None]:
    """Give a folder to fill, which then appears at `target` at once; None where it is there."""
    if target.exists():
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        yield made
        made.chmod(0o755)
        # Another process may have been faster: its folder is as good as ours.
        with _either_one():
            made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _either_one() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not isinstance(error, FileExistsError) and error.errno not in (17, 39):
            raise
