"""What score.yaml says of secrets, what is amiss with them, and how a service gets at them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml

from idp.clock import SystemClock
from idp.config.guardrails import SecretSettings
from idp.errors import InvalidInput, NotFound, Refused
from idp.secret.aws import AwsSecrets
from idp.secret.base import About
from idp.secret.check import check
from idp.secret.connect import vault_kv
from idp.secret.exec import variables
from idp.secret.local import LocalSecrets
from idp.secret.manifest import manifests, policy_of, write
from idp.secret.score import Workload, look
from tests.roads import open_road
from tests.service.stories import idp

SCORE = """\
apiVersion: score.dev/v1b1
metadata:
  name: pay
containers:
  main:
    image: .
    variables:
      LOG_LEVEL: INFO
      API_KEY: ${resources.stripe.value}
      DATABASE_URL: postgres://${resources.db.user}:${resources.db.password}@localhost/$${name}
      HOST: ${resources.cache.host}:${resources.stripe.value}
resources:
  db:
    type: secret
    params: {name: db-login}
  stripe:
    type: secret
  cache:
    type: redis
"""
SETTINGS = SecretSettings()
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class At:
    """A clock that a story sets."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def place(tmp_path: Path) -> LocalSecrets:
    return LocalSecrets(tmp_path / "secrets", At())


def workload(tmp_path: Path, text: str = SCORE) -> Workload:
    (tmp_path / "score.yaml").write_text(text)
    return look(tmp_path / "score.yaml", "score.yaml")


def made(place: LocalSecrets, name: str, until: datetime | None = None, **values: str) -> None:
    path = f"pay/dev/{name}"
    place.prepare(path, About("pay", "dev", name, expires_at=until))
    place.write(path, values, 0)


def amiss(place: LocalSecrets, found: Workload, now: datetime = NOW) -> list[tuple[str, str, str]]:
    lacks = check(found, place, SETTINGS, "pay", "dev", now)
    return [(one.kind, one.secret, one.at) for one in lacks]


def test_secrets_are_resources_of_the_type_secret(tmp_path: Path) -> None:
    found = workload(tmp_path)
    assert [(one.resource, one.name, dict(one.keys), one.line) for one in found.needed] == [
        ("db", "db-login", {"user": 10, "password": 10}, 13),
        ("stripe", "stripe", {"value": 9}, 16),
    ]
    assert set(found.variables) == {"API_KEY", "DATABASE_URL"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", r"score.yaml:\d+: not YAML"),
        ("", "score.yaml is no Score file"),
        ("resources:\n  db: {type: secret, params: {name: ../x}}", r"score.yaml:2: '../x' is no"),
    ],
)
def test_what_is_no_score_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        workload(tmp_path, text)
    with pytest.raises(NotFound, match="no file none"):
        look(tmp_path / "none.yaml", "none.yaml")


def test_check_tells_what_is_missing_with_its_line(tmp_path: Path, place: LocalSecrets) -> None:
    made(place, "db-login", user="pay")
    place.prepare("pay/dev/stripe", About("pay", "dev", "stripe"))
    assert amiss(place, workload(tmp_path)) == [
        ("missing", "pay/dev/db-login", "score.yaml:10"),
        ("missing", "pay/dev/stripe", "score.yaml:16"),
    ]


def test_check_tells_what_is_stale_or_unused(tmp_path: Path, place: LocalSecrets) -> None:
    made(place, "db-login", user="pay", password="canary")
    made(place, "stripe", NOW + timedelta(days=30), value="canary")
    assert amiss(place, workload(tmp_path)) == []
    made(place, "left-over", value="canary")
    assert amiss(place, workload(tmp_path), NOW + timedelta(days=30)) == [
        ("stale", "pay/dev/stripe", "score.yaml:16"),
        ("unused", "pay/dev/left-over", ""),
    ]
    assert amiss(place, workload(tmp_path), NOW + timedelta(days=90))[0] == (
        "stale",
        "pay/dev/db-login",
        "score.yaml:13",
    )


def test_a_named_secret_that_nothing_uses_is_told(tmp_path: Path, place: LocalSecrets) -> None:
    made(place, "spare", value="canary")
    found = workload(tmp_path, "resources:\n  spare:\n    type: secret\n")
    assert amiss(place, found) == [("unused", "pay/dev/spare", "score.yaml:2")]


def test_secrets_of_others_are_nobodys_business(tmp_path: Path, place: LocalSecrets) -> None:
    place.prepare("payments/dev/x", About("payments", "dev", "x"))
    place.prepare("pay/production/y", About("pay", "production", "y"))
    assert amiss(place, workload(tmp_path, "metadata: {name: pay}\n")) == []


def test_variables_are_those_of_the_workload_filled(tmp_path: Path, place: LocalSecrets) -> None:
    made(place, "db-login", user="pay", password="p$w")
    made(place, "stripe", value="key")
    assert variables(place, SETTINGS, "pay", "dev", workload(tmp_path)) == {
        "API_KEY": "key",
        "DATABASE_URL": "postgres://pay:p$w@localhost/${name}",
    }


def test_without_a_workload_each_secret_is_a_variable(place: LocalSecrets) -> None:
    made(place, "db-login", user="pay", value="canary")
    assert variables(place, SETTINGS, "pay", "dev", None) == {
        "DB_LOGIN": "canary",
        "DB_LOGIN_USER": "pay",
    }
    with pytest.raises(NotFound, match="no secret of pay in production"):
        variables(place, SETTINGS, "pay", "production", None)


def test_a_key_that_is_missing_is_told_and_no_value(tmp_path: Path, place: LocalSecrets) -> None:
    made(place, "db-login", user="canary")
    made(place, "stripe", value="canary")
    with pytest.raises(NotFound, match="DATABASE_URL needs the key 'password'") as told:
        variables(place, SETTINGS, "pay", "dev", workload(tmp_path))
    assert "canary" not in str(told.value)


def manifest(found: Workload, kind: Literal["vault", "aws"], store: str = "") -> dict[str, Any]:
    settings = replace(SETTINGS, backend=kind, url="https://vault.example.com", namespace="eu")
    place = AwsSecrets("eu-west-1") if kind == "aws" else vault_kv(settings, {}, Path(), At())
    text = manifests(found, settings, "pay", "dev", place, store).text
    return {one["kind"]: one["spec"] for one in yaml.safe_load_all(text)}


def test_the_manifest_has_an_entry_for_each_value_used(tmp_path: Path) -> None:
    made = manifest(workload(tmp_path), "vault")
    external = made["ExternalSecret"]
    assert external["data"] == [
        {"secretKey": "db.user", "remoteRef": {"key": "pay/dev/db-login", "property": "user"}},
        {
            "secretKey": "db.password",
            "remoteRef": {"key": "pay/dev/db-login", "property": "password"},
        },
        {"secretKey": "stripe.value", "remoteRef": {"key": "pay/dev/stripe", "property": "value"}},
    ]
    assert external["secretStoreRef"] == {"kind": "SecretStore", "name": "pay-secrets"}
    vault = made["SecretStore"]["provider"]["vault"]
    assert (vault["server"], vault["path"], vault["version"], vault["namespace"]) == (
        "https://vault.example.com",
        "secret",
        "v2",
        "eu",
    )


def test_the_manifest_for_aws_names_the_region_and_may_use_a_store_of_the_cluster(
    tmp_path: Path,
) -> None:
    store = manifest(workload(tmp_path), "aws")["SecretStore"]["provider"]["aws"]
    assert (store["service"], store["region"]) == ("SecretsManager", "eu-west-1")
    made = manifest(workload(tmp_path), "aws", "company")
    assert set(made) == {"ExternalSecret"}
    assert made["ExternalSecret"]["secretStoreRef"] == {
        "kind": "ClusterSecretStore",
        "name": "company",
    }
    policy = policy_of(workload(tmp_path), SETTINGS, "pay", "dev", AwsSecrets("eu-west-1"))
    assert "secret:pay/dev/db-login-??????" in policy["Statement"][0]["Resource"][0]


def test_no_cluster_reads_the_secrets_of_this_machine(tmp_path: Path, place: LocalSecrets) -> None:
    with pytest.raises(Refused, match="no cluster can read"):
        manifests(workload(tmp_path), SETTINGS, "pay", "dev", place)
    with pytest.raises(Refused, match="not in AWS"):
        policy_of(workload(tmp_path), SETTINGS, "pay", "dev", place)


def test_a_manifest_is_written_by_the_road_and_once(tmp_path: Path) -> None:
    aws, file = AwsSecrets("eu-west-1"), tmp_path / "deploy" / "secrets.yaml"
    printed = manifests(workload(tmp_path), SETTINGS, "pay", "dev", aws)
    assert write(printed, file, "f", open_road(), dry=True).status == "planned"
    assert not file.exists()
    assert write(printed, file, "f", open_road()).status == "written"
    assert file.read_text() == printed.text
    assert write(printed, file, "f", open_road()).status == "unchanged"
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(InvalidInput, match="no file of its own"):
        write(printed, tmp_path / "link", "link", open_road())


def test_the_command_checks_and_tells_by_its_exit_code(tmp_path: Path) -> None:
    workload(tmp_path, SCORE)
    told = idp("-C", tmp_path, "secret", "check", "--env", "dev", "--json")
    assert told.code == 3
    assert {(one["kind"], one["at"]) for one in json.loads(told.out)} == {
        ("missing", "score.yaml:13"),
        ("missing", "score.yaml:16"),
    }
    own = LocalSecrets(Path(os.environ["XDG_STATE_HOME"]) / "idp" / "secrets", SystemClock())
    made(own, "db-login", user="pay", password="canary")
    made(own, "stripe", value="canary")
    assert idp("-C", tmp_path, "secret", "check", "--env", "dev").code == 0
    made(own, "left-over", value="canary")
    assert idp("-C", tmp_path, "secret", "check", "--env", "dev").code == 0
    assert idp("-C", tmp_path, "secret", "check", "--env", "dev", "--strict").code == 3
    assert idp("-C", tmp_path, "secret", "manifest", "--env", "dev").code == 5


def test_the_command_writes_the_manifest(tmp_path: Path) -> None:
    workload(tmp_path, SCORE)
    (tmp_path / "p.yaml").write_text("version: 1\nsecrets: {backend: aws, region: eu-west-1}\n")
    words = ("-C", tmp_path, "--platform", tmp_path / "p.yaml", "secret", "manifest")
    printed = idp(*words, "--env", "dev")
    assert printed.code == 0
    assert idp(*words, "--env", "dev", "--write", "x.yaml", "--dry-run").code == 0
    assert not (tmp_path / "x.yaml").exists()
    assert idp(*words, "--env", "dev", "--write", "x.yaml").code == 0
    assert (tmp_path / "x.yaml").read_text() == printed.out
    policy = idp(*words, "--env", "dev", "--policy")
    assert json.loads(policy.out)["Version"] == "2012-10-17"


BECOMES = """\
import sys
from idp.proc import become
become(sys.argv[1:], {"PATH": "/usr/bin:/bin", "SECRET": "canary"})
"""


def become(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BECOMES, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_program_takes_our_place_with_its_exit_code_and_streams() -> None:
    run = become("sh", "-c", 'cat; echo "$SECRET"; exit 41')
    assert run.communicate("given\n") == ("given\ncanary\n", "")
    assert run.returncode == 41


def test_signals_reach_the_program() -> None:
    run = become("sh", "-c", "trap 'echo caught; exit 7' TERM; echo ready; read line")
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    run.send_signal(signal.SIGTERM)
    assert run.communicate("\n")[0] == "caught\n"
    assert run.returncode == 7


def test_a_program_that_there_is_not_is_told_without_its_environment() -> None:
    out, err = become("no-such-program").communicate()
    assert "NotFound: cannot run no-such-program: No such file or directory" in err
    assert "canary" not in out + err
