"""The page of a file on a forge: its URL, and the file that a URL means."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from idp.forge.address import Address

_MARK = re.compile(r"/(?:-/)?(?:blob|raw|tree|edit|src)/(?:(?:branch|tag|commit)/)?")


def page(kind: str, repository: str, ref: str, path: str, what: str = "branch") -> str:
    """Return the URL of a file's page.

    Args:
        kind: github, gitlab or gitea.
        what: whether the ref is a branch, a tag or a commit.
    """
    before = {"github": "blob", "gitlab": "-/blob", "gitea": f"src/{what}"}[kind]
    return f"{repository}/{before}/{quote(f'{ref}/{path}', safe='/@')}"


def repository_of(url: str) -> tuple[Address, str] | None:
    """Return the repository of a file's page, and `REF/PATH` in it; None for another URL."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or not (mark := _MARK.search(parts.path)):
        return None
    name = unquote(parts.path[: mark.start()]).strip("/").removesuffix(".git")
    rest = unquote(parts.path[mark.end() :]).strip("/")
    if "/" not in name or "/" not in rest:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    return Address(host, name), rest


def paths(rest: str) -> list[str]:
    """Return the paths that `REF/PATH` may mean: a branch may have slashes in its name."""
    names = rest.split("/")
    return ["/".join(names[n:]) for n in range(1, len(names))]
