"""Running what a trusted template wants run: tasks, migrations, its check."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from jinja2.sandbox import SandboxedEnvironment

from idp import proc
from idp.errors import InvalidInput
from idp.scaffold.config import Command, TemplateConfig

KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TERM")
"""All that a template's command sees of the user's environment."""

SECONDS = 600.0
"""How long one command of a template may take."""


@dataclass(frozen=True)
class Scene:
    """Where a template's commands and patterns are evaluated.

    Attributes:
        tree: the release as a plain folder.
        folder: the service's files.
        home: an empty folder that stands for the user's home.
        operation: copy or update, as `_copier_operation`.
    """

    config: TemplateConfig
    tree: Path
    folder: Path
    home: Path
    answers: Mapping[str, Any]
    operation: str
    trusted: bool

    def expand(self, text: str, **more: Any) -> str:
        """Render a string of copier.yml."""
        try:
            return str(self._jinja().from_string(text).render(self._context() | more))
        except Exception as error:  # an expression can raise anything
            raise InvalidInput(f"copier.yml of the template: {text!r}: {error}") from error

    def patterns(self, lines: Iterable[str]) -> list[str]:
        """Render patterns; one may come to several lines."""
        return [line for text in lines for line in self.expand(text).splitlines()]

    def _jinja(self) -> SandboxedEnvironment:
        extensions = ["jinja2_ansible_filters.AnsibleCoreFiltersExtension"]
        extensions += self.config.extensions if self.trusted else ()
        envops = {k: v for k, v in self.config.envops.items() if k != "undefined"}
        try:
            return SandboxedEnvironment(extensions=extensions, **envops)
        except ImportError as error:
            raise InvalidInput(f"the template needs a Jinja extension: {error}") from error

    def _context(self) -> dict[str, Any]:
        conf = {
            "src_path": PurePath(self.tree),
            "dst_path": PurePath(self.folder),
            "sep": os.sep,
            "answers_file": PurePath(self.config.answers_file),
            "os": "linux",
        }
        return dict(self.answers) | {
            "_copier_conf": conf,
            "_copier_answers": dict(self.answers),
            "_copier_python": sys.executable,
            "_copier_operation": self.operation,
            "_folder_name": self.folder.name,
        }


def run_all(scene: Scene, commands: Iterable[tuple[Command, Mapping[str, str]]]) -> None:
    """Run commands one after another; the first that fails raises proc.CommandFailed."""
    for command, variables in commands:
        _run(scene, command, {"copier_operation": scene.operation, **variables})


def _run(scene: Scene, command: Command, variables: Mapping[str, str]) -> None:
    private = {f"_{name}": value for name, value in variables.items()}
    private["_copier_phase"] = "tasks" if variables["stage"] == "task" else "migrate"
    if not _truth(command.when, scene, private):
        return
    folder = scene.folder / scene.expand(command.folder, **private)
    if isinstance(command.words, str):
        words = ["/bin/sh", "-c", scene.expand(command.words, **private)]
    else:
        words = [scene.expand(word, **private) for word in command.words]
    named = {name.upper(): value for name, value in variables.items()}
    proc.run(
        words, cwd=folder, env=scrubbed(scene.home) | named, timeout=SECONDS, merge_streams=True
    )


def _truth(when: str | bool, scene: Scene, private: Mapping[str, str]) -> bool:
    said = scene.expand(str(when), **private).strip().lower()
    return said not in ("", "false", "no", "n", "off", "0", "none", "null", "~")


def scrubbed(home: Path) -> dict[str, str]:
    """Return an environment without the user's secrets, home or git identity."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    who = {
        f"GIT_{role}_{part}": f"idp{'@localhost' * (part == 'EMAIL')}"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    return kept | who | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
