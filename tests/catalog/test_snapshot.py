"""A snapshot is whole or not there: what is published, what is pulled, and what goes wrong."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from idp.catalog.index.opened import opened
from idp.catalog.snapshot.manifest import Manifest, parse
from idp.catalog.snapshot.place import Place, place_of
from idp.catalog.snapshot.pull import pull
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused, RemoteFailed, UsageError
from idp.snapshot import Published, Request, prepared, publish

from ..clock import FakeClock
from ..releases.server import certificate, https, send
from ..roads import open_road
from ..service.stories import idp, idp_process
from .index_stories import component, group, ingested, later, made, written

TOKEN = "put-4711-of-nobody"
FILES = {"pay/catalog-info.yaml": component("payments"), "org/catalog-info.yaml": group("team-a")}


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """An index as an ingest left it."""
    return made(tmp_path, FILES)


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    """Where somebody else's index will be."""
    return tmp_path / "laptop" / "catalog.db"


def place(location: Path | str, token: str = TOKEN) -> Place:
    return place_of(str(location), token, FakeClock(), lambda _: None, Path)


def published(index: Path, where: Place, **more: Any) -> Published:
    bench = index.parent / "bench"
    bench.mkdir(exist_ok=True)
    with prepared(Request(index, where, bench, **more), FakeClock()) as made:
        return publish(made, open_road())


def changed(tmp_path: Path, name: str, days: int = 1) -> Path:
    """Ingest another component into the same index, some days later."""
    org = written(tmp_path / "org", {f"{name}/catalog-info.yaml": component(name)})
    index = tmp_path / "index" / "catalog.db"
    ingested(index, [org], later(days=days))
    return index


def names(index: Path) -> list[str]:
    with opened(index) as held:
        rows = held.connection.execute("SELECT name FROM entity ORDER BY name")
        return [row[0] for row in rows]


def checked(index: Path) -> datetime:
    with opened(index) as held:
        return held.checked_at


def manifest(folder: Path) -> Manifest:
    return parse((folder / "catalog.json").read_bytes(), "")


def rewrite(folder: Path, **said: Any) -> None:
    """Let the manifest say something else."""
    path = folder / "catalog.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | said))


# What is published is what is pulled.


def test_what_was_published_is_pulled_with_its_time(
    tmp_path: Path, index: Path, laptop: Path
) -> None:
    shared = tmp_path / "shared"
    done = published(index, place(shared))
    pulled = pull(place(shared), laptop)

    assert laptop.read_bytes() == index.read_bytes()
    assert checked(laptop) == checked(index) == pulled.checked_at
    assert (pulled.updated, pulled.entities, pulled.documents) == (True, 2, 2)
    assert gzip.decompress((shared / done.data).read_bytes()) == index.read_bytes()
    assert done.sha256 == hashlib.sha256((shared / done.data).read_bytes()).hexdigest()
    assert done.sha256[:16] in done.data


def test_a_second_pull_finds_nothing_to_do(tmp_path: Path, index: Path, laptop: Path) -> None:
    done = published(index, place(tmp_path / "shared"))
    pull(place(tmp_path / "shared"), laptop)
    (tmp_path / "shared" / done.data).unlink()

    assert not pull(place(tmp_path / "shared"), laptop).updated


def test_where_nothing_changed_only_the_time_goes_on(
    tmp_path: Path, index: Path, laptop: Path
) -> None:
    shared = place(tmp_path / "shared")
    first = published(index, shared)
    pull(shared, laptop)
    anew = checked(index) + timedelta(hours=1)
    os.utime(index, (anew.timestamp(),) * 2)

    second = published(index, shared)
    assert not second.uploaded
    assert second.data == first.data
    assert not pull(shared, laptop).updated
    assert checked(laptop) == anew


def test_a_laptop_that_only_pulls_follows_what_is_published(
    tmp_path: Path, index: Path, laptop: Path
) -> None:
    shared = place(tmp_path / "shared")
    old = tmp_path / "old.db"
    old.write_bytes(index.read_bytes())
    os.utime(old, (checked(index).timestamp(),) * 2)
    published(changed(tmp_path, "orders"), shared)
    pull(shared, laptop)
    assert names(laptop) == ["orders", "payments", "team-a"]

    published(old, shared, force=True)  # back to what was
    pull(shared, laptop)
    assert names(laptop) == ["payments", "team-a"]


def test_the_snapshot_before_stays_for_its_readers_and_older_ones_go(
    tmp_path: Path, index: Path
) -> None:
    shared = tmp_path / "shared"
    first = published(index, place(shared))
    second = published(changed(tmp_path, "orders"), place(shared))
    assert {first.data, second.data} < {path.name for path in shared.iterdir()}

    third = published(changed(tmp_path, "users", 2), place(shared))
    assert sorted(path.name for path in shared.iterdir()) == sorted(
        ["catalog.json", second.data, third.data]
    )


def test_several_catalogs_share_a_folder(tmp_path: Path, index: Path, laptop: Path) -> None:
    published(index, place(tmp_path / "shared" / "eu.json"))
    published(changed(tmp_path, "orders"), place(tmp_path / "shared" / "us.json"))

    pull(place(tmp_path / "shared" / "eu.json"), laptop)
    assert names(laptop) == ["payments", "team-a"]


# What must not be lost.


def put_data(shared: Path, content: bytes, **said: Any) -> None:
    """Put other data under the same name, with the right checksum and size of them."""
    (shared / manifest(shared).data).write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    rewrite(shared, size=len(content), sha256=sha256, **said)


def spoil(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def data(shared: Path) -> Path:
    return shared / manifest(shared).data


NO_INDEX = {"index_size": 5, "index_sha256": hashlib.sha256(b"hello").hexdigest()}

# What happens to a snapshot, and what a pull says of it.
DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (lambda at: spoil(data(at), lambda whole: whole[:-100]), "bytes"),
    "one byte is another": (
        lambda at: spoil(data(at), lambda whole: whole[:500] + b"\x99" + whole[501:]),
        "checksum",
    ),
    "no gzip": (lambda at: put_data(at, b"x" * 100), "damaged"),
    "gzip cut short": (lambda at: put_data(at, data(at).read_bytes()[:-100]), "damaged"),
    "more in it than is said": (
        lambda at: rewrite(at, index_size=manifest(at).index_size - 1),
        "damaged",
    ),
    "another index": (lambda at: rewrite(at, index_sha256="0" * 64), "damaged"),
    "no index": (lambda at: put_data(at, gzip.compress(b"hello"), **NO_INDEX), "not a database"),
    "newer schema": (lambda at: rewrite(at, schema=manifest(at).schema + 1), "reads schema"),
    "older schema": (lambda at: rewrite(at, schema=manifest(at).schema - 1), "reads schema"),
    "manifest cut short": (
        lambda at: spoil(at / "catalog.json", lambda whole: whole[:-40]),
        "no snapshot of a catalog",
    ),
    "manifest of another format": (lambda at: rewrite(at, format="x/2"), "no format"),
    "a path for a name": (lambda at: rewrite(at, data="../../etc/passwd"), "no names of files"),
    "the data are gone": (lambda at: data(at).unlink(), "is not at"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_snapshot_leaves_the_index_that_is_there(
    how: str, tmp_path: Path, index: Path, laptop: Path
) -> None:
    shared = tmp_path / "shared"
    published(index, place(shared))
    pull(place(shared), laptop)
    before, time = laptop.read_bytes(), checked(laptop)
    published(changed(tmp_path, "orders"), place(shared))
    happens, told = DAMAGE[how]
    happens(shared)

    with pytest.raises(InvalidInput, match=told):
        pull(place(shared), laptop)
    assert (laptop.read_bytes(), checked(laptop)) == (before, time)
    assert sorted(path.name for path in laptop.parent.iterdir()) == [
        "catalog.db",
        "catalog.db.pulled",
    ]


def test_a_newer_index_that_was_ingested_here_is_replaced_only_by_force(
    tmp_path: Path, index: Path
) -> None:
    shared = place(tmp_path / "shared")
    published(index, shared)
    changed(tmp_path, "orders")

    with pytest.raises(Refused, match="newer than the snapshot") as told:
        pull(shared, index)
    assert "--force" in told.value.hint
    assert names(index) == ["orders", "payments", "team-a"]
    pull(shared, index, force=True)
    assert names(index) == ["payments", "team-a"]


def test_an_older_index_that_was_ingested_here_is_replaced(tmp_path: Path, index: Path) -> None:
    here = tmp_path / "here.db"
    here.write_bytes(index.read_bytes())
    os.utime(here, (0, 0))
    published(changed(tmp_path, "orders"), place(tmp_path / "shared"))

    assert pull(place(tmp_path / "shared"), here).updated


def test_an_older_index_is_published_only_by_force(tmp_path: Path, index: Path) -> None:
    shared = place(tmp_path / "shared")
    old = tmp_path / "old.db"
    old.write_bytes(index.read_bytes())
    os.utime(old, (0, 0))
    published(index, shared)

    with pytest.raises(Refused, match="newer than the index here"):
        published(old, shared)
    assert published(old, shared, force=True).checked_at == datetime(1970, 1, 1, tzinfo=UTC)


def test_a_file_that_is_no_manifest_is_never_replaced(tmp_path: Path, index: Path) -> None:
    package = tmp_path / "package.json"
    package.write_text('{"name": "web"}')

    with pytest.raises(InvalidInput, match="no snapshot of a catalog"):
        published(index, place(package), force=True)
    assert package.read_text() == '{"name": "web"}'


def test_a_dry_run_says_what_would_be_and_does_nothing(tmp_path: Path, index: Path) -> None:
    (tmp_path / "bench").mkdir()
    request = Request(index, place(tmp_path / "shared"), tmp_path / "bench")
    with prepared(request, FakeClock()) as made:
        done = made.published

    assert (done.uploaded, done.entities) == (True, 2)
    assert not (tmp_path / "shared").exists()


def test_without_a_snapshot_it_says_so(tmp_path: Path, laptop: Path) -> None:
    with pytest.raises(NotFound, match="no snapshot at"):
        pull(place(tmp_path / "shared"), laptop)


# A server that takes files.


@dataclass
class FileServer:
    """Keeps what is put on it, for those with the token."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    moved: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    cut: int = 0
    stall: threading.Event | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/idp"

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        path = call.path.partition("?")[0]
        self.tokens.add(call.headers.get("Authorization", ""))
        body = call.rfile.read(int(call.headers.get("Content-Length", 0)))
        status, headers, content = self.outcome(call, path, body)
        self.asked.append((call.command, path, status))
        if path.endswith(".gz") and call.command == "GET" and status == 200:
            if self.cut:
                self.cut -= 1
                headers |= {"Content-Length": str(len(content))}
                self.half(call, headers, content)
                return
            if self.stall:
                self.half(call, headers | {"Content-Length": str(len(content))}, content)
                self.stall.wait(60)
                return
        send(call, status, headers, content)

    def outcome(
        self, call: BaseHTTPRequestHandler, path: str, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        if path in self.moved and call.command == "GET":
            return 302, {"Location": self.moved[path]}, b""
        if call.command != "GET" and call.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {}, b""
        if f"{call.command} {path}" in self.refused:
            return 403, {}, b""
        if call.command == "PUT":
            self.files[path] = body
            return 201, {"Content-Type": "text/html"}, b"<h1>201 Created</h1>"
        if path not in self.files:
            return 404, {}, b""
        if call.command == "DELETE":
            del self.files[path]
            return 204, {}, b""
        etag = f'"{hashlib.md5(self.files[path]).hexdigest()}"'
        if call.headers.get("If-None-Match") == etag:
            return 304, {"ETag": etag}, b""
        return 200, {"ETag": etag}, self.files[path]

    @staticmethod
    def half(call: BaseHTTPRequestHandler, headers: dict[str, str], content: bytes) -> None:
        call.send_response(200)
        for name, value in headers.items():
            call.send_header(name, value)
        call.end_headers()
        call.wfile.write(content[: len(content) // 2])
        call.wfile.flush()
        call.close_connection = True


@contextmanager
def serving(key: Path, cert: Path) -> Iterator[FileServer]:
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            files.answer(self)

        do_PUT = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    with https(Handler, key, cert) as port:
        files.port = port
        yield files


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def server(keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    for name, value in {
        "SSL_CERT_FILE": str(keys[1]),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    with serving(*keys) as files:
        yield files


def test_a_server_keeps_the_snapshot(server: FileServer, index: Path, laptop: Path) -> None:
    done = published(index, place(server.url))
    assert [row[:2] for row in server.asked if row[0] == "PUT"] == [
        ("PUT", f"/idp/{done.data}"),
        ("PUT", "/idp/catalog.json"),
    ]
    assert pull(place(server.url), laptop).updated
    assert laptop.read_bytes() == index.read_bytes()


def test_what_is_unchanged_by_its_etag_is_not_sent_again(
    server: FileServer, index: Path, laptop: Path
) -> None:
    published(index, place(server.url))
    pull(place(server.url), laptop)
    server.asked.clear()

    assert not pull(place(server.url), laptop).updated
    assert server.asked == [("GET", "/idp/catalog.json", 304)]


def test_old_data_go_from_a_server_too_if_it_lets_us(
    tmp_path: Path, server: FileServer, index: Path
) -> None:
    first = published(index, place(server.url))
    published(changed(tmp_path, "orders"), place(server.url))
    server.refused.add(f"DELETE /idp/{first.data}")
    published(changed(tmp_path, "users", 2), place(server.url))
    assert f"/idp/{first.data}" in server.files

    server.refused.clear()
    published(changed(tmp_path, "mail", 3), place(server.url))
    assert len(server.files) == 4


def test_a_publish_that_ends_before_the_manifest_leaves_the_old_snapshot(
    tmp_path: Path, server: FileServer, index: Path, laptop: Path
) -> None:
    published(index, place(server.url))
    server.refused.add("PUT /idp/catalog.json")
    with pytest.raises(NotAllowed):
        published(changed(tmp_path, "orders"), place(server.url))

    pull(place(server.url), laptop)
    assert names(laptop) == ["payments", "team-a"]


@pytest.mark.parametrize("token", ["", "another"])
def test_who_may_not_publish_is_told_which_variable_has_the_token(
    token: str, server: FileServer, index: Path
) -> None:
    with pytest.raises(NotAllowed) as told:
        published(index, place(server.url, token))
    assert "IDP_SNAPSHOT_TOKEN" in told.value.hint
    assert token == "" or token not in told.value.message + told.value.hint


def test_the_query_of_a_signed_folder_goes_with_every_request(
    server: FileServer, index: Path, laptop: Path
) -> None:
    where = place(f"{server.url}?sig=s3cret")
    published(index, where)
    pull(where, laptop)

    assert "s3cret" not in where.name
    assert "s3cret" not in (laptop.parent / "catalog.db.pulled").read_text()


def test_a_connection_that_breaks_in_the_middle_is_tried_again_from_the_start(
    server: FileServer, index: Path, laptop: Path
) -> None:
    published(index, place(server.url))
    server.cut = 2

    pull(place(server.url), laptop)
    assert laptop.read_bytes() == index.read_bytes()


def test_one_that_always_breaks_leaves_the_index(
    tmp_path: Path, server: FileServer, index: Path, laptop: Path
) -> None:
    published(index, place(server.url))
    pull(place(server.url), laptop)
    published(changed(tmp_path, "orders"), place(server.url))
    server.cut = 100

    with pytest.raises(RemoteFailed, match="no whole answer"):
        pull(place(server.url), laptop)
    assert names(laptop) == ["payments", "team-a"]


def test_another_server_that_has_the_file_does_not_get_the_token(
    server: FileServer, keys: tuple[Path, Path], index: Path, laptop: Path
) -> None:
    published(index, place(server.url))
    with serving(*keys) as store:
        for path in [path for path in server.files if path.endswith(".gz")]:
            store.files["/blob"] = server.files.pop(path)
            server.moved[path] = f"https://127.0.0.1:{store.port}/blob?signature=x"
        pull(place(server.url), laptop)

        assert store.tokens == {""}
        assert laptop.read_bytes() == index.read_bytes()


def test_nothing_is_read_over_plain_http(server: FileServer, laptop: Path) -> None:
    server.moved["/idp/catalog.json"] = f"http://127.0.0.1:{server.port}/x"
    with pytest.raises(RemoteFailed, match="not https"):
        pull(place(server.url), laptop)


@pytest.mark.parametrize("location", ["http://files.example.com/idp", "s3://bucket/idp"])
def test_other_urls_are_refused(location: str) -> None:
    with pytest.raises(UsageError, match="no location for snapshots"):
        place(location)


# From the shell.


def test_the_platform_file_says_where(
    tmp_path: Path, index: Path, laptop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = tmp_path / "platform" / "idp-platform.yaml"
    platform.parent.mkdir()
    platform.write_text("version: 1\ncatalog:\n  snapshot: ../shared\n")
    monkeypatch.setenv("IDP_PLATFORM", str(platform))

    run = idp("catalog", "snapshot", "publish", "--index", index, "--json")
    assert (run.code, run.json["entities"]) == (0, 2)
    assert run.json["location"] == str(tmp_path / "shared" / "catalog.json")
    pulled = idp("catalog", "snapshot", "pull", "--index", laptop)
    assert pulled.out.startswith("pulled 2 entities, of ")
    assert idp("catalog", "snapshot", "pull", "--index", laptop).out.startswith("up to date: 2")


def test_without_a_location_it_asks_for_one(index: Path) -> None:
    run = idp("catalog", "snapshot", "publish", "--index", index)
    assert run.code == 2
    assert "catalog.snapshot" in run.err


def test_publishing_on_a_server_asks_first(
    server: FileServer, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_SNAPSHOT_TOKEN", TOKEN)
    words = ("catalog", "snapshot", "publish", server.url, "--index", index)
    assert idp(*words).code == 2
    assert server.files == {}

    assert idp(*words, "--dry-run").code == 0
    assert server.files == {}
    assert idp(*words, "--yes").code == 0
    assert len(server.files) == 2


def test_a_full_disk_leaves_the_index(tmp_path: Path, index: Path, laptop: Path) -> None:
    published(index, place(tmp_path / "shared"))
    pull(place(tmp_path / "shared"), laptop)
    before = laptop.read_bytes()
    published(changed(tmp_path, "orders"), place(tmp_path / "shared"))

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    words = ("catalog", "snapshot", "pull", tmp_path / "shared", "--index", laptop)
    with idp_process(*words, preexec_fn=limited) as process:
        _, err = process.communicate()
    assert (process.returncode, b"is the disk full?" in err) == (3, True)
    assert laptop.read_bytes() == before


def test_a_killed_pull_leaves_the_index_and_the_next_one_cleans_up(
    tmp_path: Path, server: FileServer, index: Path, laptop: Path
) -> None:
    published(index, place(server.url))
    pull(place(server.url), laptop)
    before = laptop.read_bytes()
    published(changed(tmp_path, "orders"), place(server.url))
    server.stall = threading.Event()
    with idp_process("catalog", "snapshot", "pull", server.url, "--index", laptop) as process:
        while not any(laptop.parent.glob(".idp-*/data.gz")):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    server.stall.set()
    assert laptop.read_bytes() == before

    server.stall = None
    pull(place(server.url), laptop)
    assert names(laptop) == ["orders", "payments", "team-a"]
    assert not list(laptop.parent.glob(".idp-*"))


def test_two_pulls_at_once_are_both_right(tmp_path: Path, index: Path, laptop: Path) -> None:
    published(index, place(tmp_path / "shared"))
    words = ("catalog", "snapshot", "pull", tmp_path / "shared", "--index", laptop, "--json")
    processes = [idp_process(*words) for _ in range(2)]
    outs = [process.communicate()[0] for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert all(json.loads(out)["entities"] == 2 for out in outs)
    assert laptop.read_bytes() == index.read_bytes()


def test_a_file_that_is_no_index_is_not_written_over(
    tmp_path: Path, index: Path, laptop: Path
) -> None:
    published(index, place(tmp_path / "shared"))
    laptop.parent.mkdir(parents=True, exist_ok=True)
    laptop.write_text("my notes\n" * 20)
    with pytest.raises(InvalidInput, match="is no catalog index"):
        pull(place(tmp_path / "shared"), laptop)
    assert laptop.read_text().startswith("my notes")
