"""python-api: its container image, built by podman from a stand-in for the Python image."""

from __future__ import annotations

import ensurepip
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from .stories import ENVIRONMENT, Service, free_port, run, tool, wait_until

# Debian's podman prefers crun, which does not run everywhere runc does.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=16384:16384", "nproc=16384:16384"]
[engine]
runtime = "runc"
"""
RUNTIMES = (
    *("libdl.so.2", "libgcc_s.so.1", "libpthread.so.0", "libresolv.so.2", "librt.so.1"),
    *("libstdc++.so.6", "libutil.so.1"),
)
LEFT_OUT = ("__pycache__", "config-*", "idlelib", "lib2to3", "site-packages", "test", "tkinter")


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


def libraries(binaries: list[Path]) -> set[Path]:
    """Return the shared libraries which binaries need."""
    found = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+)", found, re.M)}


def put(root: Path, path: Path) -> None:
    """Copy a file to where it is, below another root."""
    target = root / path.relative_to("/")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path.resolve(), target)


def python_root(root: Path, wheels: Path) -> None:
    """Fill a folder with this Python, a shell, and the packages that pip will ask for."""
    binary = Path(sys.executable).resolve()
    stdlib = Path(sysconfig.get_path("stdlib"))
    shutil.copytree(
        stdlib, root / stdlib.relative_to("/"), ignore=shutil.ignore_patterns(*LEFT_OUT)
    )
    modules = list(stdlib.glob("lib-dynload/*.so"))
    for path in (
        binary,
        Path("/bin/sh"),
        *libraries([binary, Path("/bin/sh").resolve(), *modules]),
    ):
        put(root, path)
    # Not needed by Python itself, but wheels may count on them (PEP 600).
    for runtime in RUNTIMES:
        for path in (*Path("/lib").glob(f"*/{runtime}"), *Path("/lib64").glob(runtime)):
            put(root, path)
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    (root / "usr/local/bin/python").symlink_to(binary)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    shutil.copytree(wheels, root / "wheels")
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")


@pytest.fixture(scope="session")
def python_image(
    podman: Podman, installed: Service, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The image that the Dockerfile begins with, or what stands in for it."""
    if not Path(ensurepip.__file__).parent.joinpath("_bundled").is_dir():
        pytest.skip("this Python has no pip of its own: run the tests with one from python.org")
    name: str = re.findall(r"^FROM (\S+)", installed.read("Dockerfile"), re.M)[0]
    folder = tmp_path_factory.mktemp("image")
    wheels = folder / "wheels"
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", wheels),
        *(installed.path, "hatchling~=1.27"),
        cwd=folder,
    )
    python_root(folder / "root", wheels)
    run("tar", "--create", "--file=root.tar", "--directory=root", ".", cwd=folder)
    podman("import", "--change=ENV PATH=/usr/local/bin:/usr/bin:/bin", folder / "root.tar", name)
    return name


@pytest.fixture(scope="session")
def image(podman: Podman, python_image: str, installed: Service) -> str:
    name = f"localhost/orders-api:{installed.release}"
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
    assert podman("exec", name, "python", "-c", "import os; print(os.getuid())") == "10001"
    podman("stop", "--time", "60", name)
    (facts,) = json.loads(podman("container", "inspect", name))
    assert facts["State"]["ExitCode"] == 0


def test_the_image_has_what_runs_and_nothing_else(podman: Podman, image: str) -> None:
    listed = "import importlib.metadata as m; print(*{d.name for d in m.distributions()})"
    installed = podman("run", "--rm", image, "python", "-c", listed).split()

    assert {"fastapi", "orders-api"} <= set(installed)
    assert not {"mypy", "pytest", "ruff"} & set(installed)
