"""Asking PagerDuty (REST API v2) and Opsgenie (API v2) who is on call now.

The shapes are those of developer.pagerduty.com/api-reference and docs.opsgenie.com/docs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlsplit

from idp.catalog.oncall.said import Duty, OnCall
from idp.clock import Clock
from idp.errors import IdpError, InvalidInput
from idp.rest import Server, Transport

SCHEDULES = 5
"""How many schedules of an Opsgenie team are asked."""

_OPSGENIE = frozenset({"api.opsgenie.com", "api.eu.opsgenie.com"})
_REGIONS = {"": "", "us": "", "eu": "eu."}


@dataclass(frozen=True)
class Line:
    """What is needed to ask: settings, the clock and the network (None is the real one)."""

    environ: Mapping[str, str]
    clock: Clock
    transport: Transport | None = None


def ask(said: Iterable[OnCall], line: Line) -> tuple[OnCall, ...]:
    """Return each with its answer, or with why there is none; nothing is raised."""
    return tuple(_answered(one, line) for one in said)


def _answered(one: OnCall, line: Line) -> OnCall:
    if one.asked:
        return one
    variable = "PAGERDUTY_TOKEN" if one.system == "pagerduty" else "OPSGENIE_API_KEY"
    if not (token := line.environ.get(variable, "").strip()):
        return replace(one, asked=f"set {variable} to see who is on call now")
    if one.what == "selector":
        return replace(one, asked="a selector of alerts names no team: annotate opsgenie.com/team")
    try:
        answer = _pagerduty if one.system == "pagerduty" else _opsgenie
        found = answer(one, token, line)
    except IdpError as error:
        return replace(one, asked=f"could not be asked: {error.message}")
    except (AttributeError, KeyError, TypeError, ValueError):
        return replace(one, asked=f"could not be asked: {one.system} answered in another shape")
    return found if found.now else replace(found, asked="nobody is on call now")


def _pagerduty(one: OnCall, token: str, line: Line) -> OnCall:
    region = line.environ.get("PAGERDUTY_SERVICE_REGION", "").strip().lower()
    if region not in _REGIONS:
        raise InvalidInput(f"PAGERDUTY_SERVICE_REGION is {region!r}, and neither us nor eu")
    headers = {
        "Authorization": f"Token token={token}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    base = f"https://api.{_REGIONS[region]}pagerduty.com"
    server = _server(base, headers, "PAGERDUTY_TOKEN", line)
    policies, link = _policies(one, server)
    one = replace(one, link=link or one.link)
    if not policies:
        return one
    query: dict[str, str | int | Sequence[str]] = {
        "escalation_policy_ids[]": policies,
        "include[]": ["users"],
        "earliest": "true",
        "limit": 100,
    }
    found = server.get("/oncalls", query).data["oncalls"]
    return replace(one, now=_told(map(_duty, found)))


def _policies(one: OnCall, server: Server) -> tuple[list[str], str]:
    """Return the escalation policies of a service or a team, and its page."""
    if one.what == "service":
        service = server.get(f"/services/{quote(one.id, safe='')}").data["service"]
        return [service["escalation_policy"]["id"]], service.get("html_url") or ""
    found = server.get("/escalation_policies", {"team_ids[]": [one.id], "limit": 25}).data[
        "escalation_policies"
    ]
    return [policy["id"] for policy in found], ""


def _duty(oncall: dict[str, Any]) -> Duty:
    user = oncall["user"]
    return Duty(
        user.get("name") or user.get("summary") or user["id"],
        user.get("email") or "",
        int(oncall["escalation_level"]),
        (oncall.get("schedule") or {}).get("summary") or "",
        oncall.get("end") or "",
    )


def _opsgenie(one: OnCall, token: str, line: Line) -> OnCall:
    server = _server(
        _opsgenie_base(line.environ),
        {"Authorization": f"GenieKey {token}"},
        "OPSGENIE_API_KEY",
        line,
    )
    listed = server.get("/v2/schedules").data["data"]
    own = [one_ for one_ in listed if one_.get("enabled", True) and _is_of(one_, one.id)]
    if not own:
        raise InvalidInput(f"Opsgenie shows no schedule of a team {one.id!r}")
    found: list[Duty] = []
    for schedule in own[:SCHEDULES]:
        path = f"/v2/schedules/{quote(schedule['id'], safe='')}/on-calls"
        people = server.get(path, {"flat": "true"}).data["data"]["onCallRecipients"]
        found += [
            Duty(name, name if "@" in name else "", 1, schedule["name"], "") for name in people
        ]
    return replace(one, now=_told(found))


def _is_of(schedule: dict[str, Any], team: str) -> bool:
    owner = schedule.get("ownerTeam") or {}
    return team.lower() in (str(owner.get("name")).lower(), str(owner.get("id")).lower())


def _opsgenie_base(environ: Mapping[str, str]) -> str:
    """Return the API's address; the key goes to Opsgenie's own hosts and to no other."""
    written = environ.get("OPSGENIE_API_URL", "").strip() or "api.opsgenie.com"
    host = urlsplit(written if "://" in written else f"https://{written}").netloc
    if host not in _OPSGENIE:
        raise InvalidInput(
            f"OPSGENIE_API_URL names {host!r}, and not {' or '.join(sorted(_OPSGENIE))}"
        )
    return f"https://{host}"


def _server(base: str, headers: Mapping[str, str], variable: str, line: Line) -> Server:
    return Server(
        base, line.clock, headers, variable, f"set {variable}", transport=line.transport, hasty=True
    )


def _told(duties: Iterable[Duty]) -> tuple[Duty, ...]:
    """Return everyone once, at the first level that calls them."""
    first: dict[tuple[str, str], Duty] = {}
    for duty in sorted(duties, key=lambda one: (one.level, one.name, one.schedule)):
        first.setdefault((duty.name, duty.email), duty)
    return tuple(first.values())
