"""Taking an environment away: every process, then every file; begun again where it was cut short.

Run as a process of its own too, since whoever asks for it does not wait.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from idp import daemon
from idp.errors import IdpError
from idp.provider.local import processes, resources
from idp.provider.local.artefacts import Artefacts
from idp.provider.local.ports import Ports
from idp.provider.local.state import ALIVE, FILE, RUNNER, Kept, Place, read_json, replace
from idp.provider.provisioners import ask

GRACE = 1.0
"""Seconds that programs have to end by themselves: what they keep is removed as well."""

TRACE = "removal.log"
GONE = ".gone-"
WHY = "why"
"""The file that says why the last try came to nothing."""


def finish(place: Place, name: str, environ: Mapping[str, str]) -> None:
    """Remove an environment; whoever calls it holds its lock.

    Raises:
        IdpError: something is left: a process that cannot be killed, a provisioner that failed.
    """
    folder = place.of(name)
    _end_supervisors(folder)
    if not processes.end(folder, GRACE):
        raise IdpError(f"a process of {name} cannot be killed")
    for made in resources.removals(folder):
        ask(made["command"], "remove", made["request"], made.get("state"), environ)
        resources.forget(folder, made)
    kept = _read_outside(folder)
    if kept:
        shutil.rmtree(kept, ignore_errors=True)
    _clear(folder)
    Ports(place.folder, lambda other: place.of(other).exists()).give_back(
        Ports(place.folder, lambda _: True).of(name)
    )
    named = {unit.artefact for other in place.all() for unit in other.units.values()}
    Artefacts(place.artefacts).prune(named)


def _end_supervisors(folder: Path) -> None:
    """Kill what would start others again, before what it started is asked to end."""
    for told in (*folder.glob(f"units/*/{RUNNER}"), *folder.glob(f"servers/*/{RUNNER}")):
        data = read_json(told)
        daemon.Process(int(data.get("pid", 0)), str(data.get("born", ""))).send(signal.SIGKILL)


def _read_outside(folder: Path) -> str:
    outside = read_json(folder / FILE).get("outside", "")
    return outside if isinstance(outside, str) and outside.startswith("/var/tmp/idp-") else ""


def _clear(folder: Path) -> None:
    """Remove the folder: its name and what says that it is being removed go last, at one stroke."""
    for left in folder.parent.glob(f"{GONE}*"):
        shutil.rmtree(left, ignore_errors=True)
    if not folder.is_dir():
        return
    for inside in folder.iterdir():
        if inside.name not in (FILE, "removing"):
            _remove(inside)
    last = folder.with_name(f"{GONE}{folder.name}")
    folder.rename(last)
    shutil.rmtree(last)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def begin(place: Place, kept: Kept, env: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Start the process that removes an environment, which is marked so already."""
    folder = place.of(kept.name)
    (folder / "removing").mkdir(exist_ok=True)
    daemon.spawn(
        __name__,
        [str(place.folder), kept.name],
        cwd=place.folder,
        env=env,
        log=place.folder / TRACE,
        given=json.dumps(dict(environ)).encode(),
    )


def main(folder: Path, name: str) -> None:
    """Remove one that is marked so."""
    environ = json.loads(daemon.detach())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    place = Place(folder)
    with suppress(FileNotFoundError):
        daemon.be_alone(f"{place.of(name)}/removing/{ALIVE}")
        daemon.begun()
        with daemon.locked(place.lock(name)):
            if read_json(place.of(name) / FILE).get("deleting"):
                _try(place, name, environ)


def _try(place: Place, name: str, environ: Mapping[str, str]) -> None:
    try:
        finish(place, name, environ)
        place.lock(name).unlink(missing_ok=True)
    except (IdpError, OSError) as error:
        replace(place.of(name) / "removing" / WHY, str(error).encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
