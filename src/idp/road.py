"""The one road by which anything is changed: plan, show, ask, carry out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from idp.errors import Interrupted, Refused
from idp.plan import Plan

T = TypeVar("T")
Ask = Callable[[str], bool]
"""Asks a yes-or-no question; raises UsageError, naming the flag, where nobody can be asked."""


def carry_out(
    plan: Plan,
    apply: Callable[[], T],
    *,
    observe: Callable[[], Mapping[str, str]],
    ask: Ask,
    digest: str = "",
) -> T:
    """Carry out a plan; nothing else may call an apply.

    Args:
        apply: does it.
        observe: reads anew what the plan's preconditions name.
        ask: asks the person before a remote or destroying plan.
        digest: the digest that was shown or approved, where there was one.

    Raises:
        Refused: the plan is not the one approved, or the world has moved since it was made.
        Interrupted: the person said no.
    """
    if digest and digest != plan.digest:
        raise Refused("the plan has changed since it was shown", hint="look at it again: --dry-run")
    if plan.risk != "local" and not ask(f"{plan.action} {plan.subject}: go on?"):
        raise Interrupted("nothing was changed")
    _recheck(plan, observe())
    return apply()


def _recheck(plan: Plan, now: Mapping[str, str]) -> None:
    moved = sorted(key for key, was in plan.preconditions.items() if now.get(key) != was)
    if moved:
        raise Refused(
            f"{', '.join(moved)} changed while {plan.action} was preparing",
            hint="run the command again",
        )
