"""Run the application, and stop it without dropping a request."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from .health import Readiness
from .settings import Settings
from .telemetry import get_logger

log = get_logger(__name__)


class GracefulServer(uvicorn.Server):
    """Tells readiness that it stops, then lets requests in flight finish."""

    def __init__(self, config: uvicorn.Config, readiness: Readiness) -> None:
        super().__init__(config)
        self.readiness = readiness

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
        log.info("stopping")
        self.force_exit = self.readiness.stopping
        self.readiness.stopping = True
        self.should_exit = True


def serve(app: FastAPI, settings: Settings, readiness: Readiness) -> None:
    """Serve until told to stop."""
    config = uvicorn.Config(
        app,
        host=settings.bind_address,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_timeout_seconds,
    )
    GracefulServer(config, readiness).run()
    log.info("stopped")
