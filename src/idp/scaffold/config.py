"""Reading a template's copier.yml without importing Copier."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from idp.errors import InvalidInput, NotFound
from idp.scaffold.version import parse

Stage = Literal["before", "after"]
MERGED_LISTS = ("_exclude", "_jinja_extensions", "_secret_questions", "_skip_if_exists")


@dataclass(frozen=True)
class Command:
    """A task or a migration: a shell line or an argument list, as the template wrote it."""

    words: str | tuple[str, ...]
    when: str | bool = True
    folder: str = "."
    version: str = ""


@dataclass(frozen=True)
class TemplateConfig:
    """A template's settings and questions (https://copier.readthedocs.io/en/stable/configuring/)."""

    settings: Mapping[str, Any]
    questions: Mapping[str, Mapping[str, Any]]

    @property
    def answers_file(self) -> str:
        """Path of the answers file in the service."""
        return str(self.settings.get("answers_file", ".copier-answers.yml"))

    @property
    def exclude(self) -> tuple[str, ...]:
        """Patterns the template leaves out by its own word; may hold Jinja."""
        return tuple(map(str, self.settings.get("exclude") or ()))

    @property
    def skip_if_exists(self) -> tuple[str, ...]:
        """Patterns of files that are laid down once and then left alone; may hold Jinja."""
        return tuple(map(str, self.settings.get("skip_if_exists") or ()))

    @property
    def extensions(self) -> tuple[str, ...]:
        """Jinja extensions: code that runs while rendering."""
        return tuple(map(str, self.settings.get("jinja_extensions") or ()))

    @property
    def envops(self) -> dict[str, Any]:
        """Settings of the Jinja environment."""
        return {"keep_trailing_newline": True} | dict(self.settings.get("envops") or {})

    @property
    def external_data(self) -> Mapping[str, str]:
        """Data files of the service that rendering reads."""
        return dict(self.settings.get("external_data") or {})

    @cached_property
    def own(self) -> Mapping[str, Any]:
        """What the template says to idp alone, under `_idp`: check, deprecated."""
        return dict(self.settings.get("idp") or {})

    @property
    def tasks(self) -> tuple[Command, ...]:
        """Commands to run after rendering."""
        return tuple(_command(task, when=True) for task in self.settings.get("tasks") or ())

    @property
    def has_code(self) -> tuple[str, ...]:
        """Names what the template wants run: it needs trust."""
        named = {"tasks": "tasks", "migrations": "migrations", "jinja_extensions": "extensions"}
        return tuple(word for key, word in named.items() if self.settings.get(key))

    def migrations(self, stage: Stage) -> Iterator[Command]:
        """Yield the migrations that may run at this stage, in declared order."""
        for item in self.settings.get("migrations") or ():
            if isinstance(item, Mapping) and ("before" in item or "after" in item):
                for words in item.get(stage) or ():
                    yield _command(words, when=True, version=str(item["version"]))
            else:
                yield _command(item, when=self._only_after)

    @property
    def _only_after(self) -> str:
        start = self.envops.get("variable_start_string", "{{")
        end = self.envops.get("variable_end_string", "}}")
        return f"{start} _stage == 'after' {end}"


def _command(item: Any, *, when: str | bool, version: str = "") -> Command:
    if isinstance(item, Mapping):
        return Command(
            _words(item["command"]),
            item.get("when", when),
            str(item.get("working_directory", ".")),
            str(item.get("version", version)),
        )
    return Command(_words(item), when, version=version)


def _words(value: Any) -> str | tuple[str, ...]:
    return value if isinstance(value, str) else tuple(map(str, value))


def find(source: Path) -> Path | None:
    """Return the path of a template's copier.yml, if it has one."""
    found = [p for p in sorted(source.glob("copier.*")) if re.fullmatch(r"\.ya?ml", p.suffix, re.I)]
    if len(found) > 1:
        names = " and ".join(p.name for p in found)
        raise InvalidInput(f"the template has {names}", hint="keep one of them")
    return found[0] if found else None


def read(source: Path) -> TemplateConfig:
    """Read copier.yml of an exported template, its sections and includes merged as Copier does.

    Raises:
        NotFound: the folder has no copier.yml.
        InvalidInput: the file is no YAML of the right shape.
    """
    path = find(source)
    if path is None:
        raise NotFound(
            f"no copier.yml in the template at {source}",
            hint="name its folder: TEMPLATE#sub/folder",
        )
    merged = _merge(_sections(path))
    questions = {
        k: v if isinstance(v, Mapping) else {"default": v}
        for k, v in merged.items()
        if not k.startswith("_")
    }
    return TemplateConfig({k[1:]: v for k, v in merged.items() if k.startswith("_")}, questions)


def _merge(sections: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for section in sections:
        for key, value in section.items():
            adds = key in MERGED_LISTS and key in merged
            merged[key] = [*merged[key], *(value or ())] if adds else value
    return merged


def _sections(path: Path) -> list[Mapping[str, Any]]:
    import yaml

    class Loader(yaml.CSafeLoader):
        """A loader of its own, so that `!include` is known to no other."""

    def include(loader: Any, node: Any) -> list[Mapping[str, Any]]:
        pattern = str(loader.construct_scalar(node))
        return [part for file in _included(path.parent, pattern) for part in _load(file, Loader)]

    Loader.add_constructor("!include", include)
    return _load(path, Loader)


def _included(root: Path, pattern: str) -> Iterator[Path]:
    if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
        raise InvalidInput(f"copier.yml includes {pattern!r}", hint="include relative paths only")
    for file in sorted(root.glob(pattern)):
        if not file.resolve().is_relative_to(root.resolve()):
            raise InvalidInput(f"copier.yml includes {pattern!r}, outside the template")
        yield file


def _load(path: Path, loader: Any) -> list[Mapping[str, Any]]:
    import yaml

    try:
        documents = list(yaml.load_all(path.read_bytes(), Loader=loader))
    except yaml.YAMLError as error:
        said = str(error).replace("\n", " ")
        raise InvalidInput(f"{path.name} of the template: {said}") from error
    flat = [part for doc in documents if doc for part in (doc if isinstance(doc, list) else [doc])]
    if bad := [part for part in flat if not isinstance(part, Mapping)]:
        raise InvalidInput(f"{path.name} of the template: expected keys, found {bad[0]!r:.40}")
    return flat


def without_extensions(text: str) -> str:
    """Return copier.yml without the top-level `_jinja_extensions`, all else as it stands."""
    import yaml

    gone = list(text)
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        for key, value in getattr(document, "value", ()):
            if key.value == "_jinja_extensions":
                start, end = _extent(
                    text, key, value, in_braces=getattr(document, "flow_style", False)
                )
                gone[start:end] = (c if c == "\n" else "" for c in text[start:end])
    return "".join(gone)


def _extent(text: str, key: Any, value: Any, *, in_braces: bool) -> tuple[int, int]:
    """Return where a key with its value begins and ends: whole lines, or up to the next comma."""
    start, end = key.start_mark.index, max(key.end_mark.index, value.end_mark.index)
    if in_braces:
        comma = re.compile(r"\s*,").match(text, end)
        return start, comma.end() if comma else end
    whole = text[end - 1] == "\n" or value.end_mark.column == 0
    after = end if whole and end > key.end_mark.index else text.find("\n", end) + 1
    return text.rfind("\n", 0, start) + 1, after or len(text)


def migrations(
    config: TemplateConfig, stage: Stage, old: str, new: str
) -> list[tuple[Command, dict[str, str]]]:
    """Return the migrations between two releases, each with the variables that it is told.

    A migration with a version runs if new >= version > old (PEP 440), one without runs always.
    """
    span = {
        "stage": stage,
        "version_from": old,
        "version_to": new,
        "version_pep440_from": str(parse(old) or old),
        "version_pep440_to": str(parse(new) or new),
    }
    chosen = []
    for command in config.migrations(stage):
        if not command.version:
            chosen.append((command, span))
        elif _between(old, command.version, new):
            current = str(parse(command.version))
            more = {"version_current": command.version, "version_pep440_current": current}
            chosen.append((command, span | more))
    return chosen


def _between(old: str, version: str, new: str) -> bool:
    low, at, high = parse(old), parse(version), parse(new)
    if at is None:
        raise InvalidInput(f"copier.yml of the template: {version!r} is no version (PEP 440)")
    return bool(low and high and high >= at > low)
