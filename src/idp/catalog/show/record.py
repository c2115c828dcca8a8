"""What is known of an entity, put together from the index."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.catalog.index.opened import Card, Index, Provenance
from idp.catalog.oncall.said import OnCall, said
from idp.catalog.team import Contact, Team, annotations_of, contacts, links, team, text

_DUTY = re.compile(
    r"compliance|regulation|data-?class(?:ification)?|classification|confidentiality|sensitivity"
    r"|pii|gdpr|pci(?:-dss)?|sox|hipaa|iso-?27001|soc-?2|fedramp|ccpa|nis2|dora",
    re.I,
)
_REGULATED = re.compile(
    r"pci(?:-dss)?|gdpr|sox|hipaa|soc-?2|iso-?27001|ccpa|fedramp|nis2|dora|pii|phi", re.I
)
_RUNBOOK = re.compile(r"run-?\s?book|playbook", re.I)
_DOCUMENTS = re.compile(r"\badrs?\b|\brfcs?\b|\bdocs?\b|documentation|techdocs|wiki", re.I)


@dataclass(frozen=True)
class Document:
    """Something to read; `kind` is docs, adr, rfc or runbook, and `place` a path or a URL."""

    kind: str
    title: str
    place: str


@dataclass(frozen=True)
class Other:
    """An entity at the other end of a relation; `missing` if no source has it."""

    ref: str
    title: str
    tier: str
    owner: str
    missing: bool


@dataclass(frozen=True)
class Related:
    """The entities that an entity has one relation to, by ref."""

    relation: str
    entities: tuple[Other, ...]


@dataclass(frozen=True)
class Label:
    """A statement about compliance: a label's or annotation's name and value, or a tag."""

    name: str
    value: str


@dataclass(frozen=True)
class Link:
    """A link that the entity names."""

    title: str
    url: str


@dataclass(frozen=True)
class Wrong:
    """A problem of the entity's file."""

    line: int
    level: str
    message: str
    hint: str


@dataclass(frozen=True)
class Read:
    """Where an entity was read, and how fresh that is.

    Attributes:
        source: the source, as the platform file has it.
        path: the file's path there, with the line of the entity.
        commit: the commit that was read, empty where the source has none.
        read_at: when its file was last read.
        checked_at: when the sources were last looked at.
        changed_at: when its file was last committed, where git on this machine knows.
        orphaned_at: since when no source has it.
    """

    source: str
    path: str
    line: int
    commit: str
    read_at: datetime
    checked_at: datetime
    changed_at: datetime | None
    orphaned_at: datetime | None


@dataclass(frozen=True)
class Shown:
    """An entity.

    Attributes:
        team: its owner, or the Group itself; None where it has none.
        system: what it is part of; domain: what that is part of. Empty for none.
        on_call: its own annotations first, then those of its owner.
        repository: the address of its repository in a browser.
        compliance: labels, annotations and tags that name a regulation or a class of data.
        related: all its relations, both ways.
        template: what it was made from, and the release; empty where it does not say.
    """

    ref: str
    kind: str
    name: str
    title: str
    description: str
    type: str
    lifecycle: str
    tier: str
    tags: tuple[str, ...]
    compliance: tuple[Label, ...]
    owner: str
    team: Team | None
    contacts: tuple[Contact, ...]
    on_call: tuple[OnCall, ...]
    system: str
    domain: str
    repository: str
    documents: tuple[Document, ...]
    links: tuple[Link, ...]
    related: tuple[Related, ...]
    template: str
    release: str
    read: Read
    problems: tuple[Wrong, ...]

    def ends(self, relation: str) -> tuple[Other, ...]:
        """Return the entities that it has a relation to."""
        found = (one.entities for one in self.related if one.relation == relation)
        return next(found, ())


Changed = Callable[[Provenance], datetime | None]
"""Tells when a file was last committed; None where nobody knows."""


def show(index: Index, card: Card, changed: Changed) -> Shown:
    """Return what the index knows of an entity."""
    document, origin = index.document(card.id), index.provenance(card.id)
    evidence = index.evidence(card.id)
    metadata = document["metadata"]
    is_team = card.kind in ("Group", "User")
    owner = team(index, card.ref if is_team else card.owner) if is_team or card.owner else None
    return Shown(
        ref=card.ref,
        kind=card.kind,
        name=card.name,
        title=card.title or (owner.name if owner and is_team else ""),
        description=text(metadata.get("description")),
        type=card.type,
        lifecycle=card.lifecycle,
        tier=card.tier,
        tags=tuple(_texts(metadata.get("tags"))),
        compliance=tuple(_compliance(metadata)),
        owner=card.owner,
        team=owner,
        contacts=tuple(_contacts(document, card.ref, owner)),
        on_call=tuple(_on_call(index, document, card)),
        system=card.system,
        domain=_domain(index, card),
        repository=_repository(document, origin),
        documents=tuple(_documents(document, origin, evidence)),
        links=tuple(Link(text(one.get("title")), text(one.get("url"))) for one in links(document)),
        related=tuple(_related(index, card.id)),
        template=evidence.template,
        release=evidence.release,
        read=_read(index, origin, changed),
        problems=tuple(_problems(index, card.id)),
    )


def _texts(value: Any) -> Iterator[str]:
    yield from (one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _compliance(metadata: dict[str, Any]) -> Iterator[Label]:
    for place in ("labels", "annotations"):
        held = metadata.get(place)
        for key, value in held.items() if isinstance(held, dict) else ():
            name = key.rpartition("/")[2]
            if _DUTY.fullmatch(name) and value not in (None, ""):
                yield Label(name, str(value))
    for tag in _texts(metadata.get("tags")):
        if _REGULATED.fullmatch(tag):
            yield Label("tag", tag)


def _contacts(document: dict[str, Any], ref: str, owner: Team | None) -> Iterator[Contact]:
    found = [*contacts(document, ref), *(owner.contacts if owner else ())]
    yield from {(one.kind, one.address): one for one in reversed(found)}.values()


def _on_call(index: Index, document: dict[str, Any], card: Card) -> Iterator[OnCall]:
    yield from said(annotations_of(document), card.ref)
    node = index.node(card.owner) if card.owner else None
    if node is not None and node in index.cards([node]):
        yield from said(annotations_of(index.document(node)), card.owner)


def _domain(index: Index, card: Card) -> str:
    """Return the domain of an entity's system; a System's own, or what a Domain is part of."""
    node = index.node(card.system) if card.system else card.id
    parts = index.related(node, "partOf") if node is not None else []
    return next((end.ref for end in parts if end.ref.startswith("domain:")), "")


def _repository(document: dict[str, Any], origin: Provenance) -> str:
    held = annotations_of(document)
    for key, host in (("github.com", "https://github.com"), ("gitlab.com", "https://gitlab.com")):
        source = text(held.get("backstage.io/source-location")).removeprefix("url:")
        if source.startswith(("https://", "http://")):
            return source
        if slug := text(held.get(f"{key}/project-slug")):
            return f"{host}/{slug}"
    return origin.repository


def _documents(document: dict[str, Any], origin: Provenance, evidence: Any) -> Iterator[Document]:
    if techdocs := text(annotations_of(document).get("backstage.io/techdocs-ref")):
        yield Document("docs", "TechDocs", techdocs.removeprefix("url:"))
    folder = posixpath.dirname(origin.path)
    for kind, paths in (
        ("adr", evidence.adrs),
        ("rfc", evidence.rfcs),
        ("runbook", evidence.runbooks),
    ):
        for path in paths:
            yield Document(kind, posixpath.basename(path), posixpath.join(folder, path))
    for link in links(document):
        title, url = text(link.get("title")), text(link.get("url"))
        if _RUNBOOK.search(f"{title} {text(link.get('type'))}"):
            yield Document("runbook", title, url)
        elif _DOCUMENTS.search(title):
            yield Document("docs", title, url)


def _related(index: Index, node: int) -> Iterator[Related]:
    shelves: dict[str, list[Other]] = {}
    for end in index.related(node):
        card = end.card
        words = (card.title, card.tier, card.owner) if card else ("", "", "")
        shelves.setdefault(end.type, []).append(Other(end.ref, *words, missing=card is None))
    for relation, others in shelves.items():
        yield Related(relation, tuple(others))


def _read(index: Index, origin: Provenance, changed: Changed) -> Read:
    return Read(
        origin.place,
        origin.path,
        origin.line,
        origin.commit,
        origin.read_at,
        index.checked_at,
        changed(origin),
        origin.orphaned_at,
    )


def _problems(index: Index, node: int) -> Iterator[Wrong]:
    """Yield what is wrong in an entity's file, in its other documents too."""
    yield from (
        Wrong(*row)
        for row in index.connection.execute(
            "SELECT p.line, p.level, p.message, p.hint FROM problem p"
            " JOIN entity e ON e.file = p.file WHERE e.id = ? ORDER BY p.line, p.message",
            (node,),
        )
    )
