"""Which fields of a workload somebody acts on: what is left is told, never passed over."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from idp.catalog.problem import KeyPath, written
from idp.workload.model import Amounts, Check, Container, Workload

FIELDS = (
    "service.ports",
    "service.ports.protocol",
    "containers.image",
    "containers.command",
    "containers.args",
    "containers.variables",
    "containers.files",
    "containers.files.mode",
    "containers.volumes",
    "containers.volumes.path",
    "containers.volumes.readOnly",
    "containers.resources.requests",
    "containers.resources.limits",
    "containers.livenessProbe.httpGet",
    "containers.livenessProbe.exec",
    "containers.readinessProbe.httpGet",
    "containers.readinessProbe.exec",
    "containers.before",
)
"""The names by which a provider says what it acts on.

`service.ports.protocol` is UDP, `containers.image` any but the service's own.
"""


def unused(workload: Workload, known: Collection[str]) -> list[str]:
    """Return the paths of fields that a workload has and a provider does not act on.

    Args:
        known: of FIELDS, those that it acts on.
    """
    found = [written(path) for name, path in _said(workload) if name not in known]
    return [*dict.fromkeys(found), *workload.extra]


def _said(workload: Workload) -> Iterator[tuple[str, KeyPath]]:
    """Yield what a workload says: the field's name, and its path in the file."""
    for port in workload.ports:
        yield "service.ports", ("service", "ports", port.name)
        if port.protocol != "TCP":
            yield "service.ports.protocol", ("service", "ports", port.name, "protocol")
    for container in workload.containers:
        for path in _in_container(container):
            name = ".".join(str(part) for part in path if str(part)[:1] != "/")
            yield f"containers.{name}", ("containers", container.name, *path)


def _in_container(container: Container) -> Iterator[KeyPath]:
    if container.image != ".":
        yield ("image",)
    for name in ("command", "args", "variables", "before"):
        if getattr(container, name):
            yield (name,)
    yield from _mounted(container)
    for name in ("requests", "limits"):
        if getattr(container, name) != Amounts():
            yield ("resources", name)
    yield from _in_probe("livenessProbe", container.liveness)
    yield from _in_probe("readinessProbe", container.readiness)


def _mounted(container: Container) -> Iterator[KeyPath]:
    for file in container.files:
        yield ("files", file.target)
        if file.mode:
            yield ("files", file.target, "mode")
    for mount in container.mounts:
        yield ("volumes", mount.target)
        if mount.path:
            yield ("volumes", mount.target, "path")
        if mount.read_only:
            yield ("volumes", mount.target, "readOnly")


def _in_probe(name: str, check: Check | None) -> Iterator[KeyPath]:
    if check and check.http:
        yield (name, "httpGet")
    if check and check.command:
        yield (name, "exec")
