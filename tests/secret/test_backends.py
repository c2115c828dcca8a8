"""What every place of secrets does, told once and asked of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.clock import SystemClock
from idp.errors import NotFound, Refused
from idp.secret.aws import AwsSecrets
from idp.secret.base import About, Backend, LostRace
from idp.secret.local import LocalSecrets
from tests.moto_server import aws, moto
from tests.secret.stories import PATH, Story

__all__ = ["aws", "moto"]

ABOUT = About(
    "pay",
    "production",
    "db",
    "group:default/team-a",
    "req-0123456789",
    "https://issuer.example#repo:acme/pay",
    "github.com:bob",
    "the database moved, it's urgent",
    datetime(2027, 1, 1, tzinfo=UTC),
)


@pytest.fixture(params=["local", "aws", "vault"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "local":
        return LocalSecrets(tmp_path / "secrets", SystemClock())
    if request.param == "aws":
        request.getfixturevalue("aws")
        return AwsSecrets("eu-west-1")
    story: Story = request.getfixturevalue("story")
    return story.speaking(story.bao.root)


def test_a_secret_is_prepared_written_and_read(backend: Backend) -> None:
    backend.preflight(PATH)
    backend.prepare(PATH, ABOUT)
    assert (backend.show(PATH).state, backend.show(PATH).version) == ("empty", 0)
    assert backend.write(PATH, {"value": "one", "user": "pay"}, 0) == 1
    shown = backend.show(PATH)
    assert (shown.path, shown.state, shown.version) == (PATH, "present", 1)
    assert shown.keys == ("user", "value")
    assert shown.about == ABOUT
    assert shown.written_at is not None and shown.written_at.tzinfo
    assert backend.read(PATH) == {"value": "one", "user": "pay"}


def test_the_next_value_takes_the_place_of_the_last(backend: Backend) -> None:
    backend.prepare(PATH, ABOUT)
    backend.write(PATH, {"value": "one"}, 0)
    backend.prepare(PATH, replace(ABOUT, why="it is old"))
    assert backend.write(PATH, {"value": "two"}, 1) == 2
    assert (backend.show(PATH).version, backend.show(PATH).about.why) == (2, "it is old")
    assert backend.read(PATH) == {"value": "two"}


def test_of_two_who_write_one_version_the_second_loses_and_is_told(backend: Backend) -> None:
    backend.prepare(PATH, ABOUT)
    backend.write(PATH, {"value": "one"}, 0)
    with pytest.raises(LostRace, match="somebody else wrote pay/production/db") as lost:
        backend.write(PATH, {"value": "canary"}, 0)
    assert "canary" not in f"{lost.value}{lost.value.hint}"
    assert backend.read(PATH) == {"value": "one"}


def test_what_is_not_there_is_not_found(backend: Backend) -> None:
    with pytest.raises(NotFound, match=PATH):
        backend.show(PATH)
    with pytest.raises(NotFound, match=PATH):
        backend.read(PATH)
    backend.prepare(PATH, ABOUT)
    with pytest.raises(NotFound, match=PATH):
        backend.read(PATH)


def test_secrets_are_listed_below_a_folder_without_keys(backend: Backend) -> None:
    for path in ("pay/production/db", "pay/production/api", "pay/dev/db", "payments/production/x"):
        service, environment, name = path.split("/")
        backend.prepare(path, replace(ABOUT, service=service, environment=environment, name=name))
        backend.write(path, {"value": "one"}, 0)
    listed = list(backend.list("pay/production"))
    assert [one.path for one in listed] == ["pay/production/api", "pay/production/db"]
    assert {(one.keys, one.version, one.state) for one in listed} == {((), 1, "present")}
    assert next(one.path for one in backend.list("pay")) == "pay/dev/db"
    assert len(list(backend.list())) == 4
    assert list(backend.list("nobody")) == []


def test_a_revoked_one_is_gone_and_may_be_made_again(backend: Backend) -> None:
    backend.prepare(PATH, ABOUT)
    backend.write(PATH, {"value": "one"}, 0)
    backend.revoke(PATH)
    backend.revoke(PATH)
    with pytest.raises(NotFound):
        backend.show(PATH)
    backend.prepare(PATH, ABOUT)
    assert backend.write(PATH, {"value": "anew"}, 0) == 1


def test_a_place_that_another_service_has_is_refused(backend: Backend) -> None:
    backend.prepare(PATH, ABOUT)
    with pytest.raises(Refused, match="belongs to pay, not to mail"):
        backend.prepare(PATH, replace(ABOUT, service="mail"))
