"""A score.yaml becomes a Workload, or every mistake in it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from idp.catalog.files import read_plain
from idp.catalog.problem import KeyPath, Problem
from idp.catalog.reading import Document
from idp.catalog.reading import read as documents
from idp.catalog.shapes import Findings
from idp.errors import InvalidInput, NotFound
from idp.workload import meaning, shape
from idp.workload.building import built
from idp.workload.model import Workload
from idp.workload.placeholders import in_order

FILE = "score.yaml"
MOST = 2**20
"""As many bytes as a score.yaml may have: what runs keeps it whole."""
_PER_VALUE = 50
"""What each value counts beside its characters, so that many small ones are many too."""
_TOLD = 50
_LINE = 400


@dataclass(frozen=True)
class Placed:
    """A workload, and where everything in its file stands; `file` is how messages call it."""

    workload: Workload
    file: str
    document: Document = field(repr=False)

    def at(self, path: KeyPath, *, key: bool = False) -> str:
        """Return FILE:LINE of a value, or of its key."""
        return f"{self.file}:{self.document.at(path, key=key)[0]}"


def read(file: Path, shown: str = "") -> Workload:
    """Return the workload that a score.yaml describes.

    Args:
        shown: how messages call the file.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it is no Score file; every mistake is told with its place and its mend.
    """
    return read_with_places(file, shown).workload


def read_with_places(file: Path, shown: str = "") -> Placed:
    """Return what `read` does, with the places of everything; raises the same."""
    name = shown or str(file)
    document = _document(_bytes(file, name), name)
    if document.problems and document.data is None:
        raise _refusal(name, document.problems)
    if _left(document.data, MOST) < 0:
        raise InvalidInput(f"{name} says more than any workload does", hint="is it the right file?")
    if wrong := [*document.problems, *shape.mistakes(document)]:
        raise _refusal(name, wrong)
    found = Findings(document)
    meaning.note_all(document, found)
    if found.problems:
        raise _refusal(name, found.problems)
    workload = built(document.data)  # type: ignore[arg-type]
    try:
        in_order(workload)
    except InvalidInput as error:
        line, column = document.at(("resources",), key=True)
        raise _refusal(name, [Problem(line, column, "", error.message, error.hint)]) from None
    return Placed(workload, name, document)


def _bytes(file: Path, name: str) -> bytes:
    try:
        if file.stat().st_size > MOST:
            raise InvalidInput(f"{name} has more than {MOST} bytes", hint="it is no workload")
        return read_plain(file)
    except FileNotFoundError:
        what = "describe the workload there: https://score.dev, or docs/workload.md"
        raise NotFound(f"no file {name}", hint=what) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput(f"cannot read {name}: {why}") from None


def _document(data: bytes, name: str) -> Document:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidInput(f"{name}:{line}: not UTF-8", hint="save the file as UTF-8") from None
    found = [one for one in documents(data) if one.data is not None or one.problems]
    if not found:
        raise InvalidInput(f"{name} is empty", hint="see https://score.dev")
    if len(found) > 1:
        what = f"{name}:{found[1].line}: a second document begins here"
        raise InvalidInput(what, hint="one file holds one workload")
    return found[0]


def _left(value: object, most: int) -> int:
    """Return how much of a measure is left by a value; aliases count as what they repeat."""
    if isinstance(value, dict):
        inside = [part for pair in value.items() for part in pair]
    else:
        inside = value if isinstance(value, list) else []
    most -= _PER_VALUE + (len(value) if isinstance(value, str) else 0)
    for part in inside:
        if most < 0:
            break
        most = _left(part, most)
    return most


def _refusal(name: str, problems: Iterable[Problem]) -> InvalidInput:
    """Return the error that tells every problem of a file, in the file's order."""
    told = [(_told(name, one), one.hint) for one in sorted(set(problems))]
    if len(told) == 1:
        return InvalidInput(told[0][0], hint=told[0][1])
    lines = [what + (f" ({mend})" if mend else "") for what, mend in told]
    more = [f"and {len(told) - _TOLD} more"] if len(told) > _TOLD else []
    return InvalidInput(
        f"{name} has {len(told)} mistakes",
        hint="see https://score.dev",
        details=(*lines[:_TOLD], *more),
    )


def _told(name: str, one: Problem) -> str:
    path = f"{one.path}: " if one.path else ""
    what = f"{path}{one.message}"
    return f"{name}:{one.line}:{one.column}: {what if len(what) <= _LINE else what[:_LINE] + '…'}"
