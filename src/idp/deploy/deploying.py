"""One command ships a commit to a lasting environment, or promotes what another one runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from idp.config.running import Target
from idp.deploy.telling import Telling
from idp.errors import NotFound
from idp.plan import Effect, Facts, Plan
from idp.provider.base import Provider, Release
from idp.road import Road
from idp.rollout.making import Making, proof, release_id
from idp.rollout.records import Deployment, Environment, Records
from idp.rollout.shipping import Shipped, Site, ship


def live(records: Records, environment: str) -> Deployment | None:
    """Return the deployment that an environment last had live; None for none."""
    return next((d for d in records.deployments(environment) if d.outcome == "live"), None)


def promoted(records: Records, provider: Provider, environment: str, target: Target) -> Release:
    """Return the release that is promoted: what the environment before runs.

    Raises:
        NotFound: nothing was live there, or what was is not kept any more.
    """
    last = live(records, environment)
    if last is None:
        raise NotFound(
            f"nothing is live on {target.after}, from which {target.name} is promoted",
            hint=f"idp deploy --to {target.after}",
        )
    found = records.release(last.id) or provider.stored(environment, last.id)
    if found is None:
        raise NotFound(
            f"the release {last.id} of {target.after} is not kept here",
            hint="promote where it was deployed from, or share the ledger",
        )
    return found


def deploy(
    site: Site,
    what: Making,
    plan: Plan,
    road: Road,
    observe: Callable[[], Mapping[str, str]],
    telling: Telling,
) -> Shipped:
    """Carry out a plan; the release is recorded before anything is changed.

    Args:
        observe: reads again what the plan's preconditions name.

    Raises:
        Denied, AwaitingApproval, OverBudget: the platform's guardrails do not let it pass.
    """

    def apply() -> Shipped:
        telling.began(what.deployment)
        done = ship(site, what.release, what.source, what.env, what.deployment)
        telling.ended(done.deployment)
        return done

    return road.carry_out(
        plan, apply, observe=observe, proof=lambda d: proof(d.deployment, d.environment.url)
    )


def back_plan(env: Environment, to: Release, provider: Provider, target: str) -> Plan:
    """Return the plan of going back to a release; nobody is waited for: it was live before."""
    return Plan(
        "rollback",
        env.name,
        inputs={"to": to.id, "commit": to.commit, "target": target, "provider": provider.name},
        preconditions={env.name: env.release},
        effects=(Effect("started", f"{provider.name}:{env.name}"),),
        result=to.artefact,
        risk="remote" if provider.is_shared else "local",
        facts=Facts(service=env.service, owner=env.owner),
    )


def chosen(records: Records, provider: Provider, env: Environment, asked: str) -> Release:
    """Return the release to go back to: the one that is asked for, else the last other one live.

    Raises:
        NotFound: there is none, or it is not kept any more.
    """
    was_live = [d for d in records.deployments(env.name) if d.outcome == "live"]
    if asked:
        found = [d for d in was_live if d.id == asked or d.commit.startswith(asked)]
    else:
        found = [d for d in was_live if d.id != env.release]
    if not found:
        what = f"no release {asked} was live on" if asked else "no release before was live on"
        raise NotFound(f"{what} {env.name}", hint="idp deploy history")
    kept = records.release(found[0].id) or provider.stored(env.name, found[0].id)
    if kept is None:
        raise NotFound(
            f"the release {found[0].id} is not kept any more",
            hint=f"check out {found[0].commit[:12]} and deploy it",
        )
    return kept


def going_back(env: Environment, to: Release, target: Target, by: str, now: datetime) -> Making:
    """Return a release as a new one, which is brought where it was before."""
    release = replace(
        to, id=release_id(now), created_at=now, expires_at=env.expires_at, previous=env.release
    )
    deployment = Deployment(
        release.id,
        env.name,
        target.name,
        env.provider,
        env.service,
        env.team,
        to.commit,
        by,
        "deploying",
        now,
        artefact=to.artefact,
        previous=env.release,
        production=target.production,
        rolled_back_from=env.release,
    )
    return Making(release, None, replace(env, reason=""), deployment)
