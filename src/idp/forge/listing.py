"""An owner's repositories, page by page; a page that is as it was is not sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlencode

from idp.forge.base import Page, Pages, Repository
from idp.forge.shapes import Answer, listed
from idp.rest import Query, Server


def repositories(
    server: Server,
    path: str,
    query: Query,
    read: Callable[[Answer], Repository],
    pages: Pages | None,
) -> Iterator[Repository]:
    """Yield the repositories that a listing has, following its pages' links (RFC 8288)."""
    pages = pages or Pages()
    url = f"{path}?{urlencode(query)}"
    while url and url not in pages.now:
        page = pages.before.get(url)
        reply = server.get(url, etag=page.etag if page else "")
        if page is None or reply.status != 304:
            # The last page is as it was, too, when another one has come after it.
            etag = reply.etag if reply.next else ""
            page = Page(etag, reply.next, tuple(map(read, listed([reply]))))
        pages.now[url] = page
        yield from page.repositories
        url = page.next
