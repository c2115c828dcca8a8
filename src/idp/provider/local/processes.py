"""Finding all processes of an environment, wherever they have gone, and ending them.

Each carries a mark in its environment. What has overwritten its own (servers that set their title
do) is known by its session, which a supervisor of ours leads, or by its parent.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from idp.daemon import LOOK

NAME = "IDP_ENVIRONMENT"
TOKEN = "IDP_ENVIRONMENT_TOKEN"
UNIT = "IDP_ENVIRONMENT_UNIT"

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL")
"""What services are given of the environment of whoever starts them."""

HOLD = 5.0
"""Seconds for which what was killed may take to be gone (a process may be stuck in the kernel)."""


def marks(name: str, token: str, unit: Path) -> dict[str, str]:
    """Return the variables that a process carries."""
    return {NAME: name, UNIT: f"{unit}/", TOKEN: token}


def of(under: Path) -> list[psutil.Process]:
    """Return the processes of a unit, or of a whole environment, by its folder; never ourselves."""
    mark = f"{UNIT}={under}/".encode()
    found: dict[int, psutil.Process] = {}
    others: list[tuple[psutil.Process, int, int]] = []
    for process in psutil.process_iter():
        words = _environment(process.pid)
        if words is None:
            continue
        if any(word.startswith(mark) for word in words):
            found[process.pid] = process
        elif not any(word.startswith(b"PATH=") for word in words):
            with suppress(psutil.Error, OSError):
                others.append((process, os.getsid(process.pid), process.ppid()))
    _add_those_without(found, others)
    found.pop(os.getpid(), None)
    return list(found.values())


def _environment(pid: int) -> list[bytes] | None:
    """Return the environment of a process; None where it is not ours to see, or it is gone."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - read for each process
            return file.read().split(b"\0")
    except PermissionError:
        return None
    except OSError:
        pass
    with suppress(psutil.Error, OSError):
        return [f"{k}={v}".encode() for k, v in psutil.Process(pid).environ().items()]
    return None


def _add_those_without(
    found: dict[int, psutil.Process], others: list[tuple[psutil.Process, int, int]]
) -> None:
    """Add what has overwritten its environment, by its session's leader or by its parent."""
    while True:
        more = [one for one in others if one[0].pid not in found and {one[1], one[2]} & set(found)]
        if not more:
            return
        found.update((process.pid, process) for process, _, _ in more)


def end(under: Path, grace: float, also: Collection[psutil.Process] = ()) -> bool:
    """End all processes of a unit or an environment; tell whether none is left.

    Args:
        grace: seconds between asking and killing.
    """
    asked = {*of(under), *also}
    for process in asked:
        _send(process.terminate)
    _gone(asked, grace)
    give_up = time.monotonic() + HOLD
    while left := _alive({*of(under), *asked}):
        if time.monotonic() > give_up:
            return False
        for process in left:
            _send(process.kill)
        _gone(left, LOOK)
    return True


def _send(how: Callable[[], None]) -> None:
    with suppress(psutil.Error):
        how()


def _alive(processes: Collection[psutil.Process]) -> set[psutil.Process]:
    return {process for process in processes if _runs(process)}


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _gone(processes: Collection[psutil.Process], patience: float) -> None:
    give_up = time.monotonic() + patience
    while _alive(processes) and time.monotonic() < give_up:
        time.sleep(LOOK)


def environment_of(pid: int) -> dict[str, str]:
    """Return the variables that a process was started with."""
    pairs: Iterator[tuple[bytes, bytes, bytes]] = (
        word.partition(b"=") for word in _environment(pid) or ()
    )
    return {os.fsdecode(name): os.fsdecode(value) for name, equals, value in pairs if equals}
