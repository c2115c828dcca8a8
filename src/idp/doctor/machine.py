"""Checks of the machine: the programs that idp and its templates call."""

from __future__ import annotations

import platform as machine
import re
import sys
from collections.abc import Iterator

from idp import git, proc
from idp.doctor.world import Check, World
from idp.errors import IdpError

GIT = (2, 38)
"""The first git that can merge trees without a work tree."""

ENGINES = ("docker", "podman")


def git_version(world: World) -> Iterator[Check]:
    """Look for git, new enough."""
    said = _version(world, "git")
    number = re.search(r"\d+\.\d+(\.\d+)?", said or "")
    if said is None or number is None:
        yield Check("git", "problem", said or "not installed", _install("git"))
        return
    major, minor = (int(part) for part in number[0].split(".")[:2])
    if (major, minor) < GIT:
        wanted = ".".join(map(str, GIT))
        yield Check("git", "problem", f"{number[0]}; idp needs {wanted}", _install("git"))
        return
    yield Check("git", "ok", number[0])


def git_identity(world: World) -> Iterator[Check]:
    """Look for the name that commits are made in."""
    missing = [key for key in ("user.name", "user.email") if not _has(world, key)]
    if not missing:
        yield Check("git identity", "ok", "set")
        return
    examples = {"user.name": "'Ada Lovelace'", "user.email": "ada@example.com"}
    mend = " && ".join(f"git config --global {key} {examples[key]}" for key in missing)
    yield Check("git identity", "warning", f"not set: {', '.join(missing)}", mend)


def _has(world: World, key: str) -> bool:
    variable = key.replace("user.", "").upper()
    if any(world.environ.get(f"GIT_{who}_{variable}") for who in ("AUTHOR", "COMMITTER")):
        return True
    done = git.run("config", "--get", key, cwd=world.folder, ok=(0, 1), timeout=4)
    return bool(done.stdout.strip())


def python(_: World) -> Iterator[Check]:
    """Tell the Python that runs idp."""
    yield Check("python", "ok", f"{machine.python_version()} at {sys.executable}")


def make(world: World) -> Iterator[Check]:
    """Look for make, by which services are set up, tested and run."""
    said = _version(world, "make")
    if said is None:
        yield Check("make", "warning", "not installed: services are run by it", _install("make"))
        return
    yield Check("make", "ok", said)


def container_engine(world: World) -> Iterator[Check]:
    """Look for what builds images."""
    found = (said for name in ENGINES if (said := _version(world, name)))
    if said := next(found, ""):
        yield Check("container engine", "ok", said)
        return
    what = f"none of {', '.join(ENGINES)}: needed to build images only"
    yield Check("container engine", "warning", what, _install("podman"))


def _version(world: World, program: str) -> str | None:
    """Return the first line that a program says of its version; None where it does not run."""
    try:
        done = proc.run([program, "--version"], env=world.environ, timeout=4)
    except (IdpError, OSError):
        return None
    return (done.stdout.decode(errors="replace").strip().splitlines() or [program])[0]


def _install(program: str) -> str:
    """Return the command that installs a program on this machine."""
    if sys.platform == "darwin":
        return f"brew install {program}"
    return f"sudo apt-get install {program}, or as your system has it"
