"""What a built-in policy says of a plan that gives it nothing to look at, told without CEL.

Most plans make nothing that runs: they need not wait until CEL is imported. The answers are those
that the expressions of `idp.config.policies` would come to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from idp.plan import Plan
    from idp.policy import Scene

Answer = Literal["not asked", "met"]

_OF_WHAT_RUNS = frozenset(
    {
        "required-tags",
        "time-to-live",
        "capacity",
        "reviewer-for-critical",
        "target-review",
        "public-ingress",
        "personal-data",
        "new-dependency",
    }
)


def moot(name: str, plan: Plan, scene: Scene) -> Answer | None:
    """Return what a built-in policy says; None where its expressions have to be asked."""
    facts = plan.facts
    if name in _OF_WHAT_RUNS:
        return None if facts.environment else "not asked"
    match name:
        case "budget" | "budget-soft":
            return "not asked" if scene.budget is None or scene.cost is None else None
        case "cost-approval":
            return "not asked" if scene.cost is None or scene.approval_over is None else None
        case "owner-exists":
            if not scene.catalog_read or not (facts.owner or facts.environment):
                return "not asked"
            return None if scene.team is None else "met"
        case "image-tag":
            return None if facts.images else "met"
        case "plain-secret":
            return None if facts.plain_secrets else "met"
    return None
