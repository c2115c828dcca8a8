"""Telling others of an environment, such as a pull request; a failing notice never stops work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from idp.errors import IdpError
from idp.rollout.records import Environment


class Herald(Protocol):
    """Whoever is told how an environment stands."""

    def check_wanted(self) -> None:
        """Raise TornDown where nobody wants it any more; one that cannot know raises nothing."""

    def began(self, env: Environment) -> None:
        """Tell that it is on its way."""

    def live(self, env: Environment) -> None:
        """Tell that it answers, and where."""

    def failed(self, env: Environment, why: str) -> None:
        """Tell that the release failed, and what answers now."""

    def gone(self, env: Environment) -> None:
        """Tell that it is gone."""


class Nobody:
    """Nobody is told."""

    def check_wanted(self) -> None:
        """Let it go on."""

    def began(self, env: Environment) -> None:
        """Tell nobody."""

    def live(self, env: Environment) -> None:
        """Tell nobody."""

    def failed(self, env: Environment, why: str) -> None:
        """Tell nobody."""

    def gone(self, env: Environment) -> None:
        """Tell nobody."""


def quietly(tell: Callable[[], None], say: Callable[[str], None]) -> None:
    """Tell others; where that fails, say so and go on."""
    try:
        tell()
    except IdpError as error:
        say(f"warning: not told: {error.message}")
