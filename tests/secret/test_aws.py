"""Secrets Manager: what goes wrong there, in our words."""

from __future__ import annotations

import json
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from idp.config.guardrails import SecretSettings
from idp.errors import InvalidInput, NotAllowed, NotFound, RemoteFailed
from idp.secret.aws import AwsSecrets, Scheduled, aws_secrets, reading_policy
from idp.secret.base import About, LostRace
from tests.moto_server import aws, moto

__all__ = ["aws", "moto"]

PATH = "pay/production/db"
ABOUT = About("pay", "production", "db", "team-a", "req-0123456789", "github.com:alice")


@pytest.fixture
def place(aws: str) -> AwsSecrets:
    return AwsSecrets("eu-west-1")


@pytest.fixture
def console(aws: str) -> Any:
    """Somebody else at AWS's console."""
    return boto3.client("secretsmanager", region_name="eu-west-1")


def test_tags_tell_whose_it_is(place: AwsSecrets, console: Any) -> None:
    place.prepare(PATH, ABOUT)
    tags = {one["Key"]: one["Value"] for one in console.describe_secret(SecretId=PATH)["Tags"]}
    assert tags == {
        "idp:service": "pay",
        "idp:environment": "production",
        "idp:name": "db",
        "idp:owner": "team-a",
        "idp:request": "req-0123456789",
        "idp:expires_at": "",
    }


def test_one_scheduled_for_deletion_is_told_with_what_restores_it(
    place: AwsSecrets, console: Any
) -> None:
    place.prepare(PATH, ABOUT)
    place.write(PATH, {"value": "one"}, 0)
    console.delete_secret(SecretId=PATH, RecoveryWindowInDays=7)
    assert place.show(PATH).state == "deleted"
    for call in (
        lambda: place.read(PATH),
        lambda: place.write(PATH, {"value": "two"}, 1),
        lambda: place.prepare(PATH, ABOUT),
    ):
        with pytest.raises(Scheduled, match="scheduled for deletion") as told:
            call()
        assert "restore-secret --region eu-west-1 --secret-id pay/production/db" in told.value.hint
    place.revoke(PATH)
    with pytest.raises(NotFound):
        place.show(PATH)


def test_a_value_that_somebody_else_wrote_is_a_lost_race(place: AwsSecrets, console: Any) -> None:
    place.prepare(PATH, ABOUT)
    place.write(PATH, {"value": "one"}, 0)
    console.put_secret_value(SecretId=PATH, SecretString=json.dumps({"value": "by hand"}))
    with pytest.raises(LostRace):
        place.write(PATH, {"value": "two"}, 1)
    assert place.show(PATH).version == 2
    assert place.write(PATH, {"value": "three"}, 2) == 3


def test_the_same_value_again_finishes_what_was_cut_short(place: AwsSecrets) -> None:
    place.prepare(PATH, ABOUT)
    place.write(PATH, {"value": "one"}, 0)
    assert place.write(PATH, {"value": "one"}, 0) == 1
    assert place.show(PATH).version == 1


def test_a_value_of_another_shape_is_told_without_it(place: AwsSecrets, console: Any) -> None:
    console.create_secret(Name=PATH, SecretString="canary")
    with pytest.raises(InvalidInput, match="no JSON object") as told:
        place.read(PATH)
    assert "canary" not in str(told.value)
    assert (place.show(PATH).keys, place.show(PATH).version) == ((), 1)


def test_no_region_is_told() -> None:
    with pytest.raises(InvalidInput, match="which region"):
        aws_secrets(SecretSettings(backend="aws"), {})
    assert aws_secrets(SecretSettings(), {"AWS_REGION": "eu-north-1"}).region == "eu-north-1"


def test_without_credentials_one_may_ask_and_not_look(
    aws: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    place = AwsSecrets("eu-west-1")
    place.preflight(PATH)
    with pytest.raises(NotAllowed, match="no credentials for AWS"):
        place.show(PATH)


def test_an_aws_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    given |= {"AWS_ACCESS_KEY_ID": "of-a-story", "AWS_SECRET_ACCESS_KEY": "of-a-story"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RemoteFailed, match=r"cannot reach Secrets Manager at http://127.0.0.1:9"):
        AwsSecrets("eu-west-1").preflight(PATH)


def test_too_large_a_value_is_told_before_it_is_sent(place: AwsSecrets) -> None:
    place.prepare(PATH, ABOUT)
    with pytest.raises(InvalidInput, match="more than 65536 bytes"):
        place.write(PATH, {"value": "x" * 65536}, 0)


def test_the_policy_of_a_service_lets_it_read_its_own_and_nothing_else() -> None:
    (statement,) = reading_policy("eu-west-1", (PATH,))["Statement"]
    assert statement["Action"] == ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    assert statement["Resource"] == [
        "arn:aws:secretsmanager:eu-west-1:*:secret:pay/production/db-??????"
    ]
