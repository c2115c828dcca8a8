"""The front of an environment: a reverse proxy on its port, which sends requests to its release.

One small process each. It reads the environment's file whenever that is replaced, so that a switch
counts between one request and the next, whoever makes it and whenever they are killed.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import resource
import signal
import socket
import sys
import time
from collections import Counter
from contextlib import suppress

import h11

from idp import daemon
from idp.daemon import Process
from idp.errors import InvalidInput
from idp.provider.local import forward
from idp.provider.local.forward import Left, Link, Unanswered
from idp.provider.local.state import ALIVE, FILE, RUNNER, Kept, Unit, read, read_json, replace

HOLD = 10.0
"""Seconds for which a request waits until a release answers."""

DRAIN = 30.0
"""Seconds that the requests of a release which is to end may take."""

IDLE = 75.0
LOOK = 0.05
PAUSE = 1.0
"""Seconds between two looks where nothing is awaited; a signal ends the pause."""

SAFE = (b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE")
SECRET = b"idp-front"


class Front:
    """The proxy, with what it knows of the environment."""

    def __init__(self, folder: str, state: Kept) -> None:
        self.folder = folder
        self.state = state
        self.stamp: tuple[int, int] = (0, 0)
        self.open: Counter[str] = Counter()
        self.ready: set[str] = set()
        self.ending: dict[str, asyncio.Task[None]] = {}
        self.ended: set[str] = set()
        self.is_over = False
        self.poked = asyncio.Event()

    def look(self) -> Kept:
        """Return the environment as it is now; a file that is being removed ends the front."""
        try:
            status = os.stat(f"{self.folder}/{FILE}")  # noqa: PTH116 - for each request
        except FileNotFoundError:
            self.end()
            return self.state
        stamp = (status.st_ino, status.st_mtime_ns)
        if stamp != self.stamp:
            found = None
            with suppress(InvalidInput):  # what was known before still holds
                found = read(self.folder)
            if found:
                self.state, self.stamp = found, stamp
                self.ready &= found.units.keys()
        return self.state

    def end(self) -> None:
        """Let it be over."""
        self.is_over = True
        self.poked.set()

    @property
    def turned(self) -> str:
        """The release that requests go to."""
        state = self.state
        if state.fallback and state.current not in self.ready:
            return state.fallback
        return state.current

    def target(self) -> Unit | None:
        """Return the release that requests go to."""
        return self.look().units.get(self.turned)

    async def follow(self) -> None:
        """See whether a new release is ready, and end those that leave, until the end."""
        while not self.is_over:
            self.poked.clear()
            state = self.look()
            if state.fallback and state.current not in self.ready:
                await self._try(state.units.get(state.current))
            leaving = set(state.leaving)
            if state.fallback and state.current in self.ready:
                leaving.add(state.fallback)
            self.ended &= leaving
            for release in leaving - {self.turned} - self.ending.keys() - self.ended:
                self.ending[release] = asyncio.create_task(self._end(release))
            self.ending = {name: task for name, task in self.ending.items() if not task.done()}
            waits = state.fallback and state.current not in self.ready
            with suppress(TimeoutError):
                await asyncio.wait_for(self.poked.wait(), LOOK if waits else PAUSE)

    async def _try(self, unit: Unit | None) -> None:
        if unit is None:
            return
        looks = [look for look in unit.looks.values() if look.path and look.scheme == "HTTP"]
        for look in looks or (None,):
            if not await forward.is_ready(look.port if look else unit.port, look):
                return
        if _runner(self.folder, unit.id).is_there:
            self.ready.add(unit.id)

    async def _end(self, release: str) -> None:
        """End a release when its requests are answered, or have taken too long."""
        give_up = time.monotonic() + DRAIN
        while self.open[release] and time.monotonic() < give_up:
            await asyncio.sleep(LOOK)
        runner = _runner(self.folder, release)
        if not self._is_wanted(release):
            runner.send(signal.SIGTERM)
        while runner.is_there and not self._is_wanted(release):
            await asyncio.sleep(LOOK)
        if not runner.is_there:
            self.ended.add(release)

    def _is_wanted(self, release: str) -> bool:
        """Tell whether it has been called back in the meantime."""
        state = self.look()
        called = release in (state.current, state.next) and release not in state.leaving
        return called or release == self.turned

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        client = Link(h11.Connection(h11.SERVER, forward.LARGEST), reader, writer)
        try:
            while await self._one(client):
                client.connection.start_next_cycle()
        except (OSError, TimeoutError, Left):
            pass
        except h11.RemoteProtocolError as error:
            with suppress(h11.LocalProtocolError, OSError):
                await forward.say(client, error.error_status_hint, "this is no request")
        except h11.LocalProtocolError:  # the release broke off its answer; so do we
            pass
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _one(self, client: Link) -> bool:
        """Answer one request; tell whether another may follow."""
        event = await asyncio.wait_for(client.next_event(), IDLE)
        if not isinstance(event, h11.Request):
            return False
        headers = dict(event.headers)
        if secret := headers.get(SECRET):
            return await self._answer(client, secret)
        if event.method == b"CONNECT":
            await forward.say(client, 405, "this front is no proxy for other hosts")
            return False
        if not forward.has_body(event):
            await client.next_event()
        await self._forward(client, event)
        both = (client.connection.our_state, client.connection.their_state)
        return both == (h11.DONE, h11.DONE)

    async def _answer(self, client: Link, secret: bytes) -> bool:
        """Tell the provider, who has the secret, how things stand."""
        if not hmac.compare_digest(secret, self.state.secret.encode()):
            await forward.say(client, 403, "no")
            return False
        self.look()
        told = {"release": self.turned, "ready": sorted(self.ready), "open": +self.open}
        await forward.say(client, 200, json.dumps(told))
        return False

    async def _forward(self, client: Link, request: h11.Request) -> None:
        """Send a request to the release, and to the next one where the first has just ended."""
        give_up = time.monotonic() + HOLD
        while True:
            unit = self.target()
            if unit is not None and (port := _port(unit, request.target)):
                self.open[unit.id] += 1
                try:
                    return await forward.forward(client, request, port)
                except ConnectionRefusedError:
                    pass
                except Unanswered:
                    if request.method not in SAFE or forward.has_body(request):
                        return await forward.say(client, 502, "the service broke off")
                finally:
                    self.open[unit.id] -= 1
            if time.monotonic() > give_up or self.is_over:
                return await forward.say(client, 503, "the service does not answer yet")
            await asyncio.sleep(LOOK)


def _port(unit: Unit, target: bytes) -> int:
    """Return the port that a path goes to."""
    path = target.decode("ascii", "replace").partition("?")[0]
    for prefix, port in unit.routes:
        if path == prefix or path.startswith(prefix.rstrip("/") + "/"):
            return port
    return unit.port


def _runner(folder: str, release: str) -> Process:
    told = read_json(f"{folder}/units/{release}/{RUNNER}")
    return Process(int(told.get("pid", 0)), str(told.get("born", "")))


async def _serve(folder: str, listening: socket.socket) -> None:
    state = read(folder)
    if state is None:
        return
    front = Front(folder, state)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, front.end)
    loop.add_signal_handler(signal.SIGUSR1, front.poked.set)
    server = await asyncio.start_server(front.serve, sock=listening, limit=forward.CHUNK)
    replace(f"{folder}/front/{RUNNER}", json.dumps(vars(daemon.this())).encode())
    daemon.begun()
    await front.follow()
    server.close()


def main(folder: str, handle: int) -> None:
    """Serve an environment on a socket that listens already."""
    daemon.detach()
    daemon.be_alone(f"{folder}/front/{ALIVE}")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    asyncio.run(_serve(folder, socket.socket(fileno=handle)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
