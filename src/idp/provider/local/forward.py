"""One request from a client to a release and back: bodies as they come, upgrades as a tunnel."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import h11

from idp.provider.local.state import Look

CHUNK = 64 * 1024
LARGEST = 64 * 1024
"""Bytes of the headers of a request or an answer."""

HOST = "127.0.0.1"
MOMENT = 1.0
OF_A_CONNECTION = (b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te")
"""Headers that count for one connection only (RFC 9110, 7.6.1)."""

Headers = list[tuple[bytes, bytes]]


class Unanswered(Exception):
    """The release took the request and ended the connection without a word."""


class Left(Exception):
    """The client ended the connection before it was answered."""


@dataclass
class Link:
    """One end: the protocol's state, and the streams."""

    connection: h11.Connection
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def next_event(self) -> object:
        """Return what comes next from the other side."""
        while True:
            event = self.connection.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.connection.receive_data(await self.reader.read(CHUNK))

    async def send(self, event: h11.Event) -> None:
        """Send something to the other side."""
        if data := self.connection.send(event):
            self.writer.write(data)
            await self.writer.drain()


async def forward(client: Link, request: h11.Request, port: int) -> None:
    """Send a request to a port of this machine, and its answer back.

    The end of a request without a body has been read from the client already.

    Raises:
        ConnectionRefusedError: nobody listens there; nothing of the body was read.
        Unanswered: it broke off before it said anything.
    """
    reader, writer = await asyncio.open_connection(HOST, port, limit=CHUNK)
    server = Link(h11.Connection(h11.CLIENT, LARGEST), reader, writer)
    sending: asyncio.Task[None] | None = None
    try:
        try:
            await server.send(_onward(request, client, port))
            if has_body(request):
                sending = asyncio.create_task(_pump_request(client, server))
            else:
                await server.send(h11.EndOfMessage())
            answer = await _heard(client, server)
        except (OSError, h11.RemoteProtocolError) as error:
            raise Unanswered from error
        if isinstance(answer, h11.ConnectionClosed):
            raise Unanswered
        await _back(client, server, answer)
        if sending:  # what is left of a body is read for a moment, to use the connection again
            await asyncio.wait([sending], timeout=MOMENT)
    finally:
        if sending:
            sending.cancel()
            await asyncio.wait([sending])
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _heard(client: Link, server: Link) -> object:
    """Return what the release says next.

    Raises:
        Left: the client did not wait for it.
    """
    hearing = asyncio.ensure_future(server.next_event())
    try:
        while not (await asyncio.wait([hearing], timeout=MOMENT))[0]:
            if client.reader.at_eof():
                raise Left
        return hearing.result()
    finally:
        hearing.cancel()


def has_body(request: h11.Request) -> bool:
    """Tell whether a request has a body, or may have one."""
    headers = dict(request.headers)
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers


def _onward(request: h11.Request, client: Link, port: int) -> h11.Request:
    headers = _kept(request)
    said = dict(request.headers)
    if upgrade := said.get(b"upgrade"):
        headers += [(b"Connection", b"Upgrade"), (b"Upgrade", upgrade)]
    else:
        headers += [(b"Connection", b"close")]
    host = (client.writer.get_extra_info("peername") or (HOST,))[0].encode()
    before = said.get(b"x-forwarded-for")
    headers = [(name, value) for name, value in headers if name.lower() != b"x-forwarded-for"]
    headers += [(b"X-Forwarded-For", before + b", " + host if before else host)]
    if b"host" not in said:  # HTTP/1.0 needs none, and we speak 1.1
        said[b"host"] = f"{HOST}:{port}".encode()
        headers.append((b"Host", said[b"host"]))
    for name, value in ((b"X-Forwarded-Proto", b"http"), (b"X-Forwarded-Host", said[b"host"])):
        headers += [] if name.lower() in said else [(name, value)]
    return h11.Request(method=request.method, target=request.target, headers=headers)


def _kept(message: h11.Request | h11.Response | h11.InformationalResponse) -> Headers:
    """Return the headers that go on: all but those of the connection."""
    named = [value for name, value in message.headers if name == b"connection"]
    dropped = {word.strip().lower() for value in named for word in value.split(b",")}
    dropped.update(OF_A_CONNECTION)
    raw: Headers = [(bytes(n), bytes(v)) for n, v in message.headers.raw_items()]
    return [(name, value) for name, value in raw if name.lower() not in dropped]


async def _pump_request(client: Link, server: Link) -> None:
    """Send the body on as it comes; a release that has answered may have stopped reading."""
    while True:
        event = await client.next_event()
        if isinstance(event, (h11.Data, h11.EndOfMessage)):
            with suppress(OSError, h11.LocalProtocolError):
                await server.send(event)
        if not isinstance(event, h11.Data):
            return


async def _back(client: Link, server: Link, answer: object) -> None:
    while not isinstance(answer, h11.EndOfMessage):
        match answer:
            case h11.InformationalResponse(status_code=101):
                await _switched(client, server, answer)
                return
            case h11.InformationalResponse() | h11.Response():
                await client.send(_passed_on(answer))
            case h11.Data():
                await client.send(h11.Data(data=answer.data))
            case _:
                raise h11.LocalProtocolError("the service broke off its answer")
        try:
            answer = await _heard(client, server)
        except (OSError, h11.RemoteProtocolError) as error:
            raise h11.LocalProtocolError("the service broke off its answer") from error
    await client.send(h11.EndOfMessage())


def _passed_on(answer: h11.InformationalResponse | h11.Response) -> h11.Event:
    kind = type(answer)
    return kind(status_code=answer.status_code, reason=answer.reason, headers=_kept(answer))


async def _switched(client: Link, server: Link, answer: h11.InformationalResponse) -> None:
    """Tunnel a connection that speaks another protocol now."""
    raw: Headers = [(bytes(n), bytes(v)) for n, v in answer.headers.raw_items()]
    await client.send(h11.InformationalResponse(status_code=101, headers=raw))
    for one, other in ((server, client), (client, server)):
        other.writer.write(one.connection.trailing_data[0])
    ways = [
        asyncio.create_task(_copy(one.reader, other.writer))
        for one, other in ((client, server), (server, client))
    ]
    try:
        await asyncio.wait(ways)
    finally:
        for way in ways:
            way.cancel()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.write_eof()


async def say(client: Link, status: int, text: str) -> None:
    """Answer by ourselves, and end the connection."""
    body = f"{text}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    headers += [("Connection", "close")] + ([("Retry-After", "1")] if status == 503 else [])
    await client.send(h11.Response(status_code=status, headers=headers))
    await client.send(h11.Data(data=body))
    await client.send(h11.EndOfMessage())


async def is_ready(port: int, look: Look | None) -> bool:
    """Tell whether a release says that it is ready, or at least listens."""
    try:
        async with asyncio.timeout(MOMENT):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                server = Link(h11.Connection(h11.CLIENT), reader, writer)
                return look is None or await _passes(server, look)
            finally:
                writer.close()
    except (OSError, TimeoutError, h11.ProtocolError):
        return False


async def _passes(server: Link, look: Look) -> bool:
    headers = {"Host": look.host or f"{HOST}:{look.port}", "Connection": "close", **look.headers}
    await server.send(h11.Request(method="GET", target=look.path, headers=list(headers.items())))
    await server.send(h11.EndOfMessage())
    while not isinstance(event := await server.next_event(), h11.Response):
        if not isinstance(event, h11.InformationalResponse):
            return False
    return 200 <= event.status_code < 400
