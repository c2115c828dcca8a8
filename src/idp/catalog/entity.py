"""An entity of the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from idp.catalog.ref import Ref
from idp.catalog.relations import Mention, Relation


@dataclass(frozen=True)
class Entity:
    """An entity as Backstage takes it.

    Attributes:
        data: the whole document, placeholders replaced.
        mentions: the entities it refers to.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    data: dict[str, Any]
    mentions: tuple[Mention, ...]

    @property
    def ref(self) -> Ref:
        """Its name in full."""
        return Ref(self.kind, self.namespace, self.name)

    def relations(self) -> Iterator[Relation]:
        """Yield its relations in both directions, whether or not the others exist."""
        for mention in self.mentions:
            yield Relation(self.ref, mention.field.relation, mention.target)
            yield Relation(mention.target, mention.field.inverse, self.ref)
