"""A Backstage catalog to test against, written from its documentation and its router's source.

docs/features/software-catalog/api.md and plugins/catalog-backend/src/service/createRouter.ts of
github.com/backstage/backstage; no backend was asked.
"""

from __future__ import annotations

import base64
import json
import re
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from idp.catalog.source.backstage import BackstageSource
from idp.catalog.source.grammar import parse_place

from ...clock import FakeClock

URL = "https://backstage.example.com"
BY_NAME = re.compile(r"/entities/by-name/([^/]+)/([^/]+)/([^/]+)")


@dataclass
class Backstage:
    """The backend's state, as a story may read and change it.

    Attributes:
        entities: as the backend answers them, by ref.
        is_old: it has no `by-query`, as before 1.8.
        page_size: the most entities of a page.
        failures: answers that the next requests get whose path and query match.
    """

    entities: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str = "s3cret"
    is_old: bool = False
    page_size: int = 500
    asked: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    failures: list[tuple[str, httpx.Response]] = field(default_factory=list)
    clock: FakeClock = field(default_factory=FakeClock)

    def put(self, entity: dict[str, Any], **notes: str) -> None:
        """Take in an entity, and add to it what the backend adds."""
        entity = deepcopy(entity)
        metadata = entity["metadata"]
        metadata.setdefault("namespace", "default")
        ref = f"{entity['kind']}:{metadata['namespace']}/{metadata['name']}".lower()
        at = f"url:https://github.com/acme/{metadata['name'].lower()}/tree/main/catalog-info.yaml"
        added = {
            "backstage.io/managed-by-location": at,
            "backstage.io/managed-by-origin-location": at,
            "backstage.io/view-url": at.removeprefix("url:"),
            **notes,
        }
        metadata["annotations"] = {**metadata.get("annotations", {}), **added}
        metadata["uid"] = f"uid-{ref}"
        metadata["etag"] = f"{abs(hash(json.dumps(entity, sort_keys=True))):x}"
        entity["relations"] = [{"type": "ownedBy", "targetRef": "group:default/team-a"}]
        entity["status"] = {"items": []}
        self.entities[ref] = entity

    def source(self, token: str | None = None) -> BackstageSource:
        place = parse_place(f"backstage:{URL}", base=Path())
        given = self.token if token is None else token
        transport = httpx.MockTransport(self._handle)
        return BackstageSource(place, given, self.clock, lambda _: None, transport)

    def fail(self, path: str, status: int, message: str = "failed", times: int = 1) -> None:
        """Let the next requests that match a pattern fail, as Backstage tells an error."""
        error = {"error": {"name": "Error", "message": message}, "response": {"statusCode": status}}
        self.failures += [(path, httpx.Response(status, json=error)) for _ in range(times)]

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.hosts.add(request.url.host)
        path = request.url.path.removeprefix("/api/catalog")
        asked = f"{path}?{request.url.query.decode()}".rstrip("?")
        self.asked.append(asked)
        for number, (pattern, answer) in enumerate(self.failures):
            if re.search(pattern, asked):
                del self.failures[number]
                return answer
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            error = {"name": "AuthenticationError", "message": "Missing credentials"}
            return httpx.Response(401, json={"error": error})
        return self._answer(path, dict(request.url.params))

    def _answer(self, path: str, query: dict[str, str]) -> httpx.Response:
        if found := BY_NAME.fullmatch(path):
            entity = self.entities.get(f"{found[1]}:{found[2]}/{found[3]}".lower())
            return _json(entity) if entity else _missing(path)
        first = int(query.get("offset", 0))
        size = min(int(query.get("limit", 20)), self.page_size)
        if path == "/entities":
            return _json(self._page(first, size, query))
        if path != "/entities/by-query" or self.is_old:
            return _missing(path)
        if cursor := query.get("cursor"):
            first = json.loads(base64.b64decode(cursor))["after"]
        more = first + size < len(self.entities)
        following = base64.b64encode(json.dumps({"after": first + size}).encode()).decode()
        info = {"nextCursor": following} if more else {}
        items = self._page(first, size, query)
        return _json({"items": items, "totalItems": len(self.entities), "pageInfo": info})

    def _page(self, first: int, size: int, query: dict[str, str]) -> list[dict[str, Any]]:
        page = list(self.entities.values())[first : first + size]
        fields = query.get("fields", "")
        return [_only(entity, fields.split(",")) for entity in page] if fields else page


def _only(entity: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Return the fields of an entity that were asked for."""
    kept: dict[str, Any] = {}
    for name in fields:
        root, _, key = name.partition(".")
        if not key:
            kept[root] = entity[root]
        elif key in entity[root]:
            kept.setdefault(root, {})[key] = entity[root][key]
    return kept


def _json(data: Any) -> httpx.Response:
    return httpx.Response(200, json=data)


def _missing(path: str) -> httpx.Response:
    return httpx.Response(404, json={"error": {"name": "NotFoundError", "message": path}})
