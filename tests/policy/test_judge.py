"""Judging a plan: which policies count, which are asked, and what comes of those not met."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.config.guardrails import PolicySettings
from idp.config.policies import BUILT_IN
from idp.plan import Effect, Facts, Plan, Use

from .stories import TAGS, ids, judged, own, plan, rule

CENTS = st.integers(0, 10_000_000).map(lambda cents: Decimal(cents) / 100)


def test_making_a_service_is_allowed_where_nothing_is_known_of_it() -> None:
    created = Plan("create-service", "payments", facts=Facts("payments", "team-a"))
    verdict = judged(PolicySettings(), created)
    assert (verdict.outcome, verdict.findings) == ("allowed", ())


def test_a_plan_without_any_facts_is_allowed() -> None:
    assert judged(PolicySettings(), Plan("template release", "x")).outcome == "allowed"


@pytest.mark.parametrize(
    ("severities", "outcome"),
    [
        ((), "allowed"),
        (("warn",), "allowed"),
        (("warn", "needs-approval"), "needs-approval"),
        (("warn", "needs-approval", "deny"), "denied"),
    ],
)
def test_the_worst_finding_decides(severities: tuple[str, ...], outcome: str) -> None:
    rules = {f"is-{severity}": rule("false", severity) for severity in severities}
    verdict = judged(own(**rules))
    assert verdict.outcome == outcome
    assert [one.severity for one in verdict.findings] == list(reversed(severities))


def test_a_policy_is_asked_only_of_the_plans_that_its_filter_lets_through() -> None:
    settings = own(runs=rule("false", filter='plan.environment != ""'))
    assert judged(settings).asked == 0
    assert ids(judged(settings, plan(environment="pr-7"))) == {"runs"}


@pytest.mark.parametrize("place", ["when", "filter"])
def test_what_cannot_be_judged_is_not_met_and_says_why(place: str) -> None:
    unknown = "plan.inputs.region == 'eu'"
    region = rule(unknown) if place == "when" else rule("true", filter=unknown)
    (finding,) = judged(own(region=region)).findings
    assert finding.severity == "deny"
    assert finding.message == "it is not so: it cannot be judged, since there is no region"


def test_a_rule_that_is_neither_true_nor_false_is_not_met() -> None:
    (finding,) = judged(own(odd=rule("plan.images.size()"))).findings
    assert "must be true or false" in finding.message


def test_a_finding_tells_what_is_at_fault() -> None:
    settings = own(ours=rule("plan.images.size() == 0", which="plan.images"))
    (finding,) = judged(settings, plan(images=("a:1", "b:2"))).findings
    assert finding.which == ("a:1", "b:2")
    assert finding.message == "it is not so: a:1, b:2"


def test_a_platform_chooses_among_the_built_in_policies() -> None:
    asked = plan(environment="production", images=("a:latest",), public=True)
    assert ids(judged(PolicySettings(), asked)) == {"required-tags", "image-tag", "public-ingress"}
    chosen = PolicySettings(built_in=("image-tag",))
    assert ids(judged(chosen, asked)) == {"image-tag"}
    changed = PolicySettings(severity={"required-tags": "off", "image-tag": "warn"})
    verdict = judged(changed, asked)
    assert {one.policy: one.severity for one in verdict.findings} == {
        "image-tag": "warn",
        "public-ingress": "needs-approval",
    }


def test_a_rule_of_the_platform_replaces_the_built_in_one_of_its_name() -> None:
    settings = PolicySettings(
        built_in=("image-tag",), rules={"image-tag": rule("true")}, severity={"image-tag": "off"}
    )
    verdict = judged(settings, plan(images=("a:latest",)))
    assert (verdict.outcome, verdict.asked) == ("allowed", 1)


def test_policies_see_the_plan_with_its_facts_and_what_is_known_beside_it() -> None:
    seen = (
        'plan.action == "deploy" && plan.subject == "payments" && plan.risk == "remote"',
        'plan.inputs["release"] == "1.2.3" && plan.effects[0].on == "README.md"',
        'plan.tags["owner"] == "x" && plan.uses[0].quantity == 0.5 && plan.totals.cpu_hour == 1.5',
        'plan.ttl_hours == null && plan.tier == "high"',
        'entity.kind == "Component" && team.kind == "Group" && catalog.read',
        'now > timestamp("2026-11-24T08:00:00Z") && now - duration("24h") < now',
        "limits.max_ttl_hours == 336 && limits.approval_over == null",
        "budget == null && cost == null",
    )
    cpu = (Use("a", "cpu_hour", Decimal("0.5")), Use("b", "cpu_hour", Decimal(1)))
    asked = Plan(
        "deploy",
        "payments",
        inputs={"release": "1.2.3"},
        effects=(Effect("added", "README.md"),),
        risk="remote",
        facts=Facts(tags=TAGS, uses=cpu),
    )
    settings = own(**{f"rule-{number}": rule(text) for number, text in enumerate(seen)})
    entity = {"kind": "Component", "metadata": {"labels": {"idp.dev/tier": "high"}}}
    verdict = judged(settings, asked, entity=entity, team={"kind": "Group"}, catalog_read=True)
    assert [one.message for one in verdict.findings] == []


def test_what_a_document_of_the_catalog_holds_may_be_anything_that_json_can() -> None:
    entity = {"spec": {"big": 10**30, "none": None, "list": [1, "a", {"b": 1.5}]}}
    settings = own(big=rule("entity.spec.big > 1.0 && entity.spec.list[2].b == 1.5"))
    assert judged(settings, entity=entity).outcome == "allowed"
    odd = {"spec": {"at": timedelta(hours=1)}}
    assert judged(own(odd=rule('entity.spec.at == "1:00:00"')), entity=odd).outcome == "allowed"


@given(hard=CENTS, committed=CENTS, month=CENTS)
def test_a_budget_is_kept_to_the_cent(hard: Decimal, committed: Decimal, month: Decimal) -> None:
    settings = PolicySettings(built_in=("budget",))
    budget = {"hard": hard, "committed": committed}
    verdict = judged(settings, budget=budget, cost={"month": month, "currency": "EUR"})
    assert (verdict.outcome == "denied") == (committed + month > hard)


@given(st.lists(st.sampled_from(sorted(BUILT_IN)), unique=True), st.data())
def test_one_more_policy_never_lets_more_through(names: list[str], data: st.DataObject) -> None:
    more = data.draw(st.lists(st.sampled_from(sorted(BUILT_IN)), unique=True))
    asked = plan(environment="pr-7", images=("a",), plain_secrets=("x:1",), public=True)
    few = judged(PolicySettings(built_in=tuple(names)), asked)
    many = judged(PolicySettings(built_in=tuple({*names, *more})), asked)
    assert ids(few) <= ids(many)
    order = ("allowed", "needs-approval", "denied")
    assert order.index(few.outcome) <= order.index(many.outcome)
