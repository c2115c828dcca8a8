"""`idp catalog impact`: what a change reaches, by which way, and who is to be told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from idp.catalog.impact.tiers import rank

from ..service.stories import Run, idp
from .index_stories import group, ingested, made, written
from .org_stories import org, service


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return org(tmp_path)


def impact(index: Path, *words: str) -> Run:
    return idp("catalog", "impact", *words, "--index", index)


def told(index: Path, *words: str) -> dict[str, Any]:
    return impact(index, *words, "--json").json


def test_everything_is_reached_to_full_depth_by_the_shortest_way(index: Path) -> None:
    found = {one["ref"]: one["path"][1:] for one in told(index, "payments")["entities"]}
    assert found == {
        "component:default/basket": ["component:default/basket"],
        "component:default/newsletter": ["component:default/newsletter"],
        "api:default/payments-api": ["api:default/payments-api"],
        "component:default/cart": ["component:default/basket", "component:default/cart"],
        "component:default/mail": ["component:default/newsletter", "component:default/mail"],
        "component:default/refunds": ["api:default/payments-api", "component:default/refunds"],
    }


def test_the_entity_itself_is_not_reached_though_it_is_in_a_circle(index: Path) -> None:
    found = told(index, "mail")
    assert [one["ref"] for one in found["entities"]] == ["component:default/newsletter"]
    assert (found["reached"], found["depth"]) == (1, 1)


def test_of_several_shortest_ways_the_first_by_name_is_told(tmp_path: Path) -> None:
    way = ["component:default/base", "component:default/left", "component:default/top"]
    for number, order in enumerate((("top", "right", "left"), ("left", "top", "right"))):
        needs = {"left": ["base"], "right": ["base"], "top": ["left", "right"]}
        files = {
            f"{n}{name}/catalog-info.yaml": service(name, *needs[name])
            for n, name in enumerate(order)
        }
        folder = tmp_path / str(number)
        index = made(folder, files | {"9/catalog-info.yaml": service("base")})
        assert told(index, "base")["entities"][-1]["path"] == way
        assert "by way of component:left" in impact(index, "base").out


def test_what_is_missing_can_be_asked_about(index: Path) -> None:
    found = told(index, "retired-tax")
    assert (found["ref"], found["missing"]) == ("component:default/retired-tax", True)
    assert "component:default/payments" in {one["ref"] for one in found["entities"]}
    assert "missing: no source has it" in impact(index, "component:retired-tax").out


def test_what_nobody_knows_is_not_found(index: Path) -> None:
    run = impact(index, "paiments", "--json")
    assert (run.code, run.error["code"]) == (3, "not_found")
    assert "component:default/payments" in run.error["hint"]


def test_what_nothing_needs_is_safe(index: Path) -> None:
    run = impact(index, "refunds", "--fail-on", "critical")
    assert (run.code, run.err) == (0, "")
    assert "Nothing in the catalog needs it." in run.out


def test_tiers_are_counted_the_most_critical_first(index: Path) -> None:
    tiers = [
        (one["tier"], one["count"], one["nearest"]) for one in told(index, "payments")["by_tier"]
    ]
    assert tiers == [("critical", 1, 2), ("tier-2", 1, 1), ("", 4, 1)]


def test_teams_are_told_with_their_address(index: Path) -> None:
    assert told(index, "payments")["by_team"] == [
        {"owner": "group:default/team-cart", "contact": "cart@example.com", "count": 2,
         "worst": "critical", "nearest": 1},
        {"owner": "group:default/team-pay", "contact": "pay@example.com", "count": 3,
         "worst": "", "nearest": 1},
        {"owner": "group:default/team-gone", "contact": "", "count": 1, "worst": "", "nearest": 1},
    ]  # fmt: skip


def test_a_gate_closes_where_its_tier_is_reached(index: Path) -> None:
    run = impact(index, "payments", "--fail-on", "low,Critical")
    assert run.code == 5
    assert "reaches 1 entity of tier" in run.err
    assert "component:payments → component:basket → component:cart" in run.err
    assert impact(index, "payments", "--fail-on", "tier-1").code == 0, "payments itself is no harm"


def test_a_gate_of_a_tier_that_nothing_has_is_told(index: Path) -> None:
    run = impact(index, "payments", "--fail-on", "gold")
    assert run.code == 0
    assert "nothing in the catalog has tier gold (there are: critical, tier-1, tier-2)" in run.err


def test_an_empty_gate_is_a_mistake(index: Path) -> None:
    assert impact(index, "payments", "--fail-on", "").code == 2


def test_fields_are_chosen(index: Path) -> None:
    assert told(index, "payments", "--fields", "ref,reached") == {
        "ref": "component:default/payments",
        "reached": 6,
    }
    assert list(told(index, "payments", "--fields", "entities")) == ["entities"]


def test_the_screen_names_the_nearest_and_all_of_them_on_request(tmp_path: Path) -> None:
    many = "---\n".join(service(f"user-{number:02}", "payments") for number in range(30))
    index = org(tmp_path, many=many)
    out = impact(index, "payments").out
    assert "component:user-05" in out and "component:user-29" not in out
    assert "and 21 more: --all, or --json" in out
    assert "component:user-29" in impact(index, "payments", "--all").out


def test_answers_do_not_depend_on_what_was_read_first(tmp_path: Path) -> None:
    written(tmp_path / "a", {"catalog-info.yaml": service("a", "b") + "---\n" + service("b")})
    written(tmp_path / "c", {"catalog-info.yaml": service("c", "a", "b", "d")})
    written(tmp_path / "d", {"catalog-info.yaml": service("d", "b")})
    answers = []
    for order in ("acd", "dca"):
        ingested(tmp_path / order, [tmp_path / one for one in order])
        answers.append(impact(tmp_path / order, "b", "--json").out)
    assert answers[0] == answers[1]


def test_tiers_of_many_tongues_have_one_order() -> None:
    order = ["critical", "tier-0", "P1", "high", "Tier 2", "medium", "3", "low", "t4", "bronze", ""]
    alphabetical = sorted(order)
    assert sorted(alphabetical, key=rank) == order


@pytest.mark.parametrize("width", [60, 100])
def test_its_screen(
    index: Path, width: int, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = impact(index, "payments").out
    assert max(map(len, out.splitlines())) <= width
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots"
    snapshot.assert_match(out, f"impact-{width}.txt")


def test_of_a_team_it_says_where_what_it_owns_is_shown(tmp_path: Path) -> None:
    path = made(tmp_path, {"catalog-info.yaml": group("team-a")})
    out = idp("catalog", "impact", "team-a", "--index", path).out
    assert "idp catalog graph group:team-a --relation ownerOf" in out
