"""The environment variables of a container in a release."""

from __future__ import annotations

from collections.abc import Collection

from idp.catalog.problem import written
from idp.errors import InvalidInput, NotFound
from idp.provider.base import Release
from idp.workload.model import Container
from idp.workload.placeholders import Outputs, UnknownPlaceholder, closest, fill, uses


def variables(release: Release, container: str, outputs: Outputs) -> dict[str, str]:
    """Return a container's variables, filled; the release's settings stand over them, as they are.

    Args:
        outputs: of all resources, those in `release.given` among them.

    Raises:
        NotFound: the workload has no such container.
        InvalidInput: a placeholder stands for nothing that is given.
    """
    found = dict(release.settings)
    for name, text in _container(release, container).variables.items():
        if name in release.settings:
            continue
        try:
            found[name] = fill(text, release.workload, outputs)
        except UnknownPlaceholder as error:
            path = written(("containers", container, "variables", name))
            raise InvalidInput(f"{path}: {error.message}", hint=error.hint) from None
    return found


def hidden(
    release: Release, container: str, secrets: Collection[tuple[str, str]]
) -> frozenset[str]:
    """Return the names of a container's variables that hold a secret.

    Args:
        secrets: which outputs are secrets: names of resources, each with its output's.
    """
    return frozenset(
        name
        for name, text in _container(release, container).variables.items()
        if name not in release.settings and any(use in secrets for use in uses(text))
    )


def _container(release: Release, name: str) -> Container:
    containers = {one.name: one for one in release.workload.containers}
    if name not in containers:
        what = f"the workload {release.workload.name!r} has no container {name!r}"
        raise NotFound(what, hint=closest(name, containers))
    return containers[name]
