"""From a release to what its supervisor is told: programs, variables, ports, looks at readiness."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp.errors import InvalidInput
from idp.provider.base import Release
from idp.provider.local import processes, resources
from idp.provider.local.resources import Server, Supplied
from idp.provider.local.state import Look, Unit
from idp.provider.variables import variables
from idp.workload.model import OWN, Check, Container, File, Mount, Workload
from idp.workload.placeholders import filled

RUN = "idp.dev/run"
GRACE = 10
"""Seconds that a program has to end by itself."""

MAIN = "main"
PLAIN = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*")


@dataclass(frozen=True)
class Draft:
    """A release that is about to run: where, and with what.

    Attributes:
        folder: its unit's folder.
        files: the folder in which it runs.
        ports: drawn for the workload's ports, by their names.
        token: of the environment.
        env: what every program is given.
    """

    release: Release
    folder: Path
    files: Path
    ports: Mapping[str, int]
    supplied: Supplied
    token: str
    env: Mapping[str, str]

    @property
    def workload(self) -> Workload:
        """The workload, filled."""
        return filled(self.release.workload, self.supplied.outputs)


def command_of(workload: Workload, container: Container) -> str:
    """Return how a container is run on a host.

    Raises:
        InvalidInput: the workload does not say.
    """
    own = [one for one in workload.containers if one.image == OWN] or list(workload.containers)
    if command := container.run or (workload.run if container.name == own[0].name else ""):
        return command
    what = f"containers.{container.name}: the local provider runs no images"
    mend = f"say how it is run on a host: metadata.annotations, {RUN}.{container.name}"
    raise InvalidInput(what, hint=mend)


def check(workload: Workload) -> None:
    """Raise where a workload asks for what cannot be had on a host.

    Raises:
        InvalidInput: each such place, with its mend.
    """
    for container in workload.containers:
        if not PLAIN.fullmatch(container.name):
            raise InvalidInput(f"containers: {container.name!r} is no name: a-z, 0-9 and -")
        command_of(workload, container)
        for name, state in container.before.items():
            if state == "healthy":
                what = f"containers.{container.name}.before.{name}: the local provider knows"
                raise InvalidInput(f"{what} started and complete, not healthy")
        for probe in (container.readiness,):
            _look(workload, probe, {port.name: port.port for port in workload.ports})
    if any(port.protocol == "UDP" for port in workload.ports[:1]):
        raise InvalidInput(
            f"service.ports.{workload.ports[0].name}: the first port must be TCP",
            hint="the environment's URL leads there; put it first",
        )


def _look(workload: Workload, probe: Check | None, ports: Mapping[str, int]) -> Look:
    if probe is None:
        return Look()
    if probe.http is None:
        return Look(command=probe.command)
    get = probe.http
    here = [ports[one.name] for one in workload.ports if get.port in (one.target, one.port)]
    if not here:
        raise InvalidInput(
            f"the readiness probe asks port {get.port}, which service.ports does not publish",
            hint="publish it: each published port is given a free one on this machine",
        )
    return Look(get.path, here[0], get.scheme, get.host, dict(get.headers))


def unit(draft: Draft) -> Unit:
    """Return what is kept of a release."""
    workload, release = draft.workload, draft.release
    first = workload.ports[0].name if workload.ports else ""
    return Unit(
        release.id,
        release.previous,
        release.artefact,
        draft.ports[first] if first else 0,
        _routes(workload, draft.ports),
        {one.name: _look(workload, one.readiness, draft.ports) for one in workload.containers},
        tuple(draft.ports.values()),
        tuple(f"{server.kind}-{server.port}" for server in draft.supplied.servers),
    )


def _routes(workload: Workload, ports: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    found: list[tuple[str, int]] = []
    for one in workload.resources:
        if one.kind == "route" and (wanted := one.params.get("port")) is not None:
            by = {str(port.port): port.name for port in workload.ports}
            by |= {port.name: port.name for port in workload.ports}
            if str(wanted) not in by:
                raise InvalidInput(
                    f"resources.{one.name}.params.port: service.ports has no {wanted}",
                    hint=f"it has {', '.join(by) or 'none'}",
                )
            found.append((str(one.params.get("path", "/")), ports[by[str(wanted)]]))
    return tuple(sorted(found, key=lambda route: -len(route[0])))


def overlaps(workload: Workload) -> bool:
    """Tell whether two releases can run at once: one port, and no folder that both write to."""
    volumes = [one for one in workload.resources if one.kind == "volume"]
    return len(workload.ports) == 1 and not volumes


def order(draft: Draft, behind: list[str], needs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the supervisor of a release is told.

    Args:
        behind: folders of releases that must have ended before.
    """
    programs = {one.name: _program(draft, one) for one in draft.workload.containers}
    for container in draft.workload.containers:
        for later, state in container.before.items():
            programs[later]["after"][container.name] = state
            programs[container.name]["ends"] |= state == "complete"
    return {
        "behind": behind,
        "grace": GRACE,
        "needs": needs,
        "prepare": [],
        "wipe": "",
        "programs": programs,
    }


def _program(draft: Draft, container: Container) -> dict[str, Any]:
    release = draft.release
    workload = draft.workload
    moved = _laid(draft, container)
    env = dict(draft.env)
    env |= {
        name: _moved(value, moved)
        for name, value in variables(release, container.name, draft.supplied.outputs).items()
    }
    env |= {"BIND_ADDRESS": "127.0.0.1"}
    if workload.ports:
        env["PORT"] = str(draft.ports[workload.ports[0].name])
    for port in workload.ports if len(workload.ports) > 1 else ():
        env[f"PORT_{_variable(port.name)}"] = str(draft.ports[port.name])
    env |= processes.marks(release.environment, draft.token, draft.folder)
    words = command_of(release.workload, container)
    for target, here in moved.items():
        words = words.replace(target, shlex.quote(here)) if target in words.split() else words
    return {
        "argv": ["/bin/sh", "-c", words],
        "cwd": str(draft.files),
        "env": env,
        "after": {},
        "ends": False,
    }


def _variable(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()


def _moved(value: str, moved: Mapping[str, str]) -> str:
    """Return a variable with the path of a file or volume as it is on this machine."""
    for target, here in moved.items():
        if value == target or value.startswith(f"{target.rstrip('/')}/"):
            return here + value[len(target.rstrip("/")) :]
    return value


def _laid(draft: Draft, container: Container) -> dict[str, str]:
    """Lay a container's files and volumes into the unit's folder; return where each target is."""
    root = draft.folder / "files" / container.name
    moved = {file.target: str(_lay(root, file, draft)) for file in container.files}
    for mount in container.mounts:
        moved[mount.target] = str(_mounted(mount, draft, container))
    return dict(sorted(moved.items(), key=lambda pair: -len(pair[0])))


def _lay(root: Path, file: File, draft: Draft) -> Path:
    place = root / Path(file.target.lstrip("/"))
    if ".." in place.parts:
        raise InvalidInput(f"files: {file.target} leads out of its folder")
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = file.data if file.data is not None else (file.text or "").encode()
    if file.source:
        source = (draft.files / file.source).resolve()
        if not source.is_relative_to(draft.files.resolve()) or not source.is_file():
            raise InvalidInput(f"files: {file.target}: there is no {file.source}")
        content = source.read_bytes()
    place.touch(mode=0o600)
    place.write_bytes(content)
    place.chmod(int(file.mode, 8) if file.mode else 0o600)
    return place


def _mounted(mount: Mount, draft: Draft, container: Container) -> Path:
    folder = draft.supplied.folders.get(mount.source, mount.source)
    if folder not in draft.supplied.folders.values():
        raise InvalidInput(
            f"containers.{container.name}.volumes: {mount.source!r} is no volume of this workload",
            hint="declare it under resources with type volume",
        )
    place = Path(folder) / mount.path.lstrip("/")
    if ".." in place.parts:
        raise InvalidInput(f"volumes: {mount.path} leads out of its folder")
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def server_order(server: Server, env: Mapping[str, str]) -> dict[str, Any]:
    """Return what the supervisor of a resource's server is told."""
    common = {"cwd": server.cwd, "env": dict(env), "user": server.user}
    steps = [{**common, "argv": step.argv, "stdin": step.stdin} for step in server.steps]
    return {
        "behind": [],
        "grace": GRACE,
        "needs": [],
        "prepare": steps,
        "wipe": server.wipe,
        "programs": {MAIN: {**common, "argv": server.argv, "after": {}, "ends": False}},
    }


def needed(supplied: Supplied) -> list[dict[str, Any]]:
    """Return how to tell that the servers of a release answer."""
    return [resources.told(server) for server in supplied.servers]
