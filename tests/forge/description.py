"""GitHub's own OpenAPI description as a judge of our requests, by prism in its validating mode."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

TOOLS = Path(__file__).parent / "tools"
MODULES = TOOLS / "node_modules"
DESCRIPTIONS = MODULES / "@octokit/openapi/generated"
PRISM = MODULES / "@stoplight/prism-cli/dist/index.js"

GRAPHQL = "POST /graphql"
"""It has a schema of its own, and no part in the description."""


def described(edition: str, operations: Iterable[str]) -> dict[str, Any]:
    """Return an edition's description of operations; a field that it does not know is an error."""
    whole = json.loads((DESCRIPTIONS / f"{edition}.json").read_text("utf-8"))
    paths: dict[str, Any] = {}
    for method, path in map(str.split, operations):
        operation = whole["paths"][path][method.lower()]
        for media in operation.get("requestBody", {}).get("content", {}).values():
            if "properties" in media["schema"]:
                media["schema"]["additionalProperties"] = False
        paths.setdefault(path, {})[method.lower()] = operation
    return {
        **{key: whole[key] for key in ("openapi", "info")},
        "paths": paths,
        "components": _components(whole["components"], paths),
    }


def _components(known: dict[str, Any], start: Any) -> dict[str, Any]:
    """Return the components that something refers to, and those that they refer to."""
    found: dict[str, Any] = {}
    waiting = [start]
    while waiting:
        match waiting.pop():
            case {"$ref": str(reference)}:
                kind, name = reference.removeprefix("#/components/").split("/")
                if name not in found.setdefault(kind, {}):
                    found[kind][name] = known[kind][name]
                    waiting.append(known[kind][name])
            case dict() as part:
                waiting.extend(part.values())
            case list() as part:
                waiting.extend(part)
    return found


@contextmanager
def judging(edition: str, operations: Iterable[str], folder: Path) -> Iterator[str]:
    """Run prism on the description of operations until the block ends; yield its address."""
    if not DESCRIPTIONS.exists() or shutil.which("node") is None:
        pytest.skip("prism is missing: npm ci --ignore-scripts --prefix tests/forge/tools")
    description = folder / "github.json"
    description.write_text(json.dumps(described(edition, operations)), "utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", str(PRISM), "mock", "--host", "127.0.0.1", "--port", str(port)]
    prism = subprocess.Popen([*command, str(description)], stdout=-1, stderr=-2, text=True)
    assert prism.stdout
    try:
        said = []
        for line in prism.stdout:
            said.append(line)
            if "is listening" in line:
                break
        assert said and "is listening" in said[-1], "".join(said)
        yield f"http://127.0.0.1:{port}"
    finally:
        prism.terminate()
        prism.stdout.close()
        prism.wait()


class Judge(httpx.BaseTransport):
    """Has each request judged; answers with the description's examples, or as told.

    Attributes:
        asked: the operation of each request.
        faults: what was found wrong with them.
    """

    def __init__(self, operations: Iterable[str], answers: Mapping[str, httpx.Response]) -> None:
        self.asked: list[str] = []
        self.faults: list[str] = []
        self._operations = {operation: _pattern(operation) for operation in operations}
        self._answers = answers
        self._prism = httpx.HTTPTransport(verify=False)  # prism speaks plain http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        sent = f"{request.method} {request.url.raw_path.decode().partition('?')[0]}"
        if sent == GRAPHQL:
            self.asked.append(sent)
            return _copy(self._answers[sent])
        known = (name for name, pattern in self._operations.items() if pattern.fullmatch(sent))
        self.asked.append(next(known, f"unknown: {sent}"))
        # Other media types, such as a file's raw content, are described in prose only.
        request.headers["Accept"] = "application/json"
        answer = self._prism.handle_request(request)
        answer.read()
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            self.faults.append(f"{sent}: {answer.text}")
        for fault in json.loads(answer.headers.get("sl-violations", "[]")):
            if fault["location"][0] == "request":
                self.faults.append(f"{sent}: {fault['location']} {fault['message']}")
        if sent in self._answers:
            return _copy(self._answers[sent])
        # The pages of the examples are at GitHub, and without an end.
        answer.headers.pop("link", None)
        return answer

    def close(self) -> None:
        self._prism.close()


def _pattern(operation: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation)))


def _copy(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
