"""An impact on a screen."""

from __future__ import annotations

from collections.abc import Iterator

from idp.catalog.impact.tiers import rank
from idp.catalog.impact.told import Impact, Reached
from idp.catalog.screen import Style, beside, columns, cut, many, rows, short
from idp.output import printable

TEAMS = 10
"""How many teams are named, unless all are asked for."""


def lines(impact: Impact, width: int, style: Style, whole: bool = False) -> Iterator[str]:
    """Yield the lines of a screen `width` columns wide; `whole` leaves no team out."""
    yield style(cut(printable(_head(impact)), width), "bold")
    yield from _verdict(impact, width, style)
    if not impact.reached:
        return
    yield from _tiers(impact, width, style)
    yield from _teams(impact, width, style, whole)
    yield from _nearest(impact, width, style)


_HOLDS = {"group": "ownerOf", "user": "ownerOf", "system": "hasPart", "domain": "hasPart"}


def _head(impact: Impact) -> str:
    if impact.missing:
        return f"{short(impact.ref)}  missing: no source has it, and others refer to it"
    parts = [short(impact.ref), impact.tier, f"of {short(impact.owner)}" if impact.owner else ""]
    return "  ".join(part for part in parts if part)


def _verdict(impact: Impact, width: int, style: Style) -> Iterator[str]:
    if not impact.reached:
        yield style("Nothing in the catalog needs it.", "green")
        if relation := _HOLDS.get(impact.ref.partition(":")[0]):
            hint = f"What is its own: idp catalog graph {short(impact.ref)} --relation {relation}"
            yield style(hint, "dim")
        return
    teams = sum(1 for team in impact.by_team if team.owner)
    said = (
        f"A change reaches {many(impact.reached, 'entity', 'entities')} of {many(teams, 'team')},"
        f" up to {many(impact.depth, 'step')} away"
    )
    worst = impact.by_tier[0]
    is_grave = bool(worst.tier) and rank(worst.tier) <= rank("tier-1")
    if worst.tier:
        tier = printable(worst.tier)
        said += f"; {worst.count:,} of {tier if tier.startswith('tier') else f'tier {tier}'}"
    yield from _styled(f"{said}.", width, style, "red" if is_grave else "yellow")


def _styled(words: str, width: int, style: Style, how: str) -> Iterator[str]:
    import textwrap

    yield from (style(line, how) for line in textwrap.wrap(words, width))


def _tiers(impact: Impact, width: int, style: Style) -> Iterator[str]:
    yield from ("", style("By tier", "bold"))
    yield from rows(
        [
            (one.tier or "not said", f"{one.count:,}", f"nearest {many(one.nearest, 'step')} away")
            for one in impact.by_tier
        ],
        width,
    )


def _teams(impact: Impact, width: int, style: Style, whole: bool) -> Iterator[str]:
    yield from ("", style("Who to tell", "bold"))
    shown = impact.by_team if whole else impact.by_team[:TEAMS]
    cells = [
        (
            short(team.owner).removeprefix("group:") or "nobody owns",
            team.contact or ("no address" if team.owner else ""),
            f"{team.count:,}",
            team.worst or "-",
            many(team.nearest, "step"),
        )
        for team in shown
    ]
    yield from rows(cells, width, elastic=1)
    if left := len(impact.by_team) - len(shown):
        yield style(f"  and {many(left, 'more', 'more')}: --all", "dim")


def _nearest(impact: Impact, width: int, style: Style) -> Iterator[str]:
    yield from ("", style("Nearest", "bold"))
    for one in impact.entities:
        yield _one(one, width, style)
        if one.depth > 1:
            yield style(cut(printable(f"     {_way(one)}"), width), "dim")
    if left := impact.reached - len(impact.entities):
        yield style(f"  and {many(left, 'more', 'more')}: --all, or --json", "dim")


def _one(one: Reached, width: int, style: Style) -> str:
    missing = " (missing)" if one.missing else ""
    number = f"{one.depth:>3}  "
    room = width - len(number)
    name = cut(printable(f"{short(one.ref)}{missing}"), room)
    notes = beside((one.tier, short(one.owner)), room - columns(name))
    return f"{number}{name}{style(notes, 'dim')}"


def _way(one: Reached) -> str:
    names = [short(ref) for ref in one.path]
    between = names[1:-1]
    if len(between) > 3:
        between = [*between[:1], f"… {len(between) - 2} …", *between[-1:]]
    return "by way of " + " → ".join(between)
