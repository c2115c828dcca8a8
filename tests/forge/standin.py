"""A GitHub to test against: REST as GitHub Enterprise Server has it, and git, on https.

It keeps state (repositories are real, bare ones), wants its token with each request, and fails as
it is told to.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Literal

from ..releases.server import https, of_git, send
from ..service.stories import git

How = Literal["reset", "truncated", "lost", "slow"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Answer:
    """What the server says: JSON, or raw bytes."""

    status: int = 200
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None

    @property
    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.data is None else json.dumps(self.data).encode()


@dataclass
class Repo:
    """A repository: what GitHub knows of it, and the bare one that git reaches."""

    full_name: str
    git_dir: Path
    visibility: str = "private"
    description: str = ""
    topics: list[str] = field(default_factory=list)
    teams: dict[str, str] = field(default_factory=dict)
    protection: dict[str, Any] = field(default_factory=dict)
    archived: bool = False
    pushed_at: str = "2026-11-23T12:00:00Z"
    deployments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]

    @property
    def owner(self) -> str:
        return self.full_name.partition("/")[0]

    def branches(self) -> dict[str, str]:
        """Return the commit at the tip of each branch."""
        said = git(self.git_dir, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)",
                   "refs/heads")  # fmt: skip
        return {line.split()[0]: line.split()[1] for line in said.splitlines()}

    def head(self, branch: str) -> str:
        """Return the commit at the tip of a branch; empty where there is no such branch."""
        return self.branches().get(branch, "")


@dataclass
class Pull:
    """A pull request; its head is the tip of its branch, for as long as that is there."""

    repo: Repo
    number: int
    title: str
    body: str
    branch: str
    base: str
    draft: bool
    state: str = "open"
    author: str = "pat"
    merged_at: str | None = None
    sha: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)

    @property
    def head(self) -> str:
        self.sha = self.repo.head(self.branch) or self.sha
        return self.sha


@dataclass(frozen=True)
class Asked:
    """A request that came in; `path` has its query, and /api/v3 is left out."""

    method: str
    path: str
    body: Any = None


@dataclass
class _Failure:
    method: str
    path: re.Pattern[str]
    how: How | Answer
    times: int


@dataclass
class StandIn:
    """The server's state, as a test may read and change it.

    Attributes:
        scopes: of the token, as the header X-OAuth-Scopes tells them; None tells nothing.
        teams: the slugs of the organisation's teams.
        checks, statuses: what CI said, by commit.
        page_size: the most items of a page.
        unchanged: how many pages of repositories were asked for by an etag, and had not changed.
        reached: set when a request that is answered "slow" has done its work.
        go: lets such requests end.
    """

    root: Path
    port: int = 0
    token: str = field(default_factory=lambda: f"ghp_{secrets.token_hex(18)}")
    login: str = "pat"
    org: str = "acme"
    scopes: str | None = "repo, workflow, read:org"
    teams: set[str] = field(default_factory=lambda: {"payments", "platform"})
    repos: dict[str, Repo] = field(default_factory=dict)
    pulls: list[Pull] = field(default_factory=list)
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    statuses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    reached: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)
    failures: list[_Failure] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ids: int = 0
    page_size: int = 100
    unchanged: int = 0

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def new_id(self) -> int:
        self.ids += 1
        return self.ids

    def add_repo(self, full_name: str, **about: Any) -> Repo:
        """Make a repository without a commit."""
        path = self.root / f"{full_name}.git"
        path.parent.mkdir(parents=True, exist_ok=True)
        git(self.root, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
        git(path, "config", "http.receivepack", "true")
        self.repos[full_name] = Repo(full_name, path, **about)
        return self.repos[full_name]

    def git_url(self, full_name: str) -> str:
        return f"{self.url}/{full_name}.git"

    def fail(self, method: str, path: str, how: How | Answer | int, times: int = 1) -> None:
        """Let the next requests of this method and path (a pattern) fail.

        Args:
            how: an answer or its status; "reset" breaks the connection, "truncated" cuts the
                answer, "lost" does the work and breaks it, "slow" does it and lets nobody know.
        """
        made = Answer(how, {"message": f"made to fail with {how}"}) if isinstance(how, int) else how
        self.failures.append(_Failure(method, re.compile(path), made, times))

    def wrote(self) -> list[tuple[str, str]]:
        """Return method and path of each request that changes something."""
        reading = ("GET", "HEAD")
        asked = (r for r in self.requests if not r.path.endswith("/git-upload-pack"))
        return [(r.method, r.path) for r in asked if r.method not in reading]

    def to_fail(self, method: str, path: str) -> How | Answer | None:
        """Return how this request fails, if it does, and count it."""
        with self.lock:
            for failure in self.failures:
                if failure.times and failure.method == method and failure.path.search(path):
                    failure.times -= 1
                    return failure.how
        return None

    def knows(self, authorization: str) -> bool:
        """Tell whether a request brings the token."""
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "basic":
            user, _, value = base64.b64decode(value).decode().partition(":")
            return bool(user) and value == self.token
        return scheme.lower() in ("bearer", "token") and value == self.token


def answer(request: BaseHTTPRequestHandler, forge: StandIn) -> Answer | None:
    """Return what the server says to a request, once it has done what was asked.

    None is an answer that has been sent, as far as it shall be; a ConnectionResetError is one that
    shall not be.
    """
    from .standin_api import call

    raw = request.rfile.read(int(request.headers.get("Content-Length", 0)))
    is_api = request.path.startswith("/api/")
    body = json.loads(raw) if is_api and raw else None
    forge.requests.append(
        Asked(request.command, request.path.removeprefix("/api/v3" if is_api else ""), body)
    )
    how = forge.to_fail(request.command, request.path)
    if isinstance(how, Answer):
        return how
    if how == "reset":
        raise ConnectionResetError
    if not forge.knows(request.headers.get("Authorization", "")):
        wanted = {} if is_api else {"WWW-Authenticate": 'Basic realm="GitHub"'}
        return Answer(401, {"message": "Bad credentials"}, wanted)
    if is_api:
        with forge.lock:
            said = call(forge, request.command, request.path, body, request.headers)
    else:
        env = {"REMOTE_USER": forge.login, "GIT_CONFIG_NOSYSTEM": "1"}
        status, headers, content = of_git(request, forge.root, raw, **env)
        said = Answer(status, headers=headers, raw=content)
    return _spoiled(request, forge, said, how)


def _spoiled(
    request: BaseHTTPRequestHandler, forge: StandIn, said: Answer, how: How | None
) -> Answer | None:
    """Return an answer, unless it shall not arrive, or is sent already and cut short."""
    if how == "slow":
        forge.reached.set()
        forge.go.wait(60)
    if how in ("lost", "slow"):
        raise ConnectionResetError
    if how == "truncated":
        request.send_response(said.status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(said.body) + 10))
        request.end_headers()
        request.wfile.write(said.body)
        return None
    return said


def _break(request: BaseHTTPRequestHandler) -> None:
    """End the connection at once, with a reset and no farewell."""
    request.wfile.flush()
    request.close_connection = True
    linger = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.connection.close()


@contextlib.contextmanager
def standing_in(root: Path, key: Path, cert: Path) -> Iterator[StandIn]:
    """Serve a new, empty forge until the block ends."""
    forge = StandIn(root)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            try:
                if said := answer(self, forge):
                    headers = {"Content-Type": "application/json; charset=utf-8", **said.headers}
                    send(self, said.status, headers, b"" if self.command == "HEAD" else said.body)
            except OSError:
                _break(self)

        def log_message(self, *_: Any) -> None:
            pass

    for method in METHODS:
        setattr(Handler, f"do_{method}", Handler.handle_any)
    with https(Handler, key, cert) as port:
        forge.port = port
        try:
            yield forge
        finally:
            forge.go.set()
