"""What a service's folder says of it: decisions, runbooks, objectives, template and release."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

ANSWERS = ".copier-answers.yml"
FILES = (
    "README.md",
    "slo.yaml",
    "score.yaml",
    "openapi.yaml",
    "Dockerfile",
    "CODEOWNERS",
    ".github/CODEOWNERS",
    "mkdocs.yml",
    ANSWERS,
)
MOST = 50
"""How many documents of a kind are kept."""

_DOCUMENT = re.compile(
    r"(?:docs/)?(?P<kind>adrs?|decisions|architecture/decisions|rfcs?|runbooks?)/[^/]+\.(?:md|adoc|rst)"
)
_ANSWER = re.compile(rb"^(_src_path|_commit):[ \t]*(['\"]?)(.+?)\2[ \t]*(?:#.*)?$", re.M)
_NOT_ONE = re.compile(r"(?:^|/)(?:README|index|template|0000-[^/]*)\.[a-z]+$", re.I)


@dataclass(frozen=True)
class Evidence:
    """What is beside a catalog file; paths begin at its folder.

    Attributes:
        files: which of FILES are there.
        template: the template the service was made from, as its answers name it.
        release: that template's release.
    """

    adrs: tuple[str, ...] = ()
    rfcs: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    template: str = ""
    release: str = ""


def concerns(path: str) -> bool:
    """Tell whether a file, by its path from the service's folder, says something of the service."""
    return path in FILES or bool(_DOCUMENT.fullmatch(path) and not _NOT_ONE.search(path))


def gather(paths: Iterable[str], read: Callable[[str], bytes]) -> Evidence:
    """Return what files say of a service; `read` gives the content of the answers file."""
    kept = sorted(filter(concerns, paths))
    shelves: dict[str, list[str]] = {"a": [], "r": [], "u": []}
    for path in kept:
        if found := _DOCUMENT.fullmatch(path):
            kind = found["kind"]
            shelf = "u" if kind.startswith("runbook") else "r" if kind.startswith("rfc") else "a"
            shelves[shelf].append(path)
    adrs, rfcs, runbooks = (tuple(shelves[shelf][:MOST]) for shelf in "aru")
    files = tuple(path for path in kept if path in FILES)
    answers = _answers(read(ANSWERS)) if ANSWERS in files else {}
    return Evidence(
        adrs, rfcs, runbooks, files, answers.get("_src_path", ""), answers.get("_commit", "")
    )


def _answers(text: bytes) -> dict[str, str]:
    found = _ANSWER.findall(text)
    return {key.decode(): value.decode("utf-8", "replace") for key, _, value in found}
