"""GitHub's device flow (RFC 8628): a person types a code into a browser, we get a token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from idp.clock import Clock
from idp.errors import Interrupted, NotAllowed, RemoteFailed
from idp.forge.place import Place
from idp.rest import Server

if TYPE_CHECKING:
    from idp.rest import Transport

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SLOWER = 5.0
"""Seconds that are added where the server says `slow_down` (RFC 8628, 3.5)."""


@dataclass(frozen=True)
class _Asked:
    """What the server gave us to wait with."""

    device_code: str = field(repr=False)
    user_code: str
    address: str
    until: datetime
    interval: float


def device_flow(
    place: Place,
    client_id: str,
    scopes: Sequence[str],
    clock: Clock,
    tell: Callable[[str], None],
    transport: Transport | None = None,
) -> str:
    """Return a token that a person granted in their browser.

    Args:
        client_id: names the OAuth app; it is no secret.
        tell: shows the person the code and where to type it.

    Raises:
        NotAllowed: the code was not used in time, or the app may not do this.
        Interrupted: the person said no.
    """
    server = Server(
        f"https://{place.host}",
        clock,
        {"Accept": "application/json"},
        say=tell,
        transport=transport,
    )
    asked = _ask(server, place, client_id, scopes)
    tell(f"open {asked.address} and type the code {asked.user_code}")
    return _wait(server, place, client_id, asked)


def _ask(server: Server, place: Place, client_id: str, scopes: Sequence[str]) -> _Asked:
    body = {"client_id": client_id, "scope": " ".join(scopes)}
    said = server.send("POST", "/login/device/code", body, ok=(400, 404)).data
    match said:
        case {"device_code": str(device), "user_code": str(code), "verification_uri": str(uri)}:
            if urlsplit(uri).netloc.lower() != place.host:
                raise RemoteFailed(f"{place.host} sends us to another host to log in: {uri}")
            until = server.clock.now() + timedelta(seconds=float(said.get("expires_in", 900)))
            return _Asked(device, code, uri, until, float(said.get("interval", 5)))
    raise _refusal(place, client_id, said)


def _wait(server: Server, place: Place, client_id: str, asked: _Asked) -> str:
    """Poll no faster than the server allows, until there is a token or the code has expired."""
    body = {"client_id": client_id, "device_code": asked.device_code, "grant_type": GRANT}
    interval = asked.interval
    while server.clock.now() < asked.until:
        server.clock.sleep(interval)
        try:
            said = server.send("POST", "/login/oauth/access_token", body, ok=(400,)).data
        except RemoteFailed:
            interval *= 2  # the person may have said yes already: ask again (RFC 8628, 3.5)
            continue
        match said:
            case {"access_token": str(token)} if token:
                return token
            case {"error": "authorization_pending"}:
                continue
            case {"error": "slow_down"}:
                interval = max(float(said.get("interval", 0)), interval + SLOWER)
            case {"error": "access_denied"}:
                raise Interrupted(f"the login to {place.host} was denied in the browser")
            case {"error": "expired_token"}:
                break
            case _:
                raise _refusal(place, client_id, said)
    raise NotAllowed(f"the code for {place.host} was not used in time", hint=place.login)


_KNOWN = {
    "device_flow_disabled": "the device flow is not enabled for this OAuth app",
    "incorrect_client_credentials": "there is no OAuth app with this client id",
    "Not Found": "there is no OAuth app with this client id",
}


def _refusal(place: Place, client_id: str, said: Any) -> NotAllowed:
    word = str(said.get("error", "no reason given")) if isinstance(said, dict) else "no answer"
    what = f"{place.host} gives client id {client_id} no login: {_KNOWN.get(word, word)}"
    return NotAllowed(what, hint=f"{place.login} --with-token < token.txt")
