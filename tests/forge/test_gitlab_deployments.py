"""Deployments of GitLab, against the recorded shapes of its documentation; no server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from idp.errors import NotAllowed
from idp.forge.base import DeploymentStatus, NewDeployment

from .documented import SHA, Documented, Lost, documented

PAY = "/projects/acme%2Fpay"
DEPLOYMENTS = f"{PAY}/deployments"
ENVIRONMENTS = f"{PAY}/environments"
STAGING = NewDeployment("main", SHA, "staging")


@pytest.fixture
def gitlab() -> Iterator[Documented]:
    with documented("gitlab") as server:
        yield server


def test_a_deployment_of_a_tag_is_told(gitlab: Documented) -> None:
    gitlab.answers(f"GET {DEPLOYMENTS}", [])
    gitlab.answers(f"GET {PAY}/repository/tags/v1.0.0", gitlab.shape("tag"))
    gitlab.answers(f"POST {DEPLOYMENTS}", gitlab.shape("deployment", ref="v1.0.0"))
    wanted = NewDeployment("v1.0.0", SHA, "staging")
    made = gitlab.forge().deploy("acme/pay", wanted)
    assert (made.id, made.environment) == (42, "staging")
    body = {"environment": "staging", "sha": SHA, "ref": "v1.0.0", "tag": True}
    assert gitlab.sent("POST") == [(DEPLOYMENTS, {**body, "status": "running"})]


def test_a_deployment_is_told_once_when_the_answer_was_lost(gitlab: Documented) -> None:
    gitlab.answers(f"GET {DEPLOYMENTS}", [], [gitlab.shape("deployment")])
    gitlab.answers(f"GET {PAY}/repository/tags/main", 404)
    gitlab.answers(f"POST {DEPLOYMENTS}", Lost())
    assert gitlab.forge().deploy("acme/pay", STAGING).id == 42
    assert gitlab.changes == [f"POST {DEPLOYMENTS}"]


def test_the_deployment_of_the_same_commit_is_returned_but_never_ci_s(gitlab: Documented) -> None:
    by_ci = gitlab.shape("deployment", id=43, deployable={"id": 664, "name": "deploy"})
    other = gitlab.shape("deployment", id=44, sha="0" * 40)
    gitlab.answers(f"GET {DEPLOYMENTS}", [other, by_ci, gitlab.shape("deployment")])
    assert gitlab.forge().deploy("acme/pay", STAGING).id == 42
    assert gitlab.changes == []
    assert gitlab.asked[0].query["environment"] == "staging"
    assert gitlab.asked[0].query["sort"] == "desc"


@pytest.mark.parametrize(
    ("state", "before", "sent"),
    [
        ("success", "running", ["success"]),
        ("error", "running", ["failed"]),
        ("in_progress", "running", []),
        ("queued", "created", ["running"]),
        ("in_progress", "success", []),
        ("success", "success", []),
    ],
)
def test_how_a_deployment_stands(
    gitlab: Documented, state: Any, before: str, sent: list[str]
) -> None:
    gitlab.answers(f"GET {DEPLOYMENTS}", [gitlab.shape("deployment")])
    gitlab.answers(f"GET {DEPLOYMENTS}/42", gitlab.shape("deployment", status=before))
    gitlab.always(f"PUT {DEPLOYMENTS}/42", gitlab.shape("deployment"))
    forge = gitlab.forge()
    forge.set_status("acme/pay", forge.deploy("acme/pay", STAGING), DeploymentStatus(state))
    assert gitlab.sent("PUT") == [(f"{DEPLOYMENTS}/42", {"status": each}) for each in sent]


def test_a_deployment_s_url_is_its_environment_s(gitlab: Documented) -> None:
    gitlab.answers(f"GET {DEPLOYMENTS}", [gitlab.shape("deployment")])
    gitlab.answers(f"GET {DEPLOYMENTS}/42", gitlab.shape("deployment", status="success"))
    gitlab.answers(f"GET {ENVIRONMENTS}", [gitlab.shape("environment")])
    gitlab.answers(f"PUT {ENVIRONMENTS}/8", gitlab.shape("environment"))
    forge = gitlab.forge()
    status = DeploymentStatus("success", url="https://pay.staging.example.com")
    forge.set_status("acme/pay", forge.deploy("acme/pay", STAGING), status)
    url = {"external_url": "https://pay.staging.example.com"}
    assert gitlab.sent("PUT") == [(f"{ENVIRONMENTS}/8", url)]


def test_inactive_stops_the_environment(gitlab: Documented) -> None:
    ours = gitlab.shape("deployment")
    gitlab.answers(f"GET {DEPLOYMENTS}", [ours], [ours])
    gitlab.answers(f"GET {ENVIRONMENTS}", [gitlab.shape("environment")])
    gitlab.answers(f"POST {ENVIRONMENTS}/8/stop", Lost(), gitlab.shape("environment"))
    forge = gitlab.forge()
    forge.set_status("acme/pay", forge.deploy("acme/pay", STAGING), DeploymentStatus("inactive"))
    assert set(gitlab.changes) == {f"POST {ENVIRONMENTS}/8/stop"}


def test_inactive_stops_nothing_newer(gitlab: Documented) -> None:
    ours, newer = gitlab.shape("deployment"), gitlab.shape("deployment", id=50, sha="0" * 40)
    gitlab.answers(f"GET {DEPLOYMENTS}", [ours], [newer, ours])
    forge = gitlab.forge()
    forge.set_status("acme/pay", forge.deploy("acme/pay", STAGING), DeploymentStatus("inactive"))
    assert gitlab.changes == []


def test_a_ci_s_own_deployment_is_nobody_else_s_to_judge(gitlab: Documented) -> None:
    by_ci = gitlab.shape("deployment", deployable={"id": 664, "name": "deploy"})
    refusal = {"message": "403 Forbidden - Deployments created using GitLab CI can not be updated"}
    gitlab.answers(f"GET {DEPLOYMENTS}", [by_ci])
    gitlab.answers(f"GET {DEPLOYMENTS}/42", by_ci)
    gitlab.answers(f"PUT {DEPLOYMENTS}/42", httpx.Response(403, json=refusal))
    forge = gitlab.forge()
    [found] = forge.deployments("acme/pay", "staging")
    with pytest.raises(NotAllowed, match="created using GitLab CI"):
        forge.set_status("acme/pay", found, DeploymentStatus("success"))
