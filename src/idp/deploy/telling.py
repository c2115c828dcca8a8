"""Telling the forge's Deployments API; one that fails never stops a deployment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from idp.errors import IdpError
from idp.forge.base import DeploymentState, DeploymentStatus, Forge, NewDeployment, NotSupported
from idp.rollout.records import Deployment

_STATES: dict[str, DeploymentState] = {
    "live": "success",
    "failed": "failure",
    "rolled_back": "failure",
    "cancelled": "error",
}


@dataclass(frozen=True)
class Telling:
    """Whom to tell; None is nobody.

    Attributes:
        repo: the full name of the service's repository there.
    """

    connect: Callable[[], Forge] | None
    repo: str
    say: Callable[[str], None]

    def began(self, one: Deployment) -> None:
        """Tell that it has begun; our id goes with it."""
        self._tell(one, "in_progress")

    def ended(self, one: Deployment) -> None:
        """Tell what came of it."""
        self._tell(one, _STATES[one.outcome])

    def _tell(self, one: Deployment, state: DeploymentState) -> None:
        if self.connect is None:
            return
        try:
            with suppress(NotSupported):
                forge = self.connect()
                new = NewDeployment(
                    one.commit,
                    one.commit,
                    one.target,
                    f"idp deploy {one.id}",
                    is_production=one.production,
                    payload={"idp": one.id},
                )
                there = forge.deploy(self.repo, new)
                said = DeploymentStatus(state, one.url, description=one.reason)
                forge.set_status(self.repo, there, said)
        except IdpError as error:
            self.say(f"warning: {self.repo} is not told of the deployment: {error.message}")
