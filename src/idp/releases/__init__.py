"""Where templates come from: a name, path or URL and a version become a folder to render."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from idp.config.source import BUILT_IN, Source
from idp.errors import InvalidInput, NotFound
from idp.releases.folder import Folder
from idp.releases.origin import Origin, new_folder
from idp.releases.repository import GitRepository, Local, Mirror, is_git
from idp.scaffold import config

STRIPPED = "-plain"
"""Ends the tree id of a copy without Jinja extensions."""


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
        if self.trusted:
            return ()
        return (*self.config.has_code, *(["extensions"] if self.is_stripped else []))

    @property
    def is_stripped(self) -> bool:
        """Whether Jinja extensions that it names were taken out."""
        return self.tree_id.endswith(STRIPPED)


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
    _origins: dict[Source, Origin] = field(default_factory=dict)

    def origin(self, source: Source) -> Origin:
        """Return where the releases of a template are; nothing is fetched yet."""
        where = replace(source, version=None)
        if where not in self._origins:
            self._origins[where] = self._find(where)
        return self._origins[where]

    def _find(self, source: Source) -> Origin:
        folder = source.subfolder or ""
        if source.url.startswith(BUILT_IN):
            return Folder(source.url, builtin(source.url.removeprefix(BUILT_IN)), self.cache)
        path = local_path(source.url) if source.is_path else None
        if path is not None and not is_git(path):
            return Folder(_with(str(path), folder), path / folder, self.cache)
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
        plain_id = f"{tree_id}{STRIPPED}"
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
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_templates"
    return shipped if shipped.is_dir() else package.parents[1] / "templates"


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
        raise InvalidInput(
            f"{written!r} is no template",
            hint=f"idp:NAME, https://…, ssh://…, or a path: ./{written}; if it has moved: --source",
        )
    path = Path(written).expanduser().resolve()
    if not path.is_dir():
        raise NotFound(f"no template at {path}", hint="if it has moved: --source URL-OR-PATH")
    return path
