"""What the ledger knows of environments and deployments: how each stood when it last changed.

What runs carries its own truth; these rows say what was wanted, what it cost, what became of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar

from idp.clock import Clock
from idp.ledger import Ledger, Transaction, happenings
from idp.ledger.records import Happening
from idp.provider.base import Release
from idp.provider.document import from_json, to_json

State = Literal[
    "provisioning",
    "deploying",
    "verifying",
    "live",
    "idle",
    "rolling_back",
    "failed",
    "stopping",
    "stopped",
    "gone",
]
"""How an environment stands; what waits for approval is a request, and no environment yet."""

Outcome = Literal["deploying", "live", "failed", "rolled_back", "cancelled"]

T = TypeVar("T", bound="Environment | Deployment")


@dataclass(frozen=True)
class Environment:
    """An environment, as it was last recorded.

    Attributes:
        state: as of then; the provider knows better what is so now.
        wanted: up or down; down always wins.
        owner: the entity that owns the service; `team` is its name.
        author: of the pull request, or who brought it up.
        repository: HOST/OWNER/NAME of the service on its forge; empty for none.
        pull: the number of its pull request, as text; empty for none.
        updated_at: when it was last deployed or extended.
        expires_at: None is for good.
        cost_per_day: None where the platform has no rate card.
        reason: why it failed.
    """

    name: str
    state: State
    url: str
    provider: str
    service: str
    owner: str
    team: str
    commit: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    cost_per_day: Decimal | None = None
    currency: str = ""
    author: str = ""
    repository: str = ""
    pull: str = ""
    release: str = ""
    reason: str = ""
    wanted: Literal["up", "down"] = "up"


@dataclass(frozen=True)
class Deployment:
    """A release that was brought somewhere.

    Attributes:
        id: the release's.
        target: what it was deployed to: `preview`, or the platform's name of a lasting one.
        artefact: what was built, or the image.
        by: who did it.
        previous: the release that it replaced; empty for the first.
        rolled_back_from: the release that failed, where this one is a way back.
    """

    id: str
    environment: str
    target: str
    provider: str
    service: str
    team: str
    commit: str
    by: str
    outcome: Outcome
    began_at: datetime
    ended_at: datetime | None = None
    artefact: str = ""
    previous: str = ""
    production: bool = False
    url: str = ""
    reason: str = ""
    rolled_back_from: str = ""


_NOUNS: dict[type[Any], tuple[str, str, str]] = {
    Environment: ("environment", "name", "state"),
    Deployment: ("deployment", "id", "outcome"),
}


@dataclass(frozen=True)
class Records:
    """The rows of environments and deployments in a ledger; `who` is written to each."""

    ledger: Ledger
    clock: Clock
    who: str = ""

    def note(self, one: Environment | Deployment, *, anew: bool = False) -> None:
        """Record how one stands now; where that is so already, nothing is added.

        Args:
            anew: an environment is wanted again; else nothing is recorded of one that shall go.
        """
        noun, key, kind = _NOUNS[type(one)]
        name = getattr(one, key)
        with self.ledger.writing() as tx:
            tx.lock(f"{noun}:{name}")
            last = happenings.newest(tx, noun, name)
            body = _written(one)
            if last and (last.body == body or (not anew and _is_overruled(last, one))):
                return
            step, now = (last.step if last else 0) + 1, self.clock.now()
            kind = getattr(one, kind)
            happenings.add(tx, Happening(noun, name, step, kind, now, self.who, body))

    def environment(self, name: str) -> Environment | None:
        """Return one environment; None where nothing is recorded of it."""
        with self.ledger.reading() as tx:
            last = happenings.newest(tx, "environment", name)
        return _read(Environment, last.body) if last else None

    def environments(self) -> list[Environment]:
        """Return all of which something is recorded, those that are gone too."""
        with self.ledger.reading() as tx:
            return list(_each(tx, Environment))

    def deployment(self, id: str) -> Deployment | None:
        """Return one deployment; None where there is none of this id."""
        with self.ledger.reading() as tx:
            last = happenings.newest(tx, "deployment", id)
        return _read(Deployment, last.body) if last else None

    def deployments(self, environment: str = "", service: str = "") -> list[Deployment]:
        """Return deployments, the newest first."""
        with self.ledger.reading() as tx:
            found = [
                one
                for one in _each(tx, Deployment)
                if environment in ("", one.environment) and service in ("", one.service)
            ]
        return sorted(found, key=lambda one: (one.began_at, one.id), reverse=True)

    def keep(self, release: Release) -> None:
        """Keep a release, so that it can be brought back without a checkout; no secret is in it."""
        body = to_json(release).encode()
        with self.ledger.writing() as tx:
            tx.lock(f"release:{release.id}")
            last = happenings.newest(tx, "release", release.id)
            if last is None or last.body != body:
                step, now = (last.step if last else 0) + 1, self.clock.now()
                row = Happening("release", release.id, step, "kept", now, self.who, body)
                happenings.add(tx, row)

    def release(self, id: str) -> Release | None:
        """Return a release that was kept; None where there is none of this id."""
        with self.ledger.reading() as tx:
            last = happenings.newest(tx, "release", id)
        return from_json(last.body.decode()) if last else None

    def is_wanted(self, name: str) -> bool:
        """Tell whether nobody has asked to tear it down since it was last brought up."""
        found = self.environment(name)
        return found is None or found.wanted == "up"


def _is_overruled(last: Happening, one: Environment | Deployment) -> bool:
    """Tell whether an environment was asked to go away meanwhile: down always wins."""
    if not isinstance(one, Environment) or one.wanted == "down":
        return False
    return _read(Environment, last.body).wanted == "down"


def _each(tx: Transaction, kind: type[T]) -> Iterator[T]:
    for last in happenings.newest_of_each(tx, _NOUNS[kind][0]):
        yield _read(kind, last.body)


def _written(one: Environment | Deployment) -> bytes:
    said = {key: value for key, value in asdict(one).items() if value is not None}
    return json.dumps(said, sort_keys=True, default=_text).encode()


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_TIMES = ("created_at", "updated_at", "expires_at", "began_at", "ended_at")


def _read(kind: type[T], body: bytes) -> T:
    """Return a row's record; what a newer idp adds to it is passed over."""
    known = {one.name for one in fields(kind)}
    said = {key: value for key, value in json.loads(body).items() if key in known}
    said |= {key: datetime.fromisoformat(said[key]) for key in _TIMES if key in said}
    if "cost_per_day" in said:
        said["cost_per_day"] = Decimal(said["cost_per_day"])
    return kind(**said)
