"""Where environments run, as the platform file says: providers, environments, lasting targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

ProviderKind = Literal["local"]


@dataclass(frozen=True)
class Provisioner:
    """How a provider supplies a type of resource that it does not make itself.

    Attributes:
        kind: Score's type; with a class it counts for that class only.
        outputs: fixed outputs; `{environment}`, `{service}` and `{resource}` are filled.
        command: a program that gets the declaration as JSON on stdin (`action`: provision or
            remove, environment, resource, type, class, id, params, state) and prints JSON:
            `outputs` and the `state` it is given the next time.
        secret: the outputs that are secrets.
    """

    kind: str
    klass: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProviderSettings:
    """One provider of the platform.

    Attributes:
        url: pattern of an environment's URL with `{name}`; empty is the provider's own.
    """

    name: str
    kind: ProviderKind
    url: str = ""
    provisioners: tuple[Provisioner, ...] = ()


@dataclass(frozen=True)
class HealthSettings:
    """When a release counts as live.

    Attributes:
        passes: checks in a row that must pass.
        every: seconds between two.
        deadline: seconds until it counts as failed.
        prometheus: base URL of a Prometheus; with `query` (PromQL), which must give a value that
            is true (not 0, not empty) as well.
    """

    passes: int = 3
    every: float = 0.3
    deadline: float = 300.0
    prometheus: str = ""
    query: str = ""


@dataclass(frozen=True)
class Freeze:
    """A time in which nothing is deployed: days or ISO times `[begin, end)`, in UTC."""

    begin: str
    end: str
    why: str = ""


@dataclass(frozen=True)
class Target:
    """A lasting environment that services are deployed to.

    Attributes:
        after: the target whose live artefact is promoted to this one; empty: built anew.
        checks: the commit's checks on the forge must be green.
        clean: the work tree must be clean and its commit pushed.
        approval: deployments of services of these tiers need approval.
    """

    name: str
    provider: str
    after: str = ""
    strategy: Literal["rolling", "blue-green"] = "rolling"
    production: bool = False
    checks: bool = False
    clean: bool = True
    approval: tuple[str, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    health: HealthSettings = field(default_factory=HealthSettings)


@dataclass(frozen=True)
class Running:
    """All of it; the embedded default is one local provider.

    Attributes:
        provider: the one of `idp env up` without `--provider`.
        ttl_hours: how long an environment lives if nobody extends it.
        idle_hours: since its last deployment or its pull request's last commit; 0 never idles.
        authors: authors of pull requests who get no environment, such as bots.
        targets: of `idp deploy`; the first is its default.
    """

    providers: Mapping[str, ProviderSettings] = field(
        default_factory=lambda: {"local": ProviderSettings("local", "local")}
    )
    provider: str = "local"
    ttl_hours: int = 72
    idle_hours: int = 48
    authors: tuple[str, ...] = ()
    health: HealthSettings = field(default_factory=HealthSettings)
    targets: Mapping[str, Target] = field(
        default_factory=lambda: {"local": Target("local", "local", clean=False)}
    )


def running(data: Mapping[str, Any]) -> Running:
    """Return where environments run, from the sections of a validated platform file.

    Without `providers` there is the local one, and without `deploy` it is the only target.
    """
    default, said = Running(), data["environments"]
    providers = {name: _provider(name, one) for name, one in data["providers"].items()}
    providers = providers or dict(default.providers)
    targets = {name: _target(name, one) for name, one in data["deploy"].items()}
    if not targets and providers == default.providers:
        targets = dict(default.targets)
    return Running(
        providers=providers,
        provider=said["provider"] or next(iter(providers)),
        ttl_hours=said["ttl_hours"],
        idle_hours=said["idle_hours"],
        authors=tuple(said["authors"]),
        health=HealthSettings(**said["health"]),
        targets=targets,
    )


def _provider(name: str, said: Mapping[str, Any]) -> ProviderSettings:
    provisioners = tuple(_provisioner(one) for one in said["provisioners"])
    return ProviderSettings(name, said["kind"], said["url"], provisioners)


def _provisioner(said: Mapping[str, Any]) -> Provisioner:
    command, secret = tuple(said["command"]), tuple(said["secret"])
    kind, _, klass = said["type"].partition("/")
    return Provisioner(kind, klass, said["outputs"], command, secret)


def _target(name: str, said: Mapping[str, Any]) -> Target:
    freezes = tuple(Freeze(**one) for one in said["freezes"])
    health = HealthSettings(**said["health"])
    others = {"approval": tuple(said["approval"]), "freezes": freezes, "health": health}
    return Target(**{**said, "name": name, **others})


def sections(what: Running) -> dict[str, Any]:
    """Return it as the sections of the platform file are, for showing."""
    said = asdict(what)
    targets, providers = said.pop("targets"), said.pop("providers")
    return {"providers": providers, "environments": said, "deploy": targets}


def moment(written: str) -> datetime:
    """Return when a day or an ISO time begins, in UTC where it names no zone.

    Raises:
        ValueError, OverflowError: it is none.
    """
    found = datetime.fromisoformat(written)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
