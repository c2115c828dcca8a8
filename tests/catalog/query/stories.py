"""A small company's catalog, and how it is asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from idp.catalog.index.opened import opened
from idp.catalog.query.run import Answer, answer, written
from idp.errors import IdpError
from idp.output import error_text


def document(kind: str, name: str, metadata: dict[str, Any] | None = None, **spec: Any) -> str:
    """Return an entity as a document; JSON is YAML too."""
    version = "backstage.io/v1alpha1"
    named = {"name": name, **(metadata or {})}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": named, "spec": spec})


def service(name: str, owner: str = "team-a", **more: Any) -> str:
    metadata = {key: more.pop(key) for key in list(more) if key in METADATA}
    usual = {"type": "service", "lifecycle": "production", "owner": owner}
    return document("Component", name, metadata, **{**usual, **more})


METADATA = ("namespace", "title", "description", "tags", "labels", "annotations", "links")

COMPANY = "\n---\n".join(
    (
        document("Group", "team-a", type="team", children=[]),
        document("Group", "team-b", type="team", children=[], parent="team-a"),
        document("User", "pat", memberOf=["team-a"]),
        document("System", "shop", owner="team-a", domain="retail"),
        document("Domain", "retail", owner="team-b"),
        document("API", "pay-api", type="openapi", lifecycle="production", owner="team-a",
                 definition="openapi: 3.0.0"),
        service("payments", title="Payments", description="Takes money at the checkout.",
                tags=["go", "pci"], system="shop", providesApis=["pay-api"],
                labels={"example.com/tier": "critical", "example.com/compliance": "PCI-DSS"},
                annotations={"pagerduty.com/service-id": "P123"}),
        service("checkout", "team-b", tags=["go"], dependsOn=["component:payments"], system="shop",
                tier="critical", description="The basket."),
        service("web", "team-b", type="website", lifecycle="deprecated", consumesApis=["pay-api"],
                dependsOn=["component:checkout", "resource:old-db"]),
        service("batch", "user:default/pat", namespace="ops", tags=["pci"],
                lifecycle="experimental",
                dependsOn=["component:default/web", "component:ops/batch"]),
    )
)  # fmt: skip


class Catalog:
    """An index that can be asked."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def ask(
        self,
        expression: str = "",
        fields: Sequence[str] = ("ref",),
        *,
        filters: Sequence[str] = (),
        predicate: Any = None,
        explain: bool = False,
    ) -> Answer:
        text = "" if predicate is None else json.dumps(predicate)
        with opened(self.path) as index:
            return answer(index, written(expression, filters, text), fields, explain=explain)

    def refs(self, expression: str = "", **more: Any) -> list[str]:
        return [ref for (ref,) in self.ask(expression, **more).rows]

    def names(self, expression: str = "", **more: Any) -> str:
        """Return the names of what is found, in its order."""
        return " ".join(ref.rpartition("/")[2] for ref in self.refs(expression, **more))

    def fault(self, expression: str = "", **more: Any) -> str:
        """Return how a person is told that a query is wrong."""
        with pytest.raises(IdpError) as caught:
            self.ask(expression, **more)
        return error_text(caught.value, colour=False)
