"""A forge made of its published documentation: `recorded/` holds what each page says.

No GitLab and no Gitea was asked. The fields of requests and answers were written down by hand from
the pages that the files name, so these tests show that we speak as the pages say, and not that a
server of some version agrees with its pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from idp.forge.base import Forge, Kind
from idp.forge.connect import connect
from idp.forge.credentials import Credential
from idp.forge.place import Place

from ..clock import FakeClock

RECORDED = Path(__file__).parent / "recorded"
SHA = "6dcb09b5b57875f334f61aebed695e2e4193db5e"


class Lost(Exception):
    """The work was done, and its answer never came."""


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    what: str
    query: dict[str, str]
    body: Any
    headers: httpx.Headers


@dataclass
class Documented:
    """Answers what a story says, and takes only what the documentation has.

    Attributes:
        asked: every request, in order.
        clock: what waits are counted by.
    """

    kind: Kind
    asked: list[Asked] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)
    _answers: dict[str, list[Any]] = field(default_factory=dict)
    _always: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pages = [json.loads(path.read_text()) for path in sorted((RECORDED / self.kind).iterdir())]
        self._requests = {name: spec for page in pages for name, spec in page["requests"].items()}
        self._shapes = {name: shape for page in pages for name, shape in page["shapes"].items()}
        self.place = Place(f"{self.kind}.example.com", self.kind)

    def shape(self, name: str, /, **changes: Any) -> Any:
        """Return an answer as the documentation shows it, with some fields changed."""
        shape = deepcopy(self._shapes[name])
        return {**shape, **changes} if changes else shape

    def answers(self, request: str, *answers: Any) -> None:
        """Answer a request by these in turn: JSON, a status, a whole answer, or Lost."""
        self._answers.setdefault(request, []).extend(answers)

    def always(self, request: str, answer: Any) -> None:
        """Answer a request by this however often it comes, and if it never comes."""
        self._always[request] = answer

    def sent(self, method: str) -> list[tuple[str, Any]]:
        """Return the requests of a method, each with its body."""
        return [
            (asked.what.split()[1], asked.body)
            for asked in self.asked
            if asked.what.split()[0] == method
        ]

    @property
    def changes(self) -> list[str]:
        """The requests that change something."""
        return [asked.what for asked in self.asked if asked.what.split()[0] not in ("GET", "HEAD")]

    def forge(self) -> Forge:
        """Return the forge as idp speaks to it, logged in as `idp-bot`."""
        credential = Credential(self.place.host, "s3cret", "the test")
        transport = httpx.MockTransport(self._handle)
        return connect(self.place, credential, self.clock, self.said.append, transport)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        url = f"{self.place.api}/"
        assert str(request.url).startswith(url), f"{request.url} is not below {url}"
        path = "/" + request.url.raw_path.decode().partition("?")[0].removeprefix(
            httpx.URL(url).raw_path.decode()
        )
        what = f"{request.method} {path}"
        body = json.loads(request.content) if request.content else None
        asked = Asked(what, dict(request.url.params), body, request.headers)
        self._check(asked)
        self.asked.append(asked)
        waiting = self._answers.get(what)
        assert waiting or what in self._always, f"the story has no answer to {what} {body}"
        return _response(waiting.pop(0) if waiting else self._always[what], request)

    def _check(self, asked: Asked) -> None:
        known = [s for name, s in self._requests.items() if _pattern(name).fullmatch(asked.what)]
        assert known, f"{asked.what} is not in the documentation of {self.kind}"
        fields = [set(spec.get("query", ())) for spec in known]
        assert any(set(asked.query) <= each for each in fields), f"{asked.what}: {asked.query}"
        bodies = [set(spec.get("body", ())) for spec in known]
        assert any(set(asked.body or ()) <= each for each in bodies), f"{asked.what}: {asked.body}"

    def close(self) -> None:
        """Complain of answers that nobody asked for."""
        left = {what: answers for what, answers in self._answers.items() if answers}
        assert not left, f"nobody asked for {left}"


@contextmanager
def documented(kind: Kind) -> Iterator[Documented]:
    """Run a story on a forge; what it told must have been asked."""
    forge = Documented(kind)
    user = "username" if kind == "gitlab" else "login"
    forge.always("GET /user", forge.shape("user", **{user: "idp-bot"}))
    yield forge
    forge.close()


def _response(answer: Any, request: httpx.Request) -> httpx.Response:
    match answer:
        case httpx.Response():
            return answer
        case Lost():
            raise httpx.ReadError("the connection was cut", request=request)
        case int():
            return httpx.Response(answer, json={"message": f"status {answer}"})
    return httpx.Response(201 if request.method == "POST" else 200, json=answer)


def _pattern(request: str) -> re.Pattern[str]:
    """Return what matches a request: {name} a part of its path, {name...} the rest."""
    pattern = re.sub(r"\\\{\w+\\\.\\\.\\\.\\\}", ".+", re.escape(request))
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern))
