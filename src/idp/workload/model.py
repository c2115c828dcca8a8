"""A workload as typed data; placeholders stand in it as they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

Protocol = Literal["TCP", "UDP"]
Scheme = Literal["HTTP", "HTTPS"]

OWN = "."
"""The image that is built from the service's own folder."""


@dataclass(frozen=True)
class Port:
    """A port that the service publishes; `target` is where a container listens."""

    name: str
    port: int
    target: int
    protocol: Protocol = "TCP"


@dataclass(frozen=True)
class HttpGet:
    """A request that shows health: any status from 200 to 399 passes (as Kubernetes has it)."""

    path: str
    port: int
    scheme: Scheme = "HTTP"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """How health is looked for: by a request, or by a command inside."""

    http: HttpGet | None = None
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class File:
    """A file that is laid into a container; one of text, data, source says what it holds.

    Attributes:
        mode: in octal, such as `0600`; empty is the provider's default.
        source: a path, relative to the score.yaml.
        expand: placeholders in its text are filled.
    """

    target: str
    mode: str = ""
    text: str | None = None
    data: bytes | None = None
    source: str = ""
    expand: bool = True


@dataclass(frozen=True)
class Mount:
    """A volume in a container; `source` is the name of a resource, or a placeholder."""

    target: str
    source: str
    path: str = ""
    read_only: bool = False


@dataclass(frozen=True)
class Amounts:
    """CPUs and bytes; None where nothing is said."""

    cpu: Decimal | None = None
    memory: Decimal | None = None


@dataclass(frozen=True)
class Container:
    """One container of a workload; its image is `.` where it is built from the folder.

    Attributes:
        before: names of containers that start after this one, each with the state that this one
            must have reached: started, healthy or complete.
        run: the command that runs it on a host without containers (annotation `idp.dev/run`, or
            `idp.dev/run.NAME` where there are several).
    """

    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    mounts: tuple[Mount, ...] = ()
    requests: Amounts = field(default_factory=Amounts)
    limits: Amounts = field(default_factory=Amounts)
    liveness: Check | None = None
    readiness: Check | None = None
    before: Mapping[str, str] = field(default_factory=dict)
    run: str = ""


@dataclass(frozen=True)
class Resource:
    """Something a workload needs from its platform: a database, a volume, a name.

    Attributes:
        kind: Score's `type`: postgres, redis, dns, route, volume, s3, secret …
        id: workloads that name the same type, class and id share it; empty is this one's own.
    """

    name: str
    kind: str
    klass: str = ""
    id: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """A score.yaml.

    Attributes:
        build: on a host without containers: how it is built (annotation `idp.dev/build`).
        run: and how it is run (annotation `idp.dev/run`).
        manifests: the folder of its own manifests (annotation `idp.dev/manifests`).
        extra: paths of fields in the file that idp acts on nowhere.
    """

    name: str
    containers: tuple[Container, ...]
    ports: tuple[Port, ...] = ()
    resources: tuple[Resource, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    build: str = ""
    run: str = ""
    manifests: str = ""
    extra: tuple[str, ...] = ()
