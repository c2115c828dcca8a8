"""The forge's own word for who its token is."""

from __future__ import annotations

from idp.clock import Clock
from idp.forge.connect import connect
from idp.forge.credentials import Credential
from idp.forge.place import Place


def account_of(place: Place, credential: Credential | None, clock: Clock) -> tuple[str, str] | None:
    """Return the forge's host and whom a token speaks for; None where nobody is logged in."""
    if credential is None:
        return None
    forge = connect(place, credential, clock, lambda _: None, hasty=True)
    return place.host, forge.account().login
