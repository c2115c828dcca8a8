"""All that is wrong in the catalog is told, with where it is and what mends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ..service.stories import Run, idp
from .index_stories import component, group, ingested, made, written
from .stories import documents

SKELETON = component("${{ values.name }}")
FILES = {
    "a/catalog-info.yaml": component("a", owner="nobody", dependsOn='["component:b", "api:c"]'),
    "b/catalog-info.yaml": component("b"),
    "org/catalog-info.yaml": documents(group("team-a"), component("a b")),
    "template/catalog-info.yaml": SKELETON,
}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return made(tmp_path, FILES)


def problems(index: Path, *words: str) -> Run:
    return idp("catalog", "problems", "--index", index, *words)


def listed(index: Path, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(problems(index, "--json", *words).out)
    return found


def told(index: Path, *words: str) -> list[str]:
    return [f"{p['file']}: {p['path']}: {p['message']}" for p in listed(index, *words)]


def test_what_is_wrong_in_a_file_is_told_as_validate_tells_it(tmp_path: Path, index: Path) -> None:
    (one,) = listed(index, "--rule", "format")
    assert one == {
        "source": f"{tmp_path}/org",
        "repository": "",
        "location": f"file:{tmp_path}/org/org/catalog-info.yaml",
        "file": "org/catalog-info.yaml",
        "document": 1,
        "line": 12,
        "column": 9,
        "path": "metadata.name",
        "ref": "",
        "message": "'a b' is not a name (letters and digits with any of - _ . between them,"
        " 63 at most)",
        "hint": "a-b would do",
        "rule": "format",
        "level": "error",
        "skeleton": False,
    }


def test_references_that_lead_nowhere_are_found_over_all_sources(index: Path) -> None:
    assert told(index, "--rule", "refs") == [
        "a/catalog-info.yaml: spec.dependsOn[1]: api:default/c is not in the catalog",
        "a/catalog-info.yaml: spec.owner: the owner group:default/nobody is not in the catalog",
    ]


def test_the_second_to_claim_a_ref_is_told_who_has_it(tmp_path: Path, index: Path) -> None:
    ingested(index, [written(tmp_path / "org", {"z/catalog-info.yaml": component("b")})])
    assert told(index, "--rule", "refs")[-1] == (
        "z/catalog-info.yaml: metadata.name: component:default/b is there already, at"
        f" {tmp_path}/org/b/catalog-info.yaml:4: only the first counts"
    )


def test_an_orphan_is_told_until_it_goes(tmp_path: Path, index: Path) -> None:
    ingested(index, [written(tmp_path / "org", {"b/catalog-info.yaml": None})])
    (one,) = listed(index, "--rule", "orphan")
    assert (one["file"], one["level"]) == ("b/catalog-info.yaml", "warning")
    assert one["message"].startswith("component:default/b is in no file any more, since 20")


def test_a_template_without_an_owner_is_told(tmp_path: Path) -> None:
    template = (
        "apiVersion: scaffolder.backstage.io/v1beta3\nkind: Template\n"
        "metadata:\n  name: t\nspec:\n  type: service\n  steps: []\n"
    )
    assert told(made(tmp_path, {"catalog-info.yaml": template})) == [
        "catalog-info.yaml: spec.owner: is missing"
    ]


def test_a_source_that_could_not_be_read_comes_first(tmp_path: Path, index: Path) -> None:
    (tmp_path / "org").rename(tmp_path / "moved")
    ingested(index, [tmp_path / "org"])
    first = listed(index)[0]
    assert (first["rule"], first["level"], first["location"]) == ("source", "error", "")
    assert problems(index).out.startswith(f"{tmp_path}/org: error: ")
    assert listed(index, "--rule", "format")  # what is known of it stays


def test_skeletons_are_counted_and_shown_if_asked_for(index: Path) -> None:
    run = problems(index)
    assert "template/" not in run.out
    assert "1 in unrendered templates not shown (--skeletons)" in run.err
    assert "template/catalog-info.yaml:4:9: skeleton: " in problems(index, "--skeletons").out


def test_a_person_gets_a_line_and_a_mend_for_each(tmp_path: Path, index: Path) -> None:
    assert problems(index, "--rule", "format").out == (
        f"{tmp_path}/org/org/catalog-info.yaml:12:9: error: metadata.name: 'a b' is not a name"
        " (letters and digits with any of - _ . between them, 63 at most)\n"
        "  hint: a-b would do\n"
    )


def test_they_can_be_chosen(tmp_path: Path, index: Path) -> None:
    other = written(tmp_path / "other", {"catalog-info.yaml": component("x", owner="gone")})
    ingested(index, [tmp_path / "org", other])

    assert told(index, "--source", str(other)) == [
        "catalog-info.yaml: spec.owner: the owner group:default/gone is not in the catalog"
    ]
    assert listed(index, "--level", "warning") == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--rule", "reffs"), "did you mean refs?"),
        (("--source", "nowhere"), "sources: "),
        (("--check=often",), "--check=warning"),
        (("--format", "sarif", "--json"), ""),
    ],
)
def test_a_wrong_word_is_told(words: tuple[str, ...], hint: str, index: Path) -> None:
    run = problems(index, *words)
    assert (run.code, hint in run.err) == (2, True)


def test_it_is_a_list_and_fails_only_if_asked_to(tmp_path: Path, index: Path) -> None:
    assert problems(index).code == 0
    assert problems(index, "--check").code == 3
    assert problems(index, "--check", "--rule", "orphan").code == 0

    ingested(index, [written(tmp_path / "org", {"b/catalog-info.yaml": None})])
    assert problems(index, "--check", "--rule", "orphan").code == 0
    assert problems(index, "--check=warning", "--rule", "orphan").code == 3


def test_templates_skeletons_never_fail(tmp_path: Path) -> None:
    index = made(tmp_path, {"catalog-info.yaml": SKELETON})
    assert problems(index, "--check", "--skeletons").code == 0


def test_sarif_has_paths_in_the_repository_and_every_rule(index: Path) -> None:
    (run,) = json.loads(problems(index, "--format", "sarif").out)["runs"]
    known = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {"refs", "orphan", "source", "unreadable"} <= known
    assert {result["ruleId"] for result in run["results"]} <= known
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "a/catalog-info.yaml"},
        "region": {"startLine": 4, "startColumn": 1},
    }


def test_github_gets_workflow_commands(index: Path) -> None:
    lines = problems(index, "--format", "github", "--rule", "format").out.splitlines()
    assert lines[0].startswith("::error file=org/catalog-info.yaml,line=12,col=9::")


def test_a_sound_catalog_has_none(tmp_path: Path) -> None:
    index = made(tmp_path, {"catalog-info.yaml": documents(component("a"), group("team-a"))})
    run = problems(index, "--check")
    assert (run.code, run.out, run.err) == (0, "", "0 errors, 0 warnings\n")


def test_a_ref_to_a_document_that_is_not_valid_itself_is_told_apart(tmp_path: Path) -> None:
    spoilt = component("ledger").replace("  type: service\n", "")
    path = made(
        tmp_path,
        {
            "teams/catalog-info.yaml": group("team-a"),
            "pay/catalog-info.yaml": component("pay", dependsOn="[component:ledger]"),
            "ledger/catalog-info.yaml": spoilt,
        },
    )
    told = json.loads(problems(path, "--json").out)
    (found,) = (one for one in told if one["ref"] == "component:default/pay")
    at = f"{tmp_path}/org/ledger/catalog-info.yaml"
    assert found["message"].startswith(f"component:default/ledger is not valid itself, at {at}:")
    assert found["level"] == "warning"
