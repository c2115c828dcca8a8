"""Requests as they go out, and files that are sent or received without being held in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from idp.errors import RemoteFailed

if TYPE_CHECKING:
    import httpx

    from idp.rest import Query, Server
    from idp.rest.reply import Reply

MOVED = (301, 302, 303, 307, 308)
_TIMES = 5


@dataclass(frozen=True)
class Request:
    """A request that may be sent several times.

    Attributes:
        body: what is sent; a path is the file that is sent, opened anew each time.
        into: takes the body of an answer that is no error, from its beginning each time.
    """

    method: str
    url: str
    query: Query | None
    headers: Mapping[str, str]
    body: bytes | Path | None
    ok: Sequence[int]
    may_repeat: bool
    raw: bool
    into: BinaryIO | None = None

    @property
    def name(self) -> str:
        """The request in words, without its query."""
        return f"{self.method} {urlsplit(self.url).path}"


def exchange(
    client: httpx.Client, request: Request, url: str, params: dict[str, Any] | None
) -> httpx.Response:
    """Send a request to a URL and return its answer, the body of which has been read."""
    with ExitStack() as files:
        body = request.body
        content = files.enter_context(body.open("rb")) if isinstance(body, Path) else body
        made = client.build_request(
            request.method,
            url,
            params=params,
            content=content,
            headers=dict(request.headers),
        )
        answer = client.send(made, stream=True)
        files.callback(answer.close)
        if request.into is None or not answer.is_success:
            answer.read()
            return answer
        return _received(answer, request.into)


def _received(answer: httpx.Response, into: BinaryIO) -> httpx.Response:
    """Write an answer's body to a file as it was sent, and return the answer without it."""
    import httpx

    into.seek(0)
    into.truncate()
    for part in answer.iter_raw():
        into.write(part)
    return httpx.Response(answer.status_code, headers=answer.headers, request=answer.request)


def download(server: Server, url: str, into: BinaryIO, *, etag: str = "") -> Reply:
    """Read a file of a server into one of ours; where the server has it elsewhere, from there.

    Another host gets no header of ours. With the etag of what is known already, the answer for an
    unchanged file has status 304, and nothing is written.

    Raises:
        NotAllowed, NotFound, InvalidInput: what the server says of it.
        RateLimited, RemoteFailed: it could not be done now.
        OSError: the file cannot be written.
    """
    headers = {"Accept-Encoding": "identity"} | ({"If-None-Match": etag} if etag else {})
    ok = (*MOVED, 304) if etag else MOVED
    for _ in range(_TIMES):
        reply = server.send("GET", url, headers=headers, ok=ok, raw=True, into=into)
        if reply.status not in MOVED:
            return reply
        url = urljoin(url, reply.headers.get("location", ""))
        server = _at(server, url)
    raise RemoteFailed(f"{server.host} sends us in a circle, to {url}")


def _at(server: Server, url: str) -> Server:
    """Return the server of a URL: this one, or another, which is told nothing of us."""
    here, there = urlsplit(server.base), urlsplit(url)
    if (here.scheme, here.netloc) == (there.scheme, there.netloc):
        return server
    if there.scheme != "https":
        raise RemoteFailed(f"{server.host} sends us to {there.scheme}://{there.netloc}, not https")
    base = f"{there.scheme}://{there.netloc}"
    return replace(server, base=base, headers={}, token_from="", login="")
