"""Logging in to forges and out of them, and how one stands to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.clock import Clock
from idp.errors import NotAllowed, Refused
from idp.forge import credentials, programs, scopes, store
from idp.forge.base import Kind
from idp.forge.connect import connect
from idp.forge.credentials import Credential
from idp.forge.place import LABEL, Place
from idp.forge.standing import Standing, listed, standing
from idp.plan import Effect, Plan
from idp.road import Road

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

WANTED = scopes.NEEDS["github"]["push"]
"""The scopes that the device flow asks for."""

PAGES: Mapping[Kind, str] = {
    "github": "https://{host}/settings/tokens/new?scopes={scopes}",
    "gitlab": "https://{host}/-/user_settings/personal_access_tokens?scopes={scopes}",
    "gitea": "https://{host}/user/settings/applications",
}
"""Where a person makes a token."""


@dataclass(frozen=True)
class LoggedIn:
    """A login that was stored.

    Attributes:
        login: the account.
        stored_in: `keyring`, or the path of a file.
        scopes: what the token may do; null where the forge does not say.
        missing: the scopes that `create-service --push` needs and the token lacks.
        before: where another token comes from that is taken first; empty where none is.
    """

    host: str
    kind: Kind
    login: str
    stored_in: str
    scopes: tuple[str, ...] | None
    missing: tuple[str, ...]
    before: str


@dataclass(frozen=True)
class LoggedOut:
    """A login that was removed; `still` tells where a token for the host comes from even so."""

    host: str
    removed: bool
    still: str


def keyring_for(*, insecure: bool) -> KeyringBackend | None:
    """Return the keyring in which a token shall be kept; None is the file.

    Raises:
        Refused: there is no keyring, and nobody has asked for a file.
    """
    found = None if insecure else store.usable_keyring()
    if found is None and not insecure:
        raise Refused(
            "there is no keyring here that would keep the token secret",
            hint="pip install 'idp-toolchain[keyring]', or --insecure-storage, which keeps it in a "
            "file that only you may read",
        )
    return found


def no_device_flow(place: Place) -> NotAllowed:
    """Return the error of a login in the browser that is not to be had, with the other ways."""
    why = (
        "it takes an OAuth app: forge.client_id in the platform file, or --client-id"
        if place.kind == "github"
        else f"idp has none for {LABEL[place.kind]}"
    )
    ways = f"{programs.LOGIN[place.kind].format(host=place.host)}, or "
    return NotAllowed(
        f"no login to {place.host} in the browser: {why}",
        hint=f"{ways}{place.login} --with-token < token.txt",
    )


def how_to_make_a_token(place: Place) -> str:
    """Return where a person makes a token at a forge, and what it must be allowed to do."""
    needed = scopes.NEEDS[place.kind]["push"]
    page = PAGES[place.kind].format(host=place.host, scopes=",".join(needed))
    return f"make a token with the scopes {', '.join(needed)} at {page}"


def login(
    place: Place,
    token: str,
    keyring: KeyringBackend | None,
    clock: Clock,
    environ: Mapping[str, str],
    road: Road,
) -> LoggedIn:
    """Store a token, once the forge has said whose it is.

    Args:
        keyring: where it is kept; None is the file.

    Raises:
        NotAllowed: the forge refuses the token.
    """
    given = Credential(place.host, token, "idp auth login")
    account = connect(place, given, clock, lambda _: None).account()
    kept = store.store_of(environ)
    where = "keyring" if keyring else str(kept.path)
    plan = Plan(
        action="auth login",
        subject=place.host,
        inputs={"login": account.login, "stored in": where},
        preconditions={"stored logins": kept.digest},
        effects=(Effect("added", f"{place.host} in {where}"),),
    )

    def apply() -> None:
        kept.keep(store.Entry(place.host, place.kind, account.login), token, keyring)

    def observe() -> dict[str, str]:
        return {"stored logins": kept.digest}

    road.carry_out(plan, apply, observe=observe)
    first = credentials.find(place, environ)
    return LoggedIn(
        place.host,
        place.kind,
        account.login,
        where,
        listed(account),
        scopes.missing(place.kind, account, "push"),
        first.origin if first and first.origin != where else "",
    )


def logout(place: Place, environ: Mapping[str, str], road: Road) -> LoggedOut:
    """Remove what `idp auth login` stored for a host; other programs' logins stay.

    The token itself stays valid until it is revoked at the forge.
    """
    kept = store.store_of(environ)
    entry = kept.entry(place.host)
    if entry is not None:
        gone = entry
        plan = Plan(
            action="auth logout",
            subject=place.host,
            preconditions={"stored logins": kept.digest},
            effects=(Effect("deleted", place.host),),
        )

        def apply() -> None:
            kept.forget(gone)

        def observe() -> dict[str, str]:
            return {"stored logins": kept.digest}

        road.carry_out(plan, apply, observe=observe)
    left = credentials.find(place, environ)
    return LoggedOut(place.host, entry is not None, left.origin if left else "")


def known(platform: Place, environ: Mapping[str, str]) -> tuple[Place, ...]:
    """Return the forges there may be a login for: the platform's, stored ones, those of tokens."""
    stored = [Place(entry.host, entry.kind) for entry in store.store_of(environ).entries()]
    named = [Place(c.host, c.kind) for c in credentials.claims(environ) if c.host[0] != "."]
    places: dict[str, Place] = {}
    for place in (platform, *stored, *named):
        places.setdefault(place.host, place)
    return tuple(places.values())


def stored(host: str, environ: Mapping[str, str]) -> Place | None:
    """Return the forge of a stored login, whatever the platform says today."""
    entry = store.store_of(environ).entry(host)
    return Place(host, entry.kind) if entry else None


def status(platform: Place, clock: Clock, environ: Mapping[str, str]) -> tuple[Standing, ...]:
    """Return how one stands to each forge, the platform's first."""
    return tuple(
        standing(place, place == platform, clock, environ)[0] for place in known(platform, environ)
    )
