"""Scoring: how each service stands, how each team does, and what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from idp.catalog.index.find import find
from idp.catalog.index.opened import Card, Index
from idp.catalog.query import run
from idp.catalog.scorecard import Outcome, Ready, light
from idp.catalog.subjects import Subject, subjects
from idp.errors import InvalidInput, UsageError
from idp.rules import Scope


@dataclass(frozen=True, slots=True)
class Scored:
    """How a service stands.

    Attributes:
        level: the highest whose rules, and those of all lower levels, all hold; empty for none.
        score: the percentage of the rules that hold, by weight, rounded down.
        missing: how many rules do not hold.
        next: what to do first on the way to the next level; empty at the highest.
        failed: the rules that do not hold, the lowest level first.
    """

    ref: str
    owner: str
    tier: str
    level: str
    score: int
    missing: int
    next: str
    failed: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """How one service stands, rule by rule.

    Attributes:
        next_level: the level it has yet to reach; empty at the highest.
        score: the percentage of the rules that hold, by weight, rounded down.
        rules: how each came out, the lowest level first.
    """

    ref: str
    owner: str
    tier: str
    level: str
    next_level: str
    score: int
    rules: tuple[Outcome, ...]


@dataclass(frozen=True)
class Team:
    """How the services of an owner stand.

    Attributes:
        team: the owner's ref, empty for what has none.
        levels: how many services are at each level, the lowest first; `none` is below them all.
        average: the mean of their scores, rounded down.
        next: what most of its services should do next.
    """

    team: str
    services: int
    levels: Mapping[str, int]
    average: int
    next: str


_REF = re.compile(r"[\w.+-]+:(?:[\w.-]+/)?[\w.-]+|(?:[\w.-]+/)?[\w.-]+")


def is_ref(written: str) -> bool:
    """Tell whether an argument is one reference rather than an expression of the query language."""
    return _REF.fullmatch(written) is not None


def chosen(index: Index, arguments: Sequence[str]) -> list[int] | None:
    """Return the entities that references and expressions name, each once; None without any.

    Raises:
        NotFound: nobody has a reference.
        InvalidInput: a reference may mean several entities.
        UsageError: an expression cannot be read.
    """
    if not arguments:
        return None
    refs = [ref for one in arguments for ref in _named(index, one)]
    nodes = {index.node(ref): None for ref in refs}
    return [node for node in nodes if node is not None]


def _named(index: Index, written: str) -> list[str]:
    if is_ref(written):
        return [find(index, written).ref]
    return [ref for (ref,) in run.answer(index, run.written(written), ("ref",)).rows]


def below(scored: Iterable[Scored], levels: Sequence[str], least: str) -> list[Scored]:
    """Return those that have not reached a level.

    Raises:
        UsageError: the scorecard has no such level.
    """
    if least not in levels:
        raise UsageError(f"no level {least!r}", hint=f"the scorecard has {', '.join(levels)}")
    short = {"", *levels[: levels.index(least)]}
    return [one for one in scored if one.level in short]


def score(
    index: Index, card: Ready, newest: Mapping[str, str], nodes: Sequence[int] | None = None
) -> list[Scored]:
    """Return how services stand, by ref.

    Args:
        newest: the newest release of templates, by the URL that services name them by.
        nodes: of these entities only; those that the scorecard's filter leaves out do not count.
    """
    found = _reports(index, card, newest, _candidates(index, card, nodes))
    return sorted((short(report) for report in found), key=lambda one: one.ref)


def report(index: Index, card: Ready, newest: Mapping[str, str], entity: Card) -> Report:
    """Return how one service stands, rule by rule.

    Raises:
        InvalidInput: it is no entity that is scored.
    """
    for found in _reports(index, card, newest, _candidates(index, card, [entity.id])):
        return found
    raise InvalidInput(
        f"{entity.ref} is not scored", hint=f"the scorecard is for {card.filter.text}"
    )


def teams(scored: Iterable[Scored], levels: Sequence[str]) -> list[Team]:
    """Return how the services of each owner stand, by owner."""
    owned: dict[str, list[Scored]] = {}
    for one in scored:
        owned.setdefault(one.owner, []).append(one)
    return [_team(owner, owned[owner], levels) for owner in sorted(owned)]


def _team(owner: str, services: Sequence[Scored], levels: Sequence[str]) -> Team:
    reached = Counter(one.level or "none" for one in services)
    wanted = Counter(one.next for one in services if one.next)
    # Of what is wanted equally often, the same is told whatever the order of the services.
    first = min(wanted, key=lambda do: (-wanted[do], do), default="")
    average = sum(one.score for one in services) // len(services)
    counts = {level: reached[level] for level in ("none", *levels)}
    return Team(owner, len(services), counts, average, first)


def _candidates(index: Index, card: Ready, nodes: Sequence[int] | None) -> Iterator[int]:
    """Yield the entities that may be scored: the filter is asked here where columns are enough."""
    known: dict[tuple[str, str, str], bool] = {}
    for node, *columns in _columns(index, nodes):
        key = (columns[0], columns[1], columns[2])
        if card.is_light and key not in known:
            known[key] = card.scores(Scope(light(*key)))
        if not card.is_light or known[key]:
            yield node


def _columns(index: Index, nodes: Sequence[int] | None) -> Iterable[tuple[int, str, str, str]]:
    """Return node, kind, type and lifecycle of entities, of all if none are chosen."""
    if nodes is None:
        select = "SELECT id, kind, type, lifecycle FROM entity ORDER BY id"
        return index.connection.execute(select)
    cards = index.cards(nodes).values()
    return [(card.id, card.kind, card.type, card.lifecycle) for card in cards]


def _reports(
    index: Index, card: Ready, newest: Mapping[str, str], nodes: Iterable[int]
) -> Iterator[Report]:
    for subject in subjects(index, nodes, card.variables, card.relations, newest):
        scope = Scope(subject.variables)
        if card.is_light or card.scores(scope):
            yield _report(subject, card.levels, card.outcomes(scope))


def _report(subject: Subject, levels: Sequence[str], outcomes: Sequence[Outcome]) -> Report:
    below = {one.level for one in outcomes if not one.ok}
    reached = next((number for number, level in enumerate(levels) if level in below), len(levels))
    all_of_it = sum(one.weight for one in outcomes)
    held = sum(one.weight for one in outcomes if one.ok)
    return Report(
        ref=subject.ref,
        owner=subject.owner,
        tier=subject.tier,
        level=levels[reached - 1] if reached else "",
        next_level=levels[reached] if reached < len(levels) else "",
        score=100 * held // all_of_it if all_of_it else 100,
        rules=tuple(outcomes),
    )


def short(found: Report) -> Scored:
    """Return what a list shows of a report."""
    failed = [one for one in found.rules if not one.ok]
    return Scored(
        ref=found.ref,
        owner=found.owner,
        tier=found.tier,
        level=found.level,
        score=found.score,
        missing=len(failed),
        next=(failed[0].next or failed[0].title) if failed else "",
        failed=tuple(one.rule for one in failed),
    )
