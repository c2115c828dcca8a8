"""Tests of policies: a plan, what is known beside it, and the findings that must come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from idp.config.guardrails import PolicySettings
from idp.config.guardrails_model import Amount, Severity
from idp.config.places import Document, Problem, parse, refusal
from idp.config.strict import Strict, Text, mistake
from idp.errors import InvalidInput
from idp.plan import Plan
from idp.policy import Policies, Scene, judge
from idp.policy.verdict import Finding
from idp.policy.written import FACTS, PLAN, check_keys, plan_of

_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _time(written: Any) -> datetime:
    try:
        at = datetime.fromisoformat(str(written))
    except ValueError as error:
        raise mistake("must be a time", "for example `2026-11-01T09:00:00Z`") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class _Expected(Strict):
    policy: Text
    severity: Severity | None = None
    message: str = ""

    def fits(self, finding: Finding) -> bool:
        """Tell whether a finding is what is expected; `message` is a part of its message."""
        is_severity = self.severity in (None, finding.severity)
        return self.policy == finding.policy and is_severity and self.message in finding.message

    def __str__(self) -> str:
        said = f": …{self.message}…" if self.message else ""
        return f"{self.severity or 'any'} {self.policy}{said}"


class _Catalog(Strict):
    read: bool


class _Budget(Strict):
    hard: Amount
    committed: Amount
    soft: Amount | None = None


class _Cost(Strict):
    month: Amount
    currency: Text


class _Case(Strict):
    name: Text
    plan: dict[str, Any]
    entity: dict[str, Any] | None = None
    team: dict[str, Any] | None = None
    catalog: _Catalog | None = None
    budget: _Budget | None = None
    cost: _Cost | None = None
    now: Annotated[datetime, BeforeValidator(_time)] = _NOW
    only: list[Text] | None = None
    expect: list[_Expected]


class _File(Strict):
    tests: Annotated[list[_Case], Field(min_length=1)]


@dataclass(frozen=True)
class Tried:
    """How a test came out.

    Attributes:
        at: FILE:LINE.
        missing: findings that were expected and did not come.
        unexpected: findings that came and were not expected.
    """

    name: str
    at: str
    ok: bool
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Limits:
    """What the platform file says beside the policies."""

    settings: PolicySettings
    approval_over: Decimal | None = None


def tried(text: bytes, origin: str, policies: Policies, limits: Limits) -> Iterator[Tried]:
    """Yield how each test of a file comes out.

    Raises:
        InvalidInput: the file is not one of tests; every mistake is told with its line.
    """
    document = parse(text, origin)
    for number, case in enumerate(_cases(document, origin)):
        at = f"{origin}:{document.at_value(('tests', number))[0]}"
        yield _tried(case, at, policies, limits)


def _cases(document: Document, origin: str) -> Sequence[_Case]:
    problems = list(document.problems)
    cases: Sequence[_Case] = ()
    try:
        cases = _File.model_validate(document.data).tests
    except ValidationError as error:
        problems += [_problem(document, one) for one in error.errors(include_url=False)]
    if problems:
        raise refusal(origin, problems)
    return cases


def _problem(document: Document, error: ErrorDetails) -> Problem:
    path = tuple(part for part in error["loc"] if part != "[key]")
    where = ".".join(map(str, path))
    mend = error.get("ctx", {}).get("mend", "")
    return Problem(*document.at_key(path), f"{where}: {error['msg']}", mend)


def _tried(case: _Case, at: str, policies: Policies, limits: Limits) -> Tried:
    asked, scene = _chosen(policies, case.only, at), _scene(case, limits)
    found = list(judge(asked, _plan(case, at), scene).findings)
    missing = []
    for expected in case.expect:
        fitting = next(filter(expected.fits, found), None)
        if fitting:
            found.remove(fitting)
        else:
            missing.append(str(expected))
    more = tuple(f"{one.severity} {one.policy}: {one.message}" for one in found)
    return Tried(case.name, at, not missing and not more, tuple(missing), more)


def _chosen(policies: Policies, only: Sequence[str] | None, at: str) -> Policies:
    """Return the policies that a test asks."""
    if only is None:
        return policies
    known = {*policies.rules, *(one.name for one in policies.modules)}
    if unknown := [name for name in only if name not in known]:
        raise InvalidInput(
            f"{at}: no policy {unknown[0]!r} counts here", hint="`idp policy list` names them"
        )
    rules = {name: rule for name, rule in policies.rules.items() if name in only}
    return replace(
        policies, rules=rules, modules=tuple(one for one in policies.modules if one.name in only)
    )


def _plan(case: _Case, at: str) -> Plan:
    """Return the plan of a test, which is written as policies see it: its facts beside the rest."""
    known = [name for name in PLAN if name != "facts"]
    check_keys(case.plan, [*known, *FACTS], f"{at}: plan")
    facts = {key: value for key, value in case.plan.items() if key in FACTS}
    rest = {key: value for key, value in case.plan.items() if key in known}
    said = {"action": "test", "subject": str(facts.get("service", ""))} | rest
    return plan_of(said | {"facts": facts}, f"{at}: plan")


def _scene(case: _Case, limits: Limits) -> Scene:
    is_read = case.catalog.read if case.catalog else bool(case.entity or case.team)
    return Scene(
        case.now,
        case.entity,
        case.team,
        is_read,
        case.budget.model_dump() if case.budget else None,
        {"month": Decimal(case.cost.month), "currency": case.cost.currency} if case.cost else None,
        limits.settings,
        limits.approval_over,
    )
