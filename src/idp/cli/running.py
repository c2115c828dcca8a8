"""What the commands on environments and deployments share: where things run, told in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.config.running import HealthSettings
    from idp.context import Context
    from idp.env.down import Removing
    from idp.env.herald import Herald
    from idp.forge.base import Forge
    from idp.provider.base import Provider
    from idp.provider.connect import Providers
    from idp.rollout.lease import Leases
    from idp.rollout.records import Environment, Records
    from idp.rollout.service import Service
    from idp.rollout.shipping import Site
    from idp.rollout.steps import Steps
    from idp.workload.model import Workload

ProviderName = Annotated[
    str | None, typer.Option("--provider", metavar="NAME", help="Where it runs. [the platform's]")
]
Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="The environment's name.")]
Pull = Annotated[
    str | None, typer.Option("--pr", metavar="NUMBER", help="That of this pull request.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a variable; never a secret."),
]


def hours(written: str, option: str) -> timedelta:
    """Return a time like `30s`, `90m`, `24h` or `3d`.

    Raises:
        UsageError: it is none.
    """
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    number, unit = written[:-1], written[-1:]
    if unit not in units or not number.isdigit() or not int(number) or int(number) > 100_000:
        raise UsageError(f"{option} {written!r} is no time", hint="like 30s, 90m, 24h or 3d")
    return timedelta(**{units[unit]: int(number)})


def steps(idp: Context) -> Steps:
    """Return what tells a person each step with its time."""
    from idp.rollout.steps import Steps

    return Steps(idp.clock, idp.output.say)


def records(idp: Context, who: str = "") -> Records:
    """Return what is recorded of environments and deployments; `who` is written to new rows."""
    from idp.rollout.records import Records

    return Records(idp.ledger, idp.clock, who)


def who(idp: Context, provider: Provider) -> str:
    """Return who acts; servers are asked only where more than this machine is changed."""
    from idp.identity import unverified

    return idp.who.id if provider.is_shared else unverified().id


def leases(idp: Context, provider: Provider) -> Leases:
    """Return where a provider's leases are kept: with its own things, else in the ledger."""
    from idp.provider.base import Leasing
    from idp.rollout.lease import LedgerLeases

    return provider if isinstance(provider, Leasing) else LedgerLeases(idp.ledger, idp.clock)


def site(
    idp: Context, provider: Provider, health: HealthSettings, environment: str, herald: Herald
) -> Site:
    """Return where a release is brought.

    Args:
        environment: under whose name secrets are kept: `preview`, or a target's.
    """
    from idp.rollout.health import Prober
    from idp.rollout.shipping import Site

    return Site(
        provider,
        leases(idp, provider),
        records(idp, who(idp, provider)),
        Prober(idp.clock),
        steps(idp),
        idp.clock,
        lambda workload: given(idp, workload, environment),
        health,
        herald.check_wanted,
    )


def herald(idp: Context, repository: str, pull: str) -> Herald:
    """Return whoever is told of an environment: its pull request, if it has one.

    Args:
        repository: HOST/OWNER/NAME; empty for none.
    """
    from idp.env.herald import Nobody

    if not (pull and repository):
        return Nobody()
    from idp.env.pull import PullHerald

    host, _, name = repository.partition("/")
    return PullHerald(lambda: idp.forge(host), name, int(pull), idp.output.say)


def forge_of(idp: Context, found: Service) -> Callable[[], Forge]:
    """Return what connects to the forge of a service's repository."""
    host = found.address.host if found.address else ""
    return lambda: idp.forge(host)


def given(idp: Context, workload: Workload, environment: str) -> Mapping[str, Mapping[str, str]]:
    """Return the values of a workload's secrets."""
    from idp.secret.base import path_of

    wanted = [one for one in workload.resources if one.kind == "secret"]
    if not wanted:
        return {}
    pattern = idp.platform.guardrails.secrets.path
    return {
        one.name: idp.secrets.read(
            path_of(pattern, workload.name, environment, str(one.params.get("name") or one.name))
        )
        for one in wanted
    }


def removing(idp: Context, provider: Provider) -> Removing:
    """Return what tearing down at a provider needs."""
    from idp.env.down import Removing

    known = records(idp, who(idp, provider))
    return Removing(provider, leases(idp, provider), known, steps(idp), idp.clock)


def one(
    idp: Context, name: str | None, pull: str | None, provider: str | None = None
) -> tuple[Environment, Provider]:
    """Return the environment that is named: by its name, its pull request, or where we stand.

    Raises:
        NotFound: there is none.
        UsageError: several pull requests have this number.
    """
    from idp.env import listing

    running, now = idp.platform.running, idp.clock.now()
    places: Mapping[str, Provider] = _only(idp.providers, provider)
    if name and pull:
        raise UsageError("a name and --pr exclude each other", hint="give one")
    if pull:
        name = _of_pull(idp, pull, places)
    name = name or here(idp)
    return listing.one(name, places, records(idp), running, now)


def _only(providers: Providers, name: str | None) -> Mapping[str, Provider]:
    return {name: providers[name]} if name else providers


def _of_pull(idp: Context, pull: str, places: Mapping[str, Provider]) -> str:
    from idp.env import listing
    from idp.errors import NotFound

    told, now = idp.platform.running, idp.clock.now()
    found = list(listing.found(places.values(), records(idp), told, now, {"pull": pull}))
    if not found:
        raise NotFound(f"no environment of pull request {pull}", hint="idp env list")
    if len(found) > 1:
        names = ", ".join(f"{env.name} ({env.repository})" for env in found)
        raise UsageError(f"pull request {pull} of which repository? {names}", hint="name one")
    return found[0].name


def service_here(idp: Context) -> Service:
    """Return the service in the folder that we stand in."""
    from idp.rollout.service import look

    return look(idp.path("."))


def here(idp: Context) -> str:
    """Return the name of the environment of the branch and folder that we stand in."""
    from idp.rollout import naming

    found = service_here(idp)
    return naming.of_branch(found.name, found.place, found.branch)
