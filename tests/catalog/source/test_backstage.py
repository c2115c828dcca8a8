"""Reading a Backstage catalog: what is read, what it costs, what happens when it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from idp.catalog.source.base import Found
from idp.errors import NotAllowed, NotFound, RemoteFailed

from .backstage_standin import URL, Backstage
from .organisation import Catalog


@pytest.fixture
def backstage() -> Backstage:
    return Backstage()


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(tmp_path / "catalog" / "catalog.db")


def component(name: str, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, **more},
        "spec": {"type": "service", "lifecycle": "production", "owner": "team-a"},
    }


def names(asked: list[str]) -> list[str]:
    return [path for path in asked if "/by-name/" in path]


def test_entities_are_as_somebody_wrote_them(backstage: Backstage, catalog: Catalog) -> None:
    notes = {"backstage.io/orphan": "true", "github.com/project-slug": "acme/pay"}
    backstage.put(component("Pay", description="Größe: 1 \u2028 \x85 \U0001f600"), **notes)
    catalog.read(backstage.source())
    [found] = backstage.source().scan({})
    assert isinstance(found, Found)
    assert found.location == f"backstage:{URL}/component/default/pay"
    assert found.repository == "https://github.com/acme/pay"
    assert catalog.document("component:default/pay") == {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {
            "name": "Pay",
            "namespace": "default",
            "description": "Größe: 1 \u2028 \x85 \U0001f600",
            "annotations": {
                "backstage.io/view-url": "https://github.com/acme/pay/tree/main/catalog-info.yaml",
                "github.com/project-slug": "acme/pay",
            },
        },
        "spec": {"type": "service", "lifecycle": "production", "owner": "team-a"},
    }


def test_all_pages_are_read_and_no_entity_alone(backstage: Backstage, catalog: Catalog) -> None:
    backstage.page_size = 3
    for number in range(10):
        backstage.put(component(f"c{number}"))
    catalog.read(backstage.source())
    assert catalog.refs == {f"component:default/c{number}" for number in range(10)}
    assert len(backstage.asked) == 4
    assert backstage.hosts == {"backstage.example.com"}


def test_afterwards_only_what_has_another_etag_is_read(
    backstage: Backstage, catalog: Catalog
) -> None:
    for name in ("a", "b", "c"):
        backstage.put(component(name))
    catalog.read(backstage.source())
    backstage.asked.clear()
    backstage.put(component("b", title="New"))
    backstage.put(component("d"))
    catalog.read(backstage.source())
    listing, *alone = backstage.asked
    assert "fields=kind%2Cmetadata.name" in listing
    assert sorted(alone) == [f"/entities/by-name/component/default/{name}" for name in ("b", "d")]
    backstage.asked.clear()
    catalog.read(backstage.source())
    assert len(backstage.asked) == 1
    assert len(catalog.refs) == 4


def test_without_etags_contents_are_compared(backstage: Backstage, catalog: Catalog) -> None:
    for name in ("a", "b"):
        backstage.put(component(name))
    for entity in backstage.entities.values():
        del entity["metadata"]["etag"]
    catalog.read(backstage.source())
    backstage.entities["component:default/a"]["metadata"]["title"] = "New"
    backstage.asked.clear()
    catalog.read(backstage.source())
    assert names(backstage.asked) == []
    metadata = catalog.document("component:default/a")["metadata"]
    assert isinstance(metadata, dict) and metadata["title"] == "New"


def test_what_is_gone_becomes_an_orphan(backstage: Backstage, catalog: Catalog) -> None:
    for name in ("a", "b"):
        backstage.put(component(name))
    catalog.read(backstage.source())
    del backstage.entities["component:default/a"]
    catalog.read(backstage.source())
    assert (catalog.refs, catalog.orphans) == ({"component:default/b"}, {"component:default/a"})


def test_kinds_that_a_stock_backstage_does_not_know_are_problems(
    backstage: Backstage, catalog: Catalog
) -> None:
    backstage.put({**component("a"), "kind": "Robot", "apiVersion": "example.com/v1"})
    backstage.put(component("b"))
    outcome = catalog.read(backstage.source())
    assert catalog.refs == {"component:default/b"}
    assert outcome.problems == 1


def test_locations_are_followed_already(backstage: Backstage, catalog: Catalog) -> None:
    spec = {"targets": ["https://github.com/acme/x/blob/main/catalog-info.yaml"]}
    backstage.put({**component("all"), "kind": "Location", "spec": spec})
    catalog.read(backstage.source())
    assert catalog.refs == {"location:default/all"}
    assert catalog.troubles == []
    [found] = (source := backstage.source()).scan({})
    assert isinstance(found, Found)
    with pytest.raises(NotFound):
        source.read(found, "openapi.yaml")


def test_older_backends_have_no_cursor(backstage: Backstage, catalog: Catalog) -> None:
    backstage.is_old, backstage.page_size = True, 2
    for number in range(5):
        backstage.put(component(f"c{number}"))
    catalog.read(backstage.source())
    assert len(catalog.refs) == 5
    assert names(backstage.asked) == []


def test_a_cursor_that_is_no_more_makes_the_listing_begin_again(
    backstage: Backstage, catalog: Catalog
) -> None:
    backstage.page_size = 2
    for number in range(5):
        backstage.put(component(f"c{number}"))
    backstage.fail("cursor=", 400, "Malformed cursor")
    catalog.read(backstage.source())
    assert (len(catalog.refs), catalog.troubles) == (5, [])


@pytest.mark.parametrize(
    ("status", "message", "times"),
    [(400, "Malformed cursor", 2), (401, "expired", 1), (503, "down", 9)],
)
def test_a_listing_that_breaks_off_loses_nothing(
    backstage: Backstage, catalog: Catalog, status: int, message: str, times: int
) -> None:
    backstage.page_size = 2
    for number in range(5):
        backstage.put(component(f"c{number}"))
    catalog.read(backstage.source())
    backstage.put(component("c0", title="New"))
    backstage.fail("cursor=", status, message, times)
    catalog.read(backstage.source())
    assert len(catalog.refs) == 5
    metadata = catalog.document("component:default/c0")["metadata"]
    assert isinstance(metadata, dict) and metadata["title"] == "New"
    [(repository, said, _)] = catalog.troubles
    assert repository == "" and "is not listed to its end" in said and message in said


def test_an_entity_that_cannot_be_read_is_read_another_time(
    backstage: Backstage, catalog: Catalog
) -> None:
    backstage.put(component("a"))
    catalog.read(backstage.source())
    backstage.put(component("b"))
    backstage.fail("/by-name/", 500, times=9)
    catalog.read(backstage.source())
    assert catalog.refs == {"component:default/a"}
    backstage.failures.clear()
    catalog.read(backstage.source())
    assert catalog.refs == {"component:default/a", "component:default/b"}


def test_something_strange_among_the_entities_harms_no_other(
    backstage: Backstage, catalog: Catalog
) -> None:
    for name in ("a", "b"):
        backstage.put(component(name))
    del backstage.entities["component:default/a"]["metadata"]["name"]
    catalog.read(backstage.source())
    assert catalog.refs == {"component:default/b"}
    [(_, message, _)] = catalog.troubles
    assert "has something strange" in message


@pytest.mark.parametrize("token", ["", "wrong"])
def test_whoever_is_not_let_in_is_told_how(backstage: Backstage, token: str) -> None:
    with pytest.raises(NotAllowed) as refused:
        list(backstage.source(token).scan({}))
    assert "IDP_BACKSTAGE_TOKEN" in refused.value.hint
    assert "wrong" not in refused.value.message


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"hello": "world"}),
        httpx.Response(200, html="<html>log in</html>"),
        httpx.Response(302, headers={"Location": "https://login.example.com/"}),
    ],
)
def test_what_is_no_backstage_touches_nothing(
    backstage: Backstage, catalog: Catalog, answer: httpx.Response
) -> None:
    backstage.put(component("a"))
    catalog.read(backstage.source())
    backstage.failures.append(("by-query", answer))
    with pytest.raises(RemoteFailed):
        list(backstage.source().scan({}))
    backstage.failures.append(("by-query", answer))
    catalog.read(backstage.source())
    assert catalog.refs == {"component:default/a"}
    assert len(catalog.troubles) == 1
