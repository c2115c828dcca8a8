"""An entity on a screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.catalog.oncall.said import Duty, OnCall
from idp.catalog.screen import Style, cut, many, short, wrapped
from idp.catalog.show.record import Other, Read, Shown
from idp.catalog.team import Person, Team
from idp.output import printable

FEW = 8
"""How many of a kind are named; JSON has all."""

_LABEL = 17

# What each relation is called; those that are told elsewhere on the screen are not here.
_NAMES = {
    "providesApi": "provides",
    "consumesApi": "consumes",
    "apiProvidedBy": "provided by",
    "apiConsumedBy": "consumed by",
    "dependsOn": "depends on",
    "dependencyOf": "needed by",
    "hasPart": "parts",
    "parentOf": "sub-teams",
    "memberOf": "member of",
}


@dataclass(frozen=True)
class Screen:
    """What a screen is laid out with: columns, how words get a style, and the time."""

    width: int
    style: Style
    now: datetime

    def fact(self, label: str, value: str, most: int = 4) -> Iterator[str]:
        """Yield a foreign text behind its label, folded; nothing for an empty one."""
        flat = printable(" ".join(value.split()))
        folded = textwrap.wrap(
            flat,
            max(self.width - _LABEL - 2, 20),
            break_long_words=False,
            break_on_hyphens=False,
            max_lines=most,
            placeholder=" …",
        )
        for number, line in enumerate(folded):
            name = "" if number else label
            yield f"  {self.style(f'{name:<{_LABEL - 1}}', 'dim')} {line}"

    def head(self, words: str) -> Iterator[str]:
        """Yield the head of a section."""
        yield from ("", self.style(words, "bold"))


def lines(shown: Shown, screen: Screen) -> Iterator[str]:
    """Yield the lines of a screen."""
    yield from _title(shown, screen)
    if shown.kind in ("Group", "User"):
        yield from _team_itself(shown, screen)
    else:
        yield from _who(shown, screen)
    yield from _section("What to read", [*_reading(shown, screen)], screen)
    yield from _section("What it needs, what needs it", [*_relations(shown, screen)], screen)
    yield from _section("Where this comes from", [*_origin(shown, screen)], screen)
    yield from _wrong(shown, screen)


def _section(head: str, held: Sequence[str], screen: Screen) -> Iterator[str]:
    if held:
        yield from (*screen.head(head), *held)


def _title(shown: Shown, screen: Screen) -> Iterator[str]:
    name = short(shown.ref)
    yield screen.style(cut(printable(name), screen.width), "bold")
    if shown.title and shown.title != shown.name:
        yield from wrapped(shown.title, screen.width, most=1)
    yield from wrapped(shown.description, screen.width)
    if shown.read.orphaned_at:
        gone = f"orphan: no source has it since {_day(shown.read.orphaned_at)}"
        yield screen.style(gone, "red")
    yield ""
    what = ", ".join(part for part in (shown.type, shown.lifecycle) if part)
    yield from screen.fact("kind", f"{shown.kind}, {what}" if what else shown.kind)
    yield from screen.fact("tier", shown.tier)
    within = " in ".join(short(ref) for ref in (shown.system, shown.domain) if ref)
    yield from screen.fact("part of", within)
    duties = ", ".join(
        one.value if one.name == "tag" else f"{one.name}: {one.value}" for one in shown.compliance
    )
    yield from screen.fact("compliance", duties)
    yield from screen.fact("tags", ", ".join(shown.tags))


def _who(shown: Shown, screen: Screen) -> Iterator[str]:
    yield from screen.head("Who to ask")
    team = shown.team
    if team is None:
        yield from _flagged(screen, "owner", "nobody owns it", "yellow")
    elif team.missing:
        yield from _flagged(screen, "owner", f"{short(team.ref)} (missing)", "red")
    else:
        yield from screen.fact("owner", _named(team.name, team.ref))
        yield from screen.fact("above it", " → ".join(map(short, team.parents)))
        yield from _people(team, screen)
    yield from _reach(shown, screen)


def _team_itself(shown: Shown, screen: Screen) -> Iterator[str]:
    yield from screen.head("Who to ask")
    if shown.team and shown.kind == "Group":
        yield from screen.fact("above it", " → ".join(map(short, shown.team.parents)))
        yield from _people(shown.team, screen)
    yield from _reach(shown, screen)
    kinds: dict[str, list[Other]] = {}
    for other in shown.ends("ownerOf"):
        kinds.setdefault(other.ref.partition(":")[0], []).append(other)
    held = [line for kind, owned in kinds.items() for line in _several(kind, owned, screen)]
    yield from _section("What it owns", held, screen)


def _named(name: str, ref: str) -> str:
    """Return a name with its ref, which is enough where they say the same."""
    return short(ref) if name.lower() == ref.rpartition("/")[2] else f"{name} ({short(ref)})"


def _flagged(screen: Screen, label: str, words: str, style: str) -> Iterator[str]:
    for line in screen.fact(label, words):
        yield screen.style(line, style)


def _people(team: Team, screen: Screen) -> Iterator[str]:
    if team.leads:
        yield from screen.fact("lead", ", ".join(_person(one) for one in team.leads))
    elif team.type or team.members:
        yield from screen.fact("lead", "the catalog does not say")
    if team.members:
        listed = [one.name + (" (missing)" if one.missing else "") for one in team.members]
        yield from screen.fact(f"members {len(listed)}", _some(listed))


def _person(person: Person) -> str:
    if person.missing:
        return f"{short(person.ref)} (missing)"
    return f"{person.name} <{person.email}>" if person.email else person.name


def _reach(shown: Shown, screen: Screen) -> Iterator[str]:
    for contact in shown.contacts:
        title = f"{contact.title}: " if contact.title else ""
        yield from screen.fact(contact.kind, f"{title}{contact.address}")
    told: set[str] = set()
    for one in shown.on_call:
        yield from _on_call(one, screen)
        if one.asked not in told:
            yield from screen.fact("", f"({one.asked})" if one.asked else "")
        told.add(one.asked)
    if not shown.on_call and shown.kind in ("Component", "API", "Resource", "System"):
        yield from screen.fact("on call", "the catalog does not say")
    yield from screen.fact("repository", shown.repository)


_SYSTEMS = {"pagerduty": "PagerDuty", "opsgenie": "Opsgenie"}


def _on_call(one: OnCall, screen: Screen) -> Iterator[str]:
    name = f"{_SYSTEMS[one.system]} {one.what} {one.id}".rstrip()
    yield from screen.fact("on call", name)
    yield from screen.fact("", one.link)
    for number, duty in enumerate(one.now[:FEW]):
        words = f"{'now' if not number else 'then'} {_duty(duty)}"
        yield from _flagged(screen, "", words, "green") if not number else screen.fact("", words)


def _duty(duty: Duty) -> str:
    parts = [
        duty.name,
        f"<{duty.email}>" if duty.email and duty.email != duty.name else "",
        f"until {duty.until}" if duty.until else "",
        f"({duty.schedule})" if duty.schedule else "",
    ]
    return " ".join(part for part in parts if part)


def _reading(shown: Shown, screen: Screen) -> Iterator[str]:
    shelves: dict[str, list[str]] = {"runbook": [], "docs": [], "adr": [], "rfc": []}
    told = set()
    for one in shown.documents:
        is_url = "://" in one.place
        shelves[one.kind].append(f"{one.title}: {one.place}" if is_url else one.place)
        told.add(one.place)
    for kind, places in shelves.items():
        yield from _each(kind, places, screen)
    told |= {contact.address for contact in shown.contacts}
    rest = [
        f"{one.title}: {one.url}" if one.title else one.url
        for one in shown.links
        if one.url not in told
    ]
    yield from _each("link", rest, screen)


def _each(label: str, places: Sequence[str], screen: Screen) -> Iterator[str]:
    for number, place in enumerate(places[:FEW]):
        yield from screen.fact("" if number else label, place)
    if len(places) > FEW:
        yield from screen.fact("", f"and {len(places) - FEW} more")


def _relations(shown: Shown, screen: Screen) -> Iterator[str]:
    for relation, name in _NAMES.items():
        yield from _several(name, shown.ends(relation), screen)


def _several(name: str, others: Sequence[Other], screen: Screen) -> Iterator[str]:
    if others:
        listed = [short(one.ref) + (" (missing)" if one.missing else "") for one in others]
        yield from screen.fact(f"{name} {len(listed):,}", _some(listed), most=8)


def _some(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - FEW:,} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _origin(shown: Shown, screen: Screen) -> Iterator[str]:
    read = shown.read
    made = f"{shown.template} {shown.release}".strip()
    yield from screen.fact("template", made)
    yield from screen.fact(
        "file", f"{read.path}:{read.line}" + (f" at {read.commit[:12]}" if read.commit else "")
    )
    yield from screen.fact("source", read.source)
    yield from screen.fact("fresh", _fresh(read, screen.now))


def _fresh(read: Read, now: datetime) -> str:
    parts = [f"catalog read {_ago(read.checked_at, now)}"]
    if read.changed_at:
        parts.insert(0, f"file committed {_ago(read.changed_at, now)}")
    else:
        parts.insert(0, f"file read {_ago(read.read_at, now)}")
    return ", ".join(parts)


def _ago(then: datetime, now: datetime) -> str:
    passed = now - then
    if passed < timedelta(minutes=2):
        return "just now"
    if passed < timedelta(hours=2):
        return f"{passed // timedelta(minutes=1)} minutes ago"
    if passed < timedelta(days=2):
        return f"{passed // timedelta(hours=1)} hours ago"
    return f"{passed.days} days ago ({_day(then)})"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _wrong(shown: Shown, screen: Screen) -> Iterator[str]:
    if not shown.problems:
        return
    yield from screen.head(f"{many(len(shown.problems), 'problem')} of its file")
    for one in shown.problems[:FEW]:
        colour = "red" if one.level == "error" else "yellow"
        yield from _flagged(screen, f"line {one.line}", one.message, colour)
        yield from screen.fact("", one.hint)
