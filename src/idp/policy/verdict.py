"""What policies say of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["deny", "needs-approval", "warn"]


@dataclass(frozen=True)
class Finding:
    """A policy that a plan does not meet.

    Attributes:
        message: what is wrong, with what is at fault.
        at: FILE:LINE, where a file is at fault.
        which: what is at fault, one by one; empty where the policy does not tell.
    """

    policy: str
    severity: Severity
    message: str
    hint: str = ""
    at: str = ""
    which: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What all policies say of one plan; `asked` is how many were asked of it."""

    findings: tuple[Finding, ...] = ()
    asked: int = 0

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """Return the findings of a severity."""
        return tuple(one for one in self.findings if one.severity == severity)

    @property
    def outcome(self) -> Literal["allowed", "denied", "needs-approval"]:
        """What it comes to."""
        if self.of("deny"):
            return "denied"
        return "needs-approval" if self.of("needs-approval") else "allowed"
