"""The secrets that a score.yaml names: its resources of type `secret`.

A resource NAME stands for the secret of that name, or of `params.name`; `${resources.NAME.KEY}` for
one of its values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from idp.catalog.reading import Document, read
from idp.errors import InvalidInput, NotFound
from idp.secret.base import KEY, NAME

FILE = "score.yaml"
TYPE = "secret"

# `$${` is no placeholder.
_PLACEHOLDER = re.compile(r"(\$\$\{)|\$\{resources\.([^.}]+)\.([^}]+)\}")


@dataclass(frozen=True)
class Needed:
    """A secret that a workload needs.

    Attributes:
        resource: its name in the workload.
        name: the secret's.
        keys: of its values that are used, by the line where each is first.
        line: where the resource stands.
    """

    resource: str
    name: str
    keys: Mapping[str, int]
    line: int


@dataclass(frozen=True)
class Workload:
    """What a score.yaml says of secrets.

    Attributes:
        file: as it was given.
        name: the workload's, which is the service's.
        needed: its secrets.
        variables: of its containers, those that hold a secret's value, as written.
    """

    file: str
    name: str
    needed: tuple[Needed, ...]
    variables: Mapping[str, str]


def look(path: Path, shown: str = "") -> Workload:
    """Read a score.yaml.

    Args:
        shown: how messages call the file.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is no Score file, or names a secret that cannot be.
    """
    file = shown or str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"no file {file}", hint="--score FILE, or --service NAME") from None
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}") from None
    document = next((d for d in read(data) if d.data is not None or d.problems), None)
    if document is None or not isinstance(document.data, dict):
        line = document.problems[0] if document and document.problems else None
        what = f"{file}:{line.line}: {line.message}" if line else f"{file} is no Score file"
        raise InvalidInput(what, hint="see https://score.dev")
    metadata = document.data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    needed = tuple(_needed(document, document.data, file))
    own = {one.resource: one.name for one in needed}
    return Workload(file, str(name or ""), needed, dict(_variables(document.data, own)))


def _needed(document: Document, data: Mapping[str, object], file: str) -> Iterator[Needed]:
    used = _used(document, data)
    for resource, said in _mapping(data.get("resources")).items():
        if not isinstance(said, dict) or said.get("type") != TYPE:
            continue
        line = document.at(("resources", str(resource)), key=True)[0]
        name = _mapping(said.get("params")).get("name", resource)
        if not isinstance(name, str) or not re.fullmatch(NAME, name):
            raise InvalidInput(
                f"{file}:{line}: {name!r} is no name of a secret",
                hint="letters, digits, dot, underscore and dash, at most 64",
            )
        yield Needed(str(resource), name, used.get(str(resource), {}), line)


def _used(document: Document, data: Mapping[str, object]) -> dict[str, dict[str, int]]:
    """Return each resource's keys that placeholders name, with the line of the first."""
    used: dict[str, dict[str, int]] = {}
    for path, text in _texts(data, ()):
        for resource, key in placeholders(text):
            line = document.at(path)[0]
            used.setdefault(resource, {}).setdefault(key, line)
    return used


def _texts(
    node: object, path: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _texts(value, (*path, number))


def placeholders(text: str) -> list[tuple[str, str]]:
    """Return the resources and keys that a text has placeholders of."""
    return [(found[2], found[3]) for found in _PLACEHOLDER.finditer(text) if not found[1]]


def filled(text: str, values: Mapping[tuple[str, str], str]) -> str:
    """Return a text with its placeholders filled, and `$${` as `${`."""

    def put(found: re.Match[str]) -> str:
        return "${" if found[1] else values[found[2], found[3]]

    return _PLACEHOLDER.sub(put, text)


def _variables(data: Mapping[str, object], own: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield variables whose placeholders are all of secrets; others need a provider."""
    for container in _mapping(data.get("containers")).values():
        for name, text in _mapping(_mapping(container).get("variables")).items():
            if not isinstance(text, str):
                continue
            named = placeholders(text)
            others = text.count("${") - text.count("$${") - len(named)
            if named and not others and all(resource in own for resource, _ in named):
                yield str(name), text


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, dict) else {}


def keys_of(needed: Needed) -> tuple[str, ...]:
    """Return the keys of a secret that the workload uses; the one of a single value if none."""
    return tuple(needed.keys) or (KEY,)
