"""Print Prometheus rules for the objectives in slo.yaml: `make slo` keeps them.

Multi-window, multi-burn-rate alerts as of the Google SRE workbook, chapter 5:
an alert fires if the budget burns too fast over a long window and still does over a short one.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

SLO_FILE = Path(__file__).parent.parent / "slo.yaml"

# severity: (burn rate, long window, short window); the rates are those for 30 days.
BURN_RATES: dict[str, list[tuple[float, str, str]]] = {
    "page": [(14.4, "1h", "5m"), (6, "6h", "30m")],
    "ticket": [(3, "1d", "2h"), (1, "3d", "6h")],
}
ALERT_NAMES = {"page": "ErrorBudgetBurnFast", "ticket": "ErrorBudgetBurnSlow"}
WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
PERIOD = "30d"

Rule = dict[str, Any]


class Quoted(str):
    """A name, written in quotes: one like `on` would not stay a string."""


def query(metric: Rule) -> str:
    """Return the counter which a metric source of the SLO names."""
    return str(metric["metricSource"]["spec"]["query"])


def error_ratio(slo: Rule, window: str) -> str:
    """Return the share of bad events in a window."""
    ratio = slo["spec"]["indicator"]["spec"]["ratioMetric"]
    good, total = query(ratio["good"]), query(ratio["total"])
    # Without a single good event there is no series to sum, and all are bad.
    return f"1 - (sum(rate({good}[{window}])) or vector(0)) / sum(rate({total}[{window}]))"


def labels(slo: Rule) -> dict[str, str]:
    """Return the labels which tell the series of an SLO apart."""
    return {"service": Quoted(slo["spec"]["service"]), "slo": slo["metadata"]["name"]}


def selector(slo: Rule) -> str:
    """Return those labels as PromQL writes them."""
    return "{" + ", ".join(f'{key}="{value}"' for key, value in labels(slo).items()) + "}"


def budget(slo: Rule) -> str:
    """Return the share of events which may be bad."""
    (objective,) = slo["spec"]["objectives"]
    return f"{1 - objective['target']:.6g}"


def recording(slo: Rule, window: str) -> Rule:
    """Return the rule which records the error ratio over a window."""
    name = f"slo:sli_error:ratio_rate{window}"
    return {"record": name, "expr": error_ratio(slo, window), "labels": labels(slo)}


def remaining(slo: Rule) -> Rule:
    """Return the rule which records how much of the budget is left, 1 being all."""
    return {
        "record": "slo:error_budget:ratio_remaining",
        "expr": f"1 - slo:sli_error:ratio_rate{PERIOD}{selector(slo)} / {budget(slo)}",
        "labels": labels(slo),
    }


def burns(slo: Rule, rate: float, long: str, short: str) -> str:
    """Return the condition that the budget burns at a rate, and still does."""
    series, threshold = "slo:sli_error:ratio_rate", f"{rate:g} * {budget(slo)}"
    over_long, over_short = (
        f"{series}{window}{selector(slo)} > {threshold}" for window in (long, short)
    )
    return f"({over_long}\nand {over_short})"


def alert(slo: Rule, severity: str) -> Rule:
    """Return the alert of a severity."""
    runbook = slo["metadata"]["annotations"]["runbook"]
    return {
        "alert": ALERT_NAMES[severity],
        "expr": "\nor\n".join(burns(slo, *burn) for burn in BURN_RATES[severity]),
        "labels": {
            **labels(slo),
            "owner": Quoted(slo["metadata"]["labels"]["owner"]),
            "severity": severity,
        },
        "annotations": {
            "summary": f"{slo['metadata']['displayName']} burns its error budget too fast.",
            "description": "{{ $value | humanizePercentage }} of events are bad.",
            "runbook_url": f"{runbook}#{ALERT_NAMES[severity].lower()}",
        },
    }


def groups(slo: Rule) -> list[Rule]:
    """Return the rule groups of one SLO."""
    name = f"{slo['spec']['service']}-{slo['metadata']['name']}"
    (window,) = slo["spec"]["timeWindow"]
    if window["duration"] != PERIOD:
        sys.exit(f"{slo['metadata']['name']}: the burn rates here are for {PERIOD}")
    return [
        {"name": f"{name}-errors", "rules": [recording(slo, window) for window in WINDOWS]},
        # A month is slow to read and slow to change.
        {
            "name": f"{name}-budget",
            "interval": "10m",
            "rules": [recording(slo, PERIOD), remaining(slo)],
        },
        {"name": f"{name}-alerts", "rules": [alert(slo, severity) for severity in BURN_RATES]},
    ]


class Dumper(yaml.SafeDumper):
    """Writes expressions of several lines as blocks, and nothing as an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        """Say every value in full."""
        return True


def write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Choose the style of one string."""
    style = "|" if "\n" in text else '"' if isinstance(text, Quoted) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def main() -> None:
    """Print the rules of every SLO."""
    Dumper.add_representer(str, write_text)
    Dumper.add_representer(Quoted, write_text)
    slos = [
        document
        for document in yaml.safe_load_all(SLO_FILE.read_text(encoding="utf-8"))
        if document["kind"] == "SLO"
    ]
    rules = {"groups": [group for slo in slos for group in groups(slo)]}
    print("---\n# Made from slo.yaml by `make slo`; change that, not this.")
    yaml.dump(rules, sys.stdout, Dumper, sort_keys=False, width=1000)


if __name__ == "__main__":
    main()
