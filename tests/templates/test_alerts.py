"""Objectives, alerts and dashboard, as Prometheus reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import NEWEST, Render
from .stories import Service, run, started, tool

RULES = ("observability/alerts.yaml", "observability/slo-rules.yaml")
METRIC = re.compile(r"\b((?:http|process|slo)[a-z_]*(?::[a-z_]+:[a-z_0-9]+)?)\{")


def alerts(service: Service) -> list[dict[str, Any]]:
    groups = [group for name in RULES for group in service.yaml(name)[0]["groups"]]
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def panels(service: Service) -> list[str]:
    """Return the queries of the dashboard."""
    dashboard = json.loads(service.read("observability/dashboard.json"))
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_alerts_fire_when_they_should(service: Service) -> None:
    service.make("alerts", f"PROMTOOL={tool('promtool')}")


@pytest.mark.parametrize("newest", NEWEST)
@pytest.mark.parametrize("tier", ["critical", "high", "low"])
def test_alerts_fire_when_they_should_at_every_tier(
    tier: str, newest: str, render: Render, tmp_path: Path
) -> None:
    service = render(newest, tmp_path / "service", tier=tier)

    service.make("alerts", f"PROMTOOL={tool('promtool')}")


def test_each_alert_leads_to_its_part_of_the_runbook(service: Service) -> None:
    headings = {
        line.removeprefix("## ").lower()
        for line in service.read("docs/runbooks/alerts.md").splitlines()
        if line.startswith("## ")
    }

    assert {alert["alert"] for alert in alerts(service)} == {
        *("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow", "ServiceAbsent", "ServiceRestarting")
    }
    for alert in alerts(service):
        page, anchor = alert["annotations"]["runbook_url"].split("#")
        assert (service.path / page).exists()
        assert anchor in headings
        assert alert["labels"]["owner"] == "payments"
        assert alert["labels"]["severity"] in {"page", "ticket"}


def test_the_dashboard_asks_what_prometheus_understands(service: Service, tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": query.replace("$__rate_interval", "5m")}
        for number, query in enumerate(panels(service))
    ]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    run(tool("promtool"), "check", "rules", path, cwd=tmp_path)


def test_the_service_has_every_metric_that_is_asked_for(installed: Service, tmp_path: Path) -> None:
    rules = "".join(installed.read(name) for name in RULES)
    recorded = set(re.findall(r"record: (\S+)", rules))
    asked = {name for text in (rules, *panels(installed)) for name in METRIC.findall(text)}

    with started(installed, tmp_path / "log") as process:
        process.get("/v1/items")
        measured = set(re.findall(r"^([a-z_]+)", process.get("/metrics").text, re.M))

    assert asked
    assert asked <= recorded | measured
