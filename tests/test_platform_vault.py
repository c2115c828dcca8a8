"""`vault/` of a platform repository, carried out on a real OpenBao as its README says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from .openbao import Bao, free_port, program, running
from .test_platform import init

KEY = RSAKey.generate_key(2048)
VAULT = "https://vault.example.com"
RIGHT: dict[str, dict[str, Any]] = {
    "github": {
        "repository": "acme/platform",
        "ref": "refs/heads/main",
        "workflow_ref": "acme/platform/.github/workflows/requests.yml@refs/heads/main",
        "environment": "fulfilment",
    },
    "gitlab": {
        "project_path": "acme/platform",
        "ref": "main",
        "ref_type": "branch",
        "ref_protected": "true",
        "ci_config_ref_uri": "gitlab.com/acme/platform//.gitlab-ci.yml@refs/heads/main",
        "environment": "fulfilment",
    },
}


@pytest.fixture
def bao(tmp_path: Path) -> Iterator[Bao]:
    """A server of its own: the README's names are fixed."""
    (tmp_path / "bao").mkdir()
    with running(
        Bao(f"http://127.0.0.1:{free_port()}", "root-of-the-story"), tmp_path / "bao"
    ) as b:
        yield b


def set_up(forge: str, bao: Bao, tmp_path: Path) -> Path:
    """Run the first block of commands of vault/README.md; the issuer's keys are those of here."""
    platform = init(tmp_path / "platform", "--forge", forge)
    readme = (platform / "vault" / "README.md").read_text()
    for command in shell(readme)[0]:
        if "jwt/config" in command:
            pem = KEY.as_pem(private=False).decode()
            bao.call("POST", "auth/jwt/config", {"jwt_validation_pubkeys": [pem]})
        else:
            run(command, bao, platform)
    return platform


def shell(readme: str) -> list[list[str]]:
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", readme, re.S)]


def run(command: str, bao: Bao, folder: Path) -> str:
    name, *words = command.split()
    assert name == "bao"
    done = subprocess.run(
        [program(), *words],
        cwd=folder, env=os.environ | {"VAULT_ADDR": bao.url, "VAULT_TOKEN": bao.root},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def login(bao: Bao, claims: dict[str, Any]) -> str:
    """Return the token of a job's login; empty where it is refused."""
    now = int(time.time())
    said = {"sub": "a job", "aud": VAULT, "iat": now, "exp": now + 60} | claims
    token = jwt.encode({"alg": "RS256"}, said, KEY)
    answer = bao.call(
        "POST", "auth/jwt/login", {"role": "idp-fulfil", "jwt": token}, token="none", ok=False
    )
    return str((answer.get("auth") or {}).get("client_token", ""))


@pytest.mark.parametrize("forge", RIGHT)
def test_the_job_of_the_protected_branch_gets_in_and_no_other(
    forge: str, bao: Bao, tmp_path: Path
) -> None:
    set_up(forge, bao, tmp_path)
    assert login(bao, RIGHT[forge])
    assert not login(bao, RIGHT[forge] | {"aud": "idp"})
    for claim in RIGHT[forge]:
        assert not login(bao, RIGHT[forge] | {claim: "another"}), claim
        assert not login(bao, {k: v for k, v in RIGHT[forge].items() if k != claim}), claim


def test_it_may_do_what_fulfilment_takes_and_read_no_value(bao: Bao, tmp_path: Path) -> None:
    set_up("github", bao, tmp_path)
    token = login(bao, RIGHT["github"])
    may = {
        "secret/metadata/pay/prod/db": {"create", "read", "update", "delete", "list"},
        "secret/subkeys/pay/prod/db": {"read"},
        "secret/data/pay/prod/db": {"deny"},
        "sys/policies/acl/idp:read:pay:prod": {"create", "read", "update", "delete"},
        "sys/policies/acl/idp-fulfil": {"deny"},
        "sys/policies/acl/admin": {"deny"},
        "auth/token/create/idp-writer": {"create", "update"},
        "auth/token/create": {"deny"},
        "auth/token/create-orphan": {"deny"},
        "auth/jwt/role/idp-fulfil": {"deny"},
    }
    told = bao.call("POST", "sys/capabilities-self", {"paths": list(may)}, token)["data"]
    assert {path: set(told[path]) for path in may} == may


def test_its_writers_write_and_have_no_other_policy(bao: Bao, tmp_path: Path) -> None:
    set_up("github", bao, tmp_path)
    token = login(bao, RIGHT["github"])
    rules = 'path "secret/data/pay/prod/db" { capabilities = ["create"] }'
    for name in ("idp:write:pay:prod:db", "idp:read:pay:prod"):
        bao.call("PUT", f"sys/policies/acl/{name}", {"policy": rules}, token)

    def writer(*policies: str) -> dict[str, Any]:
        asked = {"policies": [*policies], "ttl": "1h", "num_uses": 3}
        return bao.call("POST", "auth/token/create/idp-writer", asked, token, ok=False)

    made = writer("idp:write:pay:prod:db")["auth"]
    assert (made["policies"], made["orphan"]) == (["idp:write:pay:prod:db"], True)
    value = {"data": {"value": "x"}}
    assert bao.call("POST", "secret/data/pay/prod/db", value, made["client_token"])
    for other in ("idp-fulfil", "idp:read:pay:prod", "root", "default"):
        assert "errors" in writer(other), other


def test_on_gitea_it_logs_in_by_an_approle(bao: Bao, tmp_path: Path) -> None:
    platform = set_up("gitea", bao, tmp_path)
    ids = shell((platform / "vault" / "README.md").read_text())[1]
    role_id, secret_id = (run(command, bao, platform) for command in ids)
    asked = {"role_id": role_id, "secret_id": secret_id}
    auth = bao.call("POST", "auth/approle/login", asked, token="none")["auth"]
    assert set(auth["policies"]) == {"default", "idp-fulfil"}


def test_its_roles_are_json_for_the_address_that_was_given(tmp_path: Path) -> None:
    address = "https://bao.acme.test:8200"
    platform = init(tmp_path / "platform", "--data", f"vault={address}")
    role = json.loads((platform / "vault" / "idp-fulfil.json").read_text())
    assert role["bound_audiences"] == [address]
