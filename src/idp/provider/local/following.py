"""What the programs of an environment wrote, and what they write."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from idp.errors import NotFound
from idp.provider.local import looking, state

PAUSE = 0.1


class Reading:
    """A log that is read on, over its being emptied or replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.at = path.stat().st_size if path.exists() else 0
        self.rest = b""

    def more(self) -> list[str]:
        """Return the lines written since; one that is not whole yet is kept for the next time."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            if file.seek(0, 2) < self.at:
                self.at = 0
            file.seek(self.at)
            new = file.read()
            self.at += len(new)
            *lines, self.rest = (self.rest + new).split(b"\n")
            return [line.decode(errors="replace") for line in lines]
        return []


def lines_of(folder: Path, name: str, follow: bool, lines: int, container: str) -> Iterator[str]:
    """Yield the last lines of an environment's containers, and those to come if it follows.

    With several containers each line begins with its container.

    Raises:
        NotFound: no such environment or container.
    """
    kept = state.read(folder)
    if kept is None:
        raise NotFound(f"no environment called {name}", hint="idp env list")
    readings: dict[Path, Reading] = {}
    for path, label in _logs(folder, kept.current, container).items():
        readings[path] = Reading(path)
        yield from (f"{label}{line}" for line in looking.tail(path, lines))
    while follow and (kept := state.read(folder)):
        for path, label in _logs(folder, kept.current, container).items():
            if path not in readings:
                readings[path] = Reading(path)
                readings[path].at = 0
            yield from (f"{label}{line}" for line in readings[path].more())
        time.sleep(PAUSE)


def _logs(folder: Path, release: str, container: str) -> dict[Path, str]:
    """Return the logs to read, each with what its lines begin with."""
    kept = state.read(folder)
    unit = kept.units.get(release) if kept else None
    names = list(unit.looks) if unit else []
    if container and unit and container not in names:
        raise NotFound(f"there is no container {container!r}", hint=", ".join(names))
    place = folder / "units" / release
    wanted = [container] if container else names
    return {place / f"{one}.log": f"{one} | " if len(wanted) > 1 else "" for one in wanted}
