"""A request: what needs a second person, wherever it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from idp.identity import Identity

HANDOVER_KEY = "handover_key"
"""The plan's input that holds the requester's public key, where something is to be handed over."""

State = Literal["pending", "approved", "refused", "cancelled", "expired", "fulfilled", "failed"]


@dataclass(frozen=True)
class Decision:
    """What somebody decided of a request.

    Attributes:
        digest: the plan's digest that was decided on.
    """

    who: str
    verdict: Literal["approved", "refused"]
    at: datetime | None
    digest: str
    why: str = ""


@dataclass(frozen=True)
class Request:
    """What somebody asks for, as a plan, and what became of it.

    Attributes:
        id: `req-` and 10 of a-z0-9, drawn from the plan's digest and the time of opening.
        action, subject: the plan's.
        plan: the plan's canonical JSON, read; what is approved and applied is its digest.
        requester: an `Identity.id`.
        url: the pull request, where a forge keeps it.
        decisions: the last one of each person.
        handover: for the requester alone: sealed to the public key in the plan's inputs
            (`HANDOVER_KEY`).
        begun: it was carried out, and its handover is owed still; it does not expire any more.
        local: kept in a ledger of this machine: an approval here enforces nothing.
    """

    id: str
    action: str
    subject: str
    plan: Mapping[str, Any]
    digest: str
    requester: str
    why: str
    created_at: datetime
    expires_at: datetime
    state: State
    decisions: tuple[Decision, ...] = ()
    url: str = ""
    outcome: str = ""
    handover: str = ""
    begun: bool = False
    local: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something may still become of it."""
        return self.state in ("pending", "approved", "failed")

    @property
    def owes_handover(self) -> bool:
        """Whether its requester waits for something that only they may read."""
        return bool(self.plan.get("inputs", {}).get(HANDOVER_KEY)) and not self.handover


@dataclass(frozen=True)
class Asked:
    """A request to be opened: the plan's canonical JSON, its digest, and why."""

    plan: bytes
    digest: str
    why: str
    requester: Identity


@dataclass(frozen=True)
class Fulfilment:
    """What came of carrying a request out.

    Attributes:
        outcome: a sentence; never a secret's value.
        handover: see `Request.handover`.
    """

    state: Literal["fulfilled", "failed"]
    outcome: str
    handover: str = ""


class Desk(Protocol):
    """Where requests are kept: the platform's repository on its forge, or the ledger.

    A NotFound tells of an id that there is not; a Refused of what may not be decided (again).
    """

    @property
    def local(self) -> bool:
        """Whether it is this machine's own: an approval there enforces nothing."""

    def open(self, asked: Asked) -> Request:
        """Open a request; the pending or approved one of the same digest is returned instead."""

    def list(self) -> tuple[Request, ...]:
        """Return all requests, the newest first."""

    def get(self, id: str) -> Request:
        """Return a request by its id, or by a beginning of it that only one has."""

    def decide(self, id: str, decision: Decision, who: Identity) -> Request:
        """Approve or refuse it, as somebody else than the requester and verified."""

    def cancel(self, id: str, who: Identity) -> Request:
        """Take it back, as the requester."""

    def approved(self, digest: str) -> Request | None:
        """Return the approved, unexpired and unfulfilled request of exactly this plan.

        One that was tried and failed still is: running again finishes it.
        """

    def close(self, id: str, fulfilment: Fulfilment, who: Identity) -> Request:
        """Record that an approved one was carried out, or could not be; again changes nothing.

        One that still owes its requester a handover stays approved until that is there.
        """
