"""Bringing an environment up, or up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from idp.env.herald import Herald, quietly
from idp.errors import IdpError
from idp.plan import Plan
from idp.road import Road
from idp.rollout.making import Making, proof
from idp.rollout.records import Environment
from idp.rollout.shipping import Shipped, Site, TornDown, ship


def up(
    site: Site, what: Making, plan: Plan, road: Road, files: Callable[[], str], herald: Herald
) -> Shipped:
    """Carry out a plan: its environment is live then, or the release before answers again.

    Args:
        files: reads the id of the files' tree again.

    Raises:
        Denied, AwaitingApproval, OverBudget: the platform's guardrails do not let it pass.
        TornDown: somebody tore it down, or closed the pull request, meanwhile.
    """
    known, say = site.records.environment(what.env.name), site.steps.say
    env = what.env
    if known and known.state != "gone":
        env = replace(env, created_at=known.created_at)

    def apply() -> Shipped:
        quietly(lambda: herald.began(env), say)
        return ship(site, what.release, what.source, env, what.deployment)

    try:
        done = road.carry_out(
            plan,
            apply,
            observe=lambda: {"files": files()},
            proof=lambda done: proof(done.deployment, done.environment.url),
        )
    except TornDown:
        raise
    except IdpError as error:
        _tell_failure(herald, env, error, say)
        raise
    if done.failed:
        _tell_failure(herald, done.environment, done.failed, say)
    else:
        quietly(lambda: herald.live(done.environment), say)
    return done


def _tell_failure(
    herald: Herald, env: Environment, error: IdpError, say: Callable[[str], None]
) -> None:
    quietly(lambda: herald.failed(env, error.message), say)
