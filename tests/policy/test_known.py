"""What the catalog knows of a service and of its owner, when there is a catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.config.catalog import CatalogSettings, SourceEntry
from idp.policy.known import Known, known

from ..catalog.index_stories import component, group, made

OURS = CatalogSettings((SourceEntry("../services"),))


@pytest.fixture
def index(tmp_path: Path) -> Path:
    files = {
        "teams/catalog-info.yaml": group("team-a"),
        "pay/catalog-info.yaml": component("payments", lifecycle="production"),
    }
    return made(tmp_path / "company", files)


@pytest.mark.parametrize("owner", ["team-a", "group:team-a", "group:default/team-a", "Team-A"])
def test_a_service_and_its_team_are_found_however_they_are_written(index: Path, owner: str) -> None:
    found = known(index, OURS, "payments", owner)
    assert found.catalog_read
    assert found.entity and found.entity["spec"]["lifecycle"] == "production"
    assert found.team and found.team["kind"] == "Group"


@pytest.mark.parametrize("owner", ["team-b", "", "::", "component:payments/x"])
def test_who_is_not_there_is_nobody(index: Path, owner: str) -> None:
    assert known(index, OURS, "cart", owner) == Known(catalog_read=True)


def test_without_an_index_nothing_is_known(tmp_path: Path) -> None:
    assert known(tmp_path / "none.db", OURS, "payments", "team-a") == Known()


def test_an_index_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "index.db").write_bytes(b"no database")
    assert known(tmp_path / "index.db", OURS, "payments", "team-a") == Known()


def test_a_catalog_that_the_platform_has_not_binds_nobody(index: Path) -> None:
    assert known(index, CatalogSettings(), "payments", "nobody") == Known()
    pulled = CatalogSettings(snapshot="https://files.example.com/catalog.db")
    assert known(index, pulled, "payments", "nobody").catalog_read
