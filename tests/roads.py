"""A road for stories that call a work function themselves: nothing is in its way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from idp.plan import Plan
from idp.policy.verdict import Verdict
from idp.road import Admission, Road


@dataclass
class Open:
    """A guard that lets everything pass, and remembers in words what it was told."""

    told: list[str] = field(default_factory=list)

    def admit(self, plan: Plan, *, rehearsing: bool = False) -> Admission:
        self.told.append("rehearsed" if rehearsing else "admitted")
        return Admission(Verdict())

    def begin(self, plan: Plan, admission: Admission) -> str:
        self.told.append("begun")
        return "act"

    def end(self, act: str, plan: Plan, admission: Admission, proof: str) -> None:
        self.told.append(f"ended {proof}".rstrip())

    def fail(self, act: str, plan: Plan, error: BaseException) -> None:
        self.told.append(f"failed {type(error).__name__}")


def open_road(ask: Callable[[str], bool] = lambda _: True) -> Road:
    """Return a road on which nothing is refused, and whose questions get this answer."""
    return Road(ask, Open())
