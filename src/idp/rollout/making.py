"""What is to be brought where: the plan of it, and the release with how it will be recorded."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

from idp.budget import Estimate, estimate
from idp.config.guardrails import CostSettings
from idp.errors import InvalidInput
from idp.plan import Effect, Facts, Plan
from idp.policy.plain import is_secret
from idp.provider.base import Provider, Release, Source, Strategy
from idp.rollout.records import Deployment, Environment
from idp.rollout.service import SCORE, Service, with_image
from idp.workload.model import OWN, Workload

PREVIEW = "preview"
_DAYS = Decimal(365) / 12


@dataclass(frozen=True)
class Wanted:
    """A release as it is asked for.

    Attributes:
        name: of its environment.
        target: preview, or the name of a lasting environment of the platform.
        ttl: how long it lives from now on; None is for good.
        pull: the number of its pull request; empty for none.
        settings: variables that stand over the workload's.
        image: one that was built already, in place of the service's own.
        promoted: what another environment runs and this one gets as it is.
        review: why a second person has to look at it.
    """

    service: Service
    name: str
    author: str
    target: str = PREVIEW
    ttl: timedelta | None = None
    pull: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    strategy: Strategy = "rolling"
    production: bool = False
    promoted: Release | None = None
    review: tuple[str, ...] = ()

    @property
    def workload(self) -> Workload:
        """What shall run."""
        if self.promoted:
            return self.promoted.workload
        own = self.service.workload
        return with_image(own, self.image) if self.image else own


def settings_of(pairs: Sequence[str]) -> dict[str, str]:
    """Return the variables of `--set NAME=VALUE`.

    Raises:
        InvalidInput: one is no such pair, or seems to be a secret.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--set {name!r} is no NAME=VALUE", hint="--set LOG_LEVEL=DEBUG")
        if is_secret(name, value):
            raise InvalidInput(
                f"--set {name} seems to be a secret: others see a command's arguments",
                hint=f"name it in {SCORE} as a resource of type secret; see idp secret request",
            )
        found[name] = value
    return found


def plan_of(action: str, wanted: Wanted, provider: Provider, source: Source, others: int) -> Plan:
    """Return the plan of it, in which nothing changes with the time of day.

    Args:
        others: how many environments the team has besides.
    """
    promoted = wanted.promoted
    said = {
        "provider": provider.name,
        "target": wanted.target,
        "commit": promoted.commit if promoted else source.commit,
        "ttl": f"{hours(wanted.ttl)} h" if wanted.ttl else "",
        "image": wanted.image,
        "pull": wanted.pull,
        "promoted": promoted.id if promoted else "",
        **{f"set {name}": value for name, value in sorted(wanted.settings.items())},
    }
    return Plan(
        action,
        wanted.name,
        inputs={key: value for key, value in said.items() if value},
        preconditions={} if promoted else {"files": source.tree},
        effects=(Effect("started", f"{provider.name}:{wanted.name}"),),
        result=promoted.artefact if promoted else source.tree,
        risk="remote" if provider.is_shared else "local",
        facts=_facts(wanted, provider, others),
    )


def _facts(wanted: Wanted, provider: Provider, others: int) -> Facts:
    facts, billed = wanted.service.facts, provider.is_shared
    return replace(
        facts,
        environment="production" if wanted.production else wanted.target,
        tags=_tags(wanted, billed=billed),
        images=tuple(one.image for one in wanted.workload.containers),
        uses=facts.uses if billed else (),
        holds=f"env:{wanted.name}" if billed else "",
        ttl_hours=hours(wanted.ttl) if wanted.ttl else None,
        lasting=wanted.target != PREVIEW,
        review=wanted.review,
        environments=others + 1,
    )


def hours(ttl: timedelta) -> int:
    """Return a time in hours, rounded up."""
    return -(-int(ttl.total_seconds()) // 3600)


def _tags(wanted: Wanted, *, billed: bool) -> dict[str, str]:
    service = wanted.service
    said = {
        "environment": wanted.name,
        "service": service.name,
        "owner": service.facts.owner,
        "team": service.team,
        "author": wanted.author,
        "repository": service.place if service.address else "",
        "pull": wanted.pull,
    }
    tags = dict(service.facts.tags) | {key: value for key, value in said.items() if value}
    return tags if billed else {"cost-centre": "none"} | tags  # nobody pays for one's own machine


def per_day(cost: Estimate | None) -> Decimal | None:
    """Return what a month's estimate comes to a day, rounded up to the cent."""
    if cost is None:
        return None
    return (cost.amount / _DAYS).quantize(Decimal("0.01"), ROUND_CEILING)


def release_id(now: datetime) -> str:
    """Return the id of a new release: those made later sort later."""
    return f"r{now:%y%m%d%H%M%S}{now.microsecond // 1000:03d}-{secrets.token_hex(3)}"


@dataclass(frozen=True)
class Making:
    """What is brought where: all that a rollout needs; nothing is built where `source` is None."""

    release: Release
    source: Source | None
    env: Environment
    deployment: Deployment


def making(
    wanted: Wanted,
    provider: Provider,
    source: Source,
    plan: Plan,
    costs: CostSettings,
    by: str,
    now: datetime,
) -> Making:
    """Return the release of a plan, with how it will be recorded."""
    promoted, facts = wanted.promoted, plan.facts
    commit = promoted.commit if promoted else source.commit
    release = Release(
        release_id(now),
        wanted.name,
        wanted.service.name,
        commit,
        wanted.workload,
        now,
        now + wanted.ttl if wanted.ttl else None,
        artefact=promoted.artefact if promoted else "",
        plan=plan.digest,
        tags={**facts.tags, "commit": commit},
        settings=wanted.settings,
        strategy=wanted.strategy,
    )
    builds = provider.kind == "local" or any(c.image == OWN for c in wanted.workload.containers)
    return Making(
        release,
        source if builds and not promoted else None,
        _environment(wanted, provider, release, estimate(facts.uses, costs.rates), facts),
        _deployment(wanted, provider, release, by),
    )


def _environment(
    wanted: Wanted, provider: Provider, release: Release, cost: Estimate | None, facts: Facts
) -> Environment:
    now, service = release.created_at, wanted.service
    return Environment(
        wanted.name,
        "provisioning",
        "",
        provider.name,
        service.name,
        facts.owner,
        service.team,
        release.commit,
        now,
        now,
        release.expires_at,
        per_day(cost),
        cost.currency if cost else "",
        wanted.author,
        facts.tags.get("repository", ""),
        wanted.pull,
        release.id,
    )


def _deployment(wanted: Wanted, provider: Provider, release: Release, by: str) -> Deployment:
    return Deployment(
        release.id,
        wanted.name,
        wanted.target,
        provider.name,
        wanted.service.name,
        wanted.service.team,
        release.commit,
        by,
        "deploying",
        release.created_at,
        artefact=release.artefact,
        production=wanted.production,
    )


def proof(done: Deployment, url: str) -> str:
    """Return what the audit trail says of a deployment that has ended."""
    said = url if done.outcome == "live" else f"{done.outcome}: {done.reason}"
    return f"{done.id} {said}".rstrip()
