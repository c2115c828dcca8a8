"""What there is to know of a template: its questions, releases and changelog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from idp.config.source import Source
from idp.releases import Shelf

CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True)
class Question:
    """A question of a template; `default` and `when` may be Jinja."""

    name: str
    type: str
    help: str
    default: Any
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A template.

    Attributes:
        releases: newest first.
        runs: what it runs if it is trusted: tasks, migrations, extensions.
        changelog: the text of its CHANGELOG.md, empty where it has none.
    """

    name: str
    template: str
    version: str
    releases: tuple[str, ...]
    deprecated: str
    trusted: bool
    runs: tuple[str, ...]
    questions: tuple[Question, ...]
    changelog: str


def show(shelf: Shelf, source: Source, deprecated: str = "") -> Shown:
    """Return what there is to know of a release, the newest where none is named.

    Args:
        deprecated: what the platform says of it; else the template's own word counts.
    """
    known = shelf.origin(source).versions()
    release = shelf.release(source)
    log = release.tree / CHANGELOG
    own = release.config.own
    return Shown(
        release.name,
        release.template,
        release.version,
        tuple(known),
        deprecated or str(own.get("deprecated", "")),
        release.trusted,
        release.config.has_code,
        tuple(
            _question(name, asked)
            for name, asked in release.config.questions.items()
            if asked.get("when") is not False
        ),
        log.read_text("utf-8") if log.is_file() else "",
    )


def _question(name: str, asked: Mapping[str, Any]) -> Question:
    default = asked.get("default")
    kind = asked.get("type") or ("yaml" if default is None else type(default).__name__)
    return Question(name, str(kind), str(asked.get("help", "")), default, _choices(asked))


def _choices(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the values to choose from; Copier takes them plain, or with a label in front."""
    choices = asked.get("choices") or ()
    if isinstance(choices, str):
        return (choices,)
    pairs = choices.values() if isinstance(choices, Mapping) else choices
    values = (pair[-1] if isinstance(pair, list) else pair for pair in pairs)
    return tuple(str(v.get("value", v) if isinstance(v, Mapping) else v) for v in values)
