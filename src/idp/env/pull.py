"""An environment on its pull request: one comment kept up to date, a deployment with its status."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from idp.errors import IdpError, NotFound
from idp.forge.base import (
    Deployment,
    DeploymentState,
    DeploymentStatus,
    Forge,
    NewDeployment,
    NotSupported,
)
from idp.markdown import code, harmless
from idp.rollout.records import Environment
from idp.rollout.shipping import TornDown

MARKER = "idp-env"


@dataclass
class PullHerald:
    """Tells a pull request of its environment.

    Attributes:
        connect: returns the forge; asked when it is first needed.
        repo: its full name there.
    """

    connect: Callable[[], Forge]
    repo: str
    number: int
    say: Callable[[str], None]

    @cached_property
    def forge(self) -> Forge:
        """The forge."""
        return self.connect()

    def check_wanted(self) -> None:
        """Raise TornDown where the pull request is closed; one that cannot be read counts as open.

        Raises:
            TornDown: it is closed or merged.
        """
        if is_closed(lambda: self.forge, self.repo, self.number, self.say):
            raise TornDown(
                f"pull request {self.number} of {self.repo} is closed",
                hint="its environment is not brought up",
            )

    def began(self, env: Environment) -> None:
        """Open a deployment, and say in the comment that it is on its way."""
        self._status(env, "in_progress", "on its way")
        if not env.url:
            self._comment(env, "is on its way")

    def live(self, env: Environment) -> None:
        """Tell where it answers."""
        self._status(env, "success", "live")
        self._comment(env, "is live")

    def failed(self, env: Environment, why: str) -> None:
        """Tell why the release failed; the one before may still answer."""
        self._status(env, "failure", why)
        self._comment(env, f"failed: {harmless(why)}")

    def gone(self, env: Environment) -> None:
        """Tell that it is gone; GitHub itself never sets transient deployments inactive."""
        with suppress(NotSupported):
            for one in self.forge.deployments(self.repo, env.name):
                self.forge.set_status(self.repo, one, DeploymentStatus("inactive"))
        self._comment(env, "is gone")

    def _deployment(self, env: Environment) -> Deployment:
        new = NewDeployment(env.commit, env.commit, env.name, "idp env up", is_transient=True)
        return self.forge.deploy(self.repo, new)

    def _status(self, env: Environment, state: DeploymentState, said: str) -> None:
        with suppress(NotSupported):
            status = DeploymentStatus(state, env.url, description=said)
            self.forge.set_status(self.repo, self._deployment(env), status)

    def _comment(self, env: Environment, said: str) -> None:
        self.forge.comment(self.repo, self.number, MARKER, comment(env, said))


def comment(env: Environment, said: str) -> str:
    """Return the comment's text, in Markdown."""
    rows = {
        "State": env.state,
        "URL": env.url,
        "Commit": code(env.commit[:12]),
        "Cost": f"{env.cost_per_day} {env.currency} a day" if env.cost_per_day is not None else "",
        "Expires": f"{env.expires_at:%Y-%m-%d %H:%M} UTC" if env.expires_at else "",
    }
    table = [f"| {key} | {value} |" for key, value in rows.items() if value]
    lines = [f"The environment {code(env.name)} {said}."]
    if env.state not in ("gone", "stopping"):
        lines += ["", "| | |", "|---|---|", *table, ""]
        lines += [f"Longer: `idp env extend {env.name} --by 24h`. It goes when this is closed."]
    return "\n".join(lines)


def is_closed(
    connect: Callable[[], Forge], repo: str, number: int, say: Callable[[str], None]
) -> bool:
    """Tell whether a pull request is closed; a read that fails never means so."""
    try:
        return connect().pull_request(repo, number).state != "open"
    except NotFound:
        say(f"warning: no pull request {number} in {repo} can be seen: taken as open")
    except IdpError as error:
        say(f"warning: cannot read pull request {number} of {repo}: {error.message}")
    return False
