"""When a catalog file on this machine was last committed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from idp import git
from idp.catalog.index.opened import Provenance
from idp.errors import IdpError

_PATIENCE = 5.0
"""Seconds: the history of a very large repository is not worth more on a screen."""


def changed(origin: Provenance) -> datetime | None:
    """Ask git; None where the file is elsewhere, in no work tree, or not committed."""
    if not origin.location.startswith("file:"):
        return None
    file = Path(origin.location.removeprefix("file:"))
    if not file.is_file():
        return None
    try:
        said = git.run(
            *("log", "-1", "--format=%ct", "--no-show-signature", "--", file.name),
            cwd=file.parent,
            env=git.clean_env(GIT_LITERAL_PATHSPECS="1"),
            timeout=_PATIENCE,
        )
    except (IdpError, OSError):
        return None
    seconds = said.stdout.decode().strip()
    return datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() else None
