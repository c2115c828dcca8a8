"""What the policies say of a plan or a repository, told with the place of each finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from idp.catalog.check import Verdict as Told
from idp.catalog.problem import Level, Problem
from idp.plan import Plan
from idp.policy import Policies, Scene, judge
from idp.policy.verdict import Finding, Severity

_FACTS = {
    "owner-exists": "owner",
    "required-tags": "tags",
    "reviewer-for-critical": "tier",
    "public-ingress": "public",
    "personal-data": "personal_data",
}
"""The fact that a built-in policy is about."""


@dataclass(frozen=True)
class Checked:
    """What the policies say.

    Attributes:
        subject: the plan's, or the repository's service.
        asked: how many policies were asked.
        cost: the estimate a month with its currency; "" where it is not known.
    """

    subject: str
    environment: str
    outcome: Literal["allowed", "denied", "needs-approval"]
    asked: int
    findings: tuple[Finding, ...]
    cost: str = ""


def check(
    policies: Policies, plan: Plan, scene: Scene, places: Mapping[str, str] | None = None
) -> Checked:
    """Return what the policies say of a plan.

    Args:
        places: FILE:LINE of what may be at fault, by itself or by the name of the fact.
    """
    verdict = judge(policies, plan, scene)
    found = [one for finding in verdict.findings for one in _located(finding, places or {})]
    cost = f"{scene.cost['month']} {scene.cost['currency']}" if scene.cost else ""
    subject, environment = plan.facts.service or plan.subject, plan.facts.environment
    return Checked(subject, environment, verdict.outcome, verdict.asked, tuple(found), cost)


def _located(finding: Finding, places: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each place that is at fault, and one for what has no place."""
    head = finding.message.removesuffix(f": {', '.join(finding.which)}")
    rest = []
    for item in finding.which:
        if item in places:
            what = item.removeprefix(f"{places[item]} ")
            yield replace(finding, message=f"{head}: {what}", at=places[item], which=(item,))
        else:
            rest.append(item)
    if rest or not finding.which:
        at = finding.at or places.get(_FACTS.get(finding.policy, ""), "")
        message = f"{head}: {', '.join(rest)}" if rest else finding.message
        yield replace(finding, message=message, at=at, which=tuple(rest))


def told(checked: Checked, file: str, *, strict: bool) -> Iterator[Told]:
    """Yield the findings as verdicts of files, which SARIF and annotations are written of.

    Args:
        file: where a finding is put that has no place of its own.
        strict: what needs approval is an error too.
    """
    errors: set[Severity] = {"deny", "needs-approval"} if strict else {"deny"}
    for one in checked.findings:
        name, _, line = one.at.rpartition(":")
        level: Level = "error" if one.severity in errors else "warning"
        row = int(line) if name and line.isdigit() else 1
        problem = Problem(row, 1, "", one.message, one.hint, one.policy, level)
        yield Told(name or file, 0, level != "error", None, False, (problem,))


def lines(checked: Checked, file: str) -> Iterator[str]:
    """Yield the findings as a compiler would write them, each with its mend below."""
    for one in checked.findings:
        yield f"{one.at or file}: {one.severity}: {one.message} ({one.policy})"
        if one.hint:
            yield f"  hint: {one.hint}"
