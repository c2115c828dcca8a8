"""How a request is decided, or taken back: by the road, as everything that changes something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from idp.cli.request import telling
from idp.plan import Effect, Plan
from idp.request.base import Decision, Request

if TYPE_CHECKING:
    from idp.context import Context

Verb = Literal["approve", "refuse", "cancel"]
_EFFECTS: Mapping[Verb, str] = {
    "approve": "approved",
    "refuse": "refused",
    "cancel": "cancelled",
}


def decide(idp: Context, id: str, verb: Verb, why: str) -> Request:
    """Decide a request as who acts.

    Raises:
        NotAllowed, Refused: who acts may not, or it is no longer to be decided.
    """
    desk, who = idp.desk, idp.who
    request = desk.get(id)
    telling.warn(idp, request)
    if not idp.yes:
        idp.output.say(telling.story(request))
    act: Callable[[], Request]
    if verb == "cancel":

        def act() -> Request:
            return desk.cancel(request.id, who)

    else:
        verdict: Literal["approved", "refused"] = "approved" if verb == "approve" else "refused"
        decision = Decision(who.id, verdict, None, request.digest, why)

        def act() -> Request:
            return desk.decide(request.id, decision, who)

    def apply() -> Request:
        return act()

    def observe() -> Mapping[str, str]:
        now = desk.get(request.id)
        return {"digest": now.digest, "state": now.state}

    plan = Plan(
        f"request {verb}",
        request.id,
        inputs={"action": request.action, "subject": request.subject, "why": why},
        preconditions={"digest": request.digest, "state": request.state},
        effects=(Effect(_EFFECTS[verb], request.url or request.id),),
        result=request.digest,
        risk="remote",
    )
    road = idp.road
    return road.carry_out(plan, apply, observe=observe, proof=lambda done: done.url)
