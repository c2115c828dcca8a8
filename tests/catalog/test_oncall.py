"""Who is on call now: PagerDuty and Opsgenie asked by the shapes they document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from idp.catalog.oncall.ask import Line, ask
from idp.catalog.oncall.said import OnCall, said

from ..clock import FakeClock

TOKEN = "token-4711-of-nobody"

SERVICE = {
    "service": {
        "id": "PSERVICE",
        "summary": "Payments",
        "html_url": "https://acme.pagerduty.com/service-directory/PSERVICE",
        "escalation_policy": {"id": "PPOLICY", "type": "escalation_policy_reference"},
    }
}


def oncall(name: str, level: int, schedule: str | None = "Primary") -> dict[str, Any]:
    user = {"id": f"P{name}", "type": "user", "summary": name, "name": name}
    return {
        "escalation_policy": {"id": "PPOLICY", "summary": "Payments"},
        "escalation_level": level,
        "schedule": schedule and {"id": "PSCHED", "summary": schedule},
        "user": user | {"email": f"{name.lower()}@example.com"},
        "start": "2026-11-23T08:00:00Z" if schedule else None,
        "end": "2026-11-24T08:00:00Z" if schedule else None,
    }


class Network(httpx.BaseTransport):
    """Answers by path, and keeps what was asked; an answer may be a status."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers[request.url.path]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(200, json=answer)


def asked(annotations: Mapping[str, str], network: Network, **environ: str) -> tuple[OnCall, ...]:
    held = {"PAGERDUTY_TOKEN": TOKEN, "OPSGENIE_API_KEY": TOKEN} | environ
    return ask(said(annotations, "component:default/payments"), Line(held, FakeClock(), network))


def pagerduty(**more: Any) -> Network:
    duties = {"oncalls": [oncall("Bob", 2, None), oncall("Ann", 1), oncall("Ann", 2)]}
    return Network({"/services/PSERVICE": SERVICE, "/oncalls": duties} | more)


IN_PAGERDUTY = {"pagerduty.com/service-id": "PSERVICE"}


def test_pagerduty_tells_who_is_called_first_and_then() -> None:
    network = pagerduty()
    (one,) = asked(IN_PAGERDUTY, network)
    assert [(duty.name, duty.level, duty.schedule) for duty in one.now] == [
        ("Ann", 1, "Primary"),
        ("Bob", 2, ""),
    ]
    assert (one.now[0].email, one.now[0].until) == ("ann@example.com", "2026-11-24T08:00:00Z")
    assert one.link == "https://acme.pagerduty.com/service-directory/PSERVICE"
    assert one.asked == ""
    query = network.asked[1].url.params
    assert query.get_list("escalation_policy_ids[]") == ["PPOLICY"]
    assert network.asked[0].headers["Authorization"] == f"Token token={TOKEN}"
    assert network.asked[0].headers["Accept"] == "application/vnd.pagerduty+json;version=2"


def test_a_pagerduty_team_is_asked_by_its_escalation_policies() -> None:
    policies = {"escalation_policies": [{"id": "PONE"}, {"id": "PTWO"}]}
    network = pagerduty(**{"/escalation_policies": policies})
    (one,) = asked({"pagerduty.com/team-id": "PTEAM"}, network)
    assert [duty.name for duty in one.now] == ["Ann", "Bob"]
    assert network.asked[0].url.params["team_ids[]"] == "PTEAM"
    assert network.asked[1].url.params.get_list("escalation_policy_ids[]") == ["PONE", "PTWO"]


def test_a_team_without_policies_asks_for_nobodys_duty() -> None:
    """Without a filter, PagerDuty would tell everyone who is on call anywhere."""
    network = pagerduty(**{"/escalation_policies": {"escalation_policies": []}})
    (one,) = asked({"pagerduty.com/team-id": "PTEAM"}, network)
    assert (one.now, one.asked) == ((), "nobody is on call now")
    assert [request.url.path for request in network.asked] == ["/escalation_policies"]


SCHEDULES = {
    "data": [
        {"id": "s1", "name": "Pay days", "enabled": True, "ownerTeam": {"id": "t1", "name": "Pay"}},
        {"id": "s2", "name": "Other", "enabled": True, "ownerTeam": {"id": "t2", "name": "Other"}},
        {"id": "s3", "name": "Old", "enabled": False, "ownerTeam": {"id": "t1", "name": "Pay"}},
    ]
}
ON_CALLS = {
    "data": {
        "_parent": {"id": "s1", "name": "Pay days", "enabled": True},
        "onCallRecipients": ["ann@example.com"],
    }
}


def opsgenie(**more: Any) -> Network:
    answers = {"/v2/schedules": SCHEDULES, "/v2/schedules/s1/on-calls": ON_CALLS}
    return Network(answers | more)


def test_opsgenie_tells_by_the_schedules_of_a_team() -> None:
    network = opsgenie()
    (one,) = asked({"opsgenie.com/team": "pay"}, network)
    assert [(duty.name, duty.schedule) for duty in one.now] == [("ann@example.com", "Pay days")]
    assert network.asked[0].headers["Authorization"] == f"GenieKey {TOKEN}"
    assert network.asked[1].url.params["flat"] == "true"
    assert len(network.asked) == 2


def test_a_selector_of_alerts_has_a_link_and_names_nobody() -> None:
    (one,) = asked({"opsgenie.com/component-selector": 'tag:"a b"'}, opsgenie())
    assert one.link == "https://app.opsgenie.com/alert/list?query=tag%3A%22a%20b%22"
    assert "annotate opsgenie.com/team" in one.asked


def test_an_integration_key_is_a_credential_and_never_told() -> None:
    (one,) = asked({"pagerduty.com/integration-key": TOKEN}, pagerduty())
    assert TOKEN not in repr(one)
    assert (one.what, one.id, one.link) == ("integration", "", "")


def test_without_a_token_nobody_is_asked() -> None:
    network = pagerduty()
    (one,) = asked(IN_PAGERDUTY, network, PAGERDUTY_TOKEN="")
    assert one.asked == "set PAGERDUTY_TOKEN to see who is on call now"
    assert network.asked == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.ConnectError("no route"), "cannot reach api.pagerduty.com"),
        (httpx.ReadTimeout("slow"), "no whole answer from api.pagerduty.com"),
        (
            httpx.Response(401, json={"error": {"message": "Unauthorized", "code": 2006}}),
            "api.pagerduty.com refused the token from PAGERDUTY_TOKEN: Unauthorized",
        ),
        (httpx.Response(404, json={"error": {"message": "Not Found"}}), "Not Found"),
        (httpx.Response(429), "api.pagerduty.com limits our requests"),
        (httpx.Response(302, headers={"Location": "https://evil.example.com/"}), "do not follow"),
        (httpx.Response(200, json={"service": None}), "another shape"),
        (httpx.Response(200, json=[1]), "another shape"),
    ],
)
def test_a_failure_is_told_in_a_line_and_stops_nothing(answer: Any, why: str) -> None:
    network = pagerduty(**{"/services/PSERVICE": answer})
    (one,) = asked(IN_PAGERDUTY, network)
    assert one.asked.startswith("could not be asked: ") and why in one.asked
    assert TOKEN not in one.asked
    assert len(network.asked) == 1, "hasty: asked once"


def test_a_token_goes_to_its_own_hosts_alone() -> None:
    european = pagerduty()
    asked(IN_PAGERDUTY, european, PAGERDUTY_SERVICE_REGION="eu")
    assert {request.url.host for request in european.asked} == {"api.eu.pagerduty.com"}
    network = opsgenie()
    in_opsgenie = {"opsgenie.com/team": "pay"}
    asked(in_opsgenie, network, OPSGENIE_API_URL="https://api.eu.opsgenie.com")
    assert {request.url.host for request in network.asked} == {"api.eu.opsgenie.com"}
    for url in ("https://api.opsgenie.com.evil.example", "http://a@evil.example/api.opsgenie.com"):
        network = opsgenie()
        (one,) = asked(in_opsgenie, network, OPSGENIE_API_URL=url)
        assert "OPSGENIE_API_URL names" in one.asked and network.asked == []


def test_an_id_cannot_lead_elsewhere() -> None:
    network = Network({"/services/../users?x=": httpx.Response(404)})
    asked({"pagerduty.com/service-id": "../users?x="}, network)
    assert network.asked[0].url.raw_path == b"/services/..%2Fusers%3Fx%3D"
