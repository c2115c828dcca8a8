"""The section `policies` of the platform file: what it holds, and how its mistakes are told."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from idp.config import load_platform
from idp.config.guardrails import PolicyRule, PolicySettings
from idp.config.policies import BUILT_IN
from idp.errors import InvalidInput
from idp.policy import ready

POLICIES = """\
version: 1
policies:
  built_in: [budget, image-tag]
  severity: {image-tag: warn, budget: "off"}
  tags: [owner]
  max_ttl_hours: 72
  max_environments: 3
  quota: {cpu_hour: 8, gb_hour: 32.5}
  rules:
    registry:
      severity: deny
      when: plan.images.all(image, image.startsWith("registry.example.com/"))
      message: an image is not from our registry
      hint: push it there
      filter: plan.environment == "production"
      which: plan.images
"""


def refused(policies: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load_platform(f"version: 1\npolicies: {policies}\n".encode(), "idp-platform.yaml", None)
    error = caught.value
    return list(error.details) or [f"{error.message} ({error.hint})"]


@pytest.mark.parametrize("load", ["first", "from the cache"])
def test_policies_are_read_with_their_rules_by_name(tmp_path: Path, load: str) -> None:
    if load == "from the cache":
        load_platform(POLICIES.encode(), "idp-platform.yaml", tmp_path)
    found = load_platform(POLICIES.encode(), "idp-platform.yaml", tmp_path).guardrails.policies
    assert found == PolicySettings(
        built_in=("budget", "image-tag"),
        severity={"image-tag": "warn", "budget": "off"},
        tags=("owner",),
        max_ttl_hours=72,
        max_environments=3,
        quota={"cpu_hour": Decimal(8), "gb_hour": Decimal("32.5")},
        rules={
            "registry": PolicyRule(
                "deny",
                'plan.images.all(image, image.startsWith("registry.example.com/"))',
                "an image is not from our registry",
                "push it there",
                'plan.environment == "production"',
                "plan.images",
            )
        },
    )
    assert [*ready(found).rules] == ["image-tag", "registry"]


def test_without_the_section_all_built_in_policies_count() -> None:
    found = load_platform(b"version: 1\n", "idp-platform.yaml", None).guardrails.policies
    assert [*ready(found).rules] == [*BUILT_IN]


@pytest.mark.parametrize(
    ("policies", "told"),
    [
        ("{built_in: [image-tags]}", "2:23: policies.built_in.0: no built-in policy 'image-tags'"),
        ("{severity: {budgt: warn}}", "did you mean 'budget'?"),
        ("{rules: {a: {severity: deny, when: pln.public, message: m}}}", "did you mean 'plan'?"),
        ("{rules: {a: {severity: deny, when: 'true', filter: '1 = 1', message: m}}}", "write =="),
        ("{rules: {a: {severity: deny, when: 'true', which: 'len(1)', message: m}}}", "'len'"),
        ("{rules: {a: {severity: deny, when: 'true'}}}", "policies.rules.a.message"),
        ("{quota: {cpu_hour: many}}", "must be an amount"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_mend(policies: str, told: str) -> None:
    (line,) = refused(policies)
    assert told in line


def test_a_mistake_in_an_expression_does_not_hide_one_of_the_keys() -> None:
    lines = refused("{rego: 7, rules: {a: {severity: deny, when: '1 +', message: m}}}")
    assert len(lines) == 2
