"""What is shown of what was found, and counting it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from idp.catalog.index.opened import opened
from idp.catalog.query.counting import count_by
from idp.catalog.query.run import written

from .stories import Catalog

SHOWN = [
    (("ref", "kind", "name"), ("component:default/payments", "Component", "payments")),
    (("title", "type", "lifecycle"), ("Payments", "service", "production")),
    (("owner", "system"), ("group:default/team-a", "system:default/shop")),
    (("tier", "orphan", "namespace"), ("critical", False, "default")),
    (("tags", "description"), (["go", "pci"], "Takes money at the checkout.")),
    (("annotations.pagerduty.com/service-id",), ("P123",)),
    (("compliance", "spec.type"), ("PCI-DSS", "service")),
    (("metadata.labels",), ({"example.com/tier": "critical",
                             "example.com/compliance": "PCI-DSS"},)),
    (("dependencyOf", "providesApis"), (["component:default/checkout"], ["api:default/pay-api"])),
    (("path", "repository"), ("catalog-info.yaml", "")),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "row"), SHOWN)
def test_fields(company: Catalog, fields: Sequence[str], row: tuple[Any, ...]) -> None:
    assert company.ask("ref=payments", fields).rows == [row]


def test_a_field_that_an_entity_lacks_is_empty(company: Catalog) -> None:
    assert company.ask("ref=web", ("owner", "title", "tags", "system")).rows == [
        ("group:default/team-b", "", None, "")
    ]


def test_the_document_is_there_when_asked_for(company: Catalog) -> None:
    ((found,),) = company.ask("ref=web", ("document",)).rows
    assert found["metadata"]["name"] == "web" and found["spec"]["type"] == "website"


def test_an_unknown_field_to_show_is_told(company: Catalog) -> None:
    from idp.errors import UsageError

    with pytest.raises(UsageError) as caught:
        company.ask("", ("ref", "lifecyle"))
    assert caught.value.hint == "did you mean lifecycle?"


def test_the_best_match_of_a_text_comes_first(company: Catalog) -> None:
    assert company.names("text~checkout") == "checkout payments"
    assert company.names("text~checkout limit 1") == "checkout"
    assert company.names("text~checkout limit 9") == "checkout payments"
    assert company.names("text~checkout tag=pci limit 9") == "payments"
    assert company.names("text~checkout order by name desc") == "payments checkout"


def test_a_limit_says_that_there_is_more(company: Catalog) -> None:
    assert company.ask("kind=component limit 3").more
    assert not company.ask("kind=component limit 4").more


COUNTS = [
    ("", "owner", {"group:default/team-a": 3, "group:default/team-b": 3, "user:default/pat": 1}),
    ("kind=component", "owner", {"group:default/team-b": 2, "group:default/team-a": 1,
                                 "user:default/pat": 1}),
    ("", "kind", {"Component": 4, "Group": 2, "API": 1, "Domain": 1, "System": 1, "User": 1}),
    ("kind=component", "lifecycle", {"production": 2, "deprecated": 1, "experimental": 1}),
    ("", "tags", {"go": 2, "pci": 2}),
    ("tag=go", "tags", {"go": 2, "pci": 1}),
    ("", "tier", {"critical": 2}),
    ("", "dependsOn", {"component:default/checkout": 1, "component:default/payments": 1,
                       "component:default/web": 1, "component:ops/batch": 1,
                       "resource:default/old-db": 1}),
    ("", "dependencyOf", {"component:ops/batch": 2, "component:default/checkout": 1,
                          "component:default/web": 1}),
    ("", "system", {"system:default/shop": 2}),
    ("", "orphan", {"false": 10}),
    ("checkout", "type", {"service": 2}),
    ("kind=component", "path", {"catalog-info.yaml": 4}),
    ("compliance=pci-dss", "compliance", {"PCI-DSS": 1}),
    ("tag=nothing", "owner", {}),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "field", "counts"), COUNTS)
def test_counts(company: Catalog, expression: str, field: str, counts: dict[str, int]) -> None:
    with opened(company.path) as index:
        found = count_by(index, written(expression), field)
    assert found.columns == (field, "count")
    assert found.rows == list(counts.items())
