"""Giving back by hand what a key holds, where tearing down did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.budget.holding import Hold, holds
from idp.budget.lines import money
from idp.budget.statement import holders
from idp.errors import RemoteFailed
from idp.plan import Effect, Facts, Plan

if TYPE_CHECKING:
    from idp.ledger import Ledger


@dataclass(frozen=True)
class Freed:
    """What was given back, or would be.

    Attributes:
        plan: the plan's digest.
    """

    key: str
    freed: tuple[Hold, ...]
    dry_run: bool
    plan: str


def plan(ledger: Ledger, key: str, why: str) -> tuple[Plan, tuple[Hold, ...]]:
    """Return the plan that frees a key, and what it holds; the road itself gives that back.

    Raises:
        NotFound: it holds nothing.
    """
    with ledger.reading() as tx:
        found = holders(tx, key)
    made = Plan(
        "budget-release",
        key,
        inputs={"why": why},
        preconditions=_told(found),
        effects=tuple(Effect("released", f"{key} of {one.team}") for one in found),
        risk="remote" if ledger.is_shared else "local",
        facts=Facts(owner=found[0].team, frees=(key,), why=why),
    )
    return made, found


def observe(ledger: Ledger, key: str) -> Mapping[str, str]:
    """Return what a key holds now, as the plan's preconditions name it."""
    with ledger.reading() as tx:
        return _told(holds(tx, key=key))


def check_freed(ledger: Ledger, key: str) -> None:
    """Raise where a key still holds something after its plan was carried out."""
    if observe(ledger, key):
        raise RemoteFailed(f"{key} was not given back", hint="run it again")


def text(freed: Freed) -> Iterator[str]:
    """Yield what was given back as lines for people."""
    for one in freed.freed:
        done = "would be given back" if freed.dry_run else "given back"
        yield f"{done} to {one.team}: {money(one.amount, one.currency)} a month, held by {one.key}"


def _told(found: tuple[Hold, ...]) -> dict[str, str]:
    return {f"what {one.team} holds": money(one.amount, one.currency) for one in found}
