"""A small organisation: three teams, a shop's services, a circle, something missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .index_stories import made

RUN = "https://wiki.example.com/run/payments"


def entity(kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> str:
    """Return a document; JSON is YAML."""
    needed: dict[str, dict[str, Any]] = {
        "Component": {"type": "service", "lifecycle": "production", "owner": "team-pay"},
        "API": {"type": "openapi", "lifecycle": "production", "owner": "team-pay"},
        "Resource": {"type": "database", "owner": "team-pay"},
        "System": {"owner": "team-pay"},
        "Domain": {"owner": "shop"},
        "Group": {"type": "team", "children": []},
        "User": {"memberOf": []},
    }
    needed["API"]["definition"] = "openapi: 3.0.0"
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": needed[kind] | (spec or {}),
    }
    return json.dumps(document) + "\n"


def user(name: str, *teams: str, **metadata: Any) -> str:
    profile = {"displayName": name.title(), "email": f"{name}@example.com"}
    return entity("User", name, {"memberOf": list(teams), "profile": profile}, **metadata)


def group(name: str, email: str = "", **spec: Any) -> str:
    return entity("Group", name, {"profile": {"email": email}, **spec} if email else spec)


def service(name: str, *needs: str, tier: str = "", owner: str = "team-pay", **spec: Any) -> str:
    """Return a Component that depends on others."""
    return entity(
        "Component",
        name,
        {"owner": owner, "dependsOn": [f"component:{one}" for one in needs], **spec},
        labels={"example.com/tier": tier} if tier else {},
    )


PAYMENTS = entity(
    "Component",
    "payments",
    {
        "system": "checkout",
        "providesApis": ["payments-api"],
        "dependsOn": ["resource:ledger", "component:retired-tax"],
    },
    title="Payments",
    description="Takes money and gives receipts.",
    labels={"example.com/tier": "tier-1", "example.com/compliance": "sox"},
    annotations={
        "pagerduty.com/integration-key": "e6b688b19277fae59c9a8c15edb23ade",
        "pagerduty.com/service-id": "PSERVICE",
        "github.com/project-slug": "acme/payments",
        "backstage.io/techdocs-ref": "dir:.",
    },
    tags=["python", "pci"],
    links=[
        {"url": RUN, "title": "Runbook"},
        {"url": "https://grafana.example.com/d/payments", "title": "Dashboard"},
    ],
)

TEAMS = [
    entity("Group", "shop", {"type": "department", "children": ["team-pay", "team-cart"]}),
    entity(
        "Group",
        "team-pay",
        {"profile": {"displayName": "Team Pay", "email": "pay@example.com"}, "lead": "ann"},
        annotations={"slack.com/channel": "#pay", "pagerduty.com/team-id": "PTEAM"},
    ),
    group("team-cart", "cart@example.com"),
    user("ann", "team-pay"),
    user("bob", "team-pay"),
    user("cy", "team-cart", annotations={"example.com/role": "Tech lead"}),
    user("dee", "team-cart"),
]

SHOP = [
    entity("Domain", "commerce"),
    entity("System", "checkout", {"domain": "commerce"}),
    entity("API", "payments-api"),
    entity("Resource", "ledger"),
    service("basket", "payments", tier="tier-2", owner="team-cart"),
    service("cart", "basket", tier="critical", owner="team-cart"),
    # A circle, a longer way to cart's dependant, and one that nobody owns.
    service("mail", "cart", "newsletter"),
    service("newsletter", "mail", "payments", owner="team-gone"),
    entity("Component", "refunds", {"consumesApis": ["payments-api"]}),
]

ORG = {
    "org/catalog-info.yaml": "---\n".join(TEAMS),
    "payments/catalog-info.yaml": PAYMENTS,
    "payments/docs/adr/0001-postgres.md": "# Postgres\n",
    "payments/docs/runbooks/refused-cards.md": "# Refused cards\n",
    "payments/.copier-answers.yml": "_src_path: python-api\n_commit: 1.2.0\n",
    "shop/catalog-info.yaml": "---\n".join(SHOP),
}


def org(tmp_path: Path, **more: str) -> Path:
    """Return an index of the organisation, with further files by the folder they are in."""
    extra = {f"{name}/catalog-info.yaml": text for name, text in more.items()}
    return made(tmp_path, ORG | extra)
