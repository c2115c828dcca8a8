"""Files which the templates of one folder share: links into the folder `shared` beside them."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from idp.errors import InvalidInput

SHARED = "shared"
"""The folder beside the templates; a link into it stands for the file or folder that it names."""

BYTECODE = "__pycache__"
"""What pip makes of the Python files of the built-in templates: no part of a release."""


@dataclass(frozen=True)
class Entry:
    """A file of a template, or a link that stays one.

    Attributes:
        name: where it is in the template, with slashes.
        path: where its bytes are: elsewhere if it is shared.
    """

    name: str
    path: Path
    is_link: bool


def entries(template: Path, leave_out: Collection[str] = ()) -> Iterator[Entry]:
    """Yield what a template consists of, in the order of its paths.

    Args:
        leave_out: names at the template's root.

    Raises:
        InvalidInput: a link leads to no shared file, out of the shared files, or into itself.
    """
    root = template.resolve()
    for path in sorted(template.iterdir()):
        if path.name not in leave_out:
            yield from _entries(path, path.name, root.parent / SHARED, (root,))


def _entries(path: Path, name: str, shared: Path, above: tuple[Path, ...]) -> Iterator[Entry]:
    if path.is_symlink():
        target = path.resolve()
        if not target.is_relative_to(shared):
            if above[-1].is_relative_to(shared):
                raise InvalidInput(f"{path} leads out of {shared}", hint="link to a shared file")
            yield Entry(name, path, is_link=True)
            return
        if not target.exists():
            raise InvalidInput(f"{path} leads to {target}, which is not there")
        path = target
    if not path.is_dir():
        yield Entry(name, path, is_link=False)
    elif path.name != BYTECODE:
        yield from _below(path, name, shared, above)


def _below(folder: Path, name: str, shared: Path, above: tuple[Path, ...]) -> Iterator[Entry]:
    here = folder.resolve()
    if here in above:
        raise InvalidInput(f"{name} of the template leads into itself")
    for path in sorted(folder.iterdir()):
        yield from _entries(path, f"{name}/{path.name}", shared, (*above, here))


def shares(template: Path) -> bool:
    """Tell whether a template takes any file from the folder `shared`."""
    return any(e.path != template / e.name for e in entries(template))


def write_out(template: Path, into: Path, leave_out: Collection[str] = ()) -> None:
    """Copy a template, with files in place of the links to shared ones; bytecode is left out."""
    into.mkdir(exist_ok=True)
    for entry in entries(template, leave_out):
        target = into / entry.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(entry.path, target, follow_symlinks=False)


def straying(template: Path, leave_out: Collection[str] = ()) -> list[str]:
    """Return the links of a template that lead out of it and to no shared file."""
    root = template.resolve()
    links = (e for e in entries(template, leave_out) if e.is_link)
    return [e.name for e in links if not e.path.resolve().is_relative_to(root)]
