"""A YAML file of a repository, as far as policies look into it, with the line of everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idp.catalog.problem import KeyPath
from idp.catalog.reading import Document, read
from idp.errors import InvalidInput


@dataclass(frozen=True)
class File:
    """A document of a file; `name` is what it is called in findings."""

    name: str
    document: Document = field(repr=False)

    @property
    def data(self) -> Mapping[str, Any]:
        """What it says."""
        return self.document.data if isinstance(self.document.data, dict) else {}

    def at(self, *path: str | int) -> str:
        """Return FILE:LINE of a key, or of what is around it."""
        return f"{self.name}:{self.document.at(path, key=isinstance((path or (0,))[-1], str))[0]}"

    def under(self, *path: str) -> Mapping[str, Any]:
        """Return the mapping at a path, empty where there is none."""
        found: Any = self.data
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def texts(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield every text in it, with its path."""
        yield from _texts(self.data, ())


def files(folder: Path, name: str, shown: str = "") -> Iterator[File]:
    """Yield the documents of a folder's file that are mappings; none if it has no such file.

    Raises:
        InvalidInput: it cannot be read, or is no YAML.
    """
    path = folder / name
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    for document in read(data):
        for problem in document.problems:
            place = f"{path}:{problem.line}:{problem.column}"
            raise InvalidInput(f"{place}: {problem.message}", hint=problem.hint)
        if isinstance(document.data, dict):
            yield File(shown + name, document)


def _texts(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _texts(inner, (*path, place))
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        yield path, str(value)
