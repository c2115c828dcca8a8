"""Scoring: the level a service has reached, why no higher, and what to do next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from idp.catalog.index.opened import opened
from idp.catalog.index.schema import RELATIONS
from idp.catalog.score import score
from idp.catalog.scorecard import ready
from idp.catalog.subjects import subjects
from idp.config.catalog import Scorecard, ScorecardRule
from idp.config.scorecard import VARIABLES

from ..service.stories import Run, idp
from .index_stories import component, group, made

GOOD = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: payments
  description: Takes the money
  tags: [pci]
  annotations:
    github.com/project-slug: acme/payments
    pagerduty.com/service-id: P1
    backstage.io/techdocs-ref: dir:.
spec: {type: service, lifecycle: production, owner: team-a, tier: critical}
"""
BESIDE = ("README.md", "slo.yaml", "docs/runbooks/restore.md", "docs/adr/0001-money.md")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`payments` has all there is to have; `cart`, `old` and `site` have next to nothing."""
    files = {
        "teams.yaml/catalog-info.yaml": group("team-a"),
        "payments/catalog-info.yaml": GOOD,
        **{f"payments/{name}": "-\n" for name in BESIDE},
        "cart/catalog-info.yaml": component("cart", dependsOn="[component:old, component:gone]"),
        "old/catalog-info.yaml": component("old", owner="nobody", lifecycle="deprecated"),
        "site/catalog-info.yaml": component("site", type="website"),
    }
    return made(tmp_path_factory.mktemp("company"), files)


def scored(company: Path, *words: str | Path) -> Run:
    return idp("catalog", "score", "--index", company, *words)


def rows(company: Path, *words: str | Path) -> dict[str, dict[str, Any]]:
    listed = json.loads(scored(company, *words, "--json").out)
    return {one["ref"].rpartition("/")[2]: one for one in listed}


def report(company: Path, ref: str, *words: str | Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scored(company, ref, *words, "--json").out)
    return found


def rules(company: Path, ref: str, *words: str | Path) -> dict[str, bool]:
    return {one["rule"]: one["ok"] for one in report(company, ref, *words)["rules"]}


def platform(folder: Path, scorecard: Mapping[str, Any]) -> Path:
    file = folder / "idp-platform.yaml"
    file.write_text(json.dumps({"version": 1, "catalog": {"scorecard": scorecard}}))
    return file


def test_services_are_listed_with_what_to_do_next(company: Path) -> None:
    found = rows(company)
    assert list(found) == ["cart", "old", "payments"]
    assert [found[name]["level"] for name in found] == ["", "", "gold"]
    assert (found["payments"]["score"], found["payments"]["next"]) == (100, "")
    assert found["cart"]["missing"] == len(found["cart"]["failed"]) == 10
    assert found["old"]["next"] == "set spec.owner to a Group of the catalog"


def test_one_service_is_told_rule_by_rule_up_to_the_next_level(company: Path) -> None:
    run = scored(company, "cart")
    assert run.code == 0
    assert run.out.startswith("component:default/cart  no level yet, ")
    assert "  ok  owner: Has an owner that the catalog knows" in run.out
    assert "  no  description: Says what it is for\n      not so: description" in run.out
    todo = run.out.partition("to reach bronze:\n")[2].splitlines()
    assert todo[0] == "  1. write metadata.description"
    assert "slo.yaml" not in "".join(todo)


def test_dependencies_that_are_missing_or_deprecated_count_against_who_needs_them(
    company: Path,
) -> None:
    assert rules(company, "cart")["dependencies"] is False
    assert rules(company, "old")["dependencies"] is True


def test_a_level_needs_all_levels_below_it(company: Path, tmp_path: Path) -> None:
    gold = {"level": "gold", "when": "true", "title": "Is"}
    bronze = {"level": "bronze", "when": "false", "title": "Is not"}
    card = {"built_in": [], "rules": {"g": gold, "b": bronze}}
    told = report(company, "cart", "--platform", platform(tmp_path, card))
    assert (told["level"], told["next_level"], told["score"]) == ("", "bronze", 50)


def test_rules_of_the_platform_join_the_built_in_ones_and_may_replace_them(
    company: Path, tmp_path: Path
) -> None:
    pci = {"level": "gold", "when": '"pci" in tags', "title": "PCI", "filter": 'tier != ""'}
    mine = {"level": "bronze", "when": "relations.ownedBy.size() == 1", "title": "Owned"}
    card = {"built_in": ["owner", "tier"], "rules": {"pci": pci, "owner": mine}}
    file = platform(tmp_path, card)
    assert rules(company, "payments", "--platform", file) == {
        "owner": True,
        "tier": True,
        "pci": True,
    }
    assert rules(company, "old", "--platform", file) == {"owner": True, "tier": False}


def test_a_rule_without_an_answer_does_not_hold_and_says_why(company: Path, tmp_path: Path) -> None:
    rule = {"level": "gold", "when": 'entity.spec.region == "eu"', "title": "T", "next": "N"}
    file = platform(tmp_path, {"built_in": [], "rules": {"eu": rule}})
    (one,) = report(company, "cart", "--platform", file)["rules"]
    assert (one["ok"], one["next"]) == (False, "N")
    assert one["why"] == 'there is no region: entity.spec.region == "eu"'


@pytest.mark.parametrize(
    ("only", "names"),
    [
        ('entity.kind == "Component"', ["cart", "old", "payments", "site"]),
        ('entity.spec.type == "website"', ["site"]),
        ('tier == "critical"', ["payments"]),
        ('has(entity.metadata.tags) && "entity.kind" != ""', ["payments"]),
    ],
)
def test_the_filter_says_who_is_scored(
    company: Path, tmp_path: Path, only: str, names: list[str]
) -> None:
    assert list(rows(company, "--platform", platform(tmp_path, {"filter": only}))) == names


def test_who_is_not_scored_is_said_to_be(company: Path) -> None:
    run = scored(company, "site")
    assert run.code == 3
    assert "component:default/site is not scored" in run.err
    several = scored(company, "site", "cart")
    assert several.out.count("\n") == 2
    assert "1 not scored" in several.err


def test_an_expression_chooses(company: Path) -> None:
    assert list(rows(company, "lifecycle=deprecated", "payments")) == ["old", "payments"]
    assert list(rows(company, "tier=critical")) == ["payments"]


def test_teams_are_summed_up(company: Path) -> None:
    run = scored(company, "--by", "team", "--json")
    nobody, ours = json.loads(run.out)
    assert (nobody["team"], nobody["services"]) == ("group:default/nobody", 1)
    assert ours["levels"] == {"none": 1, "bronze": 0, "silver": 0, "gold": 1}
    assert ours["average"] == (100 + rows(company)["cart"]["score"]) // 2
    assert ours["next"] == "write metadata.description"
    head, *lines = scored(company, "--by", "team").out.splitlines()
    assert head.split("\t") == ["team", "services", "none", "bronze", "silver", "gold",
                                "average", "next"]  # fmt: skip
    assert len(lines) == 2


def test_ci_may_ask_for_a_level(company: Path) -> None:
    assert scored(company, "payments", "--fail-under", "gold").code == 0
    run = scored(company, "--fail-under", "bronze")
    assert run.code == 5
    assert "2 services below bronze" in run.err
    assert "component:default/old: none, next: set spec.owner" in run.err
    assert run.out.count("\n") == 4
    wrong = scored(company, "--fail-under", "silber")
    assert (wrong.code, "bronze, silver, gold" in wrong.err) == (2, True)


def test_the_newest_release_counts_where_it_is_known(tmp_path: Path) -> None:
    answers = "_commit: {}\n_src_path: idp:python-api\n"
    files = {
        f"{name}/{file}": text
        for name, release in (("early", "0.0.1"), ("late", "newest"))
        for file, text in {
            "catalog-info.yaml": component(name),
            ".copier-answers.yml": answers.format(release),
        }.items()
    }
    card = ready(Scorecard(built_in=("release",)))
    with opened(made(tmp_path, files)) as index:
        new = score(index, card, {"idp:python-api": "newest"})
        assert {one.ref.rpartition("/")[2]: one.level for one in new} == {
            "early": "silver",
            "late": "gold",
        }
        assert {one.score for one in score(index, card, {})} == {100}
    assert rules(tmp_path / "index" / "catalog.db", "early")["release"] is False


def test_every_variable_is_there_for_every_entity(company: Path) -> None:
    with opened(company) as index:
        nodes = [node for (node,) in index.connection.execute("SELECT id FROM entity")]
        found = list(subjects(index, nodes, frozenset(VARIABLES), RELATIONS, {}))
    assert len(found) == 5
    assert all(set(one.variables) == set(VARIABLES) for one in found)


@pytest.mark.parametrize(
    "when",
    [
        "relations.dependsOn.size() == 2 && relations.dependencyOf.size() == 0",
        'relations["dependsOn"].size() == 2',
        "relations.ownerOf == []",
        "size(relations) == 14",
    ],
)
def test_relations_are_all_there_however_they_are_named(company: Path, when: str) -> None:
    card = ready(Scorecard(built_in=(), rules={"r": ScorecardRule("bronze", when, "R")}))
    with opened(company) as index:
        by_name = {one.ref: one for one in score(index, card, {})}
    assert by_name["component:default/cart"].score == 100


def test_weight_counts_in_the_percentage_and_not_in_the_level(company: Path) -> None:
    heavy = ScorecardRule("bronze", "true", "Is", weight=9)
    card = ready(Scorecard(built_in=("description",), rules={"heavy": heavy}))
    with opened(company) as index:
        by_name = {one.ref: one for one in score(index, card, {})}
    assert by_name["component:default/cart"].score == 90
    assert by_name["component:default/cart"].level == ""
