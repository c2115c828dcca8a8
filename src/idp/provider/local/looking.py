"""How an environment stands: read from locks and files, and asked of what runs."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp import daemon, proc
from idp.daemon import Process
from idp.errors import IdpError
from idp.provider.base import Observed, State
from idp.provider.local import processes, state
from idp.provider.local.state import ALIVE, RUNNER, Kept, Look, Unit

HOST = "127.0.0.1"
MOMENT = 2.0
"""Seconds that a look at readiness may take."""

FAILS = 3
"""So often in a row a program ends soon after its start until its release counts as failed."""

HOPELESS = ("exited 126", "exited 127")
"""What a shell says where the command cannot be run."""

TAIL = 20
"""Lines of a log that are told of what failed."""


@dataclass(frozen=True)
class Standing:
    """How one release stands."""

    state: State
    reason: str = ""
    log: tuple[str, ...] = ()


READY = Standing("ready")
CUT_SHORT = (
    Standing("failed", "it was cut short before its release was there"),
    Standing("failed", "it was cut short before its release was started"),
)


def supervisor(folder: Path | str) -> Process:
    """Return the process that supervises a unit, or is the front; it may be gone."""
    told = state.read_json(f"{folder}/{RUNNER}")
    return Process(int(told.get("pid", 0)), str(told.get("born", "")))


def poke(folder: Path) -> None:
    """Let the front look at once at what has changed."""
    front = folder / "front"
    if is_alive(front):
        supervisor(front).send(signal.SIGUSR1)


def is_alive(folder: Path | str) -> bool:
    """Tell whether a supervisor or a front lives."""
    return daemon.is_held(f"{folder}/{ALIVE}")


def observed(folder: Path, kept: Kept, lock: Path, *, cached: bool = False) -> Observed:
    """Return how an environment stands.

    Args:
        lock: is held while somebody changes it: what is not there yet comes then.
        cached: a release that was ready since its programs were started counts as ready.
    """
    if kept.deleting:
        return _told(kept, kept.current, Standing("stopping", _why_not_gone(folder / "removing")))
    standing = _standing(folder, kept, kept.current, cached)
    if standing in CUT_SHORT and daemon.is_held(lock):
        standing = Standing("starting", "somebody is starting it")
    return _told(kept, kept.current, standing)


def _why_not_gone(place: Path) -> str:
    if is_alive(place):
        return ""
    try:
        return f"it cannot be removed: {(place / 'why').read_text()}"
    except FileNotFoundError:
        return "its removal was cut short: begin it again"


def beside(folder: Path, kept: Kept) -> Observed | None:
    """Return the release without traffic as if it were the environment."""
    one = kept.units.get(kept.next)
    if one is None or kept.deleting:
        return None
    seen = _told(kept, one.id, _unit(folder, one, False))
    url = f"http://{HOST}:{one.port}" if one.port else ""
    return Observed(**{**vars(seen), "url": url, "next": ""})


def _told(kept: Kept, release: str, standing: Standing) -> Observed:
    unit = kept.units.get(release)
    return Observed(
        kept.name,
        standing.state,
        kept.url,
        release,
        unit.previous if unit else "",
        kept.fence,
        kept.created_at,
        kept.updated_at,
        kept.expires_at,
        kept.tags,
        kept.next,
        standing.reason,
        standing.log,
    )


def _standing(folder: Path, kept: Kept, release: str, cached: bool) -> Standing:
    unit = kept.units.get(release)
    if unit is None:
        return CUT_SHORT[0]
    standing = _unit(folder, unit, cached)
    if standing.state not in ("ready", "starting") or not kept.port:
        return standing
    if not is_alive(folder / "front"):
        return Standing("failed", "its front is gone", tail(folder / "front" / state.LOG))
    if standing.state == "ready" and kept.fallback and not cached:
        turned = asked(kept).get("release")
        return READY if turned == release else Standing("starting", "requests do not go to it yet")
    return standing


def asked(kept: Kept) -> dict[str, Any]:
    """Ask the front how things stand; nothing where it does not say."""
    with suppress(OSError, http.client.HTTPException, ValueError):
        connection = http.client.HTTPConnection(HOST, kept.port, timeout=MOMENT)
        try:
            connection.request("GET", "/", headers={"idp-front": kept.secret})
            told = json.load(connection.getresponse())
            return told if isinstance(told, dict) else {}
        finally:
            connection.close()
    return {}


def _unit(folder: Path, unit: Unit, cached: bool) -> Standing:
    place = folder / "units" / unit.id
    told = state.read_json(f"{place}/{RUNNER}")
    if not is_alive(place):
        return _gone(place, told)
    for name in unit.servers:
        server = _supervised(folder / "servers" / name, name)
        if server.state != "ready":
            return server
    standing = _supervised(place, "")
    if standing.state != "ready":
        return standing
    programs = told.get("programs", {})
    generation = " ".join(f"{p['pid']}/{p['born']}" for p in programs.values())
    seen = place / "seen"
    with suppress(OSError):
        if cached and seen.read_text() == generation:
            return READY
    for name, look in unit.looks.items():
        if programs.get(name, {}).get("phase") == "done":
            continue
        if why := _missed(look, unit, programs.get(name, {}), place):
            return Standing("starting", f"{name}: {why}")
    with suppress(OSError):
        if not seen.exists() or seen.read_text() != generation:
            state.replace(seen, generation.encode())
    return READY


def _gone(place: Path, told: Mapping[str, Any]) -> Standing:
    if not told:
        return CUT_SHORT[1]
    if not str(told.get("born", "")).startswith(daemon.boot()):
        return Standing("stopped", "this machine was started anew since")
    if told.get("phase") == "failed":
        return Standing("failed", str(told["why"]), _tails(place, told))
    if told.get("phase") == "ended":
        return Standing("stopped", "it was ended")
    return Standing("failed", "its supervisor was killed", _tails(place, told))


def _supervised(place: Path, server: str) -> Standing:
    """Tell what a supervisor says of its programs."""
    told = state.read_json(f"{place}/{RUNNER}")
    who = f"{server}: " if server else ""
    if not is_alive(place):
        gone = _gone(place, told)
        return Standing(gone.state, who + gone.reason, gone.log)
    if told.get("phase") != "running":
        return Standing("starting", f"{who}{told.get('why') or told.get('phase', 'begins')}")
    for name, program in told.get("programs", {}).items():
        what = f"{who}{name} {program['why']}"
        if program["exits"] >= FAILS or program["why"] in HOPELESS:
            times = f" ({program['exits']} times)" if program["exits"] > 1 else ""
            return Standing("failed", f"{what}{times}", tail(place / f"{name}.log"))
        if program["phase"] == "backoff":
            return Standing("starting", f"{what}, and is started again")
        if program["phase"] == "waiting":
            return Standing("starting", f"{who}{name} waits for another")
    return READY


def _missed(look: Look, unit: Unit, program: Mapping[str, Any], place: Path) -> str:
    """Return why a look at readiness does not pass; "" where it does."""
    if look.command:
        return _command(look, program, place)
    if look.path:
        return _request(look)
    return "" if not unit.port or _listens(unit.port) else "nothing listens on its port"


def _command(look: Look, program: Mapping[str, Any], place: Path) -> str:
    pid = int(program.get("pid", 0))
    env = {**processes.environment_of(pid)} if pid else {}
    env |= {processes.UNIT: f"{place}/"}
    try:
        done = proc.run(look.command, env=env, timeout=MOMENT, ok=range(256))
    except IdpError as error:
        return error.message
    return "" if done.code == 0 else f"`{look.command[0]}` exited {done.code}"


def _request(look: Look) -> str:
    """Ask for a page of this machine; certificates are not looked at, as Kubernetes has it."""
    try:
        connection = _connection(look)
        try:
            headers = {"Connection": "close", **look.headers}
            headers |= {"Host": look.host} if look.host else {}
            connection.request("GET", look.path, headers=headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"GET {look.path}: {_words(error)}"
    return "" if 200 <= status < 400 else f"GET {look.path}: {status}"


def _connection(look: Look) -> http.client.HTTPConnection:
    if look.scheme == "HTTP":
        return http.client.HTTPConnection(HOST, look.port, timeout=MOMENT)
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(HOST, look.port, timeout=MOMENT, context=context)


def _words(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer in {MOMENT:g} s"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens on its port"
    return str(error) or type(error).__name__


def _listens(port: int) -> bool:
    import socket

    try:
        socket.create_connection((HOST, port), timeout=MOMENT).close()
    except OSError:
        return False
    return True


def _tails(place: Path, told: Mapping[str, Any]) -> tuple[str, ...]:
    lines = [line for name in told.get("programs", {}) for line in tail(place / f"{name}.log")]
    return tuple(lines[-TAIL:]) or tail(place / state.LOG)


def tail(log: Path, lines: int = TAIL) -> tuple[str, ...]:
    """Return the last lines of a log; none where there is no log."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - 200 * max(lines, 1) - 8192))
            return (
                tuple(file.read().decode(errors="replace").splitlines()[-lines:]) if lines else ()
            )
    except OSError:
        return ()
