"""The words of stories about policies: a plan, what is known beside it, a platform's folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idp.config.guardrails import PolicyRule, PolicySettings
from idp.plan import Facts, Plan
from idp.policy import Scene, judge, ready
from idp.policy.verdict import Verdict

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
TAGS = dict.fromkeys(("owner", "team", "service", "cost-centre", "environment"), "x")

SCORE = """\
apiVersion: score.dev/v1b1
metadata:
  name: payments
containers:
  main:
    image: registry.example.com/payments:1.2.3
    variables:
      DB_PASSWORD: ${resources.db.password}
    resources:
      requests: {cpu: 500m, memory: 2G}
resources:
  db: {type: postgres}
"""
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments
  labels:
    idp.dev/cost-centre: "1234"
spec: {type: service, lifecycle: production, owner: team-a}
"""


def plan(**facts: Any) -> Plan:
    return Plan("deploy", "payments", facts=Facts(**facts))


def rule(when: str, severity: Any = "deny", **more: str) -> PolicyRule:
    return PolicyRule(severity, when, "it is not so", **more)


def own(**rules: PolicyRule) -> PolicySettings:
    """Return settings with rules of the platform's own alone."""
    return PolicySettings(built_in=(), rules=rules)


def judged(settings: PolicySettings, asked: Plan | None = None, **known: Any) -> Verdict:
    scene = Scene(NOW, settings=settings, **known)
    return judge(ready(settings), asked or plan(), scene)


def ids(verdict: Verdict) -> set[str]:
    return {one.policy for one in verdict.findings}


def platform(folder: Path, **sections: Mapping[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / "idp-platform.yaml"
    file.write_text(json.dumps({"version": 1, **sections}))
    return file
