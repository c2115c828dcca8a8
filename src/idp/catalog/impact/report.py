"""An impact for programs: JSON, one entity after the other, and the gate for CI."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from idp.catalog.impact.reach import Reach
from idp.catalog.impact.told import Impact, Reached, of_tiers
from idp.catalog.index.opened import Index
from idp.catalog.screen import many, short
from idp.errors import Refused, UsageError
from idp.output import plain, select

_NAMED = 10
"""How many entities a refusal names."""


def as_json(impact: Impact, entities: Iterable[Reached], fields: Sequence[str]) -> Iterator[str]:
    """Yield the JSON of an impact in pieces, one entity a line: there may be very many.

    Args:
        fields: only these; all if empty.
    """
    head = select(plain(impact), fields)
    has_entities = head.pop("entities", None) is not None
    yield json.dumps(head)[:-1]
    if has_entities:
        yield (", " if head else "") + '"entities": ['
        for number, one in enumerate(entities):
            yield (",\n" if number else "\n") + json.dumps(plain(one))
        yield "]"
    yield "}\n"


def tiers(written: Iterable[str]) -> tuple[str, ...]:
    """Return the tiers of `--fail-on critical,tier-1`.

    Raises:
        UsageError: one is empty.
    """
    found = tuple(tier.strip() for one in written for tier in one.split(","))
    if "" in found:
        raise UsageError("--fail-on has an empty tier", hint="--fail-on critical")
    return found


def hold(index: Index, impact: Impact, reached: Reach, gate: Sequence[str]) -> str:
    """Return what is to be said where nothing of these tiers is reached; empty for nothing.

    Raises:
        Refused: something is.
    """
    found = of_tiers(index, reached, gate)
    if found:
        named = [f"{one.tier}  {' → '.join(map(short, one.path))}" for one in found[:_NAMED]]
        if len(found) > _NAMED:
            named.append(f"and {len(found) - _NAMED:,} more")
        raise Refused(
            f"a change of {short(impact.ref)} reaches"
            f" {many(len(found), 'entity', 'entities')} of tier {', '.join(gate)}",
            hint="tell their owners first, or leave --fail-on out",
            details=tuple(named),
        )
    return _unknown(index, gate)


def _unknown(index: Index, gate: Sequence[str]) -> str:
    """Return a warning of tiers that nothing has: such a gate would never close."""
    known = {tier for (tier,) in index.connection.execute("SELECT DISTINCT tier FROM entity")}
    has = {tier.lower() for tier in known}
    unknown = [tier for tier in gate if tier.lower() not in has]
    if not unknown:
        return ""
    there = ", ".join(sorted(filter(None, known))) or "none"
    return f"warning: nothing in the catalog has tier {', '.join(unknown)} (there are: {there})"
