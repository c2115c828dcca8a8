"""The door for HTTP: what is sent again and what is not, how long it waits, and what it says."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp.errors import IdpError, InvalidInput, NotAllowed, NotFound, RemoteFailed
from idp.rest import Conflict, RateLimited, Reply, Server
from idp.rest.transfer import download

from .clock import FakeClock

API = "https://api.example.com"
TOKEN = "token-4711-of-nobody"
Answer = httpx.Response | Exception


class Network(httpx.BaseTransport):
    """Gives one answer after the other, and keeps what was asked; the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)

    @property
    def sent(self) -> list[str]:
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.asked]


def server(network: Network, clock: FakeClock | None = None, **more: Any) -> Server:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    return Server(
        API,
        clock or FakeClock(),
        headers,
        "GITHUB_TOKEN",
        "idp auth login example.com",
        transport=network,
        **more,
    )


def ok(data: Any = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={} if data is None else data, headers=_spelt(headers))


def refused(status: int, message: str = "No", **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"message": message}, headers=_spelt(headers))


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class CutShort(httpx.SyncByteStream):
    """A body whose connection breaks in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"half": '
        raise httpx.RemoteProtocolError("peer closed connection without sending complete body")


BROKEN: dict[str, Callable[[], Answer]] = {
    "500": lambda: refused(500),
    "502": lambda: httpx.Response(502, html="<h1>Bad gateway</h1>"),
    "503": lambda: refused(503),
    "504": lambda: refused(504),
    "reset": lambda: httpx.ReadError("Connection reset by peer"),
    "timeout": lambda: httpx.ReadTimeout("timed out"),
    "closed": lambda: httpx.RemoteProtocolError("Server disconnected without a response"),
    "body cut short": lambda: httpx.Response(200, stream=CutShort()),
    "json cut short": lambda: httpx.Response(
        200, content=b'{"half": ', headers={"Content-Type": "application/json"}
    ),
    "gzip cut short": lambda: httpx.Response(
        200,
        stream=httpx.ByteStream(b"\x1f\x8b" + gzip.compress(b"{}")[5:9]),
        headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ),
}
UNSENT: dict[str, Callable[[], Answer]] = {
    "no connection": lambda: httpx.ConnectError("Connection refused"),
    "no connection in time": lambda: httpx.ConnectTimeout("timed out"),
    "429": lambda: refused(429, Retry_After="2"),
    "secondary limit": lambda: refused(403, "You have exceeded a secondary rate limit"),
    "GraphQL's limit": lambda: ok({"errors": [{"type": "RATE_LIMITED", "message": "Wait"}]}),
}


@pytest.mark.parametrize("how", [*BROKEN, *UNSENT])
def test_reading_goes_on_after_a_failure(how: str) -> None:
    clock = FakeClock()
    network = Network((BROKEN | UNSENT)[how](), ok({"fine": True}))
    assert server(network, clock).get("/x").data == {"fine": True}
    assert len(network.asked) == 2
    assert len(clock.slept) == 1


@pytest.mark.parametrize("how", UNSENT)
def test_what_was_not_taken_is_posted_again(how: str) -> None:
    network = Network(UNSENT[how](), ok({"id": 1}))
    assert server(network).send("POST", "/pulls", {}).data == {"id": 1}
    assert network.sent == ["POST /pulls", "POST /pulls"]


@pytest.mark.parametrize("how", BROKEN)
def test_what_may_have_been_done_is_not_posted_again(how: str) -> None:
    network = Network(BROKEN[how](), ok({"id": 2}))
    with pytest.raises(RemoteFailed) as told:
        server(network).send("POST", "/pulls", {})
    assert network.sent == ["POST /pulls"]
    assert "api.example.com" in told.value.message


@pytest.mark.parametrize("how", BROKEN)
def test_what_was_made_before_the_answer_was_lost_is_found(how: str) -> None:
    """Never a second resource: the caller looks before the request is sent again."""
    made: list[Reply] = []

    def carried_out() -> Answer:
        made.append(Reply(200, {"id": 1}))
        return BROKEN[how]()

    network = Network(carried_out())
    reply = server(network).send("POST", "/pulls", {}, unless=lambda: made[0])
    assert reply.data == {"id": 1}
    assert network.sent == ["POST /pulls"]


def test_what_was_lost_on_its_way_is_posted_again() -> None:
    network = Network(httpx.ReadError("reset"), ok({"id": 1}))
    assert server(network).send("POST", "/pulls", {}, unless=lambda: None).data == {"id": 1}
    assert network.sent == ["POST /pulls", "POST /pulls"]


def test_it_gives_up_after_five_attempts_with_growing_waits() -> None:
    clock = FakeClock()
    network = Network(refused(503, "Out for lunch"))
    with pytest.raises(RemoteFailed, match=r"example.com failed \(503\): Out for lunch") as told:
        server(network, clock).get("/x")
    assert len(network.asked) == 5
    assert all(wait <= most for wait, most in zip(clock.slept, (0.5, 1, 2, 4), strict=True))
    assert told.value.retryable


def test_the_hasty_try_once() -> None:
    """A doctor has little time: what does not answer is told at once."""
    clock = FakeClock()
    network = Network(refused(503), ok())
    with pytest.raises(RemoteFailed):
        server(network, clock, hasty=True).get("/x")
    assert (len(network.asked), clock.slept) == (1, [])


NOW = FakeClock().now()
LIMITS = {
    "Retry-After in seconds": ({"Retry-After": "30"}, 30),
    "Retry-After as a date": ({"Retry-After": format_datetime(NOW + timedelta(seconds=40))}, 40),
    "a date by the server's clock": (
        {
            "Retry-After": "Mon, 23 Nov 2026 20:00:10 GMT",
            "Date": "Mon, 23 Nov 2026 20:00:00 GMT",
        },
        10,
    ),
    "the reset of the limit": ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 50)}, 51),
    "GitLab's reset": ({"RateLimit-Reset": str(int(NOW.timestamp()) + 5)}, 6),
    "a reset in the past": ({"X-RateLimit-Reset": "1"}, 1),
    "nothing": ({}, 60),
    "nonsense": ({"Retry-After": "soon", "X-RateLimit-Reset": "later"}, 60),
}


ABSURD = {
    "seconds without end": {"Retry-After": "9" * 400},
    "a reset in milliseconds": {"X-RateLimit-Reset": f"{int(NOW.timestamp())}000"},
}


@pytest.mark.parametrize("headers, seconds", LIMITS.values(), ids=LIMITS)
def test_a_rate_limit_is_waited_for_as_long_as_the_server_says(
    headers: dict[str, str], seconds: float
) -> None:
    clock, said = FakeClock(), list[str]()
    network = Network(httpx.Response(429, headers=headers), ok())
    server(network, clock, say=said.append).get("/x")
    assert seconds <= clock.slept[0] <= seconds + 1
    assert len(said) == 1 and "api.example.com limits our requests until" in said[0]


@pytest.mark.parametrize("headers", ABSURD.values(), ids=ABSURD)
def test_a_rate_limit_beyond_all_time_is_a_day(headers: dict[str, str]) -> None:
    """A reset in milliseconds, as some proxies write it, is a date beyond the calendar."""
    with pytest.raises(RateLimited, match=r"until 09:00:0[01] UTC"):
        server(Network(httpx.Response(429, headers=headers))).get("/x")


def test_an_answer_nested_beyond_reading_is_no_answer() -> None:
    deep = httpx.Response(200, content=b"[" * 100_000, headers={"Content-Type": "application/json"})
    with pytest.raises(RemoteFailed, match="no whole answer"):
        server(Network(deep)).get("/x")


def test_a_limit_beyond_our_patience_is_told_at_once() -> None:
    clock, said = FakeClock(), list[str]()
    reset = str(int(NOW.timestamp()) + 3599)
    network = Network(
        refused(403, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)
    )
    with pytest.raises(RateLimited, match="until 10:00:00 UTC") as told:
        server(network, clock, say=said.append).get("/x")
    assert (clock.slept, said, told.value.retryable) == ([], [], True)


def test_a_server_that_limits_again_and_again_does_not_hold_us_for_ever() -> None:
    clock = FakeClock()
    with pytest.raises(RateLimited):
        server(Network(refused(429, Retry_After="100")), clock).get("/x")
    assert len(clock.slept) == 2
    assert clock.now() - NOW < timedelta(minutes=5)


def test_a_refusal_is_no_rate_limit() -> None:
    network = Network(refused(403, "Must have admin rights", X_RateLimit_Remaining="4999"))
    with pytest.raises(NotAllowed, match="Must have admin rights"):
        server(network).get("/x")
    assert len(network.asked) == 1


REFUSALS: dict[str, tuple[httpx.Response, type[IdpError], str, str]] = {
    "a bad token": (
        refused(401, "Bad credentials"),
        NotAllowed,
        "refused the token from GITHUB_TOKEN: Bad credentials",
        "idp auth login example.com",
    ),
    "no right": (
        refused(403, X_Accepted_GitHub_Permissions="administration=write"),
        NotAllowed,
        "does not allow the token from GITHUB_TOKEN this: No",
        "the token needs: administration=write",
    ),
    "no scope": (
        refused(403, X_Accepted_OAuth_Scopes="delete_repo"),
        NotAllowed,
        "does not allow",
        "the token needs: delete_repo",
    ),
    "no single sign-on": (
        refused(403, X_GitHub_SSO="required; url=https://example.com/sso"),
        NotAllowed,
        "does not allow",
        "authorise the token for the organisation: https://example.com/sso",
    ),
    "not there": (
        refused(404, "Not Found"),
        NotFound,
        "api.example.com: Not Found (GET /x)",
        "or the token from GITHUB_TOKEN may not see it",
    ),
    "in the way": (refused(409, "Reference already exists"), Conflict, "already exists", ""),
    "not valid": (
        httpx.Response(
            422,
            json={
                "message": "Validation Failed",
                "errors": [
                    {"resource": "PullRequest", "field": "base", "code": "invalid"},
                    {"field": "head", "message": "is gone"},
                    "and more",
                ],
            },
        ),
        InvalidInput,
        "Validation Failed; PullRequest base invalid; head: is gone; and more (GET /x)",
        "",
    ),
    "GitLab's words": (
        httpx.Response(400, json={"message": {"name": ["is taken", "is short"]}}),
        InvalidInput,
        "name is taken; is short",
        "",
    ),
    "OAuth's words": (
        httpx.Response(400, json={"error": "bad", "error_description": "The code is old"}),
        InvalidInput,
        "The code is old",
        "",
    ),
    "a web page": (
        httpx.Response(200, html="<h1>Log in</h1>"),
        RemoteFailed,
        "answered GET /x with a web page",
        "is it the forge's address, and does a proxy ask for a login?",
    ),
    "elsewhere": (
        httpx.Response(302, headers={"Location": "https://evil.example.net/x?token=1"}),
        RemoteFailed,
        "sends us to https://evil.example.net, where we do not follow",
        "",
    ),
}


@pytest.mark.parametrize("answer, kind, message, hint", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_told_with_its_mend(
    answer: httpx.Response, kind: type[IdpError], message: str, hint: str
) -> None:
    network = Network(answer)
    with pytest.raises(IdpError) as told:
        server(network).get("/x")
    assert type(told.value) is kind
    assert message in told.value.message
    assert told.value.hint == hint
    assert len(network.asked) == 1


def test_an_expected_status_is_an_answer() -> None:
    assert server(Network(refused(404))).get("/x", ok=(404,)).status == 404


def test_a_renamed_repository_is_found() -> None:
    moved = httpx.Response(301, headers={"Location": "/repositories/7?page=2"})
    network = Network(moved, ok({"id": 7}))
    assert server(network).get("/repos/a/b", {"page": 2}).data == {"id": 7}
    assert network.sent == ["GET /repos/a/b?page=2", "GET /repositories/7?page=2"]


def test_what_changes_a_renamed_repository_is_not_carried_to_its_new_name() -> None:
    network = Network(httpx.Response(307, headers={"Location": f"{API}/repositories/7"}))
    with pytest.raises(RemoteFailed, match=r"moved to https://api\.example\.com/repositories/7"):
        server(network).send("DELETE", "/repos/a/b")
    assert network.sent == ["DELETE /repos/a/b"]


def test_a_server_that_leads_in_circles_is_left() -> None:
    network = Network(httpx.Response(301, headers={"Location": "/x"}))
    with pytest.raises(RemoteFailed, match="has moved"):
        server(network).get("/x")
    assert len(network.asked) == 5


def test_pages_are_read_to_the_last() -> None:
    network = Network(
        ok([1], Link=f'<{API}/x?page=2>; rel="next", <{API}/x?page=3>; rel="last"'),
        ok([2], Link=f'<{API}/x?page=3>; rel="next"'),
        ok([3]),
    )
    pages = server(network).pages("/x", {"per_page": 1})
    assert [page.data for page in pages] == [[1], [2], [3]]
    assert network.sent == ["GET /x?per_page=1", "GET /x?page=2", "GET /x?page=3"]


def test_pages_that_lead_in_circles_end() -> None:
    network = Network(ok([1], Link=f'<{API}/x?page=1>; rel="next"'))
    assert len(list(server(network).pages("/x"))) == 2


def test_pages_of_another_server_are_not_asked_for() -> None:
    network = Network(ok([1], Link='<https://evil.example.net/x>; rel="next"'))
    with pytest.raises(RemoteFailed, match="evil"):
        list(server(network).pages("/x"))
    assert len(network.asked) == 1


def test_what_is_unchanged_is_not_sent_again() -> None:
    network = Network(ok({"a": 1}, ETag='"v1"'), httpx.Response(304))
    api = server(network)
    etag = api.get("/x").etag
    assert api.get("/x", etag=etag).status == 304
    assert network.asked[1].headers["If-None-Match"] == '"v1"'


def test_a_file_is_not_read_as_json() -> None:
    answer = httpx.Response(200, content=b'{"half', headers={"Content-Type": "application/json"})
    reply = server(Network(answer)).get("/x.json", accept="application/vnd.raw", raw=True)
    assert (reply.body, reply.data) == (b'{"half', None)


def test_a_certificate_that_is_not_trusted_is_not_tried_again() -> None:
    error = httpx.ConnectError("certificate verify failed: self-signed certificate")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    network = Network(error)
    with pytest.raises(RemoteFailed, match="not trusted") as told:
        server(network).get("/x")
    assert len(network.asked) == 1
    assert "SSL_CERT_FILE" in told.value.hint


def test_a_host_that_does_not_exist_is_not_tried_again() -> None:
    error = httpx.ConnectError("Name or service not known")
    error.__cause__ = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    network = Network(error)
    with pytest.raises(RemoteFailed, match=r"cannot reach api\.example\.com: Name or service"):
        server(network).get("/x")
    assert len(network.asked) == 1


@pytest.mark.parametrize(
    "variable, value",
    [("SSL_CERT_FILE", "/nowhere/ca.pem"), ("HTTPS_PROXY", "gopher://proxy.example.com")],
)
def test_an_environment_in_which_nothing_can_be_sent_is_named(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(InvalidInput, match=r"cannot prepare requests to api\.example\.com") as told:
        Server(API, FakeClock()).get("/x")
    assert variable in told.value.hint


@pytest.mark.parametrize("flaw", ["\n", "\x00", "ü"], ids=["newline", "null", "not ASCII"])
def test_a_token_that_no_header_can_hold_is_not_shown(flaw: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}{flaw}"}
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(IdpError) as told:
        base = f"http://127.0.0.1:{listening.getsockname()[1]}"
        Server(base, FakeClock(), headers, "GITHUB_TOKEN").get("/x")
    _hold_no_token(told.value)


@pytest.mark.parametrize("how", [*BROKEN, *UNSENT, *REFUSALS])
def test_no_error_holds_the_token(how: str) -> None:
    known: dict[str, Callable[[], Answer]] = {**BROKEN, **UNSENT}
    answer = known[how]() if how in known else REFUSALS[how][0]
    said: list[str] = []
    api = server(Network(answer), say=said.append)
    with pytest.raises(IdpError) as told:
        api.get("/x")
    _hold_no_token(told.value)
    assert TOKEN not in repr(api) + "".join(said)


def test_threads_share_a_server() -> None:
    api = server(Network(ok({"fine": True})))
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda n: api.get(f"/{n}").data, range(64)))
    assert replies == [{"fine": True}] * 64


def _hold_no_token(error: BaseException | None) -> None:
    while error is not None:
        assert TOKEN not in f"{error!r} {vars(error)}"
        error = error.__cause__


# Files, which are not held in memory.


def test_a_file_is_sent_from_its_beginning_each_time(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"x" * 100_000)
    sent: list[bytes] = []

    class Reading(Network):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request.read())
            return super().handle_request(request)

    network = Reading(httpx.ReadError("reset"), ok())
    server(network).send("PUT", "/data", content=file)
    assert sent == [file.read_bytes()] * 2
    assert network.asked[0].headers["Content-Length"] == "100000"


LOOKED_INTO = {"json cut short", "gzip cut short", "GraphQL's limit"}
"""Failures that are in what the body says, which of a file is nobody's business."""


@pytest.mark.parametrize("how", sorted({*BROKEN, *UNSENT} - LOOKED_INTO))
def test_a_file_is_received_from_its_beginning_after_a_failure(how: str) -> None:
    into = io.BytesIO(b"what was here before, and is longer")
    network = Network((BROKEN | UNSENT)[how](), httpx.Response(200, content=b"a file"))
    reply = download(server(network), f"{API}/data", into)
    assert (reply.status, into.getvalue()) == (200, b"a file")


def test_a_file_stays_as_the_server_has_it() -> None:
    packed = gzip.compress(b"a file")
    into = io.BytesIO()
    stored = httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=packed)
    download(server(Network(stored)), f"{API}/data.gz", into)
    assert into.getvalue() == packed


def test_a_file_that_is_refused_writes_nothing() -> None:
    into = io.BytesIO(b"old")
    with pytest.raises(NotFound):
        download(server(Network(refused(404))), f"{API}/data", into)
    assert into.getvalue() == b"old"


def test_a_file_that_did_not_change_is_not_read() -> None:
    network, into = Network(httpx.Response(304)), io.BytesIO(b"old")
    assert download(server(network), f"{API}/data", into, etag='"1"').status == 304
    assert network.asked[0].headers["If-None-Match"] == '"1"'
    assert into.getvalue() == b"old"


def test_where_a_file_is_on_another_host_nothing_of_ours_is_told_there() -> None:
    there = httpx.Response(302, headers={"Location": "https://store.example.com/x?signed=1"})
    network, into = Network(there, httpx.Response(200, content=b"a file")), io.BytesIO()
    download(server(network), f"{API}/data", into)
    first, second = network.asked
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "Authorization" not in second.headers
    assert (second.url.host, into.getvalue()) == ("store.example.com", b"a file")


@pytest.mark.parametrize("there", ["http://store.example.com/x", "ftp://store.example.com/x"])
def test_a_file_is_not_read_where_others_can_change_it(there: str) -> None:
    network = Network(httpx.Response(302, headers={"Location": there}))
    with pytest.raises(RemoteFailed, match="not https"):
        download(server(network), f"{API}/data", io.BytesIO())


def test_a_circle_of_redirects_comes_to_an_end() -> None:
    network = Network(httpx.Response(302, headers={"Location": f"{API}/data"}))
    with pytest.raises(RemoteFailed, match="circle"):
        download(server(network), f"{API}/data", io.BytesIO())
