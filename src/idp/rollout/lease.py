"""One at a time: the lease of an environment, with a fence that counts up.

Whoever changes an environment holds its lease, for a time; each has a higher number than all before
(its fence), which goes with every change, so that one who was passed over can do no harm any more
(Kleppmann, "How to do distributed locking", 2016).
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from idp.clock import Clock
from idp.errors import IdpError, Refused
from idp.ledger import Ledger, happenings
from idp.ledger.records import Happening
from idp.provider.base import Busy, Fenced

LASTS = timedelta(seconds=90)
"""How long a lease lasts that nobody renews; it is renewed by a third of it."""

PAUSE = 1.0
"""Seconds between two looks of one who waits."""

NOUN = "lease"


class Leases(Protocol):
    """Where leases are kept: the ledger, or the provider's own things."""

    def take(
        self, name: str, holder: str, until: datetime, now: datetime, *, above: int, force: bool
    ) -> int:
        """Take the lease and return its fence, which is higher than `above` and all before.

        Args:
            force: from whoever holds it.

        Raises:
            Busy: somebody holds it.
        """

    def renew(self, name: str, fence: int, until: datetime) -> None:
        """Hold it longer; raise Fenced where somebody else has taken it since."""

    def give_back(self, name: str, fence: int) -> None:
        """End it; one that is not ours any more is left."""


@dataclass(frozen=True)
class LedgerLeases:
    """Leases in the ledger, which all who use the environments share."""

    ledger: Ledger
    clock: Clock

    def take(
        self, name: str, holder: str, until: datetime, now: datetime, *, above: int, force: bool
    ) -> int:
        """Take the lease, from a process of this machine that is dead too."""
        with self.ledger.writing() as tx:
            tx.lock(f"{NOUN}:{name}")
            last = happenings.newest(tx, NOUN, name)
            if last and not force and _holds(last, now):
                raise Busy(
                    f"{last.who.rpartition(' ')[0] or last.who} is changing {name} just now",
                    hint="wait for it, or try again later",
                )
            fence = max(last.step if last else 0, above) + 1
            body = json.dumps({"until": until.isoformat(), "fence": fence}).encode()
            happenings.add(tx, Happening(NOUN, name, fence, "taken", now, holder, body))
        return fence

    def renew(self, name: str, fence: int, until: datetime) -> None:
        """Hold it longer."""
        self._go_on(name, fence, "renewed", until)

    def give_back(self, name: str, fence: int) -> None:
        """End it."""
        with suppress(Fenced):
            self._go_on(name, fence, "given back", self.clock.now())

    def _go_on(self, name: str, fence: int, kind: str, until: datetime) -> None:
        with self.ledger.writing() as tx:
            tx.lock(f"{NOUN}:{name}")
            last = happenings.newest(tx, NOUN, name)
            if last is None or _said(last)["fence"] != fence or last.kind == "given back":
                raise passed_over(name)
            body = json.dumps({"until": until.isoformat(), "fence": fence}).encode()
            now = self.clock.now()
            happenings.add(tx, Happening(NOUN, name, last.step + 1, kind, now, last.who, body))


def passed_over(name: str) -> Fenced:
    """Return what is raised where somebody else has taken a lease."""
    return Fenced(f"somebody else has changed {name} since", hint="look at it: idp env show")


def _said(last: Happening) -> dict[str, object]:
    said: dict[str, object] = json.loads(last.body)
    return said


def _holds(last: Happening, now: datetime) -> bool:
    if last.kind == "given back" or not _alive(last.who):
        return False
    return datetime.fromisoformat(str(_said(last)["until"])) > now


def holder() -> str:
    """Return how this process is called: `pid N on HOST TOKEN`, good until it ends."""
    import psutil

    born = psutil.Process().create_time()
    return f"pid {os.getpid()} on {socket.gethostname()} {born:.2f}"


def _alive(who: str) -> bool:
    """Tell whether a holder may be alive: one of another machine always may."""
    import psutil

    words = who.split(" ")
    if len(words) != 5 or words[3] != socket.gethostname():
        return True
    try:
        return f"{psutil.Process(int(words[1])).create_time():.2f}" == words[4]
    except (psutil.Error, ValueError):
        return False


@dataclass
class Held:
    """A lease that is held.

    Attributes:
        fence: goes with every change.
    """

    leases: Leases
    name: str
    fence: int
    clock: Clock
    until: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    def keep(self, *, at_once: bool = False) -> None:
        """Renew it, at once or where a third of it is gone.

        Raises:
            Fenced: somebody else has taken it.
        """
        now = self.clock.now()
        if at_once or self.until - now < LASTS * 2 / 3:
            self.leases.renew(self.name, self.fence, now + LASTS)
            self.until = now + LASTS


@contextmanager
def held(
    leases: Leases,
    name: str,
    clock: Clock,
    *,
    above: int = 0,
    force: bool = False,
    patience: timedelta = timedelta(),
    waiting: Callable[[str], None] = lambda _: None,
) -> Iterator[Held]:
    """Hold the lease of an environment.

    Args:
        above: the fence that the environment itself has seen.
        force: take it from whoever holds it: tearing down always wins.
        patience: how long to wait for whoever holds it.
        waiting: is told once whom we wait for.

    Raises:
        Busy: somebody holds it, for longer than we wait.
    """
    fence = _taken(leases, name, clock, above, force, clock.now() + patience, waiting)
    one = Held(leases, name, fence, clock, clock.now() + LASTS)
    try:
        yield one
    finally:
        with suppress(IdpError):  # it ends by itself, and what is being raised matters more
            leases.give_back(name, fence)


def _taken(
    leases: Leases,
    name: str,
    clock: Clock,
    above: int,
    force: bool,
    give_up: datetime,
    waiting: Callable[[str], None],
) -> int:
    told = False
    while True:
        now = clock.now()
        try:
            return leases.take(name, holder(), now + LASTS, now, above=above, force=force)
        except Busy as busy:
            if now >= give_up:
                raise
            if not told:
                waiting(busy.message)
                told = True
        except Refused as race:
            if isinstance(race, Fenced) or now >= give_up:
                raise
        clock.sleep(PAUSE)
