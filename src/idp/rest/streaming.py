"""Answers that go on for as long as somebody reads them: logs, watches, the output of a build."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from idp.errors import RemoteFailed
from idp.rest import Query, Server
from idp.rest.transfer import Request

LONGEST = 2**22
"""Bytes of a line after which it is cut."""


class Broken(RemoteFailed):
    """The connection broke, or fell silent, in the middle of an answer."""

    code = "stream_broken"


def stream(
    server: Server,
    path: str,
    query: Query | None = None,
    *,
    silence: float | None = None,
    ok: Sequence[int] = (),
) -> Iterator[bytes]:
    """Yield the lines of an answer as they come, without their ends.

    The connection is closed when the iterator is.

    Args:
        silence: seconds without a byte until it is given up; None waits for ever.

    Raises:
        Broken: the connection broke; what came before it was whole lines.
        NotAllowed, NotFound, InvalidInput, RemoteFailed: as `Server.send` has them.
    """
    kept = b""
    with closing(chunks(server, "GET", path, query, silence=silence, ok=ok)) as parts:
        for part in parts:
            *lines, kept = (kept + part).split(b"\n")
            for line in lines:
                yield line.removesuffix(b"\r")
            if len(kept) > LONGEST:
                yield kept
                kept = b""
    if kept:
        yield kept


def chunks(
    server: Server,
    method: str,
    path: str,
    query: Query | None = None,
    *,
    content: bytes | Path | None = None,
    kind: str = "",
    silence: float | None = None,
    ok: Sequence[int] = (),
) -> Generator[bytes, None, None]:
    """Yield the bytes of an answer as they come; what is sent may be a file.

    A GET is tried again until its answer begins, as `Server.send` does, and not after that.

    Args:
        kind: the media type of the content.
    """
    import httpx

    headers = {"Content-Type": kind} if kind else {}
    url, may_repeat = server.url(path), method == "GET"
    request = Request(method, url, query, headers, content, ok, may_repeat, raw=True)
    answer = server.open(request, silence)
    with closing(answer):
        try:
            yield from answer.iter_bytes()
        except httpx.RequestError as error:
            what = f"the answer of {server.host} to {method} {urlsplit(url).path} broke off"
            why = str(error) or type(error).__name__
            raise Broken(f"{what}: {why}", hint="try again") from error
