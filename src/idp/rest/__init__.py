"""The one door for HTTP: retries, rate limits, paging, and errors in our words.

What may be repeated is repeated: a request that was not taken (a rate limit, no connection), and
one that has the same effect twice (RFC 9110, 9.2.2). A POST whose outcome is unknown is repeated
only where its caller can tell whether it was carried out. Waits follow Retry-After, then the reset
of the rate limit, else grow exponentially with jitter; all waits of a request fit into PATIENCE.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias
from urllib.parse import urljoin, urlsplit

from idp.clock import Clock
from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, RemoteFailed
from idp.rest.reply import Reply, is_rate_limit, rate_limit_wait, read, retry_after, said_by
from idp.rest.transfer import Request, exchange

if TYPE_CHECKING:
    import httpx
    import tenacity

__all__ = ["Conflict", "Found", "Query", "RateLimited", "Reply", "Server", "Transport"]

ATTEMPTS = 5
PATIENCE = timedelta(minutes=5)
"""How long one request may wait in all; beyond it the caller is told when to come back."""

TIMEOUT = 30.0
"""Seconds until a server that says nothing is given up."""

HASTE = 4.0
"""The same, where somebody only looks whether a server is there."""

REDIRECTS = 5
FAILING = frozenset({500, 502, 503, 504})
SAME_TWICE = frozenset({"GET", "HEAD", "PUT", "DELETE", "PATCH"})

Query = Mapping[str, str | int | Sequence[str]]
Found = Callable[[], "Reply | None"]
Transport: TypeAlias = "httpx.BaseTransport"


class Conflict(RemoteFailed):
    """What was to be made or changed is there already, or in the way (409)."""

    code = "conflict"
    retryable = False


class RateLimited(RemoteFailed):
    """The server asks for more patience than we have."""

    code = "rate_limited"


class _Again(Exception):
    """A request that can be sent again.

    Attributes:
        error: what to raise if it was the last time.
        wait: seconds that the server asked for; None leaves it to us.
    """

    def __init__(self, error: IdpError, wait: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.wait = wait


@dataclass(frozen=True)
class Server:
    """A server's API below one base URL, with the headers that belong to it and no other.

    Threads may share it.

    Attributes:
        base: such as `https://api.github.com`.
        headers: sent with each request; a credential is one of them.
        token_from: where the credential comes from, for errors; never the credential.
        login: the command that mends a refused credential.
        say: tells a person of a wait.
        transport: the network; None is the real one.
        hasty: tries once, and not for long.
    """

    base: str
    clock: Clock
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_from: str = ""
    login: str = ""
    say: Callable[[str], None] = field(default=lambda _: None, repr=False)
    transport: Transport | None = field(default=None, repr=False)
    hasty: bool = False
    _opened: list[httpx.Client] = field(default_factory=list, init=False, repr=False, compare=False)
    _opening: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    @property
    def host(self) -> str:
        """The server's name, with its port where it is not the usual one."""
        return urlsplit(self.base).netloc

    def get(
        self,
        path: str,
        query: Query | None = None,
        *,
        etag: str = "",
        ok: Sequence[int] = (),
        accept: str = "",
        raw: bool = False,
    ) -> Reply:
        """Read; with the etag of what is known already, an unchanged answer has status 304.

        `accept` asks for another media type; `raw` leaves a JSON body unread: it is a file's.
        """
        headers = {"If-None-Match": etag} if etag else {}
        headers |= {"Accept": accept} if accept else {}
        ok = (*ok, 304) if etag else ok
        return self.send("GET", path, query=query, headers=headers, ok=ok, raw=raw)

    def pages(self, path: str, query: Query | None = None) -> Iterator[Reply]:
        """Yield a listing's pages, following the Link header (RFC 8288)."""
        reply = self.get(path, query)
        yield reply
        seen: set[str] = set()
        while reply.next and reply.next not in seen:
            seen.add(reply.next)
            reply = self.get(reply.next)
            yield reply

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        ok: Sequence[int] = (),
        unless: Found | None = None,
        raw: bool = False,
        content: bytes | Path | None = None,
        into: BinaryIO | None = None,
    ) -> Reply:
        """Send a request and return its answer.

        Args:
            path: below the base, or a whole URL of the same server.
            body: is sent as JSON.
            ok: statuses besides 2xx that are answers and no errors.
            unless: looks for what a POST would make; asked before it is sent a second time.
            raw: the answer's body is a file's, and not read as JSON.
            content: is sent as it is; a path is the file that is sent.
            into: takes the answer's body, unless that is an error; redirects are not followed.

        Raises:
            NotAllowed, NotFound, InvalidInput, Conflict: what the server says of it.
            RateLimited, RemoteFailed: it could not be done now.
        """
        if body is not None:
            content = json.dumps(body).encode()
            headers = {"Content-Type": "application/json", **(headers or {})}
        may_repeat = method in SAME_TWICE or unless is not None
        url = self._url(path)
        request = Request(method, url, query, headers or {}, content, ok, may_repeat, raw, into)
        sent = 0

        def once() -> Reply:
            nonlocal sent
            sent += 1
            if sent > 1 and unless is not None and (found := unless()) is not None:
                return found
            return self._once(request)

        return self._patiently(once)

    def _patiently(self, once: Callable[[], Reply]) -> Reply:
        """Try again as long as it may help, within ATTEMPTS and PATIENCE."""
        import tenacity

        deadline = self.clock.now() + PATIENCE

        def enough(state: tenacity.RetryCallState) -> bool:
            too_late = self.clock.now() + timedelta(seconds=state.upcoming_sleep) > deadline
            return too_late or state.attempt_number >= (1 if self.hasty else ATTEMPTS)

        attempts = tenacity.Retrying(
            stop=enough,
            retry=tenacity.retry_if_exception_type(_Again),
            wait=_wait,
            before_sleep=self._tell,
            sleep=self.clock.sleep,
            reraise=True,
        )
        try:
            return attempts(once)
        except _Again as last:
            raise last.error from last.__cause__

    def _tell(self, state: tenacity.RetryCallState) -> None:
        again = state.outcome.exception() if state.outcome else None
        if isinstance(again, _Again) and again.wait:
            self.say(f"waiting {state.upcoming_sleep:.0f} s: {again}")

    def _client(self) -> httpx.Client:
        """Return the client, opened by the first request and closed with this object."""
        import httpx

        from idp import __version__

        with self._opening:
            if not self._opened:
                client = httpx.Client(
                    headers={"User-Agent": f"idp/{__version__}", **self.headers},
                    timeout=HASTE if self.hasty else TIMEOUT,
                    transport=self.transport,
                )
                weakref.finalize(self, client.close)
                self._opened.append(client)
        return self._opened[0]

    def _once(self, request: Request) -> Reply:
        import httpx

        try:
            client = self._client()
        except (OSError, ImportError, ValueError, httpx.InvalidURL) as error:
            # No cause: a token that is no ASCII is an attribute of it.
            raise InvalidInput(
                f"cannot prepare requests to {self.host}: {_reason(error)}",
                hint="see the token, SSL_CERT_FILE and HTTPS_PROXY",
            ) from None
        try:
            reply = read(self._followed(client, request), request.raw)
        except httpx.LocalProtocolError:
            # No cause: it cites the header, which may be the token.
            raise NotAllowed(
                f"{self._token} has characters that no header can hold", hint=self.login
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._no_connection(error) from error
        except (httpx.RequestError, ValueError, RecursionError) as error:
            raise self._lost(error, request) from error
        if is_rate_limit(reply):
            raise self._rate_limited(reply)
        if reply.status < 300 or reply.status in request.ok:
            return self._understood(reply, request)
        raise self._refusal(reply, request)

    def _followed(self, client: httpx.Client, request: Request) -> httpx.Response:
        """Send a request; reading follows redirects on this server: a renamed repository's."""
        url, params = request.url, dict(request.query) if request.query else None
        is_followed = request.method in ("GET", "HEAD") and request.into is None
        for _ in range(REDIRECTS):
            answer = exchange(client, request, url, params)
            if not is_followed or not answer.has_redirect_location:
                break
            url, params = self._url(urljoin(str(answer.url), answer.headers["Location"])), None
        return answer

    def _url(self, path: str) -> str:
        """Return the URL of a path; another server's is refused, since our headers go with it."""
        if "://" not in path:
            return self.base + path
        here, there = urlsplit(self.base), urlsplit(path)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            elsewhere = f"{there.scheme}://{there.hostname}"
            raise RemoteFailed(f"{self.host} sends us to {elsewhere}, where we do not follow")
        return path

    def _understood(self, reply: Reply, request: Request) -> Reply:
        is_page = reply.headers.get("content-type", "").startswith("text/html")
        if is_page and reply.status < 300 and not request.raw:
            raise RemoteFailed(
                f"{self.host} answered {request.name} with a web page, as no forge's API does",
                hint="is it the forge's address, and does a proxy ask for a login?",
            )
        return reply

    def _no_connection(self, error: Exception) -> Exception:
        """Return what to raise where no connection was made; nothing was sent."""
        causes = list(_causes(error))
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
            hint = "SSL_CERT_FILE names the certificates to trust"
            return RemoteFailed(f"{self.host} is not trusted: {_reason(error)}", hint=hint)
        gone = RemoteFailed(f"cannot reach {self.host}: {_reason(error)}", hint="try again")
        unknown = any(
            isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME
            for cause in causes
        )
        return gone if unknown else _Again(gone)

    def _lost(self, error: Exception, request: Request) -> Exception:
        """Return what to raise where no whole answer came: the work may have been done."""
        said = f"no whole answer from {self.host} to {request.name}: {_reason(error)}"
        if request.may_repeat:
            return _Again(RemoteFailed(said, hint="try again"))
        return RemoteFailed(said, hint="it may have been done: look before you try again")

    def _rate_limited(self, reply: Reply) -> _Again:
        now = self.clock.now()
        wait = rate_limit_wait(reply, now)
        until = _clock_time(now + timedelta(seconds=wait))
        error = RateLimited(f"{self.host} limits our requests until {until}", hint="try again then")
        return _Again(error, wait)

    def _refusal(self, reply: Reply, request: Request) -> Exception:
        """Return what to raise for an answer that is an error."""
        said = f"{said_by(reply)} ({request.name})"
        if reply.status not in FAILING:
            return self._told(reply, said)
        error = RemoteFailed(f"{self.host} failed ({reply.status}): {said}", hint="try again")
        wait = retry_after(reply, self.clock.now())
        return _Again(error, wait) if request.may_repeat else error

    @property
    def _token(self) -> str:
        return f"the token from {self.token_from}" if self.token_from else "a call without a token"

    def _told(self, reply: Reply, said: str) -> IdpError:
        match reply.status:
            case 401:
                return NotAllowed(f"{self.host} refused {self._token}: {said}", hint=self.login)
            case 403:
                message = f"{self.host} does not allow {self._token} this: {said}"
                return NotAllowed(message, hint=_asked(reply) or self.login)
            case 404 | 410:
                return NotFound(f"{self.host}: {said}", hint=f"or {self._token} may not see it")
            case 409 | 412:
                return Conflict(f"{self.host}: {said}")
            case 301 | 302 | 307 | 308:
                there = reply.headers.get("location", "elsewhere")
                hint = "use its new name: git remote set-url origin URL"
                return RemoteFailed(f"{self.host} says it has moved to {there}: {said}", hint=hint)
            case status if 400 <= status < 500:
                return InvalidInput(f"{self.host} refused it ({status}): {said}")
        return RemoteFailed(f"{self.host} failed ({reply.status}): {said}")


def _wait(state: tenacity.RetryCallState) -> float:
    """Return the seconds until the next attempt, with jitter upon what the server asks for."""
    import tenacity

    again = state.outcome.exception() if state.outcome else None
    grown = tenacity.wait_random_exponential(multiplier=0.5, max=20)(state)
    asked = again.wait if isinstance(again, _Again) else None
    return grown if asked is None else asked + min(grown, 1.0)


def _asked(reply: Reply) -> str:
    """Return what mends a refusal, where GitHub says it."""
    single_sign_on = reply.headers.get("x-github-sso", "")
    if "url=" in single_sign_on:
        return f"authorise the token for the organisation: {single_sign_on.split('url=')[1]}"
    names = ("x-accepted-github-permissions", "x-accepted-oauth-scopes")
    asked = next((reply.headers[name] for name in names if reply.headers.get(name)), "")
    return f"the token needs: {asked}" if asked else ""


def _clock_time(moment: datetime) -> str:
    return moment.strftime("%H:%M:%S UTC")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
