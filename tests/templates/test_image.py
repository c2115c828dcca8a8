"""Its container image, built by podman from a stand-in for the image it begins with."""

from __future__ import annotations

import fnmatch
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from .base_images import ROOTS
from .stories import ENVIRONMENT, Service, free_port, run, tool, wait_until

# Debian's podman prefers crun, which does not run everywhere runc does.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
"""


class Podman:
    """Podman with a store of its own."""

    def __init__(self, folder: Path) -> None:
        conf = folder / "containers.conf"
        conf.write_text(CONTAINERS_CONF)
        self.env = {"CONTAINERS_CONF": str(conf), "BUILDAH_ISOLATION": "oci"}
        self.command = (
            *(tool("podman"), "--root", str(folder / "store"), "--runroot", str(folder / "run")),
        )

    def __call__(self, *words: str | Path) -> str:
        return run(*self.command, *words, cwd=Path("/"), env=self.env).strip()


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    tool("runc")
    # Podman takes no run folder with a path of more than 50 characters.
    folder = Path(tempfile.mkdtemp(prefix="idp-podman-", dir="/tmp"))
    podman = Podman(folder)
    works = subprocess.run(
        [*podman.command, "info"], env=ENVIRONMENT | podman.env, capture_output=True, text=True
    )
    if works.returncode:
        pytest.skip(f"podman does not work here: {works.stderr.strip()}")
    yield podman
    podman("rm", "--all", "--force", "--time", "0")
    podman("rmi", "--all", "--force")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def base_image(
    podman: Podman, installed: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The image that the Dockerfile begins with, or what stands in for it."""
    name: str = re.findall(r"^FROM (\S+)", installed.read("Dockerfile"), re.M)[0]
    folder = tmp_path_factory.mktemp("image")
    (folder / "root").mkdir()
    variables = ROOTS[installed.template](folder / "root", installed)
    variables |= {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    run("tar", "--create", "--file=root.tar", "--directory=root", ".", cwd=folder)
    changes = (f"--change=ENV {key}={value}" for key, value in variables.items())
    podman("import", *changes, folder / "root.tar", name)


@pytest.fixture(scope="session")
def image(podman: Podman, base_image: None, installed: Service) -> str:
    name = f"localhost/{installed.release.replace('@', ':')}"
    installed.make(
        "build", f"CONTAINER={' '.join(podman.command)}", f"IMAGE={name}", env=podman.env
    )
    return name


def test_the_image_says_how_it_wants_to_be_run(podman: Podman, image: str) -> None:
    (facts,) = json.loads(podman("image", "inspect", image))

    assert facts["User"] == "10001:10001"
    assert facts["Config"]["ExposedPorts"] == {"8080/tcp": {}}
    assert "/healthz" in " ".join(facts["Healthcheck"]["Test"])
    assert facts["Labels"]["org.opencontainers.image.title"] == "orders-api"


def test_a_container_serves_without_root_or_a_writable_disk(podman: Podman, image: str) -> None:
    port = free_port()
    name = f"orders-{uuid4().hex[:8]}"
    podman(
        *("run", "--detach", "--name", name, "--read-only", "--cap-drop=all"),
        *("--security-opt=no-new-privileges", f"--publish=127.0.0.1:{port}:8080", image),
    )
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        try:
            return httpx.get(f"{url}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    wait_until(ready, lambda: podman("logs", name))
    assert httpx.post(f"{url}/v1/items", json={"name": "x"}, trust_env=False).status_code == 201
    podman("healthcheck", "run", name)
    assert podman("top", name, "user").split() == ["USER", "10001"]
    podman("stop", "--time", "60", name)
    (facts,) = json.loads(podman("container", "inspect", name))
    assert facts["State"]["ExitCode"] == 0


def test_the_image_has_what_runs_and_nothing_else(
    podman: Podman, image: str, installed: Service, tmp_path: Path
) -> None:
    podman("export", "--output", tmp_path / "image.tar", podman("create", image))
    with tarfile.open(tmp_path / "image.tar") as tar:
        inside = tar.getnames()

    language = installed.language
    assert [pattern for pattern in language.needed if not fnmatch.filter(inside, pattern)] == []
    assert [pattern for pattern in language.not_needed if fnmatch.filter(inside, pattern)] == []
