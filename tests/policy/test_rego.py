"""Policies in Rego, for those who have them already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from idp.config.guardrails import PolicySettings
from idp.errors import InvalidInput
from idp.policy import Scene, judge, ready
from idp.policy.verdict import Finding, Verdict

from ..service.stories import idp
from .stories import NOW, plan, platform

NONE = PolicySettings(built_in=())


def judged(tmp_path: Path, rules: str, **facts: object) -> Verdict:
    file = tmp_path / "team.rego"
    file.write_text(f"package acme.team\n\nimport rego.v1\n\n{rules}")
    return judge(ready(NONE, [file]), plan(**facts), Scene(NOW))


def test_deny_needs_approval_and_warn_are_sets_of_messages(tmp_path: Path) -> None:
    rules = """\
deny contains sprintf("%s is no region", [input.plan.environment]) if input.plan.public
needs_approval contains {"id": "pii", "message": "personal", "hint": "ask"} if {
    input.plan.personal_data
}
warn contains "no team" if input.team == null
"""
    verdict = judged(tmp_path, rules, environment="x", public=True, personal_data=True)
    assert verdict.findings == (
        Finding("team", "deny", "x is no region"),
        Finding("pii", "needs-approval", "personal", "ask"),
        Finding("team", "warn", "no team"),
    )
    assert judged(tmp_path, rules, environment="x").outcome == "allowed"


def test_sets_as_rego_wrote_them_before_its_version_1_are_read(tmp_path: Path) -> None:
    file = tmp_path / "old.rego"
    file.write_text('package old\ndeny[msg] { input.plan.public; msg := "public" }\n')
    verdict = judge(ready(NONE, [file]), plan(public=True), Scene(NOW))
    assert [one.message for one in verdict.findings] == ["public"]


@pytest.mark.parametrize("rule", ["warn contains x if x := 1 / 0", 'warn := "text"', "warn := 7"])
def test_a_rule_that_fails_or_says_nothing_readable_denies(tmp_path: Path, rule: str) -> None:
    verdict = judged(tmp_path, f'deny contains "no" if input.plan.public\n{rule}\n', public=True)
    assert verdict.outcome == "denied"
    first, second = (one.message for one in verdict.findings)
    assert first == "no"
    assert "cannot be judged, since its rule warn" in second


@pytest.mark.parametrize(
    ("text", "told"),
    [("package a\n\ndeny contains {\n", "line 3"), ("x := 1\n", "no package")],
)
def test_a_file_that_is_no_rego_is_refused_before_any_plan(
    tmp_path: Path, text: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.rego"
    file.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        ready(NONE, [file])
    assert told in "\n".join((caught.value.message, *caught.value.details))
    assert capfd.readouterr().err == ""


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot read .*none\.rego"):
        ready(NONE, [tmp_path / "none.rego"])


def test_the_platform_names_its_files_beside_itself(tmp_path: Path) -> None:
    there = platform(tmp_path / "platform", policies={"built_in": [], "rego": ["team.rego"]})
    (there.parent / "team.rego").write_text(
        'package team\nimport rego.v1\ndeny contains "no previews" if input.plan.environment\n'
    )
    listed = json.loads(idp("--platform", there, "policy", "list", "--json").out)
    assert ("team", "") in [(one["id"], one["severity"]) for one in listed]
    (tmp_path / "plan.json").write_bytes(plan(environment="pr-7").canonical)
    run = idp("--platform", there, "policy", "check", "--plan", tmp_path / "plan.json")
    assert (run.code, "no previews (team)" in run.out) == (5, True)
