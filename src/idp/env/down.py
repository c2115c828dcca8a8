"""Taking an environment away; down always wins, and needs no checkout."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from idp.clock import Clock
from idp.env.herald import Herald, quietly
from idp.errors import RemoteFailed
from idp.plan import Effect, Facts, Plan
from idp.provider.base import Provider
from idp.road import Road
from idp.rollout.lease import Leases, held
from idp.rollout.records import Environment, Records
from idp.rollout.steps import Steps

LOOKS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5)
DEADLINE = timedelta(minutes=10)
"""How long we wait until all of it is gone; a provider goes on by itself."""


@dataclass(frozen=True)
class Removing:
    """What tearing down needs."""

    provider: Provider
    leases: Leases
    records: Records
    steps: Steps
    clock: Clock


def plan_of(envs: Iterable[Environment], action: str = "env down") -> Plan:
    """Return the plan of taking environments away; what they hold of budgets ends with it."""
    every = tuple(envs)
    one = every[0] if len(every) == 1 else None
    facts = Facts(
        service=one.service if one else "",
        owner=one.owner if one else "",
        frees=tuple(f"env:{env.name}" for env in every),
    )
    return Plan(
        action,
        one.name if one else f"{len(every)} environments",
        preconditions={env.name: env.release for env in every},
        effects=tuple(Effect("removed", f"{env.provider}:{env.name}") for env in every),
        risk="destroys",
        facts=facts,
    )


def down(
    doing: Removing, env: Environment, road: Road, herald: Herald, *, wait: bool = True
) -> Environment:
    """Take an environment away, whatever is being done to it just now.

    Raises:
        RemoteFailed: it is not gone after ten minutes; running it again goes on.
    """
    plan = plan_of([env])
    done = road.carry_out(
        plan,
        lambda: remove(doing, env, wait=wait),
        observe=lambda: plan.preconditions,
    )
    quietly(lambda: herald.gone(done), doing.steps.say)
    return done


def remove(doing: Removing, env: Environment, *, wait: bool = True) -> Environment:
    """Remove everything of an environment; done again after a kill, it goes on."""
    doing.records.note(replace(env, wanted="down", state="stopping"))
    seen = doing.provider.observe(env.name)
    with (
        doing.steps.step("remove"),
        held(
            doing.leases,
            env.name,
            doing.clock,
            above=seen.fence if seen else 0,
            force=True,
        ) as lease,
    ):
        doing.provider.delete(env.name, lease.fence)
        if wait:
            _until_gone(doing, env.name, lease.fence)
    done = replace(env, wanted="down", state="gone" if wait else "stopping", url="", reason="")
    doing.records.note(done)
    return done


def _until_gone(doing: Removing, name: str, fence: int) -> None:
    give_up = doing.clock.now() + DEADLINE
    turn = 0
    while (seen := doing.provider.observe(name)) is not None:
        if doing.clock.now() >= give_up:
            raise RemoteFailed(
                f"{name} is not gone yet: {seen.reason or seen.state}",
                hint="`idp env down` again goes on with it",
            )
        doing.clock.sleep(LOOKS[min(turn, len(LOOKS) - 1)])
        turn += 1
        if turn % 10 == 0:
            doing.provider.delete(name, fence)
