"""Who acts: as an OIDC claim or the forge says it; else only what this machine says of itself."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from idp.errors import NotAllowed, RemoteFailed

if TYPE_CHECKING:
    from idp.clock import Clock
    from idp.config.guardrails import IdentitySettings
    from idp.identity.oidc import Reach

How = Literal["oidc", "forge", "unverified"]
Account = Callable[[], "tuple[str, str] | None"]
"""Returns the host of the forge and the login there that its own API names; None for nobody."""


@dataclass(frozen=True)
class Identity:
    """Who acts.

    Attributes:
        id: `github.com:octocat` (a forge's word), `ISSUER#SUBJECT` (OIDC), or
            `unverified:UID@HOST`, which never approves anything.
        how: who says so.
        claims: of an OIDC token: repository, ref, workflow, run_id, actor.
    """

    id: str
    how: How
    claims: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_verified(self) -> bool:
        """Whether somebody else than this machine says so."""
        return self.how != "unverified"


def resolve(
    environ: Mapping[str, str],
    settings: IdentitySettings,
    forge_account: Account,
    reach: Reach,
    clock: Clock,
) -> Identity:
    """Return who acts: by a token (IDP_ID_TOKEN, else GitHub Actions'), else by the forge's word.

    A token that is there has to hold: idp does not fall back from one that does not. A forge that
    cannot be reached or does not know us leaves the one who acts unverified, which can do less.

    Args:
        forge_account: asks the forge whose credential this is.
        reach: returns the server at a base URL, which is sent these headers.

    Raises:
        NotAllowed: a token of another issuer or audience, expired, or wrongly signed.
        RemoteFailed: the issuer of a token cannot be reached.
    """
    from idp.identity.oidc import of_actions

    token = environ.get("IDP_ID_TOKEN", "").strip()
    token = token or of_actions(environ, settings.audience, reach)
    if token:
        return _by_token(token, settings, reach, clock)
    try:
        account = forge_account()
    except (NotAllowed, RemoteFailed):
        account = None
    if account is not None:
        host, login = account
        return Identity(f"{host}:{login}", "forge")
    return unverified()


def unverified() -> Identity:
    """Return what this machine says of whoever runs idp."""
    return Identity(f"unverified:{os.getuid()}@{socket.gethostname()}", "unverified")


def _by_token(token: str, settings: IdentitySettings, reach: Reach, clock: Clock) -> Identity:
    from idp.identity.oidc import GITHUB, TOLD, claims_of

    believed = {GITHUB: "sub"}
    if settings.issuer:
        believed[settings.issuer] = settings.claim
    claims = claims_of(token, believed, settings.audience, reach, clock)
    issuer = str(claims["iss"])
    told = {name: str(claims[name]) for name in TOLD if isinstance(claims.get(name), str | int)}
    return Identity(f"{issuer}#{claims[believed[issuer]]}", "oidc", told)
