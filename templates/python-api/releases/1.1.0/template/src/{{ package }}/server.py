"""Run the application, and stop it without dropping a request."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .health import Readiness
from .settings import Settings
from .telemetry import get_logger

log = get_logger(__name__)


class CloseWhileStopping:
    """Asks clients to open their next connection elsewhere, once the service stops."""

    def __init__(self, app: ASGIApp, readiness: Readiness) -> None:
        self.app = app
        self.readiness = readiness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and self.readiness.stopping:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self.app(scope, receive, send_and_close)


class GracefulServer(uvicorn.Server):
    """Tells readiness that it stops, drains, then lets requests in flight finish."""

    def __init__(
        self, config: uvicorn.Config, readiness: Readiness, *, drain_seconds: float = 0
    ) -> None:
        super().__init__(config)
        self.readiness = readiness
        self.drain_seconds = drain_seconds

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT, and exit with 0 as a service asked to stop should."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        yield
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Begin to stop; told a second time, do not wait any longer."""
        if self.readiness.stopping:
            self.should_exit = self.force_exit = True
            return
        log.info("stopping", drain_seconds=self.drain_seconds)
        self.readiness.stopping = True
        asyncio.get_running_loop().call_later(self.drain_seconds, self._drained)

    def _drained(self) -> None:
        self.should_exit = True


def serve(app: FastAPI, settings: Settings, readiness: Readiness) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        CloseWhileStopping(app, readiness),
        host=settings.bind_address,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
    )
    GracefulServer(config, readiness, drain_seconds=settings.drain_seconds).run()
    log.info("stopped")
