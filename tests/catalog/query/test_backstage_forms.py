"""Backstage's filters and predicates find what its server finds."""

from __future__ import annotations

from typing import Any

import pytest

from .stories import Catalog

FILTERS: dict[tuple[str, ...], str] = {
    ("kind=component,spec.type=service",): "checkout payments batch",
    ("kind=Component, metadata.tags=PCI",): "payments batch",
    ("kind=api", "kind=system"): "pay-api shop",
    ("kind=api,kind=system",): "pay-api shop",
    ("metadata.tags=go,metadata.tags=pci",): "checkout payments batch",
    ("metadata.tags.go=true",): "checkout payments",
    ("metadata.tags.pci",): "payments batch",
    ("metadata.tags.pci=false",): "",
    ("metadata.annotations.pagerduty.com/service-id",): "payments",
    ("metadata.annotations.pagerduty.com/service-id=p123",): "payments",
    ("relations.ownedBy=group:default/team-b,kind=component",): "checkout web",
    ("relations.dependsOn=Component:default/Payments",): "checkout",
    ("relations.dependsOn",): "checkout web batch",
    ("relations.ownedBy=team-b",): "",
    ("spec.owner=team-b,kind=domain",): "retail",
    ("owner=team-b",): "",
    ("kind=component,nobody.has.this",): "",
    ("kind=", "kind=domain"): "retail",
    ("", "kind=domain"): "retail",
    ("kind=component,kind",): "checkout payments web batch",
}


@pytest.mark.parametrize("filters", FILTERS)
def test_filters(company: Catalog, filters: tuple[str, ...]) -> None:
    assert company.names(filters=filters) == FILTERS[filters]


def test_an_empty_filter_asks_nothing(company: Catalog) -> None:
    assert len(company.refs(filters=["", " , "])) == 10


PREDICATES: list[tuple[Any, str]] = [
    ({"kind": "Component", "spec.type": "website"}, "web"),
    ({}, "pay-api checkout payments web batch retail team-a team-b shop pat"),
    ({"$all": [{"kind": "component"}, {"metadata.tags": "go"}]}, "checkout payments"),
    ({"$any": [{"kind": "api"}, {"kind": "system"}]}, "pay-api shop"),
    ({"$all": []}, ""),
    ({"$any": []}, ""),
    ({"$all": [{"kind": "Component"}, {"$not": {"spec.lifecycle": "production"}}]}, "web batch"),
    ({"kind": {"$in": ["api", "DOMAIN"]}}, "pay-api retail"),
    ({"kind": {"$in": []}}, ""),
    ({"metadata.annotations.pagerduty.com/service-id": {"$exists": True}}, "payments"),
    ({"kind": "component", "metadata.tags": {"$exists": False}}, "web"),
    ({"metadata.name": {"$hasPrefix": "PAY"}}, "pay-api payments"),
    ({"metadata.tags": {"$contains": "pci"}}, "payments batch"),
    ({"metadata.tags": {"$contains": "pci"}, "spec.type": "service"}, "payments batch"),
    (
        {"relations": {"$contains": {"type": "ownedBy", "targetRef": "group:default/team-b"}}},
        "checkout web retail",
    ),
    ({"relations": {"$contains": {"type": "dependsOn"}}}, "checkout web batch"),
    (
        {"relations": {"$contains": {"type": "dependsOn", "targetRef": {"$in": [
            "component:default/payments", "component:default/web"]}}}},
        "checkout batch",
    ),
    ({"$not": {"kind": {"$in": ["component", "api", "group", "user"]}}}, "retail shop"),
]  # fmt: skip


@pytest.mark.parametrize(("predicate", "names"), PREDICATES)
def test_predicates(company: Catalog, predicate: Any, names: str) -> None:
    assert company.names(predicate=predicate) == names


WRONG: list[tuple[Any, str]] = [
    ("component", '"component" is no condition'),
    ([], "[] is no condition"),
    ({"$all": {}}, "$all takes a list"),
    ({"$all": [], "kind": "api"}, "$all must be the only key"),
    ({"$exists": True}, "$exists is no operator between conditions"),
    ({"kind": None}, "kind: null is no condition on a field"),
    ({"kind": {"$in": "api"}}, 'kind: {"$in": "api"} is no condition on a field'),
    ({"kind": {"$exists": "yes"}}, "is no condition on a field"),
    ({"links": {"$contains": {"title": "a", "url": "b"}}}, "links: $contains cannot take"),
]


@pytest.mark.parametrize(("predicate", "told"), WRONG)
def test_a_wrong_predicate_says_what_is_wrong(company: Catalog, predicate: Any, told: str) -> None:
    assert told in company.fault(predicate=predicate)


def test_absurd_nesting_of_a_predicate_is_an_error(company: Catalog) -> None:
    predicate: Any = {"kind": "api"}
    for _ in range(200):
        predicate = {"$not": predicate}
    assert "nested too deeply" in company.fault(predicate=predicate)


def test_expression_filter_and_predicate_hold_together(company: Catalog) -> None:
    found = company.names(
        "owner=team-b", filters=["kind=component"], predicate={"spec.type": "website"}
    )
    assert found == "web"


def test_an_unknown_key_of_a_filter_is_noted(company: Catalog) -> None:
    notes = company.ask(filters=["spec.lifecyle=production"]).notes
    assert notes == ("no entity has a field spec.lifecyle; did you mean spec.lifecycle?",)
