"""`idp policy test`: policies have tests, and a test that fails says what came instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from idp.config.policies import BUILT_IN

from ..service.stories import Run, idp
from .stories import platform

TESTS = Path(__file__).with_name("built_in.test.yaml")
RATES = {"currency": "EUR", "source": "a list", "date": "2026-11-01", "cpu_hour": "0.04"}
LIMITS: dict[str, Any] = {
    "costs": {"approval_over": 250, "rates": RATES},
    "policies": {"quota": {"cpu_hour": 4}},
}


def tried(tmp_path: Path, text: str, *words: str) -> Run:
    file = tmp_path / "team.test.yaml"
    file.write_text(text)
    own = {"rules": {"ours": {"severity": "warn", "when": "!plan.public", "message": "not ours"}}}
    there = platform(tmp_path / "platform", policies=own)
    return idp("--platform", there, "-C", tmp_path, "policy", "test", "team.test.yaml", *words)


def test_each_built_in_policy_is_met_and_not_met(tmp_path: Path) -> None:
    run = idp("--platform", platform(tmp_path / "p", **LIMITS), "policy", "test", TESTS)
    assert run.code == 0, run.out
    cases = yaml.safe_load(TESTS.read_text())["tests"]
    assert {one["policy"] for case in cases for one in case["expect"]} == set(BUILT_IN)
    met = {name for case in cases if not case["expect"] for name in case["only"]}
    assert met == set(BUILT_IN)


def test_a_test_that_fails_tells_what_was_expected_and_what_came(tmp_path: Path) -> None:
    text = """\
tests:
  - name: met
    plan: {public: false}
    expect: []
  - name: mixed up
    plan: {public: true, images: [a:latest]}
    expect:
      - {policy: image-tag, severity: warn}
      - {policy: ours, message: not ours}
"""
    run = tried(tmp_path, text)
    assert run.code == 3
    assert run.out.splitlines() == [
        "ok  team.test.yaml:2  met",
        "FAIL  team.test.yaml:5  mixed up",
        "  - expected  warn image-tag",
        "  + found     deny image-tag: an image does not say which one it is: a:latest",
    ]
    assert "2 tests, 1 failed" in run.err
    (_, mixed) = json.loads(tried(tmp_path, text, "--json").out)
    assert (mixed["ok"], mixed["at"], mixed["missing"]) == (
        False,
        "team.test.yaml:5",
        ["warn image-tag"],
    )


def test_the_same_finding_is_expected_once_for_each_time_that_it_comes(tmp_path: Path) -> None:
    text = "tests: [{name: a, plan: {public: true}, expect: [{policy: ours}, {policy: ours}]}]\n"
    assert "- expected  any ours" in tried(tmp_path, text).out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tests: []\n", "team.test.yaml:1"),
        ("tests: [{name: a, plan: {}, expected: []}]\n", "tests.0.expected"),
        ("tests: [{name: a, plan: {publc: true}, expect: []}]\n", "did you mean 'public'?"),
        ("tests: [{name: a, plan: {public: 7}, expect: []}]\n", "facts.public"),
        ("tests: [{name: a, plan: {}, expect: [], only: [ous]}]\n", "no policy 'ous'"),
        ("tests: [{name: a, plan: {}, expect: [], budget: {hard: 1}}]\n", "budget.committed"),
        (
            "tests: [{name: a, plan: {}, expect: [], cost: {month: x, currency: EUR}}]\n",
            "amount of money",
        ),
        ("tests: [{name: a, plan: {}, expect: [], now: soon}]\n", "must be a time"),
        ("tests: [\n", "not YAML"),
    ],
)
def test_a_file_that_is_not_one_of_tests_is_refused_with_its_place(
    tmp_path: Path, text: str, told: str
) -> None:
    run = tried(tmp_path, text)
    assert run.code == 3
    assert told in run.err


def test_the_time_of_a_test_is_what_it_says(tmp_path: Path) -> None:
    weekend = {
        "severity": "deny",
        "when": "now.getDayOfWeek() in [1, 2, 3, 4, 5]",
        "message": "no deploys at the weekend",
    }
    there = platform(tmp_path / "p", policies={"built_in": [], "rules": {"weekend": weekend}})
    (tmp_path / "t.yaml").write_text("""\
tests:
  - {name: Tuesday, plan: {}, now: 2026-11-24T09:00:00Z, expect: []}
  - {name: Saturday, plan: {}, now: "2026-11-28", expect: [{policy: weekend}]}
""")
    assert idp("--platform", there, "policy", "test", tmp_path / "t.yaml").code == 0


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    run = idp("-C", tmp_path, "policy", "test", "none.yaml")
    assert (run.code, "no tests none.yaml" in run.err) == (3, True)
