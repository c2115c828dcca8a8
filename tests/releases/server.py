"""A real git server on https, made of git's own http-backend."""

from __future__ import annotations

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Server:
    """Serves the repositories below a folder; some paths it denies."""

    root: Path
    port: int
    asked: list[str]

    def url(self, name: str) -> str:
        return f"https://127.0.0.1:{self.port}/{name}"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a key and a certificate that signs itself."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, capture_output=True, check=True)
    return key, cert


@contextmanager
def https(handler: type[BaseHTTPRequestHandler], key: Path, cert: Path) -> Iterator[int]:
    """Serve on a free port of this machine until the block ends; yield the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def serving(root: Path, key: Path, cert: Path) -> Iterator[Server]:
    """Serve repositories until the block ends."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, root, asked)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with https(Handler, key, cert) as port:
        yield Server(root, port, asked)


def answer(request: BaseHTTPRequestHandler, root: Path, asked: list[str]) -> None:
    """Pass a request to `git http-backend`; `/private` wants a login, `/denied` is denied."""
    asked.append(request.path)
    for part, status in (("/private", 401), ("/denied", 403)):
        if request.path.startswith(part):
            headers = {"WWW-Authenticate": 'Basic realm="git"'}
            send(request, status, headers, b"")
            return
    length = int(request.headers.get("Content-Length", 0))
    send(request, *of_git(request, root, request.rfile.read(length)))


def of_git(
    request: BaseHTTPRequestHandler, root: Path, body: bytes, **more: str
) -> tuple[int, dict[str, str], bytes]:
    """Return what `git http-backend` answers to a request, with more in its environment."""
    path, _, query = request.path.partition("?")
    env = os.environ | {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    command = ["git", "http-backend"]
    done = subprocess.run(command, input=body, env=env | more, stdout=-1, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return int(headers.pop("Status", "200").split()[0]), headers, content


def send(
    request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], content: bytes
) -> None:
    """Send an answer."""
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
