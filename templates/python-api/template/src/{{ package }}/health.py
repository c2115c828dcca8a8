"""Liveness and readiness, for whoever runs the service."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from .problem_details import problem_response

Check = Callable[[], Awaitable[bool]]


@dataclass
class Readiness:
    """Whether the service should be sent requests: it is not stopping and every check passes."""

    checks: dict[str, Check] = field(default_factory=dict)
    stopping: bool = False

    async def obstacles(self) -> list[str]:
        """Return what stands in the way; nothing if the service is ready."""
        if self.stopping:
            return ["stopping"]
        return [name for name, check in self.checks.items() if not await check()]


def create_router(readiness: Readiness) -> APIRouter:
    """Return the routes; they are no part of the API which clients see."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        # Looks at nothing else: a failing dependency must not restart every replica.
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> JSONResponse:
        if obstacles := await readiness.obstacles():
            return problem_response(503, f"Not ready: {', '.join(obstacles)}.")
        return JSONResponse({"status": "ready"})

    return router
