"""Answers that go on: lines as they come, and what happens where the connection breaks."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import UnixStreamServer

import httpx
import pytest

from idp.clock import SystemClock
from idp.errors import InvalidInput, NotFound, RemoteFailed
from idp.rest import Server
from idp.rest.streaming import Broken, chunks, stream
from idp.rest.transport import Trust, tls, unix

from .test_rest import API, CutShort, Network, refused, server


class Parts(httpx.SyncByteStream):
    """A body that comes in pieces; `closed` tells that nobody reads it any more."""

    def __init__(self, *parts: bytes | Exception) -> None:
        self.parts, self.closed = parts, False

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            if isinstance(part, Exception):
                raise part
            yield part

    def close(self) -> None:
        self.closed = True


def test_lines_come_whole_however_they_are_cut() -> None:
    body = Parts(b"one\ntw", b"o\r\nth", b"ree")
    network = Network(httpx.Response(200, stream=body))
    assert list(stream(server(network), "/log")) == [b"one", b"two", b"three"]
    assert body.closed


def test_the_connection_is_closed_with_the_iterator() -> None:
    body = Parts(b"one\n", b"two\n")
    lines = stream(server(Network(httpx.Response(200, stream=body))), "/log")
    assert next(lines) == b"one"
    lines.close()  # type: ignore[attr-defined]
    assert body.closed


def test_a_break_in_the_middle_is_told_after_the_lines_before_it() -> None:
    body = Parts(b"one\ntwo\nthr", httpx.ReadError("reset by peer"))
    lines = stream(server(Network(httpx.Response(200, stream=body))), "/log")
    assert [next(lines), next(lines)] == [b"one", b"two"]
    with pytest.raises(Broken, match=r"the answer of api.example.com to GET /log broke off: reset"):
        next(lines)


@pytest.mark.parametrize("first", [refused(503), refused(429), httpx.ConnectError("refused")])
def test_reading_begins_again_until_the_answer_does(first: httpx.Response | Exception) -> None:
    network = Network(first, httpx.Response(200, content=b"one\n"))
    assert list(stream(server(network), "/log")) == [b"one"]
    assert network.sent == ["GET /log", "GET /log"]


def test_an_error_is_told_in_words_before_any_line() -> None:
    with pytest.raises(NotFound, match="no such pod"):
        next(stream(server(Network(refused(404, "no such pod"))), "/log"))


def test_what_is_posted_is_not_posted_again() -> None:
    network = Network(refused(500), httpx.Response(200, content=b"built"))
    with pytest.raises(RemoteFailed):
        list(chunks(server(network), "POST", "/build", content=b"tar", kind="application/x-tar"))
    assert network.sent == ["POST /build"]


def test_a_file_is_sent_and_the_answer_read_as_it_comes(tmp_path: Path) -> None:
    (tmp_path / "context.tar").write_bytes(b"tar")
    network = Network(httpx.Response(200, stream=Parts(b"step 1", b"step 2")))
    asked = chunks(server(network), "POST", "/build", content=tmp_path / "context.tar")
    assert list(asked) == [b"step 1", b"step 2"]
    assert network.asked[0].method == "POST"


def test_a_body_cut_short_is_no_end() -> None:
    with pytest.raises(Broken):
        list(stream(server(Network(httpx.Response(200, stream=CutShort()))), "/log"))


class Hello(BaseHTTPRequestHandler):
    """Says hello."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello\n")

    def log_message(self, *_: object) -> None:
        pass

    def address_string(self) -> str:
        return "nobody"


@pytest.fixture
def served() -> Iterator[list[HTTPServer | UnixStreamServer]]:
    """Servers to be started by the test; they are ended after it."""
    servers: list[HTTPServer | UnixStreamServer] = []
    yield servers
    for one in servers:
        one.shutdown()
        one.server_close()


def start(one: HTTPServer | UnixStreamServer) -> None:
    threading.Thread(target=one.serve_forever, daemon=True).start()


def test_a_server_behind_a_unix_socket(
    tmp_path: Path, served: list[HTTPServer | UnixStreamServer]
) -> None:
    one = UnixStreamServer(str(tmp_path / "s"), Hello)
    served.append(one)
    start(one)
    here = Server("http://engine", SystemClock(), transport=unix(tmp_path / "s"))
    assert here.get("/", raw=True).body == b"hello\n"
    assert list(stream(here, "/")) == [b"hello"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[bytes, bytes]:
    """A certificate for the name `kube`, with its key, both PEM."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=kube", "-addext", "subjectAltName=DNS:kube"]
    command += ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert")]
    subprocess.run(command, check=True, capture_output=True)
    return (tmp_path / "cert").read_bytes(), (tmp_path / "key").read_bytes()


def test_certificates_of_both_sides(
    tmp_path: Path,
    served: list[HTTPServer | UnixStreamServer],
    certificate: tuple[bytes, bytes],
) -> None:
    own, key = certificate
    one = HTTPServer(("127.0.0.1", 0), Hello)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=own.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    one.socket = context.wrap_socket(one.socket, server_side=True)
    served.append(one)
    start(one)
    url = f"https://127.0.0.1:{one.server_port}"

    def asked(trust: Trust) -> bytes:
        way = tls(url, trust)
        return Server(url, SystemClock(), transport=way, hasty=True).get("/", raw=True).body

    assert asked(Trust(own, own, key, name="kube")) == b"hello\n"
    with pytest.raises(RemoteFailed, match="is not trusted"):
        asked(Trust(own, own, key))
    with pytest.raises(RemoteFailed, match="is not trusted"):
        asked(Trust(b"", own, key, name="kube"))
    with pytest.raises(RemoteFailed):
        asked(Trust(own, name="kube"))
    assert asked(Trust(b"", own, key, verify=False)) == b"hello\n"


@pytest.mark.parametrize("trust", [Trust(ca=b"rubbish"), Trust(certificate=b"rubbish")])
def test_certificates_that_are_none_are_told_without_what_is_in_them(trust: Trust) -> None:
    with pytest.raises(InvalidInput, match=r"certificates for api.example.com") as told:
        tls(API, trust)
    assert "rubbish" not in str(told.value)


def test_the_environment_names_a_proxy(
    monkeypatch: pytest.MonkeyPatch, served: list[HTTPServer | UnixStreamServer]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    one = HTTPServer(("127.0.0.1", 0), Hello)
    served.append(one)
    start(one)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{one.server_port}")
    monkeypatch.delenv("no_proxy", raising=False)
    url = f"http://127.0.0.2:{port}"
    way = tls(url, Trust())
    assert Server(url, SystemClock(), transport=way).get("/", raw=True).body == b"hello\n"
