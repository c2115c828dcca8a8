"""What became of a request, told by its events in the ledger."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from idp.errors import InvalidInput
from idp.ledger.records import Event
from idp.request import paper
from idp.request.base import Decision, Request, State
from idp.request.paper import Paper
from idp.request.people import are_same


@dataclass
class Course:
    """The course of one request.

    Attributes:
        names: every name of each who decided, in the order of `decisions`.
        begun: it was carried out and owes its handover.
    """

    paper: Paper
    state: State = "pending"
    decisions: list[Decision] = field(default_factory=list)
    names: list[frozenset[str]] = field(default_factory=list)
    outcome: str = ""
    handover: str = ""
    begun: bool = False

    def verdict_of(self, names: Iterable[str]) -> str:
        """Return what somebody decided last; empty for nothing."""
        wanted = set(names)
        theirs = [n for n, known in enumerate(self.names) if are_same(known, wanted)]
        return self.decisions[theirs[-1]].verdict if theirs else ""

    def request(self, now: datetime) -> Request:
        """Return the request as it stands by a clock."""
        known, state = self.paper, self.state
        is_late = now >= known.expires_at and not self.begun
        if is_late and state in ("pending", "approved", "failed"):
            state = "expired"
        return Request(
            id=known.id,
            action=known.read_plan["action"],
            subject=known.read_plan["subject"],
            plan=known.read_plan,
            digest=known.digest,
            requester=known.requester,
            why=known.why,
            created_at=known.created_at,
            expires_at=known.expires_at,
            state=state,
            decisions=tuple(self.decisions),
            outcome=self.outcome,
            handover=self.handover,
            begun=self.begun,
            local=True,
        )

    def take(self, event: Event) -> None:
        """Go on by an event; one that may not be at this place changes nothing."""
        said: Mapping[str, Any] = json.loads(event.body)
        kind = event.kind
        if kind in ("approved", "refused"):
            self._decide(kind, event, said)
        elif kind == "cancelled" and self.state in ("pending", "approved", "failed"):
            self.state = "cancelled"
        elif kind in ("fulfilling", "fulfilled", "failed"):
            self._close(kind, said)

    def _decide(
        self, verdict: Literal["approved", "refused"], event: Event, said: Mapping[str, Any]
    ) -> None:
        names = frozenset(said["names"])
        counts = (
            self.state in ("pending", "approved")
            and not self.begun
            and bool(names)
            and not any(name.startswith("unverified:") for name in names)
            and not are_same(names, self.paper.names)
            and said["digest"] == self.paper.digest
            and event.at < self.paper.expires_at
        )
        if not counts:
            return
        for n in [n for n, known in enumerate(self.names) if are_same(known, names)][::-1]:
            del self.names[n], self.decisions[n]
        self.names.append(names)
        self.decisions.append(
            Decision(event.who, verdict, event.at, said["digest"], said.get("why", ""))
        )
        self.state = verdict

    def _close(
        self, kind: Literal["fulfilling", "fulfilled", "failed"], said: Mapping[str, Any]
    ) -> None:
        if self.state == "fulfilled" and kind == "fulfilled":
            self.handover = self.handover or said["handover"]
        elif self.state in ("approved", "failed"):
            self.begun = self.begun or kind == "fulfilling"
            self.state = "approved" if kind == "fulfilling" else kind
            self.outcome, self.handover = said["outcome"], said["handover"] or self.handover


def course_of(events: Sequence[Event]) -> Course:
    """Return the course of a request, from its events in order.

    Raises:
        InvalidInput: they are none of a request, or it was changed since it was opened.
    """
    first, *others = events
    where = f"request {first.request} in the ledger"
    if first.kind != "opened":
        raise InvalidInput(f"{where} begins with {first.kind}")
    course = Course(paper.read(first.body, where))
    if course.paper.id != first.request:
        raise InvalidInput(f"{where} is that of {course.paper.id}")
    for event in others:
        try:
            course.take(event)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"{where}: its step {event.step} is none: {error!r}") from error
    return course
