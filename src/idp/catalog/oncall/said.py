"""What annotations say of who is on call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_PAGERDUTY = "https://app.pagerduty.com"
_OPSGENIE = "https://app.opsgenie.com"


@dataclass(frozen=True)
class Duty:
    """Somebody who is on call.

    Attributes:
        level: of the escalation; 1 is called first.
        until: when it ends, as the server writes it; empty for never.
    """

    name: str
    email: str
    level: int
    schedule: str
    until: str


@dataclass(frozen=True)
class OnCall:
    """Where it stands who is on call.

    Attributes:
        system: `pagerduty` or `opsgenie`.
        what: `service`, `team`, `selector` (of alerts), or `integration`.
        id: of the service or team there; empty for an integration, whose key is a credential.
        link: its page there, empty if that is not known.
        of: the ref whose annotation says so.
        now: who is on call, first those that are called first; empty if nobody was asked.
        asked: why nobody was asked or no answer came; empty if there is an answer.
    """

    system: str
    what: str
    id: str
    link: str
    of: str
    now: tuple[Duty, ...] = ()
    asked: str = ""


def said(annotations: Mapping[str, Any], of: str) -> Iterator[OnCall]:
    """Yield what one entity's annotations say."""
    held = {key: str(value) for key, value in annotations.items() if value}
    if service := held.get("pagerduty.com/service-id"):
        yield OnCall("pagerduty", "service", service, _page("service-directory", service), of)
    if team := held.get("pagerduty.com/team-id"):
        yield OnCall("pagerduty", "team", team, _page("teams", team), of)
    if "pagerduty.com/integration-key" in held and not service:
        why = "an integration key alone names no service: annotate pagerduty.com/service-id"
        yield OnCall("pagerduty", "integration", "", "", of, asked=why)
    if team := held.get("opsgenie.com/team"):
        yield OnCall("opsgenie", "team", team, "", of)
    if selector := held.get("opsgenie.com/component-selector"):
        link = f"{_OPSGENIE}/alert/list?query={quote(selector, safe='')}"
        yield OnCall("opsgenie", "selector", selector, link, of)


def _page(kind: str, name: str) -> str:
    return f"{_PAGERDUTY}/{kind}/{quote(name, safe='')}"
