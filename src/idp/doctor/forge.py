"""Checks of the platform's forge: reachable, logged in, allowed, and the clocks of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime

from idp.clock import Clock
from idp.doctor.world import Check, State, World
from idp.errors import IdpError
from idp.forge import programs, scopes
from idp.forge.base import Account
from idp.forge.place import Place
from idp.forge.standing import Standing, standing
from idp.rest import RateLimited, Server

SKEW = 60.0
"""Seconds that the clocks may differ: tokens and certificates have times."""


def forge(world: World) -> Iterator[Check]:
    """Reach the forge, then see whose token there is and what it may do."""
    try:
        is_missed, place = world.has_platform(), world.forge()
    except IdpError:
        yield Check("forge", "skipped", "the platform file, which names it, could not be read")
        return
    worst: State = "problem" if is_missed else "skipped"
    try:
        said = _date(place, world.clock)
    except IdpError as error:
        mend = f"curl -I {place.api}" if is_missed else ""
        yield Check("forge", worst, f"{error.message} ({error.hint})", mend)
        yield Check("login", "skipped", f"{place.host} cannot be reached")
        return
    yield Check("forge", "ok", f"{place.host} ({place.kind})")
    yield from _clocks(place, world.clock, said)
    stands, account = standing(place, True, world.clock, world.environ)
    yield _login(stands, "problem" if is_missed else "warning")
    if account is not None:
        yield from _allowed(place, stands, account)


def _date(place: Place, clock: Clock) -> str:
    """Return the time that a forge says it is; any answer is one, without a token too."""
    server = Server(place.api, clock, hasty=True)
    path = "/" if place.kind == "github" else "/version"
    try:
        return server.get(path, ok=range(300, 500)).headers.get("date", "")
    except RateLimited:
        return ""


def _clocks(place: Place, clock: Clock, said: str) -> Iterator[Check]:
    try:
        theirs = parsedate_to_datetime(said).astimezone(UTC)
    except ValueError:
        return
    apart = abs((clock.now() - theirs).total_seconds())
    if apart > SKEW:
        what = f"{apart:.0f} s away from that of {place.host}"
        yield Check("clock", "warning", what, "sudo timedatectl set-ntp true")
    else:
        yield Check("clock", "ok", f"as that of {place.host}")


def _login(stands: Standing, worst: State) -> Check:
    if stands.state == "valid":
        return Check("login", "ok", f"{stands.login} at {stands.host}, from {stands.origin}")
    return Check("login", worst, stands.found, stands.mend)


def _allowed(place: Place, stands: Standing, account: Account) -> Iterator[Check]:
    """Tell what a token is too weak for; of some tokens the forge does not say."""
    if account.scopes is None:
        what = f"{place.host} does not say what this token may do: it is tried"
        yield Check("allowed", "ok", what)
        return
    lacks = {
        command: missing
        for purpose, command in _COMMANDS.items()
        if (missing := scopes.missing(place.kind, account, purpose))
    }
    if not lacks:
        yield Check("allowed", "ok", ", ".join(_COMMANDS.values()))
        return
    what = "; ".join(f"{command} needs {', '.join(lacking)}" for command, lacking in lacks.items())
    wanted = ",".join(sorted({scope for lacking in lacks.values() for scope in lacking}))
    yield Check("allowed", "warning", what, _mend(place, stands, wanted))


_COMMANDS: dict[scopes.Purpose, str] = {
    "push": "create-service --push",
    "pr": "update-service --pr",
}


def _mend(place: Place, stands: Standing, wanted: str) -> str:
    if stands.origin == "gh":
        return f"gh auth refresh --hostname {place.host} --scopes {wanted}"
    return programs.again(place, stands.origin)
