"""The same road to Secrets Manager, which has no wrapped tokens: whoever asked writes the value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from idp.errors import IdpError
from idp.identity import Identity
from idp.secret.aws import AwsSecrets
from idp.secret.fulfil import fulfil
from idp.secret.request import Awaiting, Counter, Told, ask
from idp.secret.wanted import Wanted
from tests.moto_server import aws, moto
from tests.openbao import Bao
from tests.roads import open_road
from tests.secret.stories import ALICE, CANARY, CREATE, PATTERN, Story, rotated

__all__ = ["aws", "moto"]


@dataclass
class AwsStory(Story):
    """The same people, with Secrets Manager."""

    def counter(self, *_: object) -> Counter:
        counter = (
            AwsSecrets("eu-west-1"),
            PATTERN,
            lambda: self.desk,
            lambda: ALICE,
            open_road(),
            self.folder / "handover",
            self.clock,
            self.said.append,
            lambda: CANARY,
        )
        return Counter(*counter)

    def fulfils(self, *_: object) -> None:  # type: ignore[override]
        newest = self.desk.list()[0]
        done = fulfil(newest, AwsSecrets("eu-west-1"), PATTERN, open_road(), self.clock)
        self.desk.close(newest.id, done, Identity("ci", "oidc"))


@pytest.fixture
def story(aws: str, tmp_path: Path) -> AwsStory:
    return AwsStory(Bao("", ""), tmp_path / "alice", "")


def test_asked_for_approved_written_rotated_and_revoked(story: AwsStory) -> None:
    aws = AwsSecrets("eu-west-1")
    assert done(story, CREATE).version == 1
    assert aws.read("pay/production/db") == {"value": CANARY}
    assert aws.show("pay/production/db").about.approved_by == "github.com:bob"
    assert ask(CREATE, story.counter()).status == "there"
    assert done(story, replace(rotated(), generate=True)).status == "written"
    assert aws.show("pay/production/db").version == 2
    assert done(story, replace(CREATE, action="secret revoke")).status == "revoked"
    with pytest.raises(IdpError):
        aws.read("pay/production/db")


def done(story: AwsStory, wanted: Wanted) -> Told:
    with pytest.raises(Awaiting):
        ask(wanted, story.counter())
    story.approves()
    story.fulfils()
    return ask(wanted, story.counter())
