"""Waiting for real things, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE = 20.0


def until(look: Callable[[], T], what: str, patience: float = PATIENCE) -> T:
    """Return the first look that is true; fail after a time, with the last one."""
    give_up = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < give_up, f"{what}: {found!r}"
        time.sleep(0.02)
    return found
