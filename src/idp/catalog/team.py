"""Teams: who is in them, who leads them, and where they can be reached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from idp.catalog.index.opened import Index, Related
from idp.catalog.ref import MalformedRef, parse

_LEAD = re.compile(r"(?:(?:team|tech|engineering)[-_ ]?)?lead", re.I)
_IS_LEAD = re.compile(r"\blead\b", re.I)
_ROLE = re.compile(r"role|job-?title", re.I)
_CHAT = re.compile(r"slack|chat|ms-?teams|discord|mattermost|zulip|rocket\.?chat", re.I)
_CHAT_KEY = re.compile(rf"(?:{_CHAT.pattern})(?:-(?:channel|url|room|link))?", re.I)
_CHAT_HOST = re.compile(rf"(?:{_CHAT.pattern})\.[a-z]+", re.I)
_MAIL_KEY = re.compile(r"(?:contact-?)?e-?mail|contact", re.I)
_HIGHEST = 20
"""How many teams above a team are named: they may be in a circle."""


@dataclass(frozen=True)
class Person:
    """A person; `missing` if no source has the user."""

    ref: str
    name: str
    email: str
    missing: bool = False


@dataclass(frozen=True)
class Contact:
    """A way to reach a team: an e-mail address, a chat; `of` is the ref that says so."""

    kind: str
    title: str
    address: str
    of: str


@dataclass(frozen=True)
class Team:
    """An owner, a Group or a User.

    Attributes:
        leads: who leads it, where something says so (docs/catalog-show.md); not guessed.
        parents: the teams above it, the nearest first.
    """

    ref: str
    name: str
    description: str
    type: str
    members: tuple[Person, ...]
    leads: tuple[Person, ...]
    parents: tuple[str, ...]
    contacts: tuple[Contact, ...]
    missing: bool


def reachable_at(index: Index, nodes: Iterable[int]) -> dict[int, str]:
    """Return the e-mail addresses of groups and users that have one."""
    wanted = set(nodes)
    found = index.connection.execute(
        "SELECT a.entity, coalesce(a.shown, a.value) FROM attribute a"
        " WHERE a.field = (SELECT id FROM field WHERE path = 'spec.profile.email')"
        " AND typeof(a.value) = 'text' AND a.value != ''"
    )
    return {node: address for node, address in found if node in wanted}


def team(index: Index, ref: str) -> Team:
    """Return a team as far as the catalog knows it."""
    node = index.node(ref)
    if node is None or node not in index.cards([node]):
        return Team(ref, ref.rpartition("/")[2], "", "", (), (), (), (), missing=True)
    document = index.document(node)
    people = index.related(node, "hasMember")
    members = tuple(_person(index, end) for end in people)
    profile = _mapping(document["spec"].get("profile"))
    metadata = document["metadata"]
    name = text(profile.get("displayName")) or text(metadata.get("title")) or metadata["name"]
    return Team(
        ref,
        name,
        text(metadata.get("description")),
        text(document["spec"].get("type")),
        members,
        tuple(_leads(index, document, people)),
        tuple(_parents(index, node)),
        tuple(contacts(document, ref)),
        missing=False,
    )


def _person(index: Index, end: Related) -> Person:
    if end.card is None:
        return Person(end.ref, end.ref.rpartition("/")[2], "", missing=True)
    profile = _mapping(index.document(end.card.id)["spec"].get("profile"))
    name = text(profile.get("displayName")) or end.card.title or end.card.name
    return Person(end.ref, name, text(profile.get("email")))


def _leads(index: Index, document: dict[str, Any], people: list[Related]) -> Iterator[Person]:
    """Yield the leads that a group names, else the members whose role says that they lead."""
    named = [*_named(document["spec"]), *_named(_mapping(document["spec"].get("profile")))]
    named += _named(annotations_of(document))
    space = document["metadata"].get("namespace", "default")
    refs = dict.fromkeys(ref for one in named if (ref := _user(one, space)))
    for ref in refs:
        node = index.node(ref)
        cards = index.cards([node]) if node is not None else {}
        yield _person(index, Related("hasMember", ref, cards.get(node or 0)))
    if not refs:
        for end in people:
            if end.card and _leads_by_role(index.document(end.card.id)):
                yield _person(index, end)


def _named(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of `lead`, `team-lead`, `tech-lead` and the like; a prefix is left aside."""
    for key, value in fields.items():
        if _LEAD.fullmatch(key.rpartition("/")[2]):
            several = value if isinstance(value, list) else str(value).split(",")
            yield from (one.strip() for one in several if isinstance(one, str) and one.strip())


def _user(written: str, namespace: str) -> str:
    try:
        return str(parse(written, "user", namespace))
    except MalformedRef:
        return ""


def _leads_by_role(document: dict[str, Any]) -> bool:
    """Tell whether a user's role says lead: an annotation, a label, or a field of the spec."""
    spec = document["spec"]
    places = (
        annotations_of(document),
        _mapping(document["metadata"].get("labels")),
        spec,
        _mapping(spec.get("profile")),
    )
    said = [
        str(value)
        for place in places
        for key, value in place.items()
        if _ROLE.fullmatch(key.rpartition("/")[2])
    ]
    return any(_IS_LEAD.search(role) for role in said)


def _parents(index: Index, node: int) -> Iterator[str]:
    seen = {node}
    for _ in range(_HIGHEST):
        above = [
            end for end in index.related(node, "childOf") if not end.card or end.card.id not in seen
        ]
        if not above:
            return
        yield above[0].ref
        if above[0].card is None:
            return
        node = above[0].card.id
        seen.add(node)


def contacts(document: dict[str, Any], ref: str) -> Iterator[Contact]:
    """Yield the addresses and chats that a document names."""
    profile = _mapping(document["spec"].get("profile"))
    if address := text(profile.get("email")):
        yield Contact("email", "", address, ref)
    for key, value in annotations_of(document).items():
        prefix, _, name = key.rpartition("/")
        if not isinstance(value, str) or not value:
            continue
        if _CHAT_KEY.fullmatch(name) or _CHAT_HOST.fullmatch(prefix):
            yield Contact("chat", "", value, ref)
        elif _MAIL_KEY.fullmatch(name):
            yield Contact("email" if "@" in value else "contact", "", value, ref)
    for link in links(document):
        if _CHAT.search(f"{link.get('title', '')} {link.get('icon', '')} {link.get('type', '')}"):
            yield Contact("chat", text(link.get("title")), text(link.get("url")), ref)


def annotations_of(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document's annotations."""
    return _mapping(document["metadata"].get("annotations"))


def links(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a document's links."""
    found = document["metadata"].get("links")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """Return a text; empty for what is none."""
    return value if isinstance(value, str) else ""
