"""Policies: what every plan has to meet before it is carried out, in CEL and in Rego."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from idp.config.guardrails import PolicyRule, PolicySettings
from idp.config.policies import BUILT_IN, VARIABLES
from idp.plan import Plan
from idp.policy.moot import moot
from idp.policy.said import tier_of
from idp.policy.verdict import Finding, Verdict

if TYPE_CHECKING:
    from idp.policy.rego import Module
    from idp.rules import Rule, Scope

Origin = Literal["built-in", "platform"]


@dataclass(frozen=True)
class Scene:
    """What is known beside a plan while it is judged.

    Attributes:
        now: an aware time.
        entity: the service's document in the catalog; None is not there, or no catalog was read.
        team: the owner's document in the catalog, likewise.
        catalog_read: whether a catalog was read: only then is a team of None a finding.
        budget: the team's month, as `idp.budget.scene` tells it; at least `hard` and `committed`,
            of which the rest is worked out. None where it has no budget.
        cost: what the plan costs: `month` (an amount) and `currency`; None where it is not known.
        settings: the limits.
        approval_over: an estimate a month over this needs approval; None never does.
    """

    now: datetime
    entity: Mapping[str, Any] | None = None
    team: Mapping[str, Any] | None = None
    catalog_read: bool = False
    budget: Mapping[str, Any] | None = None
    cost: Mapping[str, Any] | None = None
    settings: PolicySettings = field(default_factory=PolicySettings)
    approval_over: Decimal | None = None


@dataclass(frozen=True)
class Policy:
    """A policy that counts; what it says is compiled when a plan first is asked it."""

    name: str
    says: PolicyRule
    origin: Origin

    def finding(self, scope: Scope) -> tuple[bool, Finding | None]:
        """Return whether the plan was asked it, and what is wrong; what has no answer is wrong."""
        from idp.rules import NoAnswer

        says = self.says
        try:
            if says.filter and not _compiled(says.filter).holds(scope):
                return False, None
            if _compiled(says.when).holds(scope):
                return True, None
        except NoAnswer as error:
            told = f"{says.message}: it cannot be judged, since {error}"
            return True, Finding(self.name, says.severity, told, says.hint)
        which = self._which(scope)
        told = f"{says.message}: {', '.join(which)}" if which else says.message
        return True, Finding(self.name, says.severity, told, says.hint, which=which)

    def _which(self, scope: Scope) -> tuple[str, ...]:
        """Return what is at fault; nothing where the policy does not tell."""
        from idp.rules import NoAnswer

        if not self.says.which:
            return ()
        try:
            found = _compiled(self.says.which).value(scope)
        except NoAnswer:
            return ()
        return tuple(map(str, found)) if isinstance(found, (list, tuple)) else (str(found),)


@dataclass(frozen=True)
class Policies:
    """The policies that count, by name, and the files of Rego."""

    rules: Mapping[str, Policy]
    modules: tuple[Module, ...] = ()


def ready(settings: PolicySettings, rego_files: Sequence[Path] = ()) -> Policies:
    """Return a platform's policies, the built-in ones among its own.

    Raises:
        InvalidInput: a file of Rego cannot be read, or Rego is not installed.
    """
    chosen = BUILT_IN if settings.built_in is None else settings.built_in
    rules = {name: Policy(name, BUILT_IN[name], "built-in") for name in chosen}
    for name, severity in settings.severity.items():
        if severity == "off":
            rules.pop(name, None)
        elif name in rules:
            says = replace(BUILT_IN[name], severity=severity)
            rules[name] = replace(rules[name], says=says)
    rules |= {name: Policy(name, rule, "platform") for name, rule in settings.rules.items()}
    return Policies(rules, _modules(rego_files) if rego_files else ())


def _modules(files: Sequence[Path]) -> tuple[Module, ...]:
    from idp.policy.rego import read

    return tuple(map(read, files))


def judge(policies: Policies, plan: Plan, scene: Scene) -> Verdict:
    """Return what all policies say of a plan: those that deny first."""
    asking = _Asking(plan, scene)
    findings: list[Finding] = []
    asked = 0
    for policy in policies.rules.values():
        known = moot(policy.name, plan, scene) if policy.origin == "built-in" else None
        if known:
            asked += known == "met"
            continue
        was_asked, finding = policy.finding(asking.scope)
        asked += was_asked
        findings += [finding] if finding else []
    for module in policies.modules:
        asked += 1
        findings += module.findings(asking.variables)
    order = ("deny", "needs-approval", "warn")
    findings.sort(key=lambda one: order.index(one.severity))
    return Verdict(tuple(findings), asked)


@dataclass(frozen=True)
class _Asking:
    """A plan that policies are asked of; CEL is imported when the first expression is."""

    plan: Plan
    scene: Scene

    @cached_property
    def variables(self) -> dict[str, Any]:
        return variables(self.plan, self.scene)

    @cached_property
    def scope(self) -> Scope:
        from idp.rules import Scope

        return Scope(self.variables)


def variables(plan: Plan, scene: Scene) -> dict[str, Any]:
    """Return what policies may refer to; docs/policy.md says what each holds."""
    settings, over = scene.settings, scene.approval_over
    return {
        "plan": _plan(plan, scene),
        "entity": _known(scene.entity),
        "team": _known(scene.team),
        "catalog": {"read": scene.catalog_read},
        "budget": _budget(scene),
        "cost": None if scene.cost is None else _known(scene.cost),
        "limits": {
            "tags": list(settings.tags),
            "max_ttl_hours": settings.max_ttl_hours,
            "max_environments": settings.max_environments,
            "quota": _known(settings.quota),
            "approval_over": None if over is None else float(over),
        },
        "now": scene.now,
    }


def _plan(plan: Plan, scene: Scene) -> dict[str, Any]:
    """Return a plan and its facts as one map; the catalog's word goes before a silence."""
    facts = plan.facts
    totals: dict[str, Decimal] = {}
    for use in facts.uses:
        totals[use.rate] = totals.get(use.rate, Decimal(0)) + use.quantity
    said = {name: _known(value) for name, value in vars(facts).items()}
    return said | {
        "action": plan.action,
        "subject": _known(plan.subject),
        "risk": plan.risk,
        "inputs": _known(plan.inputs),
        "effects": [_known(vars(one)) for one in plan.effects],
        "tier": facts.tier or tier_of(scene.entity or {}),
        "uses": [_known(vars(use)) for use in facts.uses],
        "totals": _known(totals),
    }


def _budget(scene: Scene) -> dict[str, Any] | None:
    """Return the team's budget with what comes of it; sums are made before cents become floats."""
    if scene.budget is None:
        return None
    hard, committed = (Decimal(str(scene.budget[name])) for name in ("hard", "committed"))
    soft = scene.budget.get("soft")
    after = committed + (Decimal(str(scene.cost["month"])) if scene.cost else 0)
    worked_out: dict[str, Any] = {
        "left": hard - committed,
        "after": after,
        "over_hard": after > hard,
        "over_soft": soft is not None and after > Decimal(str(soft)),
    }
    found: dict[str, Any] = _known({"soft": None} | worked_out | dict(scene.budget))
    amounts = ("hard", "soft", "committed", "left", "after")
    return found | {key: float(found[key]) for key in amounts if found[key] is not None}


def _known(value: Any) -> Any:
    """Return a value as CEL knows it: an amount becomes a float, a tuple a list."""
    if isinstance(value, Decimal) or (isinstance(value, int) and abs(value) >= 2**63):
        return float(value)
    if isinstance(value, str):  # a file's name may be no Unicode
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_known(str(key)): _known(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_known(item) for item in value]
    is_plain = value is None or isinstance(value, (bool, int, float, datetime))
    return value if is_plain else _known(str(value))


@cache
def _compiled(text: str) -> Rule:
    from idp.rules import compile_rule

    return compile_rule(text, VARIABLES)
