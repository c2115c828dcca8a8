"""idp catalog query, from the outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ...service.stories import Run, idp


def query(index: Path, *words: str) -> Run:
    return idp("catalog", "query", *words, "--index", index)


def test_a_pipe_gets_values_with_tabs_between(index: Path) -> None:
    run = query(index, "kind=component", "owner=team-b")
    assert run.code == 0
    assert run.out.splitlines() == [
        "ref\ttype\tlifecycle\towner\ttier\ttitle",
        "component:default/checkout\tservice\tproduction\tgroup:default/team-b\tcritical\t",
        "component:default/web\twebsite\tdeprecated\tgroup:default/team-b\t\t",
    ]
    assert run.err.startswith("2 of 10 entities; index of 2026-") and run.err.endswith(" old\n")


def test_json_has_cards_or_the_fields_that_are_asked_for(index: Path) -> None:
    (card,) = json.loads(query(index, "ref=web", "--json").out)
    assert card["ref"] == "component:default/web" and card["orphan"] is False
    assert set(card) == {"ref", "kind", "namespace", "name", "title", "type", "lifecycle", "tier",
                         "owner", "system", "orphan"}  # fmt: skip
    run = query(index, "tag=pci", "--json", "--fields", "ref, tags")
    assert json.loads(run.out) == [
        {"ref": "component:default/payments", "tags": ["go", "pci"]},
        {"ref": "component:ops/batch", "tags": ["pci"]},
    ]


def test_nothing_found_is_no_error(index: Path) -> None:
    run = query(index, "tag=none", "-q")
    assert (run.code, run.out.count("\n"), run.err) == (0, 1, "")
    assert json.loads(query(index, "tag=none", "--json").out) == []


def test_counts_and_limits(index: Path) -> None:
    run = query(index, "kind=component", "--count-by", "owner", "--limit", "1")
    assert run.out.splitlines() == ["owner\tcount", "group:default/team-b\t2"]
    assert run.err.startswith("1 values, and there are more; ")


def test_filters_and_a_predicate(index: Path) -> None:
    run = query(index, "--filter", "kind=api", "--filter", "kind=system", "--fields", "ref")
    assert run.out.split() == ["ref", "api:default/pay-api", "system:default/shop"]
    assert "web" in query(index, "--predicate", '{"spec.type": "website"}').out


def test_a_note_goes_to_stderr(index: Path) -> None:
    run = query(index, "tag=pcii")
    assert run.err.startswith("note: nothing has tag=pcii; did you mean pci?\n0 of 10 entities")


@pytest.mark.parametrize("words", [("kind=",), ("--limit", "0"), ("--limit", "x"),
                                   ("--count-by", ""), ("--predicate", "{"),
                                   ("--count-by", "kind", "--fields", "a")])  # fmt: skip
def test_wrong_words_are_a_wrong_call(index: Path, words: tuple[str, ...]) -> None:
    run = query(index, *words)
    assert (run.code, run.out) == (2, "")


def test_no_index_says_how_to_get_one(tmp_path: Path) -> None:
    run = query(tmp_path / "none.db", "kind=api")
    assert run.code == 3 and "idp catalog ingest" in run.err


def test_explain_tells_what_was_understood_and_done(index: Path) -> None:
    told = query(index, "owner=team-b", "type=website", "--explain").out
    assert "meaning     ownedBy group:default/team-b and spec.type is website" in told
    assert "begins with spec.type is website" in told and "looks at    1 entities" in told
    as_json = json.loads(query(index, "owner=team-b", "--explain", "--json").out)
    assert as_json["candidates"] == 3 and as_json["sql"].startswith("SELECT ")


def test_a_terminal_gets_a_table(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_TTY", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    lines = query(index, "kind=api", "--fields", "ref,type").out.split("\n")
    assert [line.split() for line in lines if line.strip()] == [
        ["ref", "type"],
        ["api:pay-api", "openapi"],
    ]


def test_a_query_loads_nothing_heavy(index: Path) -> None:
    code = (
        "import sys; from idp.__main__ import main;"
        f"main(['catalog', 'query', 'owner=team-b', '--index', {str(index)!r}, '--limit', '2']);"
        "print(*sys.modules, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"rich", "pydantic", "httpx", "yaml", "copier", "idp.catalog.validation", "idp.config"}
    assert heavy.isdisjoint(run.stderr.split())
