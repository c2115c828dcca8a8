"""Finding catalog files."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from idp.errors import NotFound

NAMES = ("catalog-info.yaml", "catalog-info.yml")
SKIPPED = {".git", ".venv", "node_modules"}


def find(paths: Iterable[Path]) -> list[Path]:
    """Return the files that are named, and the catalog files below the folders that are.

    Raises:
        NotFound: a path does not exist, or a folder has no catalog file in it.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            below = list(_below(path))
            if not below:
                hint = "name a file: any name will do then"
                raise NotFound(f"no {' or '.join(NAMES)} in or below {path}", hint=hint)
            found |= dict.fromkeys(below)
        elif path.exists():
            found[path] = None
        else:
            raise NotFound(f"no file or folder {path}")
    return list(found)


def read_plain(path: Path) -> bytes:
    """Return the content of a file that somebody's repository names: a pipe would never end.

    Raises:
        OSError: it cannot be read, or is no plain file.
    """
    with open(path, "rb", opener=_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no plain file")
        return file.read()


def _at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _below(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - SKIPPED)
        yield from (Path(place, name) for name in sorted(names) if name in NAMES)
