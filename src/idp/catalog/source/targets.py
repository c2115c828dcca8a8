"""What a Location in a repository names: a path, a glob, or a URL of the same forge."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from urllib.parse import unquote, urlsplit

from idp.catalog.source.base import Found
from idp.catalog.source.page import repository_of
from idp.errors import InvalidInput

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_BEFORE_REF = re.compile(r"/(?:blob|-/blob|src/branch)/")
_RAW = "raw.githubusercontent.com"


@dataclass(frozen=True)
class Named:
    """A file of a repository, or files by a glob.

    Attributes:
        url: the repository's address in a browser.
        repository: its full name.
        ref: a branch, a tag or a commit.
    """

    url: str
    repository: str
    ref: str
    path: str = ""


def place_of(found: Found) -> Named:
    """Return the repository and the branch of a file, from the URL of its page."""
    repository = urlsplit(found.repository).path.strip("/")
    rest = found.location.removeprefix(found.repository)
    ref = unquote(_BEFORE_REF.sub("", rest, count=1)).removesuffix(f"/{found.path}")
    return Named(found.repository, repository, ref, found.path)


def named_by(written: str, here: Named, host: str) -> Named:
    """Return what a Location names.

    Args:
        here: the file that the Location is in.
        host: the forge's; what is elsewhere is not followed.

    Raises:
        InvalidInput: it is on another host, no file at all, or outside the repository.
    """
    if _SCHEME.match(written):
        return _of_url(written, here, host)
    folder = "" if written.startswith("/") else posixpath.dirname(here.path)
    path = posixpath.normpath(posixpath.join(folder, written.lstrip("/")))
    if path == ".." or path.startswith("../"):
        raise InvalidInput(
            f"{written} leads out of {here.repository}",
            hint="name a file of another one by its URL",
        )
    return replace(here, path=path)


def _of_url(url: str, here: Named, host: str) -> Named:
    named = repository_of(_page_of_raw(url, host))
    if named is None or named[0].host != host:
        there = urlsplit(url).hostname or url
        raise InvalidInput(
            f"{url} is not followed from {host}"
            + ("" if there == host else f": it is on another host, {there}"),
            hint="name the page of a file on the same forge, or add it as a source of its own",
        )
    repository, rest = named[0].name, named[1]
    if repository.lower() == here.repository.lower() and rest.startswith(f"{here.ref}/"):
        return replace(here, path=rest.removeprefix(f"{here.ref}/"))
    ref, _, path = rest.removeprefix("refs/heads/").partition("/")
    return Named(f"https://{host}/{repository}", repository, ref, posixpath.normpath(path))


def _page_of_raw(url: str, host: str) -> str:
    """Return the page of a raw file of github.com, which has another host for these."""
    parts = urlsplit(url)
    if host != "github.com" or parts.netloc != _RAW:
        return url
    owner, _, rest = parts.path.strip("/").partition("/")
    name, _, rest = rest.partition("/")
    return f"https://{host}/{owner}/{name}/raw/{rest}"
