"""Renders of a release as git trees, cached by (release, answers)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from idp import git, proc
from idp.errors import InvalidInput
from idp.releases import Release
from idp.releases.origin import new_folder
from idp.service.scratch import ALONE, PLAIN

FORMAT = 1
"""Counts up when what is kept of a render changes."""


@dataclass(frozen=True)
class Wanted:
    """A render that is asked for.

    Attributes:
        folder: name of the service's folder: templates may use it.
        answers: those recorded before; data: those given now.
        seeds: files of the service that the template reads.
    """

    release: Release
    folder: str
    answers_file: str
    answers: Mapping[str, Any]
    data: Mapping[str, Any]
    seeds: Mapping[str, bytes]
    ask: bool = False

    @property
    def key(self) -> str:
        """Names the render: everything that it can depend on."""
        from importlib.metadata import version

        parts = [
            FORMAT,
            version("copier"),
            self.release.tree_id,
            self.release.template,
            self.release.version,
            self.release.trusted,
            self.folder,
            self.answers_file,
            self.answers,
            self.data,
            sorted(self.seeds.items()),
        ]
        return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Render:
    """A render as a tree in the store.

    Attributes:
        tree: the tree's name.
        answers: what was recorded.
        ignored: files that the rendered .gitignore files keep out of commits.
    """

    tree: str
    answers: Mapping[str, Any]
    ignored: tuple[str, ...]


@dataclass(frozen=True)
class Renders:
    """The store: a bare repository in the cache, and a note for each render."""

    root: Path
    object_format: str = "sha1"

    @property
    def work(self) -> Path:
        """A folder for what is passing."""
        folder = self.root.parent / "work"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def git_dir(self) -> Path:
        """The bare repository."""
        return self.root / f"{self.object_format}.git"

    @property
    def objects(self) -> Path:
        """Its object database."""
        return self.git_dir / "objects"

    def open(self) -> Renders:
        """Return the store, made on first use; two processes may come at once."""
        if not (self.git_dir / "HEAD").exists():
            self.root.mkdir(parents=True, exist_ok=True)
            form = f"--object-format={self.object_format}"
            with new_folder(self.git_dir) as made:
                if made:
                    git.run("init", "--quiet", "--bare", "--template=", form, "--", str(made))
        return self

    def cached(self, wanted: Wanted) -> Render | None:
        """Return a render that was made before."""
        try:
            kept = json.loads(self._note(wanted).read_bytes())
            render = Render(kept["tree"], kept["answers"], tuple(kept["ignored"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        # The store is never packed, so a tree that is there is a file.
        there = self.objects / render.tree[:2] / render.tree[2:]
        return render if there.exists() else None

    def make(self, wanted: Wanted, room: Path) -> Render:
        """Make a render in a folder below `room`."""
        place = room / wanted.key[:16]
        return self.render_into(wanted, place / wanted.folder, place)

    def render_into(self, wanted: Wanted, folder: Path, room: Path) -> Render:
        """Render into a new folder, and keep the tree; `room` is for what is passing."""
        from idp.scaffold.render import Job, render

        release = wanted.release
        job = Job(
            release.tree,
            release.template,
            release.version,
            release.commit,
            release.trusted,
            folder,
            wanted.answers_file,
            wanted.answers,
            wanted.data,
            wanted.seeds,
            wanted.ask,
        )
        try:
            done = render(job)
        except InvalidInput as error:
            if release.is_stripped:
                error.hint = "it may need its Jinja extensions, which only --trust lets run"
            raise
        made = Render(self._add(folder, room / "index"), done.answers, self._ignored(folder))
        self._keep(wanted, made)
        return made

    def _add(self, folder: Path, index: Path) -> str:
        """Write a folder's tree, ignored files too."""
        try:
            self._git("add", "--all", "--force", ".", folder=folder, index=index)
        except proc.CommandFailed as error:
            raise InvalidInput(
                "git cannot hold what the template renders", details=error.details
            ) from error
        return self._git("write-tree", index=index).stdout.decode().strip()

    def _ignored(self, folder: Path) -> tuple[str, ...]:
        if not any(folder.rglob(".gitignore")):
            return ()
        listed = self._git(
            "ls-files",
            "--others",
            "--ignored",
            "-z",
            "--exclude-per-directory=.gitignore",
            folder=folder,
            index=Path("/nonexistent"),
        )
        return tuple(filter(None, listed.stdout.decode(errors="surrogateescape").split("\0")))

    def _git(
        self,
        *args: str,
        folder: Path | None = None,
        index: Path | None = None,
        ok: tuple[int, ...] = (0,),
    ) -> proc.Finished:
        env = git.clean_env(**ALONE, GIT_DIR=str(self.git_dir))
        if folder:
            env["GIT_WORK_TREE"] = str(folder)
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        cwd = folder or (self.root if self.root.is_dir() else Path("/"))
        return git.run(*args, cwd=cwd, env=env, config=PLAIN, ok=ok)

    def _note(self, wanted: Wanted) -> Path:
        return self.root / "notes" / f"{wanted.key}.json"

    def _keep(self, wanted: Wanted, made: Render) -> None:
        """Note the render under what was asked, and under what an update will ask for it by."""
        later = replace(wanted, answers=made.answers, data={}, ask=False)
        told_all = set(wanted.data) <= set(made.answers)
        for asked in (wanted, later) if told_all else (wanted,):
            self._write_note(self._note(asked), made)

    def _write_note(self, note: Path, made: Render) -> None:
        note.parent.mkdir(parents=True, exist_ok=True)
        content = {"tree": made.tree, "answers": dict(made.answers), "ignored": made.ignored}
        try:
            text = json.dumps(content)
        except TypeError:  # an answer that is no JSON, a date perhaps: render it again next time
            return
        part = note.with_suffix(f".{os.getpid()}")
        part.write_text(text)
        part.replace(note)
