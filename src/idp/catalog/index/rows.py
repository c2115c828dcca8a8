"""What one catalog file comes to, as rows for the index: made by workers, written by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from idp.catalog.entity import Entity
from idp.catalog.index.attributes import Attribute, attributes, tier, words
from idp.catalog.index.packing import pack
from idp.catalog.index.schema import NUMBER
from idp.catalog.kinds import KINDS
from idp.catalog.problem import Problem
from idp.catalog.reading import Document
from idp.catalog.relations import mentions
from idp.catalog.shapes import Findings


@dataclass(frozen=True, slots=True)
class EntityRows:
    """An entity and all that is derived from its document.

    Attributes:
        ref: its canonical form.
        owner: the canonical ref of the first owner, empty for none; so with `system`.
        relations: its own side of each: the relation's number, and to which ref.
        targets: the files that it names, if it is a Location.
    """

    document: int
    line: int
    column: int
    ref: str
    kind: str
    namespace: str
    name: str
    title: str
    type: str
    lifecycle: str
    tier: str
    owner: str
    system: str
    relations: tuple[tuple[int, str], ...]
    attributes: list[Attribute]
    words: tuple[str, str, str]
    data: bytes
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is wrong with one document of a file; `ref` is what it would be, if it has a name."""

    document: int
    is_skeleton: bool
    problems: tuple[Problem, ...]
    ref: str = ""


@dataclass(frozen=True, slots=True)
class FileRows:
    """A file that was read.

    Attributes:
        digest: SHA-256 of its content and of all that it includes.
        includes: JSON of the files taken in by `$text` and their stamps.
        evidence: JSON of what is beside the file.
        documents: how many documents it has.
    """

    digest: bytes
    includes: str
    evidence: str
    documents: int
    entities: tuple[EntityRows, ...]
    judgements: tuple[Judgement, ...]


def entity_of(data: dict[str, Any]) -> Entity:
    """Return the entity of a document that is known to be valid."""
    metadata, kind = data["metadata"], KINDS[data["kind"]]
    namespace = metadata.get("namespace", "default")
    found = mentions(kind, namespace, data["spec"], Findings(Document(1, data), []))
    return Entity(data["apiVersion"], data["kind"], namespace, metadata["name"], data, tuple(found))


def rows_of(entity: Entity, document: int = 0, place: tuple[int, int] = (1, 1)) -> EntityRows:
    """Return an entity's rows; the same document always gives the same ones."""
    first = {m.field.relation: str(m.target) for m in reversed(entity.mentions)}
    spec = entity.data["spec"]
    return EntityRows(
        document=document,
        line=place[0],
        column=place[1],
        ref=str(entity.ref),
        kind=entity.kind,
        namespace=entity.namespace,
        name=entity.name,
        title=_text(entity.data["metadata"].get("title")),
        type=_text(spec.get("type")),
        lifecycle=_text(spec.get("lifecycle")),
        tier=tier(entity),
        owner=first.get("ownedBy", ""),
        system=first.get("partOf", "") if entity.kind not in ("System", "Domain") else "",
        relations=tuple({(NUMBER[m.field.relation], str(m.target)): None for m in entity.mentions}),
        attributes=attributes(entity),
        words=words(entity),
        data=pack(entity.data),
        targets=_targets(spec) if entity.kind == "Location" else (),
    )


def _targets(spec: dict[str, Any]) -> tuple[str, ...]:
    several = spec.get("targets")
    named = [spec.get("target"), *(several if isinstance(several, list) else ())]
    return tuple(one for one in named if isinstance(one, str) and one)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
