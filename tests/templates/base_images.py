"""Stand-ins for the images that Dockerfiles begin with: made from this machine, offline."""

from __future__ import annotations

import ensurepip
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import pytest

from .stories import Service, run, tool

RUNTIMES = (
    *("libdl.so.2", "libgcc_s.so.1", "libpthread.so.0", "libresolv.so.2", "librt.so.1"),
    *("libstdc++.so.6", "libutil.so.1"),
)
LEFT_OUT = ("__pycache__", "config-*", "idlelib", "lib2to3", "site-packages", "test", "tkinter")


def libraries(binaries: Iterable[Path]) -> set[Path]:
    """Return the shared libraries which binaries need."""
    found = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"(?:=> |^\t)(/\S+)", found, re.M)}


def put(root: Path, *paths: Path) -> None:
    """Copy files to where they are, below another root."""
    for path in paths:
        target = root / path.relative_to("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path.resolve(), target)


def put_programs(root: Path, *programs: Path, needing: Iterable[Path] = ()) -> None:
    """Lay down a shell and programs with their libraries, and a folder for temporary files."""
    shell = Path("/bin/sh")
    put(root, shell, *programs, *libraries([shell.resolve(), *programs, *needing]))
    # Not needed by the programs themselves, but wheels may count on them (PEP 600).
    for runtime in RUNTIMES:
        put(root, *Path("/lib").glob(f"*/{runtime}"), *Path("/lib64").glob(runtime))
    (root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)


def python_root(root: Path, service: Service) -> dict[str, str]:
    """Fill a folder with this Python and the packages that pip will ask for."""
    if not Path(ensurepip.__file__).parent.joinpath("_bundled").is_dir():
        pytest.skip("this Python has no pip of its own: run the tests with one from python.org")
    binary, stdlib = Path(sys.executable).resolve(), Path(sysconfig.get_path("stdlib"))
    put_programs(root, binary, needing=stdlib.glob("lib-dynload/*.so"))
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(stdlib, root / stdlib.relative_to("/"), ignore=ignore, dirs_exist_ok=True)
    (root / "usr/local/bin/python").symlink_to(binary)
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--dest", root / "wheels"),
        *(service.path, "hatchling~=1.27"),
        cwd=root,
    )
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels"}


def node_root(root: Path, service: Service) -> dict[str, str]:
    """Fill a folder with this Node.js, its npm, and a cache of the packages in the lock."""
    node, npm = Path(tool("node")).resolve(), Path(tool("npm")).resolve().parents[1]
    put_programs(root, node, Path("/usr/bin/env"))
    modules = root / "usr/local/lib/node_modules"
    shutil.copytree(npm, modules / "npm", symlinks=True)
    if node != Path("/usr/local/bin/node"):
        (root / "usr/local/bin/node").symlink_to(node)
    for name in ("npm", "npx"):
        (root / "usr/local/bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    copy = service.copy(root / "service")
    shutil.rmtree(copy.path / "node_modules")
    words = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", root / "npm-cache")
    run(tool("npm"), *words, cwd=copy.path)
    shutil.rmtree(copy.path)
    return {"NPM_CONFIG_CACHE": "/npm-cache", "NPM_CONFIG_OFFLINE": "true"}


ROOTS = {"python-api": python_root, "node-ts-api": node_root}
