"""Carrying out an approved request for a secret, by whoever has the rights to."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta

from idp.clock import Clock
from idp.errors import NotFound, Refused
from idp.request.base import HANDOVER_KEY, Fulfilment, Request
from idp.request.handover import seal
from idp.road import Road
from idp.secret.base import About, Backend, LostRace, Secret
from idp.secret.wanted import Wanted, remade

WRITING_TIME = 24 * 3600
"""Seconds that a requester has to write the value."""

BITS = 256


def fulfil(
    request: Request, backend: Backend, pattern: str, road: Road, clock: Clock
) -> Fulfilment:
    """Make what an approved request asks for; what is there already is left as it is.

    Raises:
        Refused: it was approved for something else than would be done here.
        LostRace, NotAllowed, RemoteFailed: it stays approved; fulfilling it again finishes it.
    """
    wanted, plan = remade(request, backend, pattern)
    path = plan.subject

    def apply() -> Fulfilment:
        if wanted.action == "secret revoke":
            backend.revoke(path)
            return Fulfilment("fulfilled", f"{path} is destroyed")
        now = _looked_at(request, backend, path, wanted)
        backend.prepare(path, _about(request, wanted, clock))
        if wanted.generate:
            return _generated(request, backend, path, wanted, now)
        return _handed_over(request, backend, path, now.version if now else 0, clock)

    return road.carry_out(
        plan, apply, observe=dict, digest=request.digest, proof=lambda done: done.outcome
    )


def new_value() -> str:
    """Return a random value of 256 bits, of letters, digits, dash and underscore."""
    return secrets.token_urlsafe(BITS // 8)


def _looked_at(request: Request, backend: Backend, path: str, wanted: Wanted) -> Secret | None:
    """Return what is there; None for nothing.

    Raises:
        Refused: there is a value where one shall be created, or none where one shall be rotated.
    """
    try:
        now = backend.show(path)
    except NotFound:
        now = None
    if wanted.action == "secret rotate":
        if now is None or not now.version:
            raise Refused(f"{path} has no value to rotate", hint="idp secret request, without it")
        return now
    if now is None or not now.version or now.about.request == request.id:
        return now
    if now.state == "deleted":
        raise Refused(
            f"{path} was deleted, and version {now.version} of it can be restored",
            hint="restore it, rotate it (--rotate), or destroy it: idp secret revoke",
        )
    raise Refused(
        f"{path} has a value already, of version {now.version}", hint="rotate it: --rotate"
    )


def _generated(
    request: Request, backend: Backend, path: str, wanted: Wanted, now: Secret | None
) -> Fulfilment:
    is_written = (
        now is not None
        and now.about.request == request.id
        and now.written_at is not None
        and now.written_at >= request.created_at
    )
    if now is not None and is_written:
        return Fulfilment("fulfilled", f"{path} has its value, of version {now.version}")
    version = backend.write(path, {wanted.key: new_value()}, now.version if now else 0)
    return Fulfilment("fulfilled", f"{path} has a value that idp made, of version {version}")


def _handed_over(
    request: Request, backend: Backend, path: str, expect: int, clock: Clock
) -> Fulfilment:
    """Return what the requester needs to write the value."""
    if expect and request.action == "secret create":
        raise LostRace(f"{path} has its value already", hint="idp secret show")
    wrapped = backend.writer(path, expect, WRITING_TIME)
    until = clock.now() + timedelta(seconds=WRITING_TIME)
    told = f"{path} is ready; {request.requester} writes its value until {until:%Y-%m-%d %H:%M} UTC"
    text = {"token": wrapped or "", "expect": expect, "until": until.isoformat()}
    public = str(request.plan.get("inputs", {}).get(HANDOVER_KEY, ""))
    return Fulfilment("fulfilled", told, seal(json.dumps(text), public, request.id))


def _about(request: Request, wanted: Wanted, clock: Clock) -> About:
    approvers = [one.who for one in request.decisions if one.verdict == "approved"]
    days = timedelta(days=wanted.days)
    return About(
        wanted.service,
        wanted.environment,
        wanted.name,
        wanted.owner,
        request.id,
        request.requester,
        ", ".join(approvers),
        wanted.why,
        request.created_at + days if wanted.days else None,
    )
