"""How a service stands to its template: its release, what is newer, and what has drifted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from idp.config.source import parse_source
from idp.releases import Release, Shelf
from idp.scaffold.version import is_stable, newest_first, newest_stable
from idp.service.answers import Service
from idp.service.merging import recorded
from idp.service.renders import Renders


@dataclass(frozen=True)
class Drift:
    """A file that differs from what the recorded release renders."""

    path: str
    state: Literal["modified", "deleted"]


@dataclass(frozen=True)
class Status:
    """Where a service stands.

    Attributes:
        newest: the newest release of the template.
        between: the releases after the recorded one, oldest first.
        deprecated: the template's own words, if it is deprecated.
    """

    template: str
    release: str
    newest: str
    between: tuple[str, ...]
    deprecated: str
    drift: tuple[Drift, ...]


def of(service: Service, shelf: Shelf, renders: Renders, source: str = "") -> Status:
    """Return how a service stands; only the last commit counts."""
    where = parse_source(source or service.answers.template)
    known = shelf.origin(where).versions()
    version = service.answers.version
    newest = newest_stable(known) or version
    latest = shelf.release(replace(where, version=newest))
    now, base, ours = recorded(service, shelf, renders, source)
    drift = tuple(
        Drift(path, "modified" if path in ours else "deleted")
        for path in sorted(base)
        if base[path] != ours.get(path) and path != service.answers_file
    )
    return Status(
        now.template, version, newest, _between(known, version), _deprecated(latest), drift
    )


def _between(known: list[str], version: str) -> tuple[str, ...]:
    ordered = newest_first([*filter(is_stable, set(known) - {version}), version])
    if version not in ordered:
        return ()
    return tuple(reversed(ordered[: ordered.index(version)]))


def _deprecated(release: Release) -> str:
    return str(release.config.own.get("deprecated", ""))
