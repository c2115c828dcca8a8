"""The page of a file on a forge: its URL, and the file that a URL means."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from idp.forge.address import Address

_BEFORE_REF = {"github": "blob", "gitlab": "-/blob", "gitea": "src/branch"}
_MARK = re.compile(r"/(?:-/)?(?:blob|raw|tree|edit|src)/(?:(?:branch|tag|commit)/)?")


def page(kind: str, repository: str, ref: str, path: str) -> str:
    """Return the URL of a file's page; kind is github, gitlab or gitea."""
    names = quote(f"{ref}/{path}", safe="/@", errors="surrogateescape")
    return f"{repository}/{_BEFORE_REF[kind]}/{names}"


def repository_of(url: str) -> tuple[Address, str] | None:
    """Return the repository of a file's page, and `REF/PATH` in it; None for another URL."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or not (mark := _MARK.search(parts.path)):
        return None
    name = unquote(parts.path[: mark.start()]).strip("/").removesuffix(".git")
    rest = unquote(parts.path[mark.end() :], errors="surrogateescape").strip("/")
    if "/" not in name or "/" not in rest:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    return Address(host, name), rest


def paths(rest: str) -> list[str]:
    """Return the paths that `REF/PATH` may mean: a branch may have slashes in its name."""
    names = rest.split("/")
    return ["/".join(names[n:]) for n in range(1, len(names))]
