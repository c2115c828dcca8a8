"""What a real OpenBao says, and what we make of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import httpx
import pytest

from idp.clock import SystemClock
from idp.errors import InvalidInput, NotAllowed, NotFound
from idp.vault import AwaitsAuthorization, Deleted, Opened, Stale, Unready, Vault
from tests.openbao import Bao, free_port, openbao, running

__all__ = ["openbao"]


@pytest.fixture
def mount(openbao: Bao) -> str:
    return openbao.mount()


def vault(bao: Bao, token: str = "", **more: object) -> Vault:
    return Vault(bao.url, SystemClock(), token=token or bao.root, token_from="VAULT_TOKEN", **more)  # type: ignore[arg-type]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bao]:
    """A server that a test may seal."""
    bao = Bao(f"http://127.0.0.1:{free_port()}", token_hex(12))
    with running(bao, tmp_path):
        yield bao


def test_sealed(own: Bao) -> None:
    vault(own).check_ready()
    own.call("PUT", "sys/seal")
    with pytest.raises(Unready, match="is sealed"):
        vault(own).check_ready()
    with pytest.raises(Unready, match="is sealed"):
        vault(own).call("GET", "secret/data/x")


def test_on_standby() -> None:
    """A dev server has no standby; this is what one answers whose active node is not known."""

    def answer(request: httpx.Request) -> httpx.Response:
        said = {"errors": ["local node not active but active cluster node not found"]}
        return httpx.Response(500, json=said)

    there = Vault(
        "https://vault.example.com",
        SystemClock(),
        token="t",
        transport=httpx.MockTransport(answer),
    )
    with pytest.raises(Unready, match="standby"):
        there.call("GET", "secret/data/x")


def test_a_token_that_is_none_or_expired(openbao: Bao, mount: str) -> None:
    with pytest.raises(NotAllowed, match="VAULT_TOKEN is no token"):
        vault(openbao, "s.none").call("GET", f"{mount}/data/x")
    token = openbao.token('path "x" { capabilities = ["read"] }')
    openbao.call("POST", "auth/token/revoke", {"token": token})
    with pytest.raises(NotAllowed, match="has expired"):
        vault(openbao, token).call("GET", f"{mount}/data/x")


def test_a_token_without_the_right(openbao: Bao, mount: str) -> None:
    token = openbao.token('path "x" { capabilities = ["read"] }')
    with pytest.raises(NotAllowed, match="may not do this"):
        vault(openbao, token).call("GET", f"{mount}/data/x")


def test_nobody_is_logged_in(openbao: Bao, mount: str) -> None:
    there = Vault(openbao.url, SystemClock())
    there.check_ready()
    with pytest.raises(NotAllowed, match="not logged in"):
        there.call("GET", f"{mount}/data/x")


def test_a_mount_that_is_none_or_of_another_kind(openbao: Bao, mount: str) -> None:
    vault(openbao).check_mount(mount)
    with pytest.raises(NotAllowed, match="no mount 'none'"):
        vault(openbao).check_mount("none")
    openbao.call("POST", f"sys/mounts/{mount}-1", {"type": "kv", "options": {"version": "1"}})
    with pytest.raises(InvalidInput, match="version 2"):
        vault(openbao).check_mount(f"{mount}-1")
    with pytest.raises(NotFound, match="nothing mounted at 'none'"):
        vault(openbao).call("GET", "none/data/x")


def test_a_namespace_that_is_none(openbao: Bao, mount: str) -> None:
    with pytest.raises(NotFound, match="no namespace 'wrong'"):
        vault(openbao, namespace="wrong").call("GET", f"{mount}/data/x")


def test_a_lost_race_and_a_deleted_entry(openbao: Bao, mount: str) -> None:
    there, body = vault(openbao), {"options": {"cas": 0}, "data": {"value": "v"}}
    assert there.call("GET", f"{mount}/data/x", missing=True) == {}
    there.call("POST", f"{mount}/data/x", body)
    with pytest.raises(Stale, match="somebody else"):
        there.call("POST", f"{mount}/data/x", body)
    openbao.call("DELETE", f"{mount}/data/x")
    with pytest.raises(Deleted, match="was deleted at"):
        there.call("GET", f"{mount}/data/x", missing=True)
    with pytest.raises(Stale):
        there.call("POST", f"{mount}/data/x", body)


def test_a_wrapped_token_is_opened_once(openbao: Bao) -> None:
    there = vault(openbao)
    wrapped = there.new_token("no-such-role", "default", 60, 1, wrap=60)
    there.check_wrapped(wrapped, "auth/token/create")
    assert there.unwrap(wrapped)["auth"]["client_token"]
    with pytest.raises(Opened):
        there.unwrap(wrapped)
    with pytest.raises(Opened):
        there.check_wrapped(wrapped, "auth/token/create")


HELD = """
path "{mount}/data/*" {{
  capabilities = ["read"]
  control_group = {{
    ttl = "1h"
    factor "reviewers" {{
      controlled_capabilities = ["read"]
      identity {{
        group_names = ["{group}"]
        approvals = 1
      }}
    }}
  }}
}}
"""
AUTHORIZES = 'path "sys/control-group/authorize" { capabilities = ["create", "update"] }'


def test_a_control_group_holds_back_and_the_next_run_finishes(
    openbao: Bao, mount: str, tmp_path: Path
) -> None:
    group = f"reviewers-{mount}"
    openbao.call("POST", f"{mount}/data/x", {"data": {"value": "canary-77"}})
    alice, _ = openbao.person("alice", HELD.format(mount=mount, group=group))
    bob, entity = openbao.person("bob", AUTHORIZES)
    openbao.call("POST", "identity/group", {"name": group, "member_entity_ids": [entity]})
    there = vault(openbao, alice, kept=tmp_path / "kept")
    with pytest.raises(AwaitsAuthorization, match="until it is authorized") as first:
        there.call("GET", f"{mount}/data/x")
    with pytest.raises(AwaitsAuthorization) as second:
        there.call("GET", f"{mount}/data/x")
    assert first.value.accessor == second.value.accessor
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600 and "canary-77" not in kept.read_text()
    openbao.call("POST", "sys/control-group/authorize", {"accessor": first.value.accessor}, bob)
    assert there.call("GET", f"{mount}/data/x")["data"]["data"] == {"value": "canary-77"}
    assert list((tmp_path / "kept").iterdir()) == []


def test_a_policy_is_written_only_where_it_differs(openbao: Bao) -> None:
    there, name = vault(openbao), f"idp:read:{token_hex(4)}:dev"
    rules = {"x/data/y/*": {"capabilities": ["read"]}}
    there.set_policy(name, rules)
    text = there.policy(name)
    reader = vault(
        openbao, openbao.token(f'path "sys/policies/acl/{name}" {{ capabilities = ["read"] }}')
    )
    reader.set_policy(name, rules)
    assert reader.policy(name) == text
    there.drop_policy(name)
    there.drop_policy(name)
    assert there.policy(name) is None
