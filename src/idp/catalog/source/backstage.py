"""A Backstage catalog, read through its API: the entities as its users wrote them.

The first time whole pages are read; after that names and etags, and what has another etag.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from io import FileIO
from typing import Any
from urllib.parse import quote

from idp.catalog.ref import DEFAULT_NAMESPACE
from idp.catalog.source.base import Found, State, Trouble
from idp.catalog.source.grammar import Place
from idp.catalog.source.page import repository_of
from idp.clock import Clock
from idp.errors import IdpError, InvalidInput, NotFound, RemoteFailed
from idp.forge.shapes import understood
from idp.rest import Query, Server, Transport

PAGE = 500
NAMES = "kind,metadata.name,metadata.namespace,metadata.etag,metadata.annotations"
VARIABLE = "IDP_BACKSTAGE_TOKEN"

_ENTITIES = "/api/catalog/entities"
_LOGIN = f"set {VARIABLE} to a token that the backend takes (backend.auth.externalAccess)"
# What the backend adds to what somebody wrote.
_ROOT = frozenset({"relations", "status"})
_METADATA = frozenset({"uid", "etag", "generation"})
_NOTES = frozenset(
    f"backstage.io/{name}"
    for name in ("managed-by-location", "managed-by-origin-location", "orphan")
)
_WHERE = ("backstage.io/managed-by-location", "backstage.io/source-location")
# What JSON holds as it is, and YAML does not, or reads as the end of a line.
_ESCAPED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class BackstageSource:
    """The entities of a Backstage catalog; each is a file of its own, in JSON."""

    workers = 8

    def __init__(
        self,
        place: Place,
        token: str,
        clock: Clock,
        say: Callable[[str], None],
        transport: Transport | None = None,
    ) -> None:
        self.place = place.written
        headers = {"Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        origin = VARIABLE if token else ""
        self._server = Server(place.url, clock, headers, origin, _LOGIN, say, transport)
        self._contents = _Contents()
        self._has_etags = False

    def scan(self, state: State) -> Iterator[Found | Trouble]:
        """Yield the entities; where a cursor is no more, the listing begins again, once."""
        query: Query = {"fields": NAMES} if state.get("has_etags") else {}
        self._has_etags = True
        begun = False
        for is_last in (False, True):
            try:
                for entities in self._pages({"limit": PAGE, **query}):
                    begun = True
                    yield from self._founds(entities, is_whole=not query)
                return
            except IdpError as error:
                if not begun:
                    raise
                if is_last or not isinstance(error, InvalidInput):
                    told = f"{self.place} is not listed to its end: {error.message}"
                    yield Trouble("", told, error.hint)
                    return

    def _pages(self, query: Query) -> Iterator[list[Any]]:
        """Yield the entities page by page; backends before 1.8 (March 2023) have no cursor."""
        path = f"{_ENTITIES}/by-query"
        reply = self._server.get(path, query, ok=(404,))
        if reply.status == 404:
            yield from self._numbered(query)
            return
        entities, cursor = _page(reply.data)
        yield entities
        while cursor:
            entities, cursor = _page(self._server.get(path, {**query, "cursor": cursor}).data)
            yield entities

    def _numbered(self, query: Query) -> Iterator[list[Any]]:
        offset = 0
        while entities := list(self._server.get(_ENTITIES, {**query, "offset": offset}).data):
            yield entities
            offset += len(entities)

    def _founds(self, entities: list[Any], *, is_whole: bool) -> Iterator[Found | Trouble]:
        for entity in entities:
            try:
                found = self._found(entity, is_whole=is_whole)
            except RemoteFailed as error:
                yield Trouble("", f"{self.place} has something strange: {error.message}")
            else:
                yield found

    def _found(self, entity: Any, *, is_whole: bool) -> Found:
        path, etag, repository = _told(entity)
        self._has_etags = self._has_etags and bool(etag)
        if is_whole:
            content = as_written(entity)
            self._contents.keep(path, content)
            etag = etag or hashlib.blake2b(content, digest_size=16).hexdigest()
        return Found(f"{self.place}/{path}", path, etag, repository)

    def state(self) -> State:
        """Return whether the etags say what has changed."""
        return {"has_etags": self._has_etags}

    def read(self, found: Found, path: str = "") -> bytes:
        """Return an entity as its file could be; there are no other files."""
        if path:
            raise NotFound(f"{self.place} has entities, and no file {path}")
        content = self._contents.take(found.path)
        if content is None:
            where = f"{_ENTITIES}/by-name/{quote(found.path)}"
            content = as_written(self._server.get(where).data)
        return content

    def target(self, found: Found, written: str) -> Iterator[Found]:
        """Yield nothing: Backstage has followed its Locations, and has what they name."""
        return iter(())


class _Contents:
    """What was listed and not read yet, in a file without a name: it may be 100,000 entities."""

    def __init__(self) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        self._end = 0

    @cached_property
    def _file(self) -> FileIO:
        file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it ends with this object
        weakref.finalize(self, file.close)
        return file

    def keep(self, path: str, content: bytes) -> None:
        packed = zlib.compress(content, 1)
        with suppress(OSError):  # what finds no room is asked for again
            written = self._file.write(packed)
            if written == len(packed):
                self._places[path] = (written, self._end)
            self._end += written

    def take(self, path: str) -> bytes | None:
        place = self._places.pop(path, None)
        return zlib.decompress(os.pread(self._file.fileno(), *place)) if place else None


backstage = understood("Backstage")


@backstage
def _page(data: Any) -> tuple[list[Any], str]:
    """Return a page's entities, and the cursor of the next one."""
    return list(data["items"]), data["pageInfo"].get("nextCursor") or ""


@backstage
def _told(entity: Any) -> tuple[str, str, str]:
    """Return an entity's path, its etag, and the repository that it was read from."""
    metadata: Mapping[str, Any] = entity["metadata"]
    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
    path = f"{entity['kind']}/{namespace}/{metadata['name']}".lower()
    notes = metadata.get("annotations") or {}
    pages = (repository_of(str(notes.get(key, "")).removeprefix("url:")) for key in _WHERE)
    address = next((page[0] for page in pages if page), None)
    repository = f"https://{address.host}/{address.name}" if address else ""
    return path, metadata.get("etag") or "", repository


@backstage
def as_written(entity: Any) -> bytes:
    """Return an entity without what the backend added, in JSON that is YAML too."""
    metadata = {key: value for key, value in entity["metadata"].items() if key not in _METADATA}
    notes = metadata.pop("annotations", None) or {}
    if own := {key: value for key, value in notes.items() if key not in _NOTES}:
        metadata["annotations"] = own
    written = {key: value for key, value in entity.items() if key not in _ROOT}
    text = json.dumps({**written, "metadata": metadata}, ensure_ascii=False)
    return _ESCAPED.sub(lambda one: f"\\u{ord(one[0]):04x}", text).encode(errors="replace")
