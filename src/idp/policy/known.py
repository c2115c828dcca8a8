"""What the catalog knows of a plan's service and of its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idp.config.catalog import CatalogSettings
from idp.errors import InvalidInput

if TYPE_CHECKING:
    from idp.catalog.index.opened import Index


@dataclass(frozen=True)
class Known:
    """Documents of the catalog; None for what it does not have.

    Attributes:
        catalog_read: whether there is a catalog at all.
    """

    entity: Mapping[str, Any] | None = None
    team: Mapping[str, Any] | None = None
    catalog_read: bool = False


def known(index: Path, catalog: CatalogSettings, service: str, owner: str) -> Known:
    """Return what the catalog's index knows; nothing where there is none that can be read.

    Nor does a catalog count that the platform has not: what somebody ingests to look at it binds
    nobody.
    """
    if not (catalog.sources or catalog.snapshot) or not index.exists():
        return Known()
    from idp.catalog.index.opened import opened

    try:
        with opened(index) as held:
            entity = _document(held, service, ("component",))
            return Known(entity, _document(held, owner, ("group", "user")), catalog_read=True)
    except InvalidInput:  # one of another version of idp, which only an ingest mends
        return Known()


def _document(index: Index, written: str, kinds: tuple[str, ...]) -> Mapping[str, Any] | None:
    from idp.catalog.index.find import candidates

    try:
        found = candidates(index, written, kinds) if written else []
    except InvalidInput:  # no reference: nobody can be called so
        return None
    return index.document(found[0].id) if found else None
