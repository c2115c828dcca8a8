"""What is kept of an environment on disk: one file that says it all, replaced whole, under a lock.

Imported by what runs for as long as an environment does, so it imports little.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from idp.errors import InvalidInput

FILE = "environment.json"
ALIVE = "alive"
"""The file that a supervisor, a front or a remover holds a lock on while it lives."""

RUNNER = "runner.json"
LOG = "idp.log"


@dataclass(frozen=True)
class Look:
    """How readiness is looked for; a container without one is ready when it runs."""

    path: str = ""
    port: int = 0
    scheme: str = "HTTP"
    host: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """A release as it runs here.

    Attributes:
        port: where requests go; 0 where it publishes nothing.
        routes: paths with ports of their own, the longest first.
        looks: of each container, how its readiness is looked for.
        ports: all that it has.
        servers: the resources that run as processes for it.
    """

    id: str
    previous: str = ""
    artefact: str = ""
    port: int = 0
    routes: tuple[tuple[str, int], ...] = ()
    looks: Mapping[str, Look] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    servers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """An environment.

    Attributes:
        token: in the environment of each of its processes; random.
        secret: with which the front answers questions.
        port: where it is reached; 0 where it publishes nothing.
        current: the release that traffic goes to.
        next: the one beside it, without traffic.
        fallback: the one that answers until the current one is ready.
        leaving: those that end as soon as their requests are answered.
        outside: a folder of its own elsewhere, for servers of another user; or empty.
    """

    name: str
    token: str
    secret: str
    fence: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    current: str = ""
    next: str = ""
    fallback: str = ""
    leaving: tuple[str, ...] = ()
    units: Mapping[str, Unit] = field(default_factory=dict)
    deleting: bool = False
    outside: str = ""

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}" if self.port else ""


def read(folder: Path | str) -> Kept | None:
    """Return the environment in a folder; None where there is none.

    Raises:
        InvalidInput: the file is damaged.
    """
    path = f"{folder}/{FILE}"
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - of 500 environments each is read
            return kept(json.load(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, LookupError) as error:
        raise InvalidInput(
            f"{path} is damaged: {error}", hint="take the environment down"
        ) from None


def kept(data: dict[str, Any]) -> Kept:
    """Return an environment from its JSON."""
    for key in ("created_at", "updated_at", "expires_at"):
        data[key] = datetime.fromisoformat(data[key]) if data[key] else None
    data["leaving"] = tuple(data["leaving"])
    data["units"] = {name: unit(part) for name, part in data["units"].items()}
    return Kept(**data)


def unit(data: dict[str, Any]) -> Unit:
    """Return a unit from its JSON."""
    looks = {
        name: Look(**(look | {"command": tuple(look["command"])}))
        for name, look in data["looks"].items()
    }
    routes = tuple((path, port) for path, port in data["routes"])
    return Unit(
        **(
            data
            | {
                "looks": looks,
                "routes": routes,
                "servers": tuple(data["servers"]),
                "ports": tuple(data["ports"]),
            }
        )
    )


def write(folder: Path, environment: Kept) -> None:
    """Replace the file of an environment, all at once."""
    text = json.dumps(asdict(environment), default=lambda time: time.isoformat())
    replace(folder / FILE, text.encode())


def replace(path: Path | str, content: bytes) -> None:
    """Write a file beside and put it in its place, for its owner alone."""
    folder, name = os.path.split(path)
    handle, draft = tempfile.mkstemp(prefix=f".{name}-", dir=folder)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - a file descriptor
            file.write(content)
        os.replace(draft, path)  # noqa: PTH105 - `path` may be text
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(draft)  # noqa: PTH108 - `draft` is text
        raise


def read_json(path: Path | str) -> dict[str, Any]:
    """Return what a file of ours holds; nothing where it is not there or was cut short."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - of 500 environments each is read
            found = json.load(file)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True)
class Place:
    """Where the local provider keeps its things."""

    folder: Path

    @property
    def environments(self) -> Path:
        """A folder each."""
        return self.folder / "environments"

    @property
    def artefacts(self) -> Path:
        """What was built: SERVICE/TREE."""
        return self.folder / "artefacts"

    def of(self, name: str) -> Path:
        """Return the folder of an environment."""
        return self.environments / name

    def lock(self, name: str) -> Path:
        """Return the lock of an environment, which is outside of its folder."""
        return self.folder / "locks" / name

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            InvalidInput: they cannot be made.
        """
        try:
            for folder in (self.environments, self.artefacts, self.folder / "locks"):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise InvalidInput(
                f"cannot write {self.folder}: {error.strerror}",
                hint="set XDG_STATE_HOME to a folder of yours",
            ) from error

    def all(self) -> Iterator[Kept]:
        """Yield every environment; those that are damaged are left out."""
        try:
            names = sorted(os.listdir(self.environments))  # noqa: PTH208 - names alone
        except FileNotFoundError:
            return
        for name in names:
            with suppress(InvalidInput):
                if not name.startswith(".") and (found := read(f"{self.environments}/{name}")):
                    yield found
