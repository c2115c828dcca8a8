"""Letting an environment live longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from idp.env.down import Removing
from idp.errors import Refused
from idp.plan import Effect, Facts, Plan
from idp.road import Road
from idp.rollout.lease import held
from idp.rollout.records import Environment


def plan_of(env: Environment, by: timedelta, doing: Removing) -> tuple[Plan, Environment]:
    """Return the plan of it, and the environment as it will be.

    The time counts from now: an environment whose time is nearly over gets no less.

    Raises:
        Refused: it is for good, or is being torn down.
    """
    if env.expires_at is None:
        raise Refused(f"{env.name} does not expire", hint="there is nothing to extend")
    if env.wanted == "down":
        raise Refused(f"{env.name} is being torn down", hint="bring it up again: idp env up")
    now = doing.clock.now()
    until = max(now + by, env.expires_at)
    plan = Plan(
        "env extend",
        env.name,
        inputs={"by": f"{by.total_seconds() / 3600:g} h"},
        effects=(Effect("extended", f"{env.provider}:{env.name}"),),
        risk="remote" if doing.provider.is_shared else "local",
        facts=Facts(
            service=env.service,
            owner=env.owner,
            ttl_hours=int((until - now).total_seconds()) // 3600,
        ),
    )
    return plan, replace(env, expires_at=until, updated_at=now)


def extend(doing: Removing, plan: Plan, env: Environment, road: Road) -> Environment:
    """Carry out the plan."""

    def apply() -> None:
        seen = doing.provider.observe(env.name)
        with held(doing.leases, env.name, doing.clock, above=seen.fence if seen else 0) as lease:
            doing.provider.extend(env.name, env.expires_at, lease.fence)
        doing.records.note(env)

    road.carry_out(plan, apply, observe=dict)
    return env
