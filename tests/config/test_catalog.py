"""The section `catalog` of the platform file: sources, and the scorecard with its rules in CEL."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.catalog.scorecard import ready
from idp.config import Platform, load_platform
from idp.config.catalog import CatalogSettings, Scorecard, ScorecardRule, SourceEntry
from idp.config.scorecard import BUILT_IN
from idp.errors import InvalidInput

CATALOG = """\
version: 1
catalog:
  sources:
    - ../services
    - source: github:acme
      files: [catalog-info.yaml]
      skip: ["*-archive"]
  grace: 3
  snapshot: https://files.example.com/catalog.db
  scorecard:
    levels: [basic, silver, gold]
    built_in: [tier]
    rules:
      pci:
        level: gold
        when: '"pci" in tags'
        title: Is in scope of PCI
        filter: tier == "critical"
        weight: 2
"""


def platform(text: str, cache: Path | None = None) -> Platform:
    return load_platform(text.encode(), "idp-platform.yaml", cache)


def refused(catalog: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        platform(f"version: 1\ncatalog: {catalog}\n")
    error = caught.value
    return list(error.details) or [f"{error.message} ({error.hint})"]


@pytest.mark.parametrize("load", ["first", "from the cache"])
def test_sources_are_text_or_a_mapping_and_rules_are_kept_by_name(
    tmp_path: Path, load: str
) -> None:
    if load == "from the cache":
        platform(CATALOG, tmp_path)
    found = platform(CATALOG, tmp_path).catalog
    acme = SourceEntry("github:acme", ("catalog-info.yaml",), ("*-archive",))
    assert found.sources == (SourceEntry("../services"), acme)
    assert (found.grace, found.snapshot) == (3, "https://files.example.com/catalog.db")
    pci = ScorecardRule(
        "gold", '"pci" in tags', "Is in scope of PCI", filter='tier == "critical"', weight=2
    )
    assert found.scorecard == Scorecard("", ("basic", "silver", "gold"), ("tier",), {"pci": pci})


def test_without_the_section_nothing_is_read_and_the_built_in_scorecard_counts() -> None:
    assert platform("version: 1").catalog == CatalogSettings()
    assert {one.name for one in ready(Scorecard()).rules} == set(BUILT_IN)


@pytest.mark.parametrize(
    ("catalog", "told"),
    [
        ("{sources: [3]}", "2:21: catalog.sources.0: must be text or a mapping"),
        ('{sources: [""]}', "catalog.sources.0.source: must not be empty"),
        ("{sources: [{source: x, fils: []}]}", "unknown key (did you mean 'files'?)"),
        ("{sources: [' x']}", "has blanks around it"),
        ("{grace: -1}", "2:18: catalog.grace: Input should be greater than or equal to 0"),
        ("{scorecard: {built_in: [ownr]}}", "no built-in rule 'ownr' (did you mean 'owner'?)"),
        ("{scorecard: {levels: [a, a], built_in: []}}", "the level 'a' stands here twice"),
        ("{scorecard: {levels: [none], built_in: []}}", "'none' is what has reached no level"),
        ("{scorecard: {levels: [silver, gold]}}", "needs the level 'bronze'"),
        ("{scorecard: {filter: entiy.kind == 1}}", "2:31: catalog.scorecard.filter: there is no"),
        ("{scorecard: {filter: entiy.kind == 1}}", "did you mean 'entity'?"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_mend(catalog: str, told: str) -> None:
    assert any(told in line for line in refused(catalog))


def test_all_mistakes_of_a_rule_are_told_at_once() -> None:
    rule = "{level: golden, when: 'tier = 3', filter: 'own.x', title: T}"
    lines = refused(f"{{scorecard: {{rules: {{x: {rule}}}}}}}")
    assert lines == [
        "idp-platform.yaml:2:42: catalog.scorecard.rules.x.level: there is no level 'golden'"
        " (did you mean 'gold'?)",
        "idp-platform.yaml:2:56: catalog.scorecard.rules.x.when: not CEL at its character 6:"
        " token recognition error at: '= ' (write == to compare)",
        "idp-platform.yaml:2:76: catalog.scorecard.rules.x.filter: there is no variable 'own'"
        " (did you mean 'owner'?)",
    ]


def test_a_source_with_a_credential_is_refused_without_telling_it() -> None:
    (line,) = refused("{sources: ['https://pat:secret@git.example.com/x.git']}")
    assert "carries a credential" in line
    assert "secret" not in line
