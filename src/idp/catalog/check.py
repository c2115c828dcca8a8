"""Validating catalog files: a verdict on each document of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from idp.catalog.crosscheck import cross_check
from idp.catalog.placeholders import Surroundings
from idp.catalog.problem import Problem
from idp.catalog.validation import Judged, judge_file
from idp.errors import InvalidInput


@dataclass(frozen=True)
class Verdict:
    """What is said of one document.

    Attributes:
        file: its path, as it was found.
        document: which of the file's documents it is, from 0; those without content do not count.
        ok: whether it is valid.
        ref: its name in full, in lower case; null where it is no entity.
        skeleton: it is invalid because a template's marks are in it.
        problems: all that is wrong with it, in the file's order.
    """

    file: str
    document: int
    ok: bool
    ref: str | None
    skeleton: bool
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class CatalogFile:
    """A file to be judged; `name` is what it is called in the verdicts."""

    name: str
    around: Surroundings
    read: Callable[[], bytes]


def validate(files: Iterable[CatalogFile], *, refs: bool) -> list[Verdict]:
    """Judge every document of every file.

    Args:
        refs: judge them together too: references that lead nowhere, duplicates, cycles.

    Raises:
        InvalidInput: a file cannot be read.
    """
    judged: list[tuple[str, Judged]] = []
    counts: list[int] = []
    for file in files:
        documents = judge_file(_content(file), file.around)
        judged += [(file.name, one) for one in documents]
        counts += range(len(documents))
    if refs:
        judged = cross_check(judged)
    return [
        Verdict(
            name,
            number,
            one.ok,
            str(one.entity.ref) if one.entity else None,
            one.is_skeleton,
            one.problems,
        )
        for number, (name, one) in zip(counts, judged, strict=True)
    ]


def _content(file: CatalogFile) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise InvalidInput(f"cannot read {file.name}: {error.strerror}") from error
