"""Logs, traces and metrics.

Use `get_logger(__name__)` for logs, `trace.get_tracer(__name__)` for spans, and
`prometheus_client` for metrics of your own: whatever it counts, `/metrics` shows.
"""

import asyncio
import logging
import re
import sys
import time
from collections.abc import MutableMapping
from typing import Any
from uuid import uuid4

import structlog
from fastapi import FastAPI, Response
from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, Histogram, generate_latest
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problem_details import problem_response
from .settings import Settings

# Names, labels and buckets are OpenTelemetry's for HTTP servers.
DURATION = Histogram(
    "http_server_request_duration_seconds",
    "How long requests took.",
    ["http_request_method", "http_route", "http_response_status_code"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
)
ACTIVE = Gauge("http_server_active_requests", "Requests being answered now.")

# Probes and scrapes say nothing about clients; they would drown what does.
UNOBSERVED = frozenset({"/healthz", "/readyz", "/metrics"})
# Labels are a closed set: a client must not be able to make new time series.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

get_logger = structlog.stdlib.get_logger
log = get_logger(__name__)


def configure_logging(settings: Settings) -> None:
    """Write every log line, the libraries' too, as one JSON object to stdout."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_ids,
        _drop_colours,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.dict_tracebacks,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)


def configure_tracing(settings: Settings) -> None:
    """Trace every request; export only where a collector is named."""
    provider = SdkTracerProvider(
        resource=Resource.create({SERVICE_NAME: settings.otel_service_name})
    )
    if settings.otel_exporter_otlp_endpoint:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


async def flush_traces() -> None:
    """Send what is still buffered; waits for the collector, so not on the event loop."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, SdkTracerProvider):
        await asyncio.to_thread(provider.shutdown)


def tracing(provider: trace.TracerProvider | None = None) -> TelemetryConfig:
    """Return how FastAPI traces: one span a request; logs and metrics are done here."""
    return {
        "tracer_provider": provider,
        "logs": False,
        "metrics": False,
        "operation_spans": False,
        "exclude": lambda scope: scope["path"] in UNOBSERVED,
    }


def instrument(app: FastAPI) -> None:
    """Observe every request, and serve `/metrics`."""
    app.add_middleware(RequestTelemetry)

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class RequestTelemetry:
    """Gives each request an id, a log line and its metrics, and answers what went wrong."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in UNOBSERVED:
            await self.app(scope, receive, send)
            return
        request_id = _request_id(Headers(scope=scope).get("x-request-id", ""))
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        started = time.perf_counter()
        with (
            structlog.contextvars.bound_contextvars(request_id=request_id),
            ACTIVE.track_inprogress(),
        ):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception as error:
                log.exception("request failed")
                trace.get_current_span().record_exception(error)
                if status:  # Too late for another answer; the server closes the connection.
                    status = 500
                    raise
                await problem_response(500)(scope, receive, send_with_id)
            finally:
                # Without a status the client went away before there was one.
                _record(scope, status or 499, time.perf_counter() - started)


def _record(scope: Scope, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in METHODS else "_OTHER"
    # The template, never the path: each id would be a time series of its own.
    route = getattr(scope.get("route"), "path", "unmatched")
    DURATION.labels(method, route, status).observe(seconds)
    log.info(
        "request", method=method, route=route, status=status, duration_ms=round(seconds * 1000, 1)
    )


def _request_id(given: str) -> str:
    return given if REQUEST_ID.fullmatch(given) else uuid4().hex


def _add_trace_ids(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _drop_colours(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    # uvicorn repeats its messages with escape codes for terminals.
    event.pop("color_message", None)
    return event
