"""The health gate: so many checks in a row must pass within a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from idp.config.running import HealthSettings
from idp.errors import IdpError, Unhealthy
from idp.workload.model import HttpGet, Workload

if TYPE_CHECKING:
    from idp.clock import Clock
    from idp.rest import Transport

PROMETHEUS = "/api/v1/query"


@dataclass(frozen=True)
class Seen:
    """What a check saw."""

    passed: bool
    said: str


Check = Callable[[], Seen]


@dataclass(frozen=True)
class Prober:
    """Looks from outside, as a user would; each look is one request and no more."""

    clock: Clock
    transport: Transport | None = None

    def http(self, url: str, get: HttpGet | None) -> Check:
        """Return a check of an environment's URL: any answer from 200 to 399 passes.

        Without a path of the workload's own, any answer below 500 shows that it is there.
        """
        from idp.rest import Server

        parts = urlsplit(url)
        base = parts.path.rstrip("/")
        headers: Mapping[str, str] = get.headers if get else {}
        origin = f"{parts.scheme}://{parts.netloc}"
        server = Server(origin, self.clock, headers, transport=self.transport, hasty=True)
        path, limit = base + (get.path if get else "/"), 400 if get else 500

        def look() -> Seen:
            try:
                reply = server.get(path, ok=range(300, 600), raw=True)
            except IdpError as error:
                return Seen(False, error.message)
            return Seen(reply.status < limit, f"GET {origin}{path}: {reply.status}")

        return look

    def prometheus(self, settings: HealthSettings) -> Check:
        """Return a check by PromQL: a vector or scalar whose every value is true (not 0)."""
        from idp.rest import Server

        server = Server(settings.prometheus, self.clock, transport=self.transport, hasty=True)

        def look() -> Seen:
            try:
                reply = server.get(PROMETHEUS, {"query": settings.query})
                values = _values(reply.data)
            except (IdpError, LookupError, TypeError, ValueError) as error:
                return Seen(False, f"{settings.prometheus}: {error}")
            return Seen(bool(values) and all(values), f"{settings.query}: {values or 'no value'}")

        return look

    def checks(self, url: str, workload: Workload, settings: HealthSettings) -> list[Check]:
        """Return all checks of an environment; none where it publishes nothing."""
        found = [self.http(url, probed(workload))] if url else []
        return found + ([self.prometheus(settings)] if settings.query else [])


def _values(data: object) -> list[float]:
    """Return the values of an answer of Prometheus' HTTP API."""
    match data:
        case {"status": "success", "data": {"resultType": "vector", "result": list(rows)}}:
            return [float(row["value"][1]) for row in rows]
        case {"status": "success", "data": {"resultType": "scalar", "result": [_, value]}}:
            return [float(value)]
    raise ValueError("the query gives no vector and no scalar")


def probed(workload: Workload) -> HttpGet | None:
    """Return the request that shows the health of what is published: readiness, else liveness."""
    targets = [port.target for port in workload.ports[:1]]
    for kind in ("readiness", "liveness"):
        for container in workload.containers:
            check = getattr(container, kind)
            if check and check.http and (not targets or check.http.port in targets):
                found: HttpGet = check.http
                return found
    return None


def gate(
    checks: list[Check],
    settings: HealthSettings,
    clock: Clock,
    between: Callable[[], None],
) -> Seen:
    """Wait until all checks have passed so many times in a row.

    Args:
        between: is called before each round; what it raises ends the waiting.

    Raises:
        Unhealthy: out of time; it names the check that failed last.
    """
    from datetime import timedelta

    give_up = clock.now() + timedelta(seconds=settings.deadline)
    passed, last = 0, Seen(True, "nothing to check")
    while checks:
        between()
        last = next((seen for check in checks if not (seen := check()).passed), Seen(True, ""))
        passed = passed + 1 if last.passed else 0
        if passed >= settings.passes:
            break
        if clock.now() >= give_up:
            raise Unhealthy(
                f"not healthy after {settings.deadline:g} s: {last.said or 'too few checks passed'}"
            )
        clock.sleep(settings.every)
    return last
