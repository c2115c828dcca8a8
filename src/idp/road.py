"""The one road by which anything is changed: plan, show, ask, carry out, record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from idp.errors import Interrupted, Refused
from idp.plan import Plan

if TYPE_CHECKING:
    from idp.budget import Estimate
    from idp.policy.verdict import Verdict
    from idp.request.base import Request

T = TypeVar("T")
Ask = Callable[[str], bool]
"""Asks a yes-or-no question; raises UsageError, naming the flag, where nobody can be asked."""


@dataclass(frozen=True)
class Admission:
    """Why a plan may be carried out.

    Attributes:
        request: the approved request, where it needed one.
    """

    verdict: Verdict
    cost: Estimate | None = None
    request: Request | None = None


class Guard(Protocol):
    """What stands along the road: policies, approvals, budgets and the audit trail."""

    def admit(self, plan: Plan, *, rehearsing: bool = False) -> Admission:
        """Raise Refused where a policy denies a plan, or it awaits somebody's approval.

        Args:
            rehearsing: nothing is recorded and no request is opened.
        """

    def begin(self, plan: Plan, admission: Admission) -> str:
        """Reserve what it costs and record what is intended; return the act's id.

        Raises:
            Refused: the budget does not hold it.
        """

    def end(self, act: str, plan: Plan, admission: Admission, proof: str) -> None:
        """Record that it was done; `proof` is the commit, or what a server called it."""

    def fail(self, act: str, plan: Plan, error: BaseException) -> None:
        """Record that it was not done, and give back what was reserved."""


@dataclass(frozen=True)
class Road:
    """The road, with who is asked on it and what guards it."""

    ask: Ask
    guard: Guard

    def rehearse(self, plan: Plan) -> None:
        """Raise what the guard would refuse of a plan, for a dry run."""
        self.guard.admit(plan, rehearsing=True)

    def carry_out(
        self,
        plan: Plan,
        apply: Callable[[], T],
        *,
        observe: Callable[[], Mapping[str, str]],
        digest: str = "",
        proof: Callable[[T], str] = lambda _: "",
        late: bool = False,
    ) -> T:
        """Carry out a plan; nothing else may call an apply.

        Args:
            apply: does it.
            observe: reads anew what the plan's preconditions name.
            digest: the digest that was shown or approved, where there was one.
            proof: tells, of what apply returned, the commit or what a server called it.
            late: record it once it is done, since before there is nothing to record it in: no
                request is opened for it either.

        Raises:
            Refused: the plan is not the one approved, the world has moved since it was made, a
                policy denies it, it awaits approval, or the budget does not hold it.
            Interrupted: the person said no.
        """
        if digest and digest != plan.digest:
            raise Refused(
                "the plan has changed since it was shown", hint="look at it again: --dry-run"
            )
        admission = self.guard.admit(plan, rehearsing=late)
        if plan.risk != "local" and not self.ask(f"{plan.action} {plan.subject}: go on?"):
            raise Interrupted("nothing was changed")
        _recheck(plan, observe())
        act = "" if late else self.guard.begin(plan, admission)
        try:
            done = apply()
        except BaseException as error:
            if act:
                self.guard.fail(act, plan, error)
            raise
        self.guard.end(act or self.guard.begin(plan, admission), plan, admission, proof(done))
        return done


def _recheck(plan: Plan, now: Mapping[str, str]) -> None:
    moved = sorted(key for key, was in plan.preconditions.items() if now.get(key) != was)
    if moved:
        raise Refused(
            f"{', '.join(moved)} changed while {plan.action} was preparing",
            hint="run the command again",
        )
