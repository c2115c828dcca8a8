"""The forge's own word for who its token is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from idp.clock import Clock
from idp.config.guardrails import IdentitySettings
from idp.forge.connect import connect
from idp.forge.credentials import Credential
from idp.forge.place import Place
from idp.identity import Identity, resolve
from idp.rest import Server


def who(
    environ: Mapping[str, str],
    settings: IdentitySettings,
    login: Callable[[], tuple[Place, Credential | None]],
    clock: Clock,
) -> Identity:
    """Return who acts, asked of the servers themselves.

    Args:
        login: returns the platform's forge, and the credential there.
    """

    def reach(base: str, headers: Mapping[str, str]) -> Server:
        return Server(base, clock, headers, hasty=True)

    return resolve(environ, settings, lambda: account_of(*login(), clock), reach, clock)


def account_of(place: Place, credential: Credential | None, clock: Clock) -> tuple[str, str] | None:
    """Return the forge's host and whom a token speaks for; None where nobody is logged in."""
    if credential is None:
        return None
    forge = connect(place, credential, clock, lambda _: None, hasty=True)
    return place.host, forge.account().login
