"""It works at its first commit, as a developer, a platform and a client see it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from .conftest import RELEASES, Render
from .stories import Process, Service, started, wait_until


@pytest.fixture
def process(installed: Service, tmp_path: Path) -> Iterator[Process]:
    with started(installed, tmp_path / "log") as process:
        yield process


class Collector(HTTPServer):
    """Takes what an OpenTelemetry exporter sends."""

    def __init__(self) -> None:
        self.received: list[tuple[str, bytes]] = []
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Receiver(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.received.append((self.path, b"".join(self.body())))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def body(self) -> Iterator[bytes]:
        """Yield what was sent, in one piece or in chunks (RFC 9112, 7.1)."""
        if length := self.headers["Content-Length"]:
            yield self.rfile.read(int(length))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_its_own_tests_linter_and_types_pass(installed: Service) -> None:
    installed.make("lint")
    installed.make("test")


def test_its_generated_files_are_up_to_date_to_the_letter(installed: Service) -> None:
    before = generated(installed)

    installed.make("openapi", "slo")

    assert generated(installed) == before


@pytest.mark.parametrize("release", RELEASES)
def test_awkward_answers_pass_its_own_tests_too(
    release: str, render: Render, tmp_path: Path
) -> None:
    awkward = render(
        release,
        tmp_path / "awkward",
        name="on-and-on-with-a-name-as-long-as-the-catalog-will-allow-it-here",
        owner="123",
        description='Käse "und" \\ ${x} {{ y }}: # 🚀',
        tier="critical",
        repository="https://github.com/acme/cheese",
    )

    awkward.make("lint", "test", "openapi", "slo")

    fresh = render(release, tmp_path / "fresh", **recorded(awkward))
    assert generated(awkward) == generated(fresh)


def test_a_client_creates_lists_and_reads_items(process: Process) -> None:
    created = process.client.post("/v1/items", json={"name": "Blue kettle"})

    assert created.status_code == 201
    assert process.get(created.headers["Location"]).json() == created.json()
    assert process.get("/v1/items").json() == {"items": [created.json()], "next_cursor": None}
    refused = process.client.post("/v1/items", json={})
    assert refused.status_code == 422
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_platform_sees_health_readiness_and_metrics(process: Process) -> None:
    process.get("/v1/items")
    process.get(f"/v1/items/{uuid4()}")

    assert process.get("/healthz").json() == {"status": "ok"}
    assert process.get("/readyz").json() == {"status": "ready"}
    metrics = process.get("/metrics").text
    counted = re.findall(
        r"^http_server_request_duration_seconds_count\{(.*)\} 1(?:\.0)?$", metrics, re.M
    )
    assert {frozenset(re.findall(r'(\w+)="([^"]*)"', labels)) for labels in counted} == {
        frozenset(
            {
                ("http_request_method", "GET"),
                ("http_response_status_code", status),
                ("http_route", route),
            }
        )
        for route, status in (("/v1/items", "200"), ("/v1/items/{item_id}", "404"))
    }
    for name in ("http_server_active_requests", "process_cpu_seconds_total", "process_start_time"):
        assert f"\n{name}" in metrics


def test_a_request_can_be_followed_from_caller_to_log(process: Process) -> None:
    trace_id = uuid4().hex

    answer = process.get(
        "/v1/items", **{"X-Request-ID": "r-1", "traceparent": f"00-{trace_id}-{'1' * 16}-01"}
    )

    assert answer.headers["X-Request-ID"] == "r-1"
    wait_until(lambda: '"r-1"' in process.told(), process.told)
    (line,) = [line for line in process.lines() if line.get("request_id") == "r-1"]
    assert line["trace_id"] == trace_id
    assert len(line["span_id"]) == 16
    assert (line["route"], line["status"]) == ("/v1/items", 200)
    assert all({"event", "level", "timestamp"} <= line.keys() for line in process.lines())


def test_sigterm_ends_it_gracefully(process: Process) -> None:
    process.terminate()

    assert process.wait() == 0
    assert process.lines()[-1]["event"] == "stopped"


def test_traces_are_sent_before_it_ends(
    installed: Service, collector: Collector, tmp_path: Path
) -> None:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "shop"}
    with started(installed, tmp_path / "log", **settings) as process:
        process.get("/v1/items")
        process.terminate()
        assert process.wait() == 0

    assert collector.received
    assert {path for path, _ in collector.received} == {"/v1/traces"}
    sent = b"".join(body for _, body in collector.received)
    assert b"GET /v1/items" in sent
    assert b"shop" in sent
    assert b"readyz" not in sent


@pytest.mark.since("1.1.0")
def test_while_it_drains_it_serves_but_is_not_ready(installed: Service, tmp_path: Path) -> None:
    with started(installed, tmp_path / "log", DRAIN_SECONDS="3600") as process:
        process.terminate()
        wait_until(lambda: process.status("/readyz") == 503, process.told)

        served = process.get("/v1/items")
        assert (served.status_code, served.headers["Connection"]) == (200, "close")
        process.terminate()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PORT", "http"), ("LOG_LEVEL", "LOUD"), ("SHUTDOWN_TIMEOUT_SECONDS", "-1")],
)
def test_a_wrong_setting_is_named(
    variable: str, value: str, installed: Service, tmp_path: Path
) -> None:
    process = Process(installed, tmp_path / "log", **{variable: value})

    assert process.wait() == 1
    assert variable in process.told().upper()
    process.client.close()


def generated(service: Service) -> list[str]:
    return [service.read("openapi.yaml"), service.read("observability/slo-rules.yaml")]


def recorded(service: Service) -> dict[str, str]:
    (answers,) = service.yaml(".copier-answers.yml")
    return {name: value for name, value in answers.items() if not name.startswith("_")}
