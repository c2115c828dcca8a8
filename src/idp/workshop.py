"""Folders to work in, which go with the command: a killed one's are swept by the next."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from idp.errors import InvalidInput

MARK = ".idp-"
"""How the name of such a folder begins."""


@contextmanager
def workshop(root: Path) -> Iterator[Path]:
    """Give a locked folder below `root`; those of killed runs are removed."""
    _sweep(root)
    # It is named before it is made: wherever Ctrl-C comes between, it goes.
    made = root / f"{MARK}{secrets.token_hex(6)}"
    try:
        with _made(made):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other runs of idp for as long as the block lasts."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder that is locked for as long as the block lasts."""
    with ExitStack() as locks:
        while not folder.exists():  # as it is again where another run swept it before it was locked
            try:
                folder.mkdir(mode=0o700)
            except OSError as error:
                raise InvalidInput(f"cannot write in {folder.parent}: {error.strerror}") from error
            with suppress(FileNotFoundError):
                locks.enter_context(locked(folder))
        yield


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
