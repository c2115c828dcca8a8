"""The local provider in a folder of the test's own, with tiny services that really run."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from idp.config.running import Provisioner
from idp.provider.base import Observed, Release, Source
from idp.provider.local.provider import Local
from idp.workload.model import Check, Container, HttpGet, Port, Resource, Workload
from tests.clock import FakeClock
from tests.provider.waiting import until

SERVICE = Path(__file__).with_name("service.py")
PYTHON = f"exec {sys.executable} -S service.py"


def workload(
    run: str = PYTHON,
    *,
    build: str = "",
    variables: Mapping[str, str] | None = None,
    resources: Sequence[Resource] = (),
    ports: tuple[Port, ...] = (Port("http", 8080, 8080),),
    readiness: Check | None = Check(HttpGet("/readyz", 8080)),  # noqa: B008 - frozen
) -> Workload:
    main = Container("main", ".", variables=variables or {}, readiness=readiness)
    return Workload("shop", (main,), ports, tuple(resources), build=build, run=run)


@dataclass
class LocalWorld:
    """The provider; `made` names the trees that were built."""

    folder: Path
    provisioners: tuple[Provisioner, ...] = ()
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        environ = {**os.environ, "SECRET_OF_THE_SHELL": "do not leak"}
        self.provider = Local(self.folder, environ, self.clock.now, self.provisioners)

    def workload(self) -> Workload:
        return workload()

    def demanding(self) -> Workload:
        data = Resource("data", "volume")
        return workload(variables={"DATA": "${resources.data.source}"}, resources=[data])

    def broken(self) -> Workload:
        return workload("echo 'no such table: users'; exit 3")

    def impossible(self) -> Workload:
        return workload(resources=[Resource("tea", "teapot")])

    def export(self, folder: Path) -> None:
        (folder / "service.py").write_text(SERVICE.read_text())

    def source(self, tree: str = "e" * 40) -> Source:
        return Source(tree, "c" * 40, dirty=False, export=self.export)

    def build(self, release: Release) -> Release:
        artefact = self.provider.build(release, self.source(), lambda _: None)
        return replace(release, artefact=artefact)

    def until(self, name: str, state: str) -> Observed:
        seen: list[Observed | None] = []

        def look() -> Observed | None:
            seen.append(self.provider.observe(name))
            return seen[-1] if seen[-1] and seen[-1].state == state else None

        try:
            found = until(look, f"{name} is not {state}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen[-1]}") from None
        assert found
        return found

    def until_gone(self, name: str) -> None:
        until(lambda: self.provider.observe(name) is None, f"{name} is still there")

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Return all processes that carry the mark of an environment here."""
        mark = f"{self.folder}/environments/{name}"
        return [one for one in psutil.process_iter() if _carries(one, mark)]

    def left(self, name: str) -> list[str]:
        folder = self.folder / "environments" / name
        found = [f"process {one.pid}" for one in self.processes(name)]
        return found + [str(path) for path in (folder,) if path.exists()]


def _carries(process: psutil.Process, mark: str) -> bool:
    try:
        words = Path(f"/proc/{process.pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return False
    return any(word.startswith(f"IDP_ENVIRONMENT_UNIT={mark}") for word in words)


def listens(port: int) -> bool:
    """Tell whether something listens on a port of this machine."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
