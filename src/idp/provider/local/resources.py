"""What a workload needs, as far as this machine has it: servers, folders, names; else the platform.

Passwords that are made here lie in one file for the owner alone.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from idp.config.running import Provisioner
from idp.errors import InvalidInput, NotFound
from idp.provider.base import Release
from idp.provider.local import state
from idp.provider.provisioners import Wanted, fitting, provision, request
from idp.workload.model import Resource
from idp.workload.placeholders import in_order, params

FILE = "resources.json"
KINDS = ("postgres", "redis", "volume", "dns", "route", "secret")
HERE = "127.0.0.1"


@dataclass(frozen=True)
class Step:
    """A program that a server needs before its first start, with what it reads."""

    argv: tuple[str, ...]
    stdin: str = ""


@dataclass(frozen=True)
class Server:
    """A resource that is a process of its own.

    Attributes:
        file: what says that it answers, by a line that has `says` in it.
        wipe: a folder that is made anew where the steps were cut short.
    """

    name: str
    kind: str
    port: int
    argv: tuple[str, ...]
    cwd: str
    steps: tuple[Step, ...] = ()
    wipe: str = ""
    user: str = ""
    file: str = ""
    says: str = ""


@dataclass
class Supplied:
    """All resources of a release.

    Attributes:
        outputs: by resource.
        servers: those that run as processes.
        folders: of volumes, by resource.
    """

    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    servers: list[Server] = field(default_factory=list)
    folders: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Supplier:
    """Makes the resources of one environment, or finds them again.

    Attributes:
        folder: the environment's.
        draw: draws a free port.
        outside: where another user's servers can keep their data.
        port: where the environment is reached.
        environ: for the programs of the platform's provisioners.
    """

    folder: Path
    draw: Callable[[], int]
    outside: Path
    port: int
    provisioners: Sequence[Provisioner]
    environ: Mapping[str, str]

    def supply(self, release: Release) -> Supplied:
        """Make what the release's workload needs; what is there stays as it is.

        Raises:
            InvalidInput: this provider has no such resource, or not all that it needs.
            CommandFailed: a provisioner's program failed.
        """
        known = state.read_json(self.folder / FILE)
        supplied = Supplied()
        supplied.outputs.update({name: dict(out) for name, out in release.given.items()})
        for one in in_order(release.workload):
            if one.name in release.given:
                continue
            filled = params(one, release.workload, supplied.outputs)
            own = self._of_the_platform(release, one, filled, known)
            supplied.outputs[one.name] = own or self._here(one, filled, known, supplied)
        return supplied

    def _of_the_platform(
        self, release: Release, one: Resource, filled: Mapping[str, Any], known: dict[str, Any]
    ) -> dict[str, str] | None:
        """Ask the platform's provisioner; its state is written before anything else is done."""
        own = fitting(self.provisioners, one)
        if own is None:
            return None
        wanted = Wanted(release.environment, release.service, one, filled)
        before = known.get(_key(one), {})
        if own.command:  # whoever removes it must know of it, even if this is cut short
            told = {"command": own.command, "request": request(wanted)}
            self._note(known, one, {"state": None, **before, **told})
        made = provision(own, wanted, before.get("state"), self.environ)
        if own.command:
            self._note(known, one, {**known[_key(one)], "state": made.state})
        return dict(made.outputs)

    def _note(self, known: dict[str, Any], one: Resource, what: Mapping[str, Any]) -> None:
        known[_key(one)] = dict(what)
        state.replace(self.folder / FILE, json.dumps(known).encode())

    def _here(
        self, one: Resource, filled: Mapping[str, Any], known: dict[str, Any], supplied: Supplied
    ) -> dict[str, str]:
        if one.kind == "volume":
            place = self.folder / "volumes" / _key(one)
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            supplied.folders[one.name] = str(place)
            return {"source": str(place)}
        if one.kind == "dns":
            return {"host": HERE, "port": str(self.port), "url": f"http://{HERE}:{self.port}"}
        if one.kind == "route":
            return {}
        if one.kind in ("postgres", "redis"):
            made = self._credentials(one, known)
            server = self._postgres(one, made) if one.kind == "postgres" else self._redis(one, made)
            supplied.servers += [] if server in supplied.servers else [server]
            return self._outputs(one, made)
        if one.kind == "secret":
            raise InvalidInput(
                f"resources.{one.name}: the secret was not given",
                hint="see `idp secret check`; it is read with the rights of whoever starts it",
            )
        raise InvalidInput(
            f"resources.{one.name}: the local provider has no {one.kind!r}"
            f" (it has {', '.join(KINDS)})",
            hint="declare a provisioner for it in the platform file: providers.NAME.provisioners",
        )

    def _credentials(self, one: Resource, known: dict[str, Any]) -> dict[str, Any]:
        found = known.get(_key(one))
        if not found:
            found = {"port": self.draw(), "password": secrets.token_urlsafe(24)}
            self._note(known, one, found)
        return dict(found)

    def _outputs(self, one: Resource, made: Mapping[str, Any]) -> dict[str, str]:
        common = {"host": HERE, "port": str(made["port"]), "password": str(made["password"])}
        if one.kind == "redis":
            return {**common, "username": "default"}
        return {**common, "name": "app", "database": "app", "username": "app"}

    def _postgres(self, one: Resource, made: Mapping[str, Any]) -> Server:
        server, initdb = self._program("postgres"), self._program("initdb")
        user = "" if os.geteuid() else _postgres_user()
        place = self._own_folder(_key(one), user)
        data, password = place / "data", place / "password"
        _private(password, f"{made['password']}\n", user)
        words = ("-A", "scram-sha-256", "-U", "app", "-E", "UTF8", "--locale=C", "--no-sync")
        listen = ("-p", str(made["port"]), "-h", HERE, "-k", "")
        return Server(
            one.name, one.kind, int(made["port"]), (server, "-D", str(data), *listen), str(place),
            (
                Step((initdb, "-D", str(data), f"--pwfile={password}", *words)),
                Step((server, "--single", "-D", str(data), "postgres"), "CREATE DATABASE app\n"),
            ),
            str(data), user, str(data / "postmaster.pid"), "ready",
        )  # fmt: skip

    def _redis(self, one: Resource, made: Mapping[str, Any]) -> Server:
        server = self._program("redis-server")
        place = self._own_folder(_key(one), "")
        settings = {
            "bind": HERE,
            "port": made["port"],
            "requirepass": made["password"],
            "dir": f'"{place}"',
            "appendonly": "yes",
            "save": '""',
            "set-proc-title": "no",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        _private(place / "redis.conf", text, "")
        argv = (server, str(place / "redis.conf"))
        return Server(one.name, one.kind, int(made["port"]), argv, str(place))

    def _own_folder(self, key: str, user: str) -> Path:
        """Return a server's folder; another user's is outside, since ours is closed to others."""
        place = (self.outside if user else self.folder / "data") / key
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if user:
            self.outside.chmod(0o711)
            shutil.chown(place, user, user)
        return place

    def _program(self, name: str) -> str:
        newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_version)
        found = shutil.which(name, path=self.environ.get("PATH")) or (
            str(newest[-1]) if newest else None
        )
        if found is None:
            package = "redis" if name.startswith("redis") else "postgresql"
            raise NotFound(
                f"no program called {name}",
                hint=f"install {package}, or declare a provisioner in the platform file",
            )
        return found


def _version(path: Path) -> tuple[int, str]:
    version = path.parts[-3]
    return (int(version) if version.isdigit() else 0, version)


def _key(one: Resource) -> str:
    """Return what two resources have in common that are the same one."""
    told = "-".join(filter(None, (one.kind, one.klass, one.id or one.name)))
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in told)
    return safe if safe == told else f"{safe}-{_digest(told)}"


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _postgres_user() -> str:
    """Return who runs PostgreSQL for root, which it refuses to serve."""
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise NotFound("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _private(path: Path, text: str, user: str) -> None:
    state.replace(path, text.encode())
    if user:
        shutil.chown(path, user)


def outside(token: str) -> Path:
    """Return the folder of an environment for servers of another user."""
    return Path("/var/tmp") / f"idp-{token[:16]}"


def removals(folder: Path) -> list[dict[str, Any]]:
    """Return what provisioners' programs have made, to be removed by them."""
    known = state.read_json(folder / FILE)
    return [one for one in known.values() if "command" in one]


def forget(folder: Path, one: Mapping[str, Any]) -> None:
    """Note that a provisioner's program has removed what it made."""
    known = state.read_json(folder / FILE)
    left = {key: made for key, made in known.items() if made != one}
    state.replace(folder / FILE, json.dumps(left).encode())


def told(server: Server) -> dict[str, Any]:
    """Return how to tell that a server answers."""
    return {key: asdict(server)[key] for key in ("name", "port", "file", "says")}
