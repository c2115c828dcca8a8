"""From a place and a token to the forge."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from idp.clock import Clock
from idp.errors import NotAllowed
from idp.forge import programs
from idp.forge.base import Forge, Kind
from idp.forge.credentials import Credential
from idp.forge.place import Place
from idp.rest import Server

if TYPE_CHECKING:
    from idp.rest import Transport


def connect(
    place: Place,
    credential: Credential | None,
    clock: Clock,
    say: Callable[[str], None],
    transport: Transport | None = None,
    *,
    hasty: bool = False,
) -> Forge:
    """Return the forge, spoken to with a credential that was made for its host.

    Args:
        hasty: tries once, and not for long.

    Raises:
        NotAllowed: there is no credential.
    """
    if credential is None:
        raise NotAllowed(f"not logged in to {place.host}", hint=place.login)
    if credential.host != place.host:
        raise NotAllowed(f"the token from {credential.origin} is not for {place.host}")
    server = Server(
        place.api,
        clock,
        _headers(place.kind, credential.token),
        credential.origin,
        programs.again(place, credential.origin),
        say,
        transport,
        hasty,
    )
    return _speaker(place, server)


def _headers(kind: Kind, token: str) -> dict[str, str]:
    if kind == "github":
        return {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
    scheme = "Bearer" if kind == "gitlab" else "token"
    return {"Authorization": f"{scheme} {token}", "Accept": "application/json"}


def _speaker(place: Place, server: Server) -> Forge:
    if place.kind == "gitlab":
        from idp.forge.gitlab import GitLab

        return GitLab(place.host, server)
    if place.kind == "gitea":
        from idp.forge.gitea import Gitea

        return Gitea(place.host, server)
    from idp.forge.github import GitHub

    return GitHub(place.host, server)
