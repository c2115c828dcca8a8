"""Environments as supervised processes of this machine: no container engine, no server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from idp.clock import Clock
    from idp.config.running import ProviderSettings
    from idp.provider.local.provider import Local


def local(
    settings: ProviderSettings, folder: Path, environ: Mapping[str, str], clock: Clock
) -> Local:
    """Return the local provider as a platform has it, with all that it keeps in a folder."""
    from idp.provider.local.provider import Local  # what runs beside services does not import it

    return Local(folder, environ, clock.now, settings.provisioners, settings.name, url=settings.url)
