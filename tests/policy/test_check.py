"""`idp policy check`: a repository or a plan judged in CI, each finding with its place."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from idp.plan import Facts, Plan, Use

from ..catalog.index_stories import component, group
from ..service.stories import Run, build_tree, idp
from .stories import CATALOG, SCORE, platform

BAD = SCORE.replace("1.2.3", "latest").replace("${resources.db.password}", "hunter2-canary")
COSTS = {
    "approval_over": 10,
    "rates": {
        "currency": "EUR",
        "source": "a list",
        "date": "2026-11-01",
        "cpu_hour": "0.04",
        "gb_hour": "0.005",
        "flat": {"postgres": "14.50"},
    },
}


def check(
    tmp_path: Path, *words: str | Path, score: str = SCORE, catalog: str = CATALOG, **sections: Any
) -> Run:
    build_tree(tmp_path / "pay", {"score.yaml": score, "catalog-info.yaml": catalog})
    there = platform(tmp_path / "platform", **sections)
    return idp("--platform", there, "-C", tmp_path, "policy", "check", *words)


def places(run: Run) -> dict[str, str]:
    return {one["policy"]: one["at"] for one in run.json["findings"]}


def test_a_repository_that_meets_every_policy_is_allowed(tmp_path: Path) -> None:
    run = check(tmp_path, "pay")
    assert (run.code, run.out) == (0, "payments in production: allowed, 9 policies asked\n")


def test_a_denied_one_exits_5_and_says_where_and_what_to_do(tmp_path: Path) -> None:
    run = check(tmp_path, "pay", score=BAD)
    assert run.code == 5
    assert run.out.splitlines()[:2] == [
        "pay/score.yaml:6: deny: an image does not say which one it is: "
        "registry.example.com/payments:latest (image-tag)",
        "  hint: give it a tag other than latest, or a digest",
    ]
    assert "canary" not in run.everything


def test_json_has_each_finding_with_its_place(tmp_path: Path) -> None:
    catalog = CATALOG.replace("labels:", "tags: [pii]\n  labels:").replace("cost-centre", "tier")
    run = check(tmp_path, "pay", "--json", score=BAD, catalog=catalog)
    assert run.json["outcome"] == "denied"
    assert places(run) == {
        "required-tags": "pay/catalog-info.yaml:6",
        "image-tag": "pay/score.yaml:6",
        "plain-secret": "pay/score.yaml:8",
        "personal-data": "pay/catalog-info.yaml:5",
    }


def test_what_needs_approval_fails_only_under_strict(tmp_path: Path) -> None:
    score = SCORE + "  web: {type: route}\n"
    run = check(tmp_path, "pay", "--json", score=score)
    assert (run.code, run.json["outcome"]) == (0, "needs-approval")
    assert check(tmp_path, "pay", "--strict", score=score).code == 5


def test_sarif_has_the_rules_and_the_places(tmp_path: Path) -> None:
    run = check(tmp_path, "pay", "--format", "sarif", score=BAD + "  web: {type: route}\n")
    (log,) = run.json["runs"]
    assert {"image-tag", "plain-secret"} <= {one["id"] for one in log["tool"]["driver"]["rules"]}
    told = {}
    for result in log["results"]:
        (place,) = (one["physicalLocation"] for one in result["locations"])
        line = place["region"]["startLine"]
        told[result["ruleId"]] = (result["level"], place["artifactLocation"]["uri"], line)
    assert told == {
        "image-tag": ("error", "pay/score.yaml", 6),
        "plain-secret": ("error", "pay/score.yaml", 8),
        "public-ingress": ("warning", "pay/score.yaml", 13),
    }


def test_github_gets_annotations_on_the_lines(tmp_path: Path) -> None:
    run = check(tmp_path, "pay", "--format", "github", score=BAD)
    assert run.out.startswith("::error file=pay/score.yaml,line=6,col=1::an image does not say")


def test_a_repository_is_estimated_by_the_rate_card(tmp_path: Path) -> None:
    run = check(tmp_path, "pay", "--json", score=SCORE + "  q: {type: queue}\n", costs=COSTS)
    # 0.5 CPU * 730 h * 0.04 + 2 GB * 730 h * 0.005 + 14.50
    assert run.json["cost"] == "36.40 EUR"
    assert places(run) == {"cost-approval": ""}
    assert "not in the rate card, and not counted: queue" in run.err


def test_owner_and_new_dependencies_are_looked_up_in_the_catalog(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    build_tree(
        sources,
        {
            "teams/catalog-info.yaml": group("team-a"),
            "pay/catalog-info.yaml": component("payments", dependsOn="[component:old]"),
        },
    )
    known = {"sources": ["../sources"]}
    there = platform(tmp_path / "platform", catalog=known)
    assert idp("--platform", there, "catalog", "ingest").code == 0

    catalog = CATALOG.replace("team-a}", "team-b, dependsOn: [component:old, component:new]}")
    build_tree(tmp_path / "pay", {"catalog-info.yaml": catalog})
    run = idp("--platform", there, "-C", tmp_path, "policy", "check", "pay", "--json")
    assert places(run) == {
        "owner-exists": "pay/catalog-info.yaml:7",
        "new-dependency": "pay/catalog-info.yaml:7",
    }


def test_a_plan_is_judged_from_a_file(tmp_path: Path) -> None:
    cpu = (Use("main cpu", "cpu_hour", Decimal(2)),)
    preview = Plan("env", "pay", facts=Facts("pay", "a", environment="pr-7", uses=cpu))
    (tmp_path / "plan.json").write_bytes(preview.canonical)
    run = check(tmp_path, "--plan", "plan.json", "--json", policies={"built_in": ["time-to-live"]})
    assert run.code == 5
    assert places(run) == {"time-to-live": ""}


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "not JSON"), ('{"action": "a"}', "subject"), ("[]", "a plan is a mapping")],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    run = check(tmp_path, "--plan", "plan.json")
    assert (run.code, told in run.err) == (3, True), run.err


def test_words_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    assert check(tmp_path, "pay", "--plan", "plan.json").code == 2
    assert check(tmp_path, "pay", "--format", "sarif", "--json").code == 2
    assert check(tmp_path, "pay", "--environment", "").code == 2
    assert check(tmp_path, "--plan", "none.json").code == 3


def test_policies_are_listed_and_explained(tmp_path: Path) -> None:
    own = {"severity": "warn", "when": "!plan.public", "message": "keep it inside", "hint": "why?"}
    sections = {"policies": {"rules": {"inside": own}, "severity": {"budget": "off"}}}
    there = platform(tmp_path / "platform", **sections)
    listed = json.loads(idp("--platform", there, "policy", "list", "--json").out)
    severity = {one["id"]: one["severity"] for one in listed}
    assert (severity["inside"], severity["budget"], severity["image-tag"]) == (
        "warn",
        "off",
        "deny",
    )
    run = idp("--platform", there, "policy", "explain", "inside")
    assert run.out.splitlines()[1:] == [
        "  keep it inside",
        "  asked of    every plan",
        "  must be so  !plan.public",
        "  what to do  why?",
    ]
    assert f"warn, {there}:1" in run.out
    missing = idp("--platform", there, "policy", "explain", "image-tags")
    assert (missing.code, "did you mean 'image-tag'?" in missing.err) == (3, True)
