"""Starting a release in its environment: what it needs, itself, and the front before it."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from idp import daemon
from idp.provider.base import Release
from idp.provider.document import from_json, to_json
from idp.provider.local import looking, orders, ports, processes, state
from idp.provider.local.artefacts import Artefacts
from idp.provider.local.orders import Draft
from idp.provider.local.ports import Ports
from idp.provider.local.resources import Server, Supplied, Supplier
from idp.provider.local.state import Kept, Place, Unit

RUNNER = "idp.provider.local.runner"
FRONT = "idp.provider.local.front"
GRACE = 1.0
"""Seconds that what lost its supervisor has to end by itself."""


@dataclass(frozen=True)
class Tools:
    """What starting a release takes beside the release.

    Attributes:
        base: what every process is given of the user's environment.
        supplier: makes what makes the resources, of an environment.
    """

    place: Place
    ports: Ports
    base: Mapping[str, str]
    supplier: Callable[[Kept], Supplier]


class Applying:
    """One release on its way into its environment, under the environment's lock."""

    def __init__(self, tools: Tools, release: Release, kept: Kept) -> None:
        self.tools = tools
        self.release = release
        self.kept = kept
        self.folder = tools.place.of(kept.name)

    def run(self) -> None:
        """Make it so; what runs already is left as it is."""
        if self.release.workload.ports and not self.kept.port:
            self._write(port=self._draw(1)[0])
        supplied = self.tools.supplier(self.kept).supply(self.release)
        is_running = self._runs_already()
        draft = None if is_running else self._draft(supplied)
        for server in supplied.servers:
            self._serve(server)
        if draft is None:
            self._recall()
        else:
            self._start(draft)
        self._front()
        self._tidy()
        looking.poke(self.folder)

    def _write(self, **changes: Any) -> None:
        self.kept = replace(self.kept, **changes)
        state.write(self.folder, self.kept)

    def _draw(self, count: int) -> list[int]:
        return self.tools.ports.draw(self.kept.name, count)

    def _unit(self, release: str) -> Path:
        return self.folder / "units" / release

    def _document(self, release: str) -> Path:
        return self.folder / "releases" / f"{release}.json"

    def _is_alive(self, release: str) -> bool:
        return bool(release) and looking.is_alive(self._unit(release))

    def _runs_already(self) -> bool:
        """Tell whether this very release runs and may go on."""
        wanted = self.release.id
        if wanted not in self.kept.units or wanted in self.kept.leaving:
            return False
        with suppress(FileNotFoundError):
            stored = from_json(self._document(wanted).read_text())
            return self._is_alive(wanted) and _runs_as(stored, self.release)
        return False

    def _recall(self) -> None:
        """Give the traffic to a release that runs already, and end the one that had it."""
        kept, wanted = self.kept, self.release.id
        self._note()
        if kept.current != wanted and not (kept.next == wanted and self._is_blue_green()):
            others = [one for one in (kept.current, kept.next) if one and one != wanted]
            self._write(current=wanted, next="", fallback="")
            self._leave(others)

    def _is_blue_green(self) -> bool:
        return self.release.strategy == "blue-green" and bool(self.release.workload.ports)

    def _note(self, unit: Unit | None = None) -> None:
        """Keep the release, whole, with what is known of its ports."""
        state.replace(self._document(self.release.id), to_json(self.release).encode())
        known = unit or replace(self.kept.units[self.release.id], previous=self.release.previous)
        self._write(units={**self.kept.units, known.id: known})

    def _draft(self, supplied: Supplied) -> Draft:
        """Work out how it is run; nothing of the present release is touched by then."""
        release = self.release
        place = self._unit(release.id)
        self._end(release.id)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        names = [port.name for port in release.workload.ports]
        files = self.folder
        if release.artefact:
            files = Artefacts(self.tools.place.artefacts).files(release.artefact)
        drawn = dict(zip(names, self._draw(len(names)), strict=True))
        env = self.tools.base
        return Draft(release, place, files, drawn, supplied, self.kept.token, env)

    def _end(self, release: str) -> None:
        """End what a release has left of itself, at once."""
        place = self._unit(release)
        if place.exists():
            looking.supervisor(place).send(signal.SIGKILL)
            processes.end(place, GRACE)

    def _start(self, draft: Draft) -> None:
        wanted, kept = self.release.id, self.kept
        answering = self._answering()
        others = {kept.current, kept.next, kept.fallback} - {wanted, ""}
        changes: dict[str, str] = {"current": wanted, "next": "", "fallback": ""}
        behind: set[str] = set()
        if answering and self._is_blue_green():
            changes = {"current": answering, "next": wanted, "fallback": ""}
            others -= {answering}
        elif answering and orders.overlaps(self.release.workload):
            changes["fallback"] = answering
            others -= {answering}
        else:
            behind = {one for one in (*others, *kept.leaving) if self._is_alive(one)}
        unit = orders.unit(draft)
        folders = [str(self._unit(one)) for one in sorted(behind - {wanted})]
        order = orders.order(draft, folders, orders.needed(draft.supplied))
        self._note(unit)
        leaving = tuple(one for one in kept.leaving if one != wanted)
        self._write(**changes, leaving=leaving)
        self._spawn(draft.folder, order)
        self._leave(sorted(others))

    def _answering(self) -> str:
        """Return the release that answers requests now; "" where none does."""
        kept = self.kept
        told = looking.asked(kept).get("release") if kept.fallback else ""
        for one in (told, kept.current, kept.fallback):
            if one and one != self.release.id and self._is_alive(one):
                return str(one)
        return ""

    def _leave(self, releases: list[str]) -> None:
        """Let releases end: by the front when their requests are answered, else at once."""
        self._write(leaving=tuple(dict.fromkeys((*self.kept.leaving, *releases))))
        for one in releases:
            if not looking.is_alive(self._unit(one)):
                self._end(one)
            elif not looking.is_alive(self.folder / "front"):
                looking.supervisor(self._unit(one)).send(signal.SIGTERM)

    def _spawn(self, folder: Path, order: Mapping[str, Any]) -> None:
        daemon.spawn(
            RUNNER,
            [str(folder)],
            cwd=folder,
            env=self._env(folder),
            log=folder / state.LOG,
            given=json.dumps(order).encode(),
        )

    def _env(self, folder: Path) -> dict[str, str]:
        return {**self.tools.base, **processes.marks(self.kept.name, self.kept.token, folder)}

    def _serve(self, server: Server) -> None:
        """Start a resource's server, unless it runs."""
        folder = self.folder / "servers" / f"{server.kind}-{server.port}"
        if looking.is_alive(folder):
            return
        folder.mkdir(exist_ok=True, mode=0o700)
        processes.end(folder, GRACE)
        (folder / state.RUNNER).unlink(missing_ok=True)
        self._spawn(folder, orders.server_order(server, self._env(folder)))

    def _front(self) -> None:
        """Start the front on its port, unless it runs; another port where that one is taken."""
        folder = self.folder / "front"
        if not self.kept.port or looking.is_alive(folder):
            return
        try:
            listening = ports.listening(self.kept.port)
        except OSError:
            self._write(port=self._draw(1)[0])
            listening = ports.listening(self.kept.port)
        with listening:
            handle = listening.fileno()
            daemon.spawn(
                FRONT,
                [str(self.folder), str(handle)],
                cwd=folder,
                env=self._env(folder),
                log=folder / state.LOG,
                passing=[handle],
            )

    def _tidy(self) -> None:
        """Forget releases that are of no use any more, and give their ports back."""
        kept = self.kept
        leaving = tuple(one for one in kept.leaving if self._is_alive(one))
        runs = {kept.current, kept.next, kept.fallback, *leaving} - {""}
        units = {name: unit for name, unit in kept.units.items() if name in runs}
        if (leaving, units.keys()) != (kept.leaving, kept.units.keys()):
            self._write(leaving=leaving, units=units)
        useful = runs | {unit.previous for unit in units.values()}
        for path in self.folder.joinpath("releases").glob("[!.]*.json"):
            if path.stem not in useful:
                path.unlink()
        for path in self.folder.joinpath("units").iterdir():
            if path.name not in useful:
                shutil.rmtree(path, ignore_errors=True)
        self._give_ports_back(units)

    def _give_ports_back(self, units: Mapping[str, Unit]) -> None:
        drawn = self.tools.ports.of(self.kept.name)
        servers = {int(one.name.rpartition("-")[2]) for one in self.folder.glob("servers/*")}
        used = {self.kept.port} | servers | {port for one in units.values() for port in one.ports}
        if drawn - used:
            self.tools.ports.give_back(drawn - used)


def _runs_as(one: Release, other: Release) -> bool:
    """Tell whether two releases run alike: when they were made and expire does not matter."""
    kept = ("id", "environment", "service", "artefact", "workload", "settings")
    return all(getattr(one, name) == getattr(other, name) for name in kept)
