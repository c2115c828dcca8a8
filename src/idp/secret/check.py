"""Which secrets of a workload are missing, stale, or used by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from idp.config.guardrails import SecretSettings
from idp.errors import NotFound
from idp.secret.base import Backend, Secret, path_of
from idp.secret.score import Needed, Workload, keys_of


@dataclass(frozen=True)
class Lack:
    """Something amiss with a secret.

    Attributes:
        kind: `missing` (no such secret, value or key), `stale` (too old, or past its end), or
            `unused` (it is there, and the workload does not name it; or the other way about).
        secret: its path.
        at: FILE:LINE of what names it; empty where nothing does.
    """

    kind: Literal["missing", "stale", "unused"]
    secret: str
    message: str
    hint: str
    at: str = ""


def check(
    workload: Workload,
    backend: Backend,
    settings: SecretSettings,
    service: str,
    environment: str,
    now: datetime,
) -> tuple[Lack, ...]:
    """Return what is amiss with the secrets of a service in an environment, as listed."""
    named = {path_of(settings.path, service, environment, one.name): one for one in workload.needed}
    who = f"--service {service} --env {environment}"
    found = [
        lack
        for path, one in named.items()
        for lack in _of(path, one, backend, settings, now, f"{workload.file}:", who)
    ]
    return (*found, *_left_over(backend, settings, service, environment, set(named), who))


def _of(
    path: str,
    needed: Needed,
    backend: Backend,
    settings: SecretSettings,
    now: datetime,
    file: str,
    who: str,
) -> Iterator[Lack]:
    at = f"{file}{needed.line}"
    if not needed.keys:
        yield Lack("unused", path, "no placeholder uses it", f"take {needed.resource} out", at)
    try:
        secret = backend.show(path)
    except NotFound:
        hint = f"idp secret request {needed.name} {who} --why …"
        yield Lack("missing", path, f"there is no such secret at {backend.place}", hint, at)
        return
    rotate = f"idp secret rotate {needed.name} {who}"
    if secret.state != "present":
        what = "it has no value yet" if secret.state == "empty" else "its value was deleted"
        yield Lack("missing", path, what, rotate, at)
        return
    # Whoever may not see the names of the keys sees none.
    for key in keys_of(needed) if secret.keys and needed.keys else ():
        if key not in secret.keys:
            there = ", ".join(secret.keys)
            place = f"{file}{needed.keys[key]}"
            yield Lack("missing", path, f"it has no key {key!r}", f"it has: {there}", place)
    if secret.is_stale(now, settings.max_age_days):
        yield Lack("stale", path, _age(secret, settings, now), rotate, at)


def _age(secret: Secret, settings: SecretSettings, now: datetime) -> str:
    until = secret.about.expires_at
    if until and now >= until:
        return f"it expired on {until:%Y-%m-%d}"
    written = secret.written_at or now
    return f"it is {(now - written).days} days old, at most {settings.max_age_days} are allowed"


def _left_over(
    backend: Backend,
    settings: SecretSettings,
    service: str,
    environment: str,
    named: set[str],
    who: str,
) -> Iterator[Lack]:
    for secret in of_service(backend, settings, service, environment):
        if secret.path not in named:
            hint = f"idp secret revoke {secret.about.name} {who}"
            yield Lack("unused", secret.path, "the workload does not name it", hint)


def of_service(
    backend: Backend, settings: SecretSettings, service: str, environment: str
) -> Iterator[Secret]:
    """Yield the secrets of a service in an environment, sorted by path, without keys."""
    folder = settings.path.partition("{name}")[0].rpartition("/")[0]
    prefix = folder.format(service=service, environment=environment)
    for secret in backend.list(prefix):
        told = secret.about
        is_its_own = told.service in ("", service) and told.environment in ("", environment)
        if is_its_own and secret.path == path_of(settings.path, service, environment, told.name):
            yield secret
