"""From the platform's settings to the desk on its forge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from idp.clock import Clock
from idp.clone import Remote
from idp.config.guardrails import RequestSettings
from idp.errors import NotFound, Refused
from idp.forge.base import Forge
from idp.request.pull import ForgeDesk


def forge_desk(
    forge: Forge,
    settings: RequestSettings,
    git_env: Callable[[str], Mapping[str, str]],
    clock: Clock,
    room: Path,
    say: Callable[[str], None],
) -> ForgeDesk:
    """Return the desk in the platform's repository.

    Args:
        git_env: returns the environment in which git reaches a URL.
        room: the folder for what is passing.

    Raises:
        NotFound: there is no such repository, or the token may not see it.
        Refused: it is archived.
    """
    known = forge.repository(settings.repository)
    if known is None:
        raise NotFound(
            f"{forge.host} has no repository {settings.repository}, or the token may not see it",
            hint="see `requests.repository` in idp-platform.yaml",
        )
    if known.is_archived:
        raise Refused(f"{known.full_name} is archived", hint=f"unarchive it: {known.url}")
    remote = Remote(known.https_url, git_env(known.https_url), known.full_name)
    settings = replace(settings, repository=known.full_name)
    return ForgeDesk(forge, remote, settings, clock, room, say)
