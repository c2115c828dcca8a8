"""Budgets: what a plan costs a month, what a team has committed, and the lines it keeps to."""

from __future__ import annotations

from idp.budget.lines import Standing, budget_of, check_shared, scene, standing
from idp.budget.pricing import Estimate, Line, estimate
from idp.budget.reserving import OverBudget, foresee, reserve, settle, undo

__all__ = [
    "Estimate",
    "Line",
    "OverBudget",
    "Standing",
    "budget_of",
    "check_shared",
    "estimate",
    "foresee",
    "reserve",
    "scene",
    "settle",
    "standing",
    "undo",
]
