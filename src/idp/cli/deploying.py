"""What deploying needs, found out before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.cli import running
from idp.errors import NotFound

if TYPE_CHECKING:
    from idp.config.running import Target
    from idp.context import Context
    from idp.deploy.telling import Telling
    from idp.plan import Plan
    from idp.rollout.making import Making, Wanted
    from idp.rollout.service import Service
    from idp.rollout.shipping import Site


@dataclass(frozen=True)
class Ready:
    """A deployment that may begin."""

    site: Site
    plan: Plan
    what: Making
    observe: Callable[[], Mapping[str, str]]
    telling: Telling

    @property
    def told(self) -> str:
        """What would be done, in words."""
        said = [f"would deploy {self.what.deployment.service} as {self.plan.subject}"]
        said += [f"  {key}: {value}" for key, value in sorted(self.plan.inputs.items())]
        return "\n".join(said)


@contextmanager
def prepared(idp: Context, to: str | None, image: str, settings: list[str]) -> Iterator[Ready]:
    """Look at what the target asks for, and give what will be brought there.

    Raises:
        NotReady: with each thing that is amiss, and its mend.
    """
    from idp.deploy import preflight
    from idp.env.herald import Nobody
    from idp.git import find
    from idp.rollout import making, service
    from idp.rollout.source import source_of
    from idp.workshop import workshop

    target, costs = target_of(idp, to), idp.platform.guardrails.costs
    found = service.look(idp.path("."), costs.rates.flat if costs.rates else ())
    where = idp.providers[target.provider]
    site = running.site(idp, where, target.health, target.name, Nobody())
    forge = running.forge_of(idp, found)
    with workshop(idp.cache) as room:
        source, now = source_of(found.folder, room), idp.clock.now()
        name = found.address.name if found.address else ""
        preflight.check(target, find(found.folder), source, now, forge, name)
        wanted = _wanted(idp, found, target, image, settings)
        plan = making.plan_of("deploy", wanted, where, source, 0)
        what = making.making(wanted, where, source, plan, costs, site.records.who, now)

        def observe() -> Mapping[str, str]:
            is_there = wanted.promoted is not None
            return {} if is_there else {"files": source_of(found.folder, room).tree}

        yield Ready(site, plan, what, observe, telling(idp, found))


def _wanted(
    idp: Context, found: Service, target: Target, image: str, settings: list[str]
) -> Wanted:
    """Return the release that is asked for: built from here, or promoted."""
    from getpass import getuser

    from idp.deploy.deploying import promoted
    from idp.rollout import making, naming

    release = None
    if target.after:
        before = target_of(idp, target.after)
        name = naming.of_target(found.name, found.place, before.name)
        place = idp.providers[before.provider]
        release = promoted(running.records(idp), place, name, target)
    return making.Wanted(
        found,
        naming.of_target(found.name, found.place, target.name),
        getuser(),
        target.name,
        settings=making.settings_of(settings),
        image=image,
        strategy=target.strategy,
        production=target.production,
        promoted=release,
        review=review(target, found.facts.tier),
    )


def review(target: Target, tier: str) -> tuple[str, ...]:
    """Return why a second person has to look at what is done to a target."""
    asks = tier in target.approval
    return (f"{target.name} asks it of services of tier {tier}",) if asks else ()


def telling(idp: Context, found: Service) -> Telling:
    """Return whoever is told of a service's deployments: its forge, where we are logged in."""
    from idp.deploy.telling import Telling

    address = found.address
    if address is None or not idp.is_logged_in(address.host):
        return Telling(None, "", idp.output.say)
    return Telling(lambda: idp.forge(address.host), address.name, idp.output.say)


def named(idp: Context, to: str | None) -> tuple[Target, str]:
    """Return a target, and the name of the environment there of the service that we stand in."""
    from idp.rollout import naming, service

    target, found = target_of(idp, to), service.look(idp.path("."))
    return target, naming.of_target(found.name, found.place, target.name)


def target_of(idp: Context, name: str | None) -> Target:
    """Return a lasting environment of the platform, by default its first.

    Raises:
        NotFound: it has none such.
    """
    targets = idp.platform.running.targets
    if name is None and targets:
        return next(iter(targets.values()))
    if name is None or name not in targets:
        what = (
            f"no target called {name!r} on this platform" if name else "the platform has no target"
        )
        raise NotFound(what, hint=f"known: {', '.join(targets)}" if targets else "deploy.targets")
    return targets[name]
