"""How one stands to a forge: whose token there is, whether it is taken, what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from idp.clock import Clock
from idp.errors import IdpError, NotAllowed
from idp.forge import credentials, programs
from idp.forge.base import Account, Kind
from idp.forge.connect import connect
from idp.forge.place import Place

State = Literal["valid", "refused", "unchecked", "absent"]
"""How a token stands; `unchecked`: the forge could not be asked."""

_SAYS_WHOSE: Mapping[Kind, str] = {
    "github": "GH_HOST",
    "gitlab": "GITLAB_HOST",
    "gitea": "GITEA_SERVER_URL",
}


@dataclass(frozen=True)
class Standing:
    """How one stands to a forge.

    Attributes:
        state: valid, refused, unchecked (the forge could not be asked) or absent.
        is_platform: whether it is the platform's own forge.
        login: the account; empty where it is not known.
        origin: where the token comes from: a variable, `keyring`, a program or a file.
        scopes: what the token may do; null where the forge does not say.
        found: what is wrong, or in the way.
        mend: the command that mends it.
    """

    host: str
    kind: Kind
    is_platform: bool
    state: State = "absent"
    login: str = ""
    origin: str = ""
    scopes: tuple[str, ...] | None = None
    found: str = ""
    mend: str = ""


def standing(
    place: Place, is_platform: bool, clock: Clock, environ: Mapping[str, str]
) -> tuple[Standing, Account | None]:
    """Return how one stands to a forge, and the account; an error is told there, not raised."""
    stands = Standing(place.host, place.kind, is_platform)
    try:
        credential = credentials.find(place, environ)
    except IdpError as error:
        return replace(stands, found=error.message, mend=error.hint), None
    if credential is None:
        return replace(stands, found=_absent(place, environ), mend=place.login), None
    stands = replace(stands, origin=credential.origin)
    try:
        account = connect(place, credential, clock, lambda _: None, hasty=True).account()
    except NotAllowed as error:
        mend = programs.again(place, stands.origin)
        return replace(stands, state="refused", found=error.message, mend=mend), None
    except IdpError as error:
        return replace(stands, state="unchecked", found=error.message, mend=error.hint), None
    return replace(stands, state="valid", login=account.login, scopes=listed(account)), account


def _absent(place: Place, environ: Mapping[str, str]) -> str:
    said = f"not logged in to {place.host}"
    others = credentials.unclaimed(place, environ)
    if not others:
        return said
    names, whose = ", ".join(others), _SAYS_WHOSE[place.kind]
    return f"{said}: {names} is set, but {whose} does not say that it is for this host"


def listed(account: Account) -> tuple[str, ...] | None:
    """Return an account's scopes in order; None where the forge does not say."""
    return None if account.scopes is None else tuple(sorted(account.scopes))
