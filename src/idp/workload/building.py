"""A Workload from the data of a score.yaml that is right."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from idp.catalog.problem import written
from idp.workload.model import (
    Amounts,
    Check,
    Container,
    File,
    HttpGet,
    Mount,
    Port,
    Resource,
    Workload,
)
from idp.workload.quantity import quantity

PREFIX = "idp.dev/"
BUILD, RUN, MANIFESTS = PREFIX + "build", PREFIX + "run", PREFIX + "manifests"

Data = Mapping[str, Any]


def built(data: Data) -> Workload:
    """Return the workload that a score.yaml describes."""
    annotations: dict[str, str] = data["metadata"].get("annotations", {})
    containers = data["containers"]
    alone = annotations.get(RUN, "").strip() if len(containers) == 1 else ""
    runs = {name: annotations.get(f"{RUN}.{name}", "").strip() or alone for name in containers}
    return Workload(
        name=data["metadata"]["name"],
        containers=tuple(_container(name, one, runs[name]) for name, one in containers.items()),
        ports=tuple(
            _port(name, one) for name, one in data.get("service", {}).get("ports", {}).items()
        ),
        resources=tuple(_resource(name, one) for name, one in data.get("resources", {}).items()),
        annotations=annotations,
        build=annotations.get(BUILD, "").strip(),
        run=annotations.get(RUN, "").strip(),
        manifests=annotations.get(MANIFESTS, "").strip(),
        extra=tuple(_extra(data, annotations)),
    )


def _port(name: str, said: Data) -> Port:
    port = int(said["port"])
    return Port(name, port, int(said.get("targetPort", port)), said.get("protocol", "TCP"))


def _resource(name: str, said: Data) -> Resource:
    klass, ident = said.get("class", ""), said.get("id", "")
    return Resource(name, said["type"], klass, ident, said.get("params", {}))


def _container(name: str, said: Data, run: str) -> Container:
    amounts = said.get("resources", {})
    return Container(
        name=name,
        image=said["image"],
        command=tuple(said.get("command", ())),
        args=tuple(said.get("args", ())),
        variables=said.get("variables", {}),
        files=tuple(_file(target, one) for target, one in by_target(said.get("files", {}))),
        mounts=tuple(_mount(target, one) for target, one in by_target(said.get("volumes", {}))),
        requests=_amounts(amounts.get("requests", {})),
        limits=_amounts(amounts.get("limits", {})),
        liveness=_check(said.get("livenessProbe")),
        readiness=_check(said.get("readinessProbe")),
        before={other: one["ready"] for other, one in said.get("before", {}).items()},
        run=run,
    )


def by_target(said: Any) -> Iterator[tuple[str, Data]]:
    """Yield files or volumes with their targets, whether they are a mapping or a list."""
    if isinstance(said, list):
        yield from ((one.get("target", ""), one) for one in said)
    else:
        yield from said.items()


def _file(target: str, said: Data) -> File:
    data = said.get("binaryContent")
    return File(
        target=target,
        mode=said.get("mode", ""),
        text=said.get("content"),
        data=None if data is None else base64.b64decode(data),
        source=said.get("source", ""),
        expand=not said.get("noExpand", False),
    )


def _mount(target: str, said: Data) -> Mount:
    return Mount(target, said["source"], said.get("path", ""), said.get("readOnly", False))


def _amounts(said: Data) -> Amounts:
    return Amounts(quantity(said.get("cpu", "")), quantity(said.get("memory", "")))


def _check(said: Data | None) -> Check | None:
    if said is None:
        return None
    get = said.get("httpGet")
    return Check(_http(get) if get else None, tuple(said.get("exec", {}).get("command", ())))


def _http(said: Data) -> HttpGet:
    path = said["path"]
    return HttpGet(
        path=path if path.startswith("/") else f"/{path}",
        port=int(said["port"]),
        scheme=said.get("scheme", "HTTP"),
        host=said.get("host", ""),
        headers={one["name"]: one["value"] for one in said.get("httpHeaders", ())},
    )


def _extra(data: Data, annotations: Data) -> Iterator[str]:
    """Yield the paths of fields that no provider acts on; annotations are others' to read."""
    for key in data["metadata"]:
        if key not in ("name", "annotations"):
            yield written(("metadata", key))
    for key in annotations:
        word = key.removeprefix(PREFIX).partition(".")[0]
        ours = ("build", "run", "manifests")
        if key.startswith(PREFIX) and word not in ours and get_close_matches(word, ours, 1):
            yield written(("metadata", "annotations", key))
    for name, one in data.get("resources", {}).items():
        if "metadata" in one:
            yield written(("resources", name, "metadata"))
