"""idp catalog score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, IndexPath, Json, given, given_each, shape

if TYPE_CHECKING:
    from idp.catalog.index.opened import Index
    from idp.catalog.score import Report, Scored, Team
    from idp.catalog.scorecard import Outcome, Ready
    from idp.context import Context
    from idp.output import Shape

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp catalog score
  idp catalog score payments
  idp catalog score 'owner=team-a tier=critical'
  idp catalog score --by team
  idp catalog score payments --fail-under silver
"""

TOLD = 10
"""How many services under the wanted level are named."""


class By(StrEnum):
    """What scores are summed up by."""

    team = "team"


@app.command(epilog=EXAMPLES)
def score(
    ctx: typer.Context,
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="REF|EXPRESSION", help="Of these only. One REF: rule by rule."),
    ] = None,
    by: Annotated[By | None, typer.Option(help="Sum up by the owning team.")] = None,
    fail_under: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="Exit 5 if one is below this level.")
    ] = None,
    index: IndexPath = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Score services against the platform's rules, and say what to do next."""
    from idp.catalog import score as work
    from idp.catalog.index.opened import opened
    from idp.catalog.scorecard import ready

    idp: Context = ctx.obj
    given(**{"index": index, "fail-under": fail_under})
    given_each("REF", which or ())
    one = by is None and len(which or ()) == 1 and work.is_ref((which or [""])[0])
    kind = work.Report if one else work.Team if by else work.Scored
    wanted = shape(as_json, fields, kind)
    card = ready(idp.platform.catalog.scorecard)
    work.below([], card.levels, fail_under or card.levels[0])
    with opened(idp.catalog_index(index)) as held:
        if one and which:
            scored = _one(idp, held, card, which[0], wanted)
        else:
            scored = _all(idp, held, card, which or [], wanted, by)
    if fail_under:
        _refuse(work.below(scored, card.levels, fail_under), fail_under)


def _one(idp: Context, index: Index, card: Ready, ref: str, wanted: Shape) -> list[Scored]:
    from idp.catalog import score as work
    from idp.catalog.index.find import find

    found = work.report(index, card, _newest(idp), find(index, ref))
    idp.output.item(found, wanted, lambda: "\n".join(_lines(idp, found, card.levels)))
    return [work.short(found)]


def _all(
    idp: Context, index: Index, card: Ready, which: list[str], wanted: Shape, by: By | None
) -> list[Scored]:
    from idp.catalog import score as work

    nodes = work.chosen(index, which)
    scored = work.score(index, card, _newest(idp), nodes)
    if by:
        _teams(idp, work.teams(scored, card.levels), card.levels, wanted)
    else:
        idp.output.rows(scored, ("ref", "level", "score", "missing", "next"), wanted)
    idp.output.say(_summary(scored, card.levels))
    if nodes and len(scored) < len(nodes):
        idp.output.say(f"{len(nodes) - len(scored)} not scored: the scorecard is for others")
    return scored


def _teams(idp: Context, teams: list[Team], levels: Sequence[str], wanted: Shape) -> None:
    if wanted.as_json or wanted.fields:
        idp.output.rows(teams, (), wanted)
        return
    rows = [
        {"team": one.team or "(nobody)", "services": one.services, **one.levels}
        | {"average": one.average, "next": one.next}
        for one in teams
    ]
    idp.output.rows(rows, ("team", "services", "none", *levels, "average", "next"), wanted)


def _newest(idp: Context) -> dict[str, str]:
    """Return the newest release of each template that is on this machine, by its URL."""
    from contextlib import suppress

    from idp.config.source import BUILT_IN
    from idp.errors import InvalidInput
    from idp.scaffold.version import newest_stable

    found = {}
    for name in idp.platform.templates:
        source = idp.template(name)
        if source.url.startswith(BUILT_IN) or source.is_path:
            # A template that cannot be found is no reason to score nothing.
            with suppress(InvalidInput):
                origin = idp.shelf.origin(source)
                found[origin.url] = newest_stable(origin.versions())
    return found


def _lines(idp: Context, found: Report, levels: Sequence[str]) -> Iterator[str]:
    from idp.output import printable

    text = idp.output.text
    level = text(found.level or "no level yet", "green" if found.level else "red")
    yield f"{text(found.ref, 'bold')}  {level}, {found.score} %"
    yield f"  owner {printable(found.owner or 'nobody')}" + (
        f", tier {printable(found.tier)}" if found.tier else ""
    )
    for name in levels:
        rules = [one for one in found.rules if one.level == name]
        held = sum(one.ok for one in rules)
        yield ""
        yield f"{text(name, 'bold')}  {held} of {len(rules)}"
        for one in rules:
            yield from _rule(idp, one)
    todo = [one for one in found.rules if not one.ok and one.level == found.next_level]
    if todo:
        yield ""
        yield f"to reach {found.next_level}:"
        yield from (f"  {number}. {one.next or one.title}" for number, one in enumerate(todo, 1))


def _rule(idp: Context, one: Outcome) -> Iterator[str]:
    mark = idp.output.text("ok", "green") if one.ok else idp.output.text("no", "red")
    yield f"  {mark}  {one.rule}: {one.title}"
    if not one.ok:
        yield idp.output.text(f"      {one.why}", "dim")


def _summary(scored: Sequence[Scored], levels: Sequence[str]) -> str:
    """Return how many services there are, and how they stand."""
    from collections import Counter

    reached = Counter(one.level for one in scored)
    counts = [f"{reached[level]} {level}" for level in reversed(levels)]
    below = [f"{reached['']} below {levels[0]}"] if reached[""] else []
    services = f"{len(scored)} service{'s' * (len(scored) != 1)}"
    return f"{services}: {', '.join(counts + below)}"


def _refuse(under: Sequence[Scored], least: str) -> None:
    from idp.errors import Refused

    if under:
        more = f"and {len(under) - TOLD} more"
        told = [f"{one.ref}: {one.level or 'none'}, next: {one.next}" for one in under[:TOLD]]
        raise Refused(
            f"{len(under)} service{'s' * (len(under) != 1)} below {least}",
            hint="`idp catalog score REF` says what to do",
            details=tuple(told + [more] * (len(under) > TOLD)),
        )
