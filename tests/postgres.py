"""A private PostgreSQL of the test run's own, on a free port, ended with it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

MISSING = "PostgreSQL is missing: apt-get install postgresql"


def _binary(name: str) -> str | None:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(newest[-1]) if newest else None)


def _owner() -> str | None:
    """Return who runs the server: it refuses root."""
    return "postgres" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Give the URL of a server, for its owner; each database of it is a test's own."""
    initdb, server = _binary("initdb"), _binary("postgres")
    if initdb is None or server is None:
        pytest.skip(MISSING)
    folder = Path(tempfile.mkdtemp(prefix="idp-postgres-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "TZ": "UTC"}
    data, port = folder / "data", _free_port()
    words = [initdb, "-D", str(data), "-A", "trust", "-U", "owner", "-E", "UTF8", "--no-sync"]
    subprocess.run(
        words, check=True, capture_output=True, env=env, cwd="/", user=_owner(), group=_owner()
    )
    words = [server, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
    process = subprocess.Popen(
        [*words, "-c", "fsync=off", "-c", "max_connections=60"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env, cwd="/",
        user=_owner(), group=_owner(),
    )  # fmt: skip
    try:
        _await(port, process)
        yield f"postgresql://owner@127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)  # else it waits for its clients to go
        process.wait()
        shutil.rmtree(folder)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(f"postgresql://owner@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.05)


def new_database(server: str) -> str:
    """Make an empty database and return its URL."""
    import psycopg

    name = f"d{uuid4().hex[:12]}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server}/{name}"
