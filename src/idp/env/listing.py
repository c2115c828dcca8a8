"""Which environments there are: what their providers see, with what was recorded of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from idp.config.running import Running
from idp.errors import NotFound
from idp.provider.base import Observed, Provider
from idp.rollout.records import Environment, Records, State

UNDER_WAY: frozenset[State] = frozenset({"provisioning", "deploying", "verifying", "rolling_back"})
LOST = "nothing of it is there any more"


def adopted(seen: Observed, provider: str) -> Environment:
    """Return the record of an environment of which only its provider knows, from its tags."""
    tags = seen.tags
    return Environment(
        seen.name,
        "live",
        seen.url,
        provider,
        tags.get("service", ""),
        tags.get("owner", ""),
        tags.get("team", ""),
        tags.get("commit", ""),
        seen.created_at,
        seen.updated_at,
        seen.expires_at,
        author=tags.get("author", ""),
        repository=tags.get("repository", ""),
        pull=tags.get("pull", ""),
        release=seen.release,
    )


def merged(
    seen: Observed, known: Environment | None, provider: str, running: Running, now: datetime
) -> Environment:
    """Return an environment as it is now: the provider's word, and what it cannot know."""
    own = adopted(seen, provider)
    if known is None or known.state == "gone":
        return replace(own, state=_state(seen, None, running, now))
    return replace(
        own,
        state=_state(seen, known, running, now),
        commit=own.commit or known.commit,
        created_at=min(own.created_at, known.created_at),
        cost_per_day=known.cost_per_day,
        currency=known.currency,
        reason=seen.reason or known.reason,
        wanted=known.wanted,
    )


def _state(seen: Observed, known: Environment | None, running: Running, now: datetime) -> State:
    if seen.state == "stopping" or (known and known.wanted == "down"):
        return "stopping"
    if seen.state in ("failed", "stopped"):
        return "failed" if seen.state == "failed" else "stopped"
    if known and known.state in UNDER_WAY:
        return known.state
    if seen.state == "starting":
        return "deploying"
    if known and known.state == "failed":
        return "failed"
    return "idle" if is_idle(seen.expires_at, seen.updated_at, running, now) else "live"


def is_idle(
    expires_at: datetime | None, updated_at: datetime, running: Running, now: datetime
) -> bool:
    """Tell whether an environment that shall end has seen no deployment for long."""
    if expires_at is None or not running.idle_hours:
        return False
    return now - updated_at > timedelta(hours=running.idle_hours)


def found(
    providers: Iterable[Provider],
    records: Records,
    running: Running,
    now: datetime,
    tags: Mapping[str, str],
) -> Iterator[Environment]:
    """Yield the environments that carry these tags, by name within each provider.

    What is recorded as there and is not counts as failed; what is on its way is told of too.
    """
    known = {one.name: one for one in records.environments()}
    for provider in providers:
        there = {}
        for seen in provider.list(tags):
            there[seen.name] = merged(seen, known.get(seen.name), provider.name, running, now)
        there |= {
            name: unseen(one)
            for name, one in known.items()
            if name not in there and one.provider == provider.name and _is_meant(one, tags)
        }
        yield from (there[name] for name in sorted(there))


def _is_meant(one: Environment, tags: Mapping[str, str]) -> bool:
    if one.state == "gone":
        return False
    return all(getattr(one, key, "") == value for key, value in tags.items())


def unseen(one: Environment) -> Environment:
    """Return an environment of which its provider has nothing: on its way there, or lost."""
    if one.wanted == "down":
        return replace(one, state="stopping")
    if one.state in ("provisioning", "failed"):
        return one
    return replace(one, state="failed", reason=LOST)


def one(
    name: str,
    providers: Mapping[str, Provider],
    records: Records,
    running: Running,
    now: datetime,
) -> tuple[Environment, Provider]:
    """Return an environment with its provider; neither a checkout nor a record is needed.

    Raises:
        NotFound: no provider has it.
    """
    known = records.environment(name)
    first = [known.provider] if known and known.provider in providers else []
    for key in [*first, *(key for key in providers if key not in first)]:
        if seen := providers[key].observe(name):
            return merged(seen, known, key, running, now), providers[key]
    if known and known.state != "gone" and known.provider in providers:
        return unseen(known), providers[known.provider]
    raise NotFound(f"no environment called {name!r}", hint="idp env list")
