"""What was deployed, and what is live."""

from __future__ import annotations

from collections.abc import Iterable

from idp.rollout.records import Deployment, Records


def history(records: Records, service: str, target: str, limit: int) -> list[Deployment]:
    """Return a service's deployments to a target, or to all, the newest first."""
    found = records.deployments(service=service)
    return [one for one in found if target in ("", one.target)][:limit]


def standing(records: Records, environments: Iterable[str]) -> list[Deployment]:
    """Return of each environment what is live there, and what came after it."""
    found: list[Deployment] = []
    for name in environments:
        for one in records.deployments(name):
            found.append(one)
            if one.outcome == "live":
                break
    return found
