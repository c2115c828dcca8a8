"""A tiny service whose manners its variables choose; it answers with its version."""

import os
import signal
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler

VERSION = os.environ.get("VERSION", "1")
MANNERS = os.environ.get("MANNERS", "").split()
BORN = time.monotonic()


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if "mute" in MANNERS:
            time.sleep(3600)
        if self.path.startswith("/slow"):
            return self.slow()
        if self.path == "/echo":
            return self.echo()
        if self.path.startswith("/env/"):
            return self.answer(200, os.environ.get(self.path[5:], "-"))
        if self.path == "/where":
            return self.answer(200, f"{os.getpid()}")
        sick = "sickens" in MANNERS and time.monotonic() - BORN > 1
        return self.answer(500 if sick or "sick" in MANNERS else 200, VERSION)

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self.chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.answer(200, f"{VERSION} {len(body)} {self.headers.get('X-Forwarded-For')}")

    def chunk(self) -> bytes:
        size = int(self.rfile.readline(), 16)
        data = self.rfile.read(size)
        self.rfile.readline()
        return data

    def slow(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(10):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(VERSION), VERSION.encode()))
            time.sleep(0.05)
        self.wfile.write(b"0\r\n\r\n")

    def echo(self) -> None:
        self.send_response(101)
        self.send_header("Connection", "Upgrade")
        self.send_header("Upgrade", "echo")
        self.end_headers()
        while word := self.connection.recv(4096):
            self.connection.sendall(word)
        self.close_connection = True

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    if "hangs" in MANNERS:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "spawns" in MANNERS and os.fork() == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)
    if "dies" in MANNERS:
        threading.Timer(0.5, lambda: os._exit(4)).start()
    print(f"version {VERSION} listens", flush=True)
    address = (os.environ["BIND_ADDRESS"], int(os.environ["PORT"]))
    Server(address, Service).serve_forever()
