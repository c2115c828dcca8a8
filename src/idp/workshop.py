"""Folders to work in, which go with the command: a killed one's are swept by the next."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from idp.errors import InvalidInput

MARK = ".idp-"
"""How the name of such a folder begins."""


@contextmanager
def workshop(root: Path) -> Iterator[Path]:
    """Give a locked folder below `root`; those of killed runs are removed."""
    _sweep(root)
    made, held = _make(root)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(held)


def _make(root: Path) -> tuple[Path, int]:
    """Return a new folder and the descriptor that locks it."""
    while True:
        try:
            made = Path(tempfile.mkdtemp(prefix=MARK, dir=root))
        except OSError as error:
            raise InvalidInput(f"cannot write in {root}: {error.strerror}") from error
        with suppress(FileNotFoundError):  # swept by another run before we could lock it
            held = os.open(made, os.O_RDONLY)
            fcntl.flock(held, fcntl.LOCK_EX)
            if made.exists():
                return made, held
            os.close(held)


def _sweep(root: Path) -> None:
    for left in root.glob(f"{MARK}*"):
        with suppress(FileNotFoundError):
            held = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            except BlockingIOError:
                pass  # its maker is alive
            finally:
                os.close(held)
