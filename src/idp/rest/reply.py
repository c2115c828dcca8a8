"""An answer, and what it says: the next page, an error in words, how long to wait."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

SECONDARY_WAIT = 60.0
"""Seconds to wait where a rate limit says nothing (GitHub's rule for its secondary limits)."""

LONGEST_WAIT = 86_400.0
"""Seconds of the longest wait that is believed; more may be no time at all."""

_LIMITED = ("rate limit", "abuse detection")


@dataclass(frozen=True)
class Reply:
    """An answer.

    Attributes:
        data: the JSON of its body; None for none.
        body: the bytes of it.
        next: the URL of the next page, where there is one.
    """

    status: int
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    next: str = ""

    @property
    def etag(self) -> str:
        """The version of what was read; empty where the server names none."""
        return self.headers.get("etag", "")


def read(answer: httpx.Response, raw: bool) -> Reply:
    """Return an answer's status, headers and body; `raw` leaves the body as it is.

    Raises:
        ValueError: what calls itself JSON is none, such as one cut short.
    """
    is_json = "json" in answer.headers.get("Content-Type", "")
    data = None
    if is_json and answer.content and not (raw and answer.is_success):
        data = json.loads(answer.content)
    link = answer.links.get("next", {}).get("url", "")
    return Reply(answer.status_code, data, dict(answer.headers), answer.content, link)


def is_rate_limit(reply: Reply) -> bool:
    """Tell a rate limit from a refusal: GitHub answers 403 to both, and its GraphQL 200."""
    if reply.status == 200:
        return _graphql_is_limited(reply.data)
    if reply.status != 403:
        return reply.status == 429
    spent = reply.headers.get("x-ratelimit-remaining") == "0"
    said = said_by(reply).lower()
    return spent or "retry-after" in reply.headers or any(word in said for word in _LIMITED)


def _graphql_is_limited(data: Any) -> bool:
    errors = data.get("errors") if isinstance(data, dict) else None
    return isinstance(errors, list) and any(
        isinstance(error, dict) and error.get("type") == "RATE_LIMITED" for error in errors
    )


def rate_limit_wait(reply: Reply, now: datetime) -> float:
    """Return the seconds until a rate limit lets us in again."""
    asked = retry_after(reply, now)
    if asked is None:
        asked = _until_reset(reply, now)
    return SECONDARY_WAIT if asked is None else asked


def retry_after(reply: Reply, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for (RFC 9110, 10.2.3); None for nothing."""
    asked = reply.headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return _believed(float(asked))
    then = _moment(asked)
    return _believed((then - _now_there(reply, now)).total_seconds()) if then else None


def _until_reset(reply: Reply, now: datetime) -> float | None:
    """Return the seconds until the rate limit starts anew; the header holds Unix seconds."""
    names = ("x-ratelimit-reset", "ratelimit-reset")
    at = next((reply.headers[name] for name in names if name in reply.headers), "")
    if not at.isdecimal():
        return None
    return _believed(float(at) - _now_there(reply, now).timestamp()) + 1


def _believed(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_WAIT)


def _now_there(reply: Reply, now: datetime) -> datetime:
    """Return the time by the server's clock, since ours may be wrong."""
    return _moment(reply.headers.get("date", "")) or now


def _moment(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def said_by(reply: Reply) -> str:
    """Return what a forge's error says, whichever of the usual shapes it has."""
    data = reply.data
    if not isinstance(data, dict):
        return f"status {reply.status}"
    words = [data.get("message"), data.get("error_description") or data.get("error")]
    lines = [_words(word) for word in (*words, data.get("errors")) if word]
    return "; ".join(lines) or f"status {reply.status}"


def _words(said: Any) -> str:
    """Return a message, a list of them, or messages by field as one line."""
    match said:
        case str():
            return said
        case {"message": str(message), **rest}:
            where = rest.get("field")
            return f"{where}: {message}" if where else message
        case {"resource": resource, "code": code, **rest}:
            return " ".join(str(part) for part in (resource, rest.get("field"), code) if part)
        case dict():
            return "; ".join(f"{key} {_words(value)}" for key, value in said.items())
        case list():
            return "; ".join(map(_words, said))
    return str(said)
