"""A reach in words: by tier, by team, and each entity with its shortest path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from idp.catalog.impact.aim import Aim
from idp.catalog.impact.reach import Reach, paths
from idp.catalog.impact.tiers import rank
from idp.catalog.index.needs import Needs
from idp.catalog.index.opened import Index
from idp.catalog.team import reachable_at


@dataclass(frozen=True)
class Reached:
    """An entity that is reached.

    Attributes:
        depth: how many steps it is away; 1 needs the asked one directly.
        path: the shortest way, from the asked one to this; of several, the first by name.
        tier: how critical it is, empty if nothing says it.
        owner: its first owner, empty for none.
        missing: no source has it; another only says that it needs something.
    """

    ref: str
    depth: int
    path: tuple[str, ...]
    tier: str
    owner: str
    missing: bool


@dataclass(frozen=True)
class OfTier:
    """How many of a tier are reached; `nearest` is how many steps the first is away."""

    tier: str
    count: int
    nearest: int


@dataclass(frozen=True)
class OfTeam:
    """Who is to be told.

    Attributes:
        owner: the owner's ref; empty for what nobody owns.
        contact: an address to write to, empty if none is known.
        count: how many of its entities are reached.
        worst: the most critical tier among them.
        nearest: how many steps the first of them is away.
    """

    owner: str
    contact: str
    count: int
    worst: str
    nearest: int


@dataclass(frozen=True)
class Impact:
    """What a change of an entity reaches.

    Attributes:
        missing: no source has the asked entity: others refer to it.
        reached: how many entities.
        depth: how many steps the farthest is away.
        by_tier: the most critical first.
        by_team: those with the most critical first, then the nearest.
        entities: all of them, or those that were asked for; the nearest first.
    """

    ref: str
    missing: bool
    tier: str
    owner: str
    reached: int
    depth: int
    by_tier: tuple[OfTier, ...]
    by_team: tuple[OfTeam, ...]
    entities: tuple[Reached, ...] = ()


def summary(index: Index, aim: Aim, reached: Reach) -> Impact:
    """Return what is reached, counted; without the entities themselves."""
    counted = _counted(reached)
    return Impact(
        ref=aim.ref,
        missing=aim.card is None,
        tier=aim.card.tier if aim.card else "",
        owner=aim.card.owner if aim.card else "",
        reached=reached.size,
        depth=len(reached.levels),
        by_tier=_by_tier(counted),
        by_team=_by_team(index, counted),
    )


_Counted = dict[tuple[str, int], tuple[int, int]]
"""Count and nearest level by tier and owner."""


def _counted(reached: Reach) -> _Counted:
    found: _Counted = {}
    tiers, owners = reached.said.tiers, reached.said.owners
    for depth, level in enumerate(reached.levels, 1):
        here = zip(map(tiers.__getitem__, level), map(owners.__getitem__, level), strict=True)
        for (tier, owner), count in Counter(here).items():
            said = reached.said.words[tier] or "", owner
            before, nearest = found.get(said, (0, depth))
            found[said] = before + count, nearest
    return found


def _by_tier(counted: _Counted) -> tuple[OfTier, ...]:
    found: dict[str, tuple[int, int]] = {}
    for (tier, _), (count, nearest) in counted.items():
        before, first = found.get(tier, (0, nearest))
        found[tier] = before + count, min(first, nearest)
    listed = [OfTier(tier, *numbers) for tier, numbers in found.items()]
    return tuple(sorted(listed, key=lambda one: rank(one.tier)))


def _by_team(index: Index, counted: _Counted) -> tuple[OfTeam, ...]:
    found: dict[int, tuple[int, str, int]] = {}
    for (tier, owner), (count, nearest) in counted.items():
        before, worst, first = found.get(owner, (0, tier, nearest))
        found[owner] = before + count, min(worst, tier, key=rank), min(first, nearest)
    refs = index.refs(found)
    contacts = reachable_at(index, refs)
    listed = [
        OfTeam(refs.get(owner, ""), contacts.get(owner, ""), count, worst, nearest)
        for owner, (count, worst, nearest) in found.items()
    ]
    order = sorted(listed, key=lambda one: (rank(one.worst), one.nearest, -one.count, one.owner))
    return tuple(order)


def nearest(index: Index, reached: Reach, most: int) -> tuple[Reached, ...]:
    """Return the nearest entities, the more critical of a level first, then by name."""
    wanted: list[tuple[int, int]] = []
    for depth, level in enumerate(reached.levels, 1):
        wanted += _first(index, reached, level, depth, most - len(wanted))
        if len(wanted) >= most:
            break
    return tuple(_reached(index, reached, wanted))


def _first(
    index: Index, reached: Reach, level: Sequence[int], depth: int, most: int
) -> list[tuple[int, int]]:
    refs = index.refs(_candidates(reached, level, most))
    order = sorted(refs, key=lambda node: (rank(reached.tier(node)), refs[node]))
    return [(node, depth) for node in order[:most]]


def _candidates(reached: Reach, level: Sequence[int], most: int) -> list[int]:
    """Leave out tiers whose turn cannot come: a level may have ten thousand nodes."""
    shelves: dict[str, list[int]] = {}
    for node in level:
        shelves.setdefault(reached.tier(node), []).append(node)
    kept: list[int] = []
    for tier in sorted(shelves, key=rank):
        if len(kept) >= most:
            break
        kept += shelves[tier]
    return kept


def of_tiers(index: Index, reached: Reach, tiers: Sequence[str]) -> tuple[Reached, ...]:
    """Return the entities of some tiers, however they are written, the nearest first."""
    wanted_tiers = {tier.strip().lower() for tier in tiers}
    found = [
        (node, depth)
        for node, depth in reached.nodes()
        if reached.tier(node).strip().lower() in wanted_tiers
    ]
    refs = index.refs(node for node, _ in found)
    found.sort(key=lambda one: (one[1], rank(reached.tier(one[0])), refs[one[0]]))
    return tuple(_reached(index, reached, found))


def _reached(index: Index, reached: Reach, wanted: list[tuple[int, int]]) -> Iterator[Reached]:
    ways = paths(index, reached, wanted)
    owners = index.refs({reached.owner(node) for node, _ in wanted})
    for node, depth in wanted:
        yield _one(reached, node, depth, tuple(ways[node]), owners)


def _one(
    reached: Reach, node: int, depth: int, way: tuple[str, ...], owners: dict[int, str]
) -> Reached:
    owner = owners.get(reached.owner(node), "")
    missing = reached.is_missing(node)
    return Reached(way[-1], depth, way, reached.tier(node), owner, missing)


def everything(index: Index, reached: Reach) -> Iterator[Reached]:
    """Yield all that is reached, level by level and by name, each with its path."""
    needs = Needs(index.connection)
    owners = index.refs({reached.owner(node) for node, _ in reached.nodes()})
    nodes = [reached.start, *(node for node, _ in reached.nodes())]
    refs = index.refs(nodes)
    before: dict[int, tuple[str, ...]] = {reached.start: (refs[reached.start],)}
    for depth, level in enumerate(reached.levels, 1):
        ways: dict[int, tuple[str, ...]] = {}
        here = set(level)
        for near in sorted(before, key=refs.__getitem__):
            for far in needs.by(near):
                if far in here and far not in ways:
                    ways[far] = (*before[near], refs[far])
        order = sorted(level, key=lambda node: (rank(reached.tier(node)), refs[node]))
        for node in order:
            yield _one(reached, node, depth, ways[node], owners)
        before = ways
