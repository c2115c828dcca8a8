"""Requests in the ledger, for a platform without a repository for them: it enforces nothing."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from idp.clock import Clock
from idp.config.guardrails import RequestSettings
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused
from idp.identity import Identity
from idp.ledger import events
from idp.ledger.records import Event, EventKind
from idp.request import paper
from idp.request.base import Asked, Decision, Fulfilment, Request
from idp.request.course import Course, course_of
from idp.request.people import are_same, names_of

if TYPE_CHECKING:
    from idp.ledger import Ledger, Transaction

LOCK = "requests"


@dataclass(frozen=True)
class LedgerDesk:
    """The ledger as `base.Desk`; each step is an event, added under one lock."""

    ledger: Ledger
    settings: RequestSettings
    clock: Clock
    local: bool = True

    def open(self, asked: Asked) -> Request:
        """Open a request; the pending or approved one of the same digest is returned instead."""
        drawn = paper.drawn(asked, self.clock.now(), self.settings.expires_days)
        with self.ledger.writing() as tx:
            tx.lock(LOCK)
            if found := self._open_one(tx, asked.digest):
                return found
            self._add(tx, drawn.id, "opened", asked.requester, drawn.written())
            return self._course(tx, drawn.id).request(self.clock.now())

    def list(self) -> tuple[Request, ...]:
        """Return all requests, the newest first."""
        with self.ledger.reading() as tx:
            found = self._all(tx)
        return tuple(sorted(found, key=lambda one: one.created_at, reverse=True))

    def get(self, id: str) -> Request:
        """Return a request by its id, or by a beginning of it that only one has."""
        with self.ledger.reading() as tx:
            return self._course(tx, id).request(self.clock.now())

    def decide(self, id: str, decision: Decision, who: Identity) -> Request:
        """Approve or refuse it, as somebody else than the requester and verified.

        Raises:
            NotAllowed: nobody but this machine says who it is.
            Refused: the requester's own, decided by them before, changed, or no longer pending.
        """
        if not who.is_verified:
            raise NotAllowed(
                f"{who.id} cannot decide a request: nobody but this machine says who that is",
                hint="idp auth login",
            )
        names = sorted(names_of(who))
        body = {"digest": decision.digest, "why": decision.why, "names": names}

        def check(course: Course) -> None:
            _check_decidable(course, course.request(self.clock.now()), decision, names)

        return self._step(id, decision.verdict, who, body, check)

    def cancel(self, id: str, who: Identity) -> Request:
        """Take it back, as the requester.

        Raises:
            Refused: it is somebody else's, or over.
        """

        def check(course: Course) -> None:
            request = course.request(self.clock.now())
            if not are_same(course.paper.names, names_of(who)):
                raise Refused(
                    f"{request.id} is not yours: {request.requester} asked for it",
                    hint=f"idp request refuse {request.id}",
                )
            if not request.is_open or request.begun:
                raise Refused(f"{request.id} is {_standing(request)}: it cannot be taken back")

        return self._step(id, "cancelled", who, {}, check)

    def approved(self, digest: str) -> Request | None:
        """Return the approved, unexpired and unfulfilled request of exactly this plan."""
        with self.ledger.reading() as tx:
            found = self._open_one(tx, digest)
        return found if found and found.state != "pending" else None

    def close(self, id: str, fulfilment: Fulfilment, who: Identity) -> Request:
        """Record that an approved one was carried out, or could not be; again changes nothing.

        Raises:
            Refused: it is not approved.
        """
        with self.ledger.writing() as tx:
            tx.lock(LOCK)
            request = self._course(tx, id).request(self.clock.now())
            if request.state == "fulfilled" and not (fulfilment.handover and not request.handover):
                return request
            if request.state not in ("approved", "failed", "fulfilled"):
                raise Refused(f"{request.id} is {request.state}, and not approved")
            kind: EventKind = fulfilment.state
            if kind == "fulfilled" and request.owes_handover and not fulfilment.handover:
                kind = "fulfilling"
            body = {"outcome": fulfilment.outcome, "handover": fulfilment.handover}
            self._add(tx, request.id, kind, who, json.dumps(body).encode())
            return self._course(tx, request.id).request(self.clock.now())

    def _step(
        self,
        id: str,
        kind: EventKind,
        who: Identity,
        body: Mapping[str, object],
        check: Callable[[Course], None],
    ) -> Request:
        """Add an event to a request, if a check of how it stands does not refuse it."""
        with self.ledger.writing() as tx:
            tx.lock(LOCK)
            course = self._course(tx, id)
            check(course)
            self._add(tx, course.paper.id, kind, who, json.dumps(body).encode())
            return self._course(tx, course.paper.id).request(self.clock.now())

    def _add(self, tx: Transaction, id: str, kind: EventKind, who: Identity, body: bytes) -> None:
        step = len(events.events(tx, id)) + 1
        events.add(tx, Event(id, step, kind, self.clock.now(), who.id, body))

    def _all(self, tx: Transaction, prefix: str = "") -> builtins.list[Request]:
        """Return all requests that can be read; `get` says what is wrong with another."""
        known = sorted(events.events(tx), key=lambda event: (event.request, event.step))
        found = []
        for id, group in groupby(known, key=lambda event: event.request):
            if id.startswith(prefix):
                try:
                    found.append(course_of(list(group)).request(self.clock.now()))
                except InvalidInput:
                    continue
        return found

    def _open_one(self, tx: Transaction, digest: str) -> Request | None:
        """Return the open request of a plan, an approved one first."""
        found = [one for one in self._all(tx, paper.prefix_of(digest)) if one.digest == digest]
        still = sorted((one for one in found if one.is_open), key=lambda one: one.state)
        return still[0] if still else None

    def _course(self, tx: Transaction, id: str) -> Course:
        wanted = id if id.startswith("req-") else f"req-{id}"
        known = events.events(tx, wanted)
        if not known:
            found = [one.id for one in self._all(tx, wanted)]
            if len(found) != 1:
                what = (
                    f"{wanted} begins the ids {', '.join(found)}" if found else f"no request {id}"
                )
                raise NotFound(what, hint="idp request list")
            known = events.events(tx, found[0])
        return course_of(known)


def _check_decidable(
    course: Course, request: Request, decision: Decision, names: list[str]
) -> None:
    if are_same(course.paper.names, names):
        raise Refused(
            f"{request.id} is your own: somebody else has to decide it",
            hint=f"idp request cancel {request.id} takes it back",
        )
    if decision.digest != request.digest:
        raise Refused(
            f"{request.id} is not what you looked at: its plan has another digest",
            hint=f"idp request show {request.id}",
        )
    if request.state not in ("pending", "approved") or request.begun:
        raise Refused(f"{request.id} is {_standing(request)}: nothing is left to decide")
    if course.verdict_of(names) == decision.verdict:
        raise Refused(f"you have {decision.verdict} {request.id} already")


def _standing(request: Request) -> str:
    return "being carried out" if request.begun else request.state
