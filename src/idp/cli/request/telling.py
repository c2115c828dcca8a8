"""What is told of a request, for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.output import printable

if TYPE_CHECKING:
    from idp.context import Context
    from idp.request.base import Decision, Request

LOCAL = "the ledger holds this request: an approval there enforces nothing"


def warn(idp: Context, request: Request) -> None:
    """Say what an approval is worth where no forge enforces it."""
    if request.local:
        idp.output.say(f"note: {LOCAL}")
    if request.requester.startswith("unverified:"):
        idp.output.say(f"note: only their own machine says that {request.requester} asked")


def story(request: Request) -> str:
    """Return all there is to know of a request."""
    inputs = request.plan.get("inputs", {})
    effects = request.plan.get("effects", ())
    lines = [
        f"{request.id}  {request.state}",
        f"action     {request.action}",
        f"subject    {request.subject}",
        f"why        {request.why}",
        f"asked      {request.requester}, {request.created_at:%Y-%m-%d %H:%M} UTC",
        f"void on    {request.expires_at:%Y-%m-%d %H:%M} UTC",
        f"plan       {request.digest}",
    ]
    lines += [f"  {key}: {value}" for key, value in inputs.items() if value != ""]
    lines += [f"  {one['what']} {one['on']}" for one in effects]
    lines += [_decision(one, request) for one in request.decisions]
    lines += [f"outcome    {request.outcome}"] if request.outcome else []
    lines += [f"at         {request.url}"] if request.url else []
    return "\n".join(map(printable, lines))


def _decision(one: Decision, request: Request) -> str:
    when = f", {one.at:%Y-%m-%d %H:%M} UTC" if one.at else ""
    other = "" if one.digest == request.digest else " (of what it was before)"
    return f"{one.verdict:<10} {one.who}{when}{other}{f': {one.why}' if one.why else ''}"


def outcome(request: Request) -> str:
    """Return how a request stands after it was decided, and what comes next."""
    where = request.url or request.id
    told = f"{request.id} {request.state}: {request.action} {request.subject}"
    if request.state == "pending":
        return printable(f"{told}\nnext: it waits at {where}")
    if request.state == "approved":
        return printable(f"{told}\nnext: who asked runs it again, or: idp request fulfil")
    return printable(told)
