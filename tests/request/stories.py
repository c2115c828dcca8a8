"""The words of stories about requests: who there is, and what they ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from idp.identity import Identity
from idp.plan import Plan
from idp.request.base import Asked, Decision, Desk, Request

PAT = Identity("github.com:pat", "forge")
ADA = Identity("github.com:ada", "forge")
GRACE = Identity("github.com:grace", "forge")
NOBODY = Identity("unverified:1000@laptop", "unverified")


def plan(subject: str = "pay/production/db", **inputs: str) -> Plan:
    """Return a plan that a platform wants a second person for."""
    return Plan("secret request", subject, inputs, risk="remote")


def asked(wanted: Plan, who: Identity = PAT, why: str = "the new database") -> Asked:
    return Asked(wanted.canonical, wanted.digest, why, who)


def decided(
    request: Request, verdict: Literal["approved", "refused"] = "approved", why: str = ""
) -> Decision:
    return Decision("", verdict, None, request.digest, why)


def approve(desk: Desk, request: Request, who: Identity = ADA) -> Request:
    return desk.decide(request.id, decided(request), who)


Decide = Callable[[Desk, Request, Identity], Request]
