"""Whose budget a team's is, and what is wrong in the costs of a platform file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from idp.config.guardrails import METERED

Path = tuple[str | int, ...]
Mistakes = Iterator[tuple[Path, str, str]]


def team_name(owner: str) -> str:
    """Return the one name of a team: `group:default/Pay`, `default/pay` and `pay` are one."""
    return owner.strip().lower().removeprefix("group:").removeprefix("default/")


def mistakes(data: object) -> Mistakes:
    """Yield (path, what, mend) for what does not go together in the costs of a platform file.

    What has the wrong type is passed over: that is told by its model.
    """
    match data:
        case {"costs": dict(costs)}:
            budgets = _mapping(costs.get("budgets"))
            for name, budget in budgets.items():
                yield from _lines(("costs", "budgets", name), budget)
            yield from _lines(("costs", "default"), costs.get("default"))
            yield from _twice(budgets)
            yield from _card(costs)


def _lines(path: Path, budget: object) -> Mistakes:
    """Yield a soft line that lies over the hard one."""
    match budget:
        case {"soft": soft, "hard": hard}:
            low, high = _amount(soft), _amount(hard)
            if low is not None and high is not None and low > high:
                what = f"the soft line {soft} is over the hard line {hard}"
                yield (*path, "soft"), what, "people are warned at the soft line: make it lower"


def _twice(budgets: Mapping[Any, Any]) -> Mistakes:
    """Yield a budget of a team that has one already, by another spelling of its name."""
    seen: dict[str, str] = {}
    for name in filter(lambda name: isinstance(name, str), budgets):
        first = seen.setdefault(team_name(name), name)
        if first != name:
            what = f"{name!r} and {first!r} are the same team"
            yield ("costs", "budgets", name), what, "keep one of them"
        elif not team_name(name):
            yield ("costs", "budgets", name), f"{name!r} names no team", "for example `payments:`"


def _card(costs: Mapping[str, Any]) -> Mistakes:
    card = costs.get("rates")
    asked = [key for key in ("budgets", "default", "approval_over") if costs.get(key) is not None]
    if card is None and asked and costs[asked[0]] != {}:
        what = "without a rate card nothing is estimated, and so nothing is held to it"
        yield ("costs", asked[0]), what, "add `rates:` to costs"
    for name in _mapping(_mapping(card).get("flat")):
        if name in METERED:
            what = f"{name!r} is an entry of the card itself"
            yield ("costs", "rates", "flat", name), what, "call the resource something else"


def _mapping(value: object) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


def _amount(written: object) -> Decimal | None:
    try:
        amount = Decimal(str(written))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None
