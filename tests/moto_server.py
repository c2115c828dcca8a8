"""A real moto server: AWS's API on a free port of this machine, ended by its process id."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec

import httpx
import pytest


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """Its URL."""
    if not (find_spec("moto") and find_spec("flask") and find_spec("boto3")):
        pytest.skip("no moto server: pip install 'moto[server]' boto3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty AWS for one story, with credentials in the environment; its URL."""
    httpx.post(f"{moto}/moto-api/reset").raise_for_status()
    given = {
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": "of-a-story",
        "AWS_SECRET_ACCESS_KEY": "of-a-story",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return moto


def _await(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            httpx.get(f"{url}/moto-api/data.json", timeout=5)
            return
        except httpx.TransportError:
            assert server.poll() is None, "the moto server ended"
            time.sleep(0.1)
    raise AssertionError("the moto server did not come up")
