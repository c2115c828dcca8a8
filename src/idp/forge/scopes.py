"""What a token must be allowed to do, said before it is used for the first time.

A forge that does not tell a token's scopes (GitHub: fine-grained and app tokens) is believed until
it refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from idp.errors import NotAllowed
from idp.forge.base import Account, Forge, Kind

Purpose = Literal["push", "own", "pr"]
"""What for: create-service --push to an organisation, and to the account itself; update-service
--pr and catalog register."""

NEEDS: Mapping[Kind, Mapping[Purpose, tuple[str, ...]]] = {
    "github": {
        "push": ("repo", "workflow", "read:org"),
        "own": ("repo", "workflow"),
        "pr": ("repo", "workflow"),
    },
    "gitlab": {
        "push": ("api",),
        "own": ("api",),
        "pr": ("api",),
    },
    "gitea": {
        "push": ("write:repository", "write:organization", "read:user"),
        "own": ("write:repository", "write:user"),
        "pr": ("write:repository", "write:issue", "read:user"),
    },
}

_CONTAINS: Mapping[str, tuple[str, ...]] = {
    "admin:org": ("write:org", "read:org"),
    "write:org": ("read:org",),
    "api": ("read_api",),
    "all": tuple({scope for needed in NEEDS["gitea"].values() for scope in needed}),
}


def missing(kind: Kind, account: Account, purpose: Purpose) -> tuple[str, ...]:
    """Return the scopes that a token lacks for a purpose; none where the forge tells no scopes."""
    if account.scopes is None:
        return ()
    held = set(account.scopes)
    for scope in account.scopes:
        held.update(_CONTAINS.get(scope, ()))
        if scope.startswith("write:"):
            held.add(scope.replace("write:", "read:", 1))
    return tuple(scope for scope in NEEDS[kind][purpose] if scope not in held)


def require(forge: Forge, purpose: Purpose, *needless: str) -> None:
    """Refuse a token that lacks scopes for a purpose, before anything is changed.

    Args:
        needless: scopes that this time are not needed.

    Raises:
        NotAllowed: with the command that mends it.
    """
    lacking = set(missing(forge.kind, forge.account(), purpose)).difference(needless)
    if lacking:
        raise NotAllowed(
            f"the token for {forge.host} lacks the scopes {', '.join(sorted(lacking))}",
            hint=f"idp auth login {forge.host}",
        )
