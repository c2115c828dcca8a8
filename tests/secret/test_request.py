"""Somebody asks for a secret, somebody else approves, and only then is there a place for it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from idp.errors import NotAllowed, NotFound, Refused, RemoteFailed
from idp.request.base import Decision
from idp.request.handover import opened
from idp.secret.base import LostRace
from idp.secret.fulfil import fulfil
from idp.secret.request import Awaiting, Taken, ask
from idp.secret.wanted import Wanted
from tests.clock import FakeClock
from tests.roads import open_road
from tests.secret.stories import BOB, CANARY, CREATE, FULFILS, PATH, Story, rotated


def test_from_asking_to_the_value(story: Story) -> None:
    with pytest.raises(Awaiting, match="awaits approval"):
        story.asks()
    story.approves()
    with pytest.raises(Awaiting, match="awaits fulfilment"):
        story.asks()
    done = story.fulfils()
    assert CANARY not in done.outcome + done.handover and story.values == []
    told = story.asks()
    assert (told.status, told.version, told.path) == ("written", 1, PATH)
    assert story.data()["data"] == {"value": CANARY}
    custom = story.data()["metadata"]["custom_metadata"]
    assert (custom["owner"], custom["service"], custom["request"]) == (
        "team-a",
        "pay",
        story.desk.list()[0].id,
    )
    assert (custom["asked_by"], custom["approved_by"]) == ("github.com:alice", BOB.id)
    again = story.asks()
    assert (again.status, again.version) == ("there", 1)
    assert len(story.values) == 1 and list((story.folder / "handover").glob("*.json")) == []


def test_the_service_may_read_its_own_environment_and_nothing_else(story: Story) -> None:
    written(story)
    policy = story.bao.call("GET", "sys/policies/acl/idp:read:pay:production")["data"]["policy"]
    service = story.bao.token(policy)
    read = story.bao.call("GET", f"{story.mount}/data/{PATH}", token=service)
    assert read["data"]["data"] == {"value": CANARY}
    for path in ("data/pay/staging/db", "data/cart/production/db", f"metadata/{PATH}"):
        said = story.bao.call("GET", f"{story.mount}/{path}", token=service, ok=False)
        assert "permission denied" in str(said)


def test_the_requesters_token_writes_one_version_of_one_path(story: Story) -> None:
    ready(story)
    backend = story.backend(FULFILS)
    wrapped = backend.writer(PATH, 0, 600) or ""
    token = backend.open_writer(wrapped)
    calls = [
        ("POST", f"data/{PATH}", {"options": {"cas": "1"}, "data": {}}),
        ("GET", f"data/{PATH}", None),
    ]
    for method, path, body in calls:
        said = story.bao.call(method, f"{story.mount}/{path}", body, token=token, ok=False)
        assert "permission denied" in str(said)
    assert backend.write_by(token, PATH, {"value": CANARY}, 0) == 1
    with pytest.raises(NotAllowed, match="used up"):
        backend.write_by(token, PATH, {"value": "another"}, 0)


def test_a_value_that_idp_makes_is_seen_by_nobody(story: Story) -> None:
    wanted = replace(CREATE, generate=True)
    ready(story, wanted)
    assert story.asks(wanted).status == "written"
    assert len(story.data()["data"]["value"]) == 43 and story.values == []


def test_a_rotation_writes_the_next_version(story: Story) -> None:
    written(story)
    ready(story, rotated())
    assert story.asks(rotated()).version == 2


def test_what_is_not_there_cannot_be_rotated(story: Story) -> None:
    with pytest.raises(NotFound, match="to rotate"):
        story.asks(rotated())


def test_revoked_is_gone_with_its_policies(story: Story) -> None:
    written(story)
    revoke = replace(CREATE, action="secret revoke")
    ready(story, revoke)
    assert story.asks(revoke).status == "revoked"
    assert "data" not in story.bao.call("GET", f"{story.mount}/metadata/{PATH}", ok=False)
    for policy in ("idp:read:pay:production", f"idp:write:{PATH.replace('/', ':')}"):
        assert "data" not in story.bao.call("GET", f"sys/policies/acl/{policy}", ok=False)
    assert story.asks(revoke).status == "revoked"


def test_whoever_has_no_right_in_vault_asks_and_writes_even_so(story: Story) -> None:
    nothing = 'path "x" {{ capabilities = ["read"] }}'
    with pytest.raises(Awaiting):
        story.asks(rules=nothing)
    story.approves()
    with pytest.raises(Awaiting) as told:
        story.asks(rules=nothing)
    assert "somebody with the rights" in told.value.hint
    story.fulfils()
    assert story.asks(rules=nothing).version == 1


def test_a_refused_request_is_told_once_and_can_be_made_again(story: Story) -> None:
    with pytest.raises(Awaiting):
        story.asks()
    asked = story.desk.list()[0]
    story.desk.decide(asked.id, Decision(BOB.id, "refused", None, asked.digest, "use IAM"), BOB)
    with pytest.raises(Refused, match="use IAM"):
        story.asks()
    with pytest.raises(Awaiting):
        story.asks()
    assert len(story.desk.list()) == 2


def test_another_machine_does_not_ask_twice(story: Story) -> None:
    with pytest.raises(Awaiting):
        story.asks()
    elsewhere = Story(story.bao, story.folder, story.mount)
    counter = replace(elsewhere.counter(), folder=story.folder / "another-machine")
    with pytest.raises(Refused, match="already, and not from here"):
        ask(CREATE, counter)


def test_what_was_approved_for_one_path_is_not_done_at_another(story: Story) -> None:
    with pytest.raises(Awaiting):
        story.asks()
    request = story.approves()
    with pytest.raises(Refused, match="was made for pay"):
        fulfil(request, story.backend(FULFILS), "{name}", open_road(), story.clock)


def test_a_stolen_token_is_told_loudly(story: Story) -> None:
    ready(story)
    thief = handed_over(story)
    story.bao.call("POST", "sys/wrapping/unwrap", {}, token=thief)
    with pytest.raises(Taken, match="SOMEBODY ELSE HAS OPENED"):
        story.asks()
    assert story.values == []


def test_a_token_nobody_opened_in_time_is_told_and_asked_for_anew(story: Story) -> None:
    ready(story)
    story.bao.call("POST", "sys/wrapping/unwrap", {}, token=handed_over(story))
    story.clock = FakeClock(story.clock.now() + timedelta(days=2))
    with pytest.raises(Refused, match="ended at"):
        story.asks()
    with pytest.raises(Awaiting, match="awaits approval"):
        story.asks()


def test_the_network_goes_before_the_value_and_running_again_finishes(story: Story) -> None:
    ready(story)
    with pytest.raises(RemoteFailed):
        story.asks(transport=Gone(before=f"/v1/{story.mount}/data/"))
    assert story.asks().version == 1


def test_an_answer_is_lost_and_running_again_says_that_it_is_written(story: Story) -> None:
    ready(story)
    with pytest.raises(RemoteFailed):
        story.asks(transport=Gone(after=f"/v1/{story.mount}/data/"))
    told = story.asks()
    assert (told.status, told.version, story.data()["metadata"]["version"]) == ("written", 1, 1)


def test_the_network_goes_between_policy_and_value_of_a_generated_one(story: Story) -> None:
    wanted = replace(CREATE, generate=True)
    with pytest.raises(Awaiting):
        story.asks(wanted)
    story.approves()
    with pytest.raises(RemoteFailed):
        story.fulfils(Gone(after=f"/v1/{story.mount}/data/"))
    assert story.desk.list()[0].state == "approved"
    story.fulfils()
    assert story.data()["metadata"]["version"] == 1


def test_somebody_else_writes_first(story: Story) -> None:
    ready(story)
    body = {"options": {"cas": 0}, "data": {"value": "theirs"}}
    story.bao.call("POST", f"{story.mount}/data/{PATH}", body)
    with pytest.raises(LostRace, match="somebody else wrote"):
        story.asks()
    assert story.data()["data"] == {"value": "theirs"}


def test_one_that_was_deleted_is_not_made_anew(story: Story) -> None:
    written(story)
    story.bao.call("DELETE", f"{story.mount}/data/{PATH}")
    with pytest.raises(Refused, match="can be restored"):
        story.asks()


def test_killed_at_the_prompt_the_next_run_goes_on(story: Story) -> None:
    interrupted_at_the_prompt(story)
    assert story.asks().version == 1


def test_a_token_that_expired_before_the_value_was_written(story: Story) -> None:
    interrupted_at_the_prompt(story)
    (file,) = (story.folder / "handover").glob("*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    token = json.loads(file.read_text())["token"]
    story.bao.call("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(Refused, match="expired before the value was written"):
        story.asks()
    with pytest.raises(Awaiting, match="awaits approval"):
        story.asks()


def test_two_runs_at_once_do_not_take_the_token_from_each_other(story: Story) -> None:
    ready(story)
    refused: list[str] = []

    def meanwhile() -> str:
        with pytest.raises(Refused) as told:
            story.asks()
        refused.append(told.value.message)
        return CANARY

    assert ask(CREATE, replace(story.counter(), value=meanwhile)).version == 1
    assert refused == ["another idp is asking for a secret here"]


def interrupted_at_the_prompt(story: Story) -> None:
    ready(story)

    def interrupted() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(CREATE, replace(story.counter(), value=interrupted))


def ready(story: Story, wanted: Wanted = CREATE) -> None:
    """Alice asked, Bob approved, and CI has made the place."""
    with pytest.raises(Awaiting):
        story.asks(wanted)
    story.approves()
    story.fulfils()


def written(story: Story) -> None:
    ready(story)
    assert story.asks().status == "written"


def handed_over(story: Story) -> str:
    """Return the wrapped token, as whoever stole alice's key would read it."""
    (file,) = (story.folder / "handover").glob("*.json")
    request = story.desk.list()[0]
    key = json.loads(file.read_text())["private"]
    return str(json.loads(opened(request.handover, key, request.id))["token"])


class Gone(httpx.BaseTransport):
    """A network that is cut at one path: before the call arrives, or after it was answered."""

    def __init__(self, before: str = "", after: str = "") -> None:
        self.before, self.after = before, after
        self.real = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_write = request.method == "POST"
        if is_write and self.before and request.url.path.startswith(self.before):
            raise httpx.ReadError("cut", request=request)
        answer = self.real.handle_request(request)
        if is_write and self.after and request.url.path.startswith(self.after):
            answer.read()
            raise httpx.ReadError("cut", request=request)
        return answer

    def close(self) -> None:
        self.real.close()
