"""The doors through which the catalog's sources are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.errors import InvalidInput

if TYPE_CHECKING:
    from idp.catalog.source.connect import Doors
    from idp.context import Context
    from idp.forge.base import Forge, Kind


def doors(idp: Context) -> Doors:
    """Return what the catalog's sources need of the world."""
    from idp.catalog.source.connect import Doors
    from idp.forge.connect import connect
    from idp.forge.place import Place

    def forge(kind: Kind, host: str) -> Forge:
        place = Place(host or idp.forge_at().host, kind)
        return connect(place, idp.credential(place), idp.clock, idp.output.say)

    def kind_of(host: str) -> str:
        try:
            return idp.forge_at(host).kind
        except InvalidInput:
            return ""

    token = idp.environ.get("IDP_BACKSTAGE_TOKEN", "")
    return Doors(idp.cache, idp.clock, forge, kind_of, idp.git_env, token, idp.output.say)
