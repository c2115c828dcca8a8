"""Substitution: `{$text: ./openapi.yaml}` becomes what that file of the repository says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from idp import git
from idp.catalog.files import read_plain
from idp.catalog.problem import KeyPath
from idp.catalog.reading import read
from idp.catalog.shapes import Findings, Unread, told
from idp.errors import IdpError
from idp.forge.address import Address, parse_remote

KEYS = ("$text", "$json", "$yaml")
# Their envelope is judged before anything is substituted.
_FIXED: set[KeyPath] = {("apiVersion",), ("kind",), ("metadata",)}
_FIXED |= {("metadata", "name"), ("metadata", "namespace")}
_MARKERS = ("-", "blob", "issues", "tree", "commit", "src", "raw", "edit")
_FILES = ("raw", "src", "blob", "tree", "edit")
_HALF = re.compile("[\ud800-\udfff]")


class _UnreadableError(Exception):
    """A placeholder whose file cannot be taken; its text says why."""


@dataclass(frozen=True)
class Surroundings:
    """Where a catalog file stands.

    Attributes:
        file: its path; None for what was piped in.
        stated: the repository it belongs to, if that was said.
        top: stands for the root of a repository that is not on this machine.
        read: gives the content of one of its files; raises an OSError.
    """

    file: Path | None = None
    stated: Address | None = None
    top: Path | None = None
    read: Callable[[Path], bytes] = read_plain

    @cached_property
    def root(self) -> Path | None:
        """The work tree that the file is in."""
        if self.top or self.file is None:
            return self.top
        folders = self.file.absolute().parents
        return next((folder for folder in folders if (folder / ".git").exists()), None)

    @cached_property
    def repository(self) -> Address | None:
        """The repository, as far as it is known."""
        if self.stated or self.root is None:
            return self.stated
        try:
            return parse_remote(git.text("config", "--get", "remote.origin.url", cwd=self.root))
        except IdpError:
            return None

    def target(self, written: str) -> Path | None:
        """Return the file that a relative path means, None if the work tree is not known."""
        if self.file is None or self.root is None:
            return None
        path = unquote(urlsplit(written).path)
        base = self.root if path.startswith("/") else self.file.absolute().parent
        named = base / path.lstrip("/")
        return Path(os.path.normpath(named)) if self.top else named.resolve()


def substitute(data: dict[str, Any], around: Surroundings, found: Findings) -> dict[str, Any]:
    """Return a document with its placeholders replaced; what cannot be read here is Unread."""
    replaced: dict[str, Any] = _Substitution(around, found).of(data, ())
    return replaced


@dataclass(frozen=True)
class _Substitution:
    around: Surroundings
    found: Findings

    def of(self, value: Any, path: KeyPath) -> Any:
        if isinstance(value, list):
            return self._list(value, path)
        if not isinstance(value, dict):
            return value
        if not any(key.startswith("$") for key in value):
            return self._mapping(value, path)
        # Backstage adds annotations of its own first, so that `$text` there is never alone.
        if len(value) > 1 or path in _FIXED or path in ((), ("metadata", "annotations")):
            return value
        (key, named), *_ = value.items()
        return self._replaced(key, named, path) if key in KEYS else value

    def _list(self, value: list[Any], path: KeyPath) -> list[Any]:
        made = [self.of(item, (*path, index)) for index, item in enumerate(value)]
        return value if all(map(_is, made, value)) else made

    def _mapping(self, value: dict[str, Any], path: KeyPath) -> dict[str, Any]:
        made = {key: self.of(item, (*path, key)) for key, item in value.items()}
        return value if all(map(_is, made.values(), value.values())) else made

    def _replaced(self, key: str, named: Any, path: KeyPath) -> Any:
        try:
            return self._read(key, named)
        except _UnreadableError as error:
            hint = "name a file of this repository by a relative path"
            self.found.add((*path, key), str(error), hint, rule="placeholder")
            return Unread(named if isinstance(named, str) else key)

    def _read(self, key: str, named: Any) -> Any:
        if not isinstance(named, str):
            raise _UnreadableError(f"must name a file, not {told(named)}")
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", named):
            self._check_repository(named)
            return Unread(named)
        path = self.around.target(named)
        if path is None:
            return Unread(named)
        if self.around.root not in path.parents:
            raise _UnreadableError(f"{named} is outside the repository")
        try:
            content = self.around.read(path)
        except OSError as error:
            raise _UnreadableError(f"{named} cannot be read: {error.strerror}") from error
        return _READERS[key](content, named)

    def _check_repository(self, url: str) -> None:
        own, other = self.around.repository, hosted(url)
        if own and other and own != other:
            where = f"{other.host}/{other.name}"
            raise _UnreadableError(f"{url} is in another repository, {where}: Backstage refuses it")


def _is(one: object, other: object) -> bool:
    return one is other


def _as_text(content: bytes, named: str) -> str:
    return content.decode("utf-8", "replace")


def _as_json(content: bytes, named: str) -> Any:
    try:
        value = json.loads(content.decode("utf-8", "replace"))
        text = json.dumps(value, ensure_ascii=False)
        # Half a character, which JSON can write as `\ud83d`, can be stored nowhere.
        return json.loads(_HALF.sub("\ufffd", text)) if _HALF.search(text) else value
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(f"{named} is no JSON: {error}") from error


def _as_yaml(content: bytes, named: str) -> Any:
    documents = list(read(content))
    if len(documents) != 1:
        raise _UnreadableError(f"{named} must be one YAML document, and has {len(documents)}")
    if problems := documents[0].problems:
        place = f"{named}:{problems[0].line}:{problems[0].column}"
        raise _UnreadableError(f"{place}: {problems[0].message}")
    return documents[0].data


_READERS: dict[str, Callable[[bytes, str], Any]] = {
    "$text": _as_text,
    "$json": _as_json,
    "$yaml": _as_yaml,
}


def hosted(url: str) -> Address | None:
    """Return the repository of a file's page on a forge (`…/blob/main/…`), None for another URL.

    So tells Backstage whether two files are in one repository (npm git-url-parse).
    """
    parts = urlsplit(url)
    names = unquote(parts.path).strip("/").split("/")
    at = next((names.index(mark, 2) for mark in _MARKERS if mark in names[2:]), 0)
    after = at + (names[at : at + 1] == ["-"])
    if not at or not parts.hostname or names[after] not in _FILES or len(names) < after + 3:
        return None
    return Address(parts.hostname, "/".join(names[:at]).removesuffix(".git"))
