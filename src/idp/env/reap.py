"""The reaper: environments that have expired, are idle, or whose pull request is closed, go.

It needs no record: what runs carries its own expiry. What it does not know it reports, and leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from idp.config.running import Running
from idp.env.down import Removing, plan_of, remove
from idp.env.herald import Herald, quietly
from idp.env.listing import LOST, found, is_idle
from idp.errors import IdpError
from idp.provider.base import Provider
from idp.road import Road
from idp.rollout.records import Environment, Records

Why = Literal["expired", "idle", "closed", "unfinished", "lost", "unknown"]
Done = Literal["planned", "removed", "failed", "left"]


@dataclass(frozen=True)
class Reaped:
    """What the reaper made of an environment.

    Attributes:
        why: expired, idle, closed (its pull request is), unfinished (a teardown that was cut
            short), lost (recorded, and not there), unknown (it bears idp's mark and no name of a
            service: it is left).
    """

    name: str
    provider: str
    why: Why
    done: Done
    reason: str = ""


IsClosed = Callable[[Environment], bool]
"""Tells whether an environment's pull request is closed; where that cannot be read it is not."""


def judge(env: Environment, running: Running, now: datetime, is_closed: IsClosed) -> Why | None:
    """Return why an environment shall go; None where it stays."""
    if env.wanted == "down":
        return "unfinished"
    if env.reason == LOST:
        return "lost"
    if not env.service:
        return "unknown"
    if env.expires_at is not None and env.expires_at <= now:
        return "expired"
    if env.state == "idle" or (env.state == "failed" and _was_idle(env, running, now)):
        return "idle"
    return "closed" if env.pull and env.repository and is_closed(env) else None


def _was_idle(env: Environment, running: Running, now: datetime) -> bool:
    return is_idle(env.expires_at, env.updated_at, running, now)


def due(
    providers: Iterable[Provider],
    records: Records,
    running: Running,
    now: datetime,
    is_closed: IsClosed,
) -> list[tuple[Environment, Why]]:
    """Return the environments that shall go, or that are reported, each with why."""
    judged = (
        (env, judge(env, running, now, is_closed))
        for env in found(providers, records, running, now, {})
    )
    return [(env, why) for env, why in judged if why is not None]


def reap(
    going: list[tuple[Environment, Why]],
    doing: Mapping[str, Removing],
    road: Road,
    herald_of: Callable[[Environment], Herald],
) -> list[Reaped]:
    """Take away what is due, each by itself: one that fails does not keep the others.

    Args:
        doing: what removing needs, by provider.
    """
    left = [_reaped(env, why, "left") for env, why in going if why == "unknown"]
    gone = [(env, why) for env, why in going if why != "unknown"]
    if not gone:
        return left
    plan = plan_of([env for env, _ in gone], "env reap")
    done = road.carry_out(
        plan,
        lambda: [_one(env, why, doing[env.provider], herald_of) for env, why in gone],
        observe=lambda: plan.preconditions,
    )
    return left + done


def _one(
    env: Environment, why: Why, doing: Removing, herald_of: Callable[[Environment], Herald]
) -> Reaped:
    try:
        gone = remove(doing, env)
    except IdpError as error:
        return replace(_reaped(env, why, "failed"), reason=error.message)
    quietly(lambda: herald_of(env).gone(gone), doing.steps.say)
    return _reaped(env, why, "removed")


def _reaped(env: Environment, why: Why, done: Done) -> Reaped:
    return Reaped(env.name, env.provider, why, done)


def planned(going: list[tuple[Environment, Why]]) -> list[Reaped]:
    """Return what would be done, for a dry run."""
    return [_reaped(env, why, "left" if why == "unknown" else "planned") for env, why in going]
