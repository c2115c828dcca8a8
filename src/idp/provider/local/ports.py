"""Ports of this machine: drawn free, kept for as long as their environment is there."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from idp.daemon import locked
from idp.errors import RemoteFailed
from idp.provider.local.state import read_json, replace

FIRST, LAST = 20000, 32000
"""Below those that systems give to connections that go out: one of these could be in our way."""

TRIES = 500


class Ports:
    """Who has which port, in one file for all environments."""

    def __init__(self, folder: Path, is_there: Callable[[str], bool]) -> None:
        self.file = folder / "ports.json"
        self.lock = folder / "ports.lock"
        self.is_there = is_there

    def draw(self, name: str, count: int) -> list[int]:
        """Return free ports for an environment.

        Raises:
            RemoteFailed: there is no free port.
        """
        with locked(self.lock):
            taken = {p: n for p, n in read_json(self.file).items() if self.is_there(n)}
            found: list[int] = []
            for _ in range(TRIES):
                if len(found) == count:
                    break
                port = random.randint(FIRST, LAST)
                if str(port) not in taken and is_free(port):
                    taken[str(port)] = name
                    found.append(port)
            if len(found) < count:
                what = f"no free port between {FIRST} and {LAST}"
                raise RemoteFailed(what, hint="take environments down: idp env list")
            replace(self.file, json.dumps(taken).encode())
            return found

    def give_back(self, ports: set[int]) -> None:
        """Let others have these."""
        with locked(self.lock):
            taken = read_json(self.file)
            left = {port: name for port, name in taken.items() if int(port) not in ports}
            if left != taken:
                replace(self.file, json.dumps(left).encode())

    def of(self, name: str) -> set[int]:
        """Return what an environment has drawn."""
        return {int(port) for port, owner in read_json(self.file).items() if owner == name}


def is_free(port: int) -> bool:
    """Tell whether nobody listens there."""
    with suppress(OSError):
        listening(port).close()
        return True
    return False


def listening(port: int) -> socket.socket:
    """Return a socket that listens on a port of this machine alone.

    Raises:
        OSError: somebody else does.
    """
    made = socket.socket()
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("127.0.0.1", port))
        made.listen(1024)
    except OSError:
        made.close()
        raise
    return made
