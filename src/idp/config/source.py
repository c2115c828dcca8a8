"""Where a template or a platform is: `WHERE[@VERSION][#SUBFOLDER]`, read and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from idp.errors import InvalidInput

BUILT_IN = "idp:"
SHORTCUTS = {"gh:": "github.com", "gl:": "gitlab.com"}
_SCP = re.compile(r"\w[\w.-]*@\w[\w.-]*:(?!//)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_KINDS = "an https:// or ssh:// URL, git@HOST:PATH, idp:NAME or a path"


@dataclass(frozen=True)
class Source:
    """A place taken apart; `url` is an https, ssh or scp-like URL, `idp:NAME`, or a path."""

    url: str
    version: str | None = None
    subfolder: str | None = None

    @property
    def is_path(self) -> bool:
        """Whether it lies on this machine rather than on a server or inside idp."""
        return not (_SCHEME.match(self.url) or _SCP.match(self.url))


def parse_source(text: str) -> Source:
    """Take `WHERE[@VERSION][#SUBFOLDER]` apart; an InvalidInput says what is wrong with it.

    The version begins at the first `@` of a URL's path, and at the last `@` of a path's last part;
    it may stand behind the sub-folder as well. Copier's `gh:`, `gl:`, `git+` are understood.
    """
    where, hash_, subfolder = _expanded(text).partition("#")
    start = _path_start(where)
    at = where.find("@", start)
    url, version = (where, None) if at < 0 else (where[:at], where[at + 1 :])
    if version is None and "@" in subfolder:
        subfolder, _, version = subfolder.partition("@")
    _check(text, url, version, subfolder if hash_ else None)
    return Source(url, version, subfolder if hash_ else None)


def _expanded(text: str) -> str:
    text = text.removeprefix("git+").removeprefix("file://")
    for short, host in SHORTCUTS.items():
        if text.startswith(short):
            return f"https://{host}/{text.removeprefix(short).lstrip('/')}"
    return text


def is_under(url: str, allowed: str) -> bool:
    """Whether a URL is the allowed one, or lies under it where that ends in `/`.

    A `#SUBFOLDER` does not count: who trusts a repository trusts all its folders.
    """
    # `https://host/ours/../theirs` begins with `https://host/ours/`, and git follows the dots.
    if _has_dots(url) or "\\" in url:
        return False
    repository = url.partition("#")[0]
    return repository == allowed or (allowed.endswith("/") and repository.startswith(allowed))


def check_prefix(text: str) -> str:
    """Return a prefix that may be trusted; an InvalidInput says why another may not."""
    source = parse_source(text)
    if source.version is not None or source.subfolder is not None or _has_dots(text):
        raise InvalidInput(f"{_shown(text)} is not a plain URL", hint="leave out @, # and ..")
    if source.is_path and not text.startswith("/"):
        raise InvalidInput(
            f"{_shown(text)} is neither a URL nor an absolute path", hint=f"use {_KINDS}"
        )
    return text


def _path_start(where: str) -> int:
    """Return the index from which an `@` begins a version."""
    if scp := _SCP.match(where):
        return scp.end()
    if "://" in where:
        slash = where.find("/", where.index("://") + 3)
        return slash if slash >= 0 else len(where)
    if "@" in where and Path(where).expanduser().is_dir():
        return len(where)
    return max(where.rfind("@"), where.rfind("/") + 1)


def _check(text: str, url: str, version: str | None, subfolder: str | None) -> None:
    parts = [part for part in (url, version, subfolder) if part is not None]
    if not all(parts):
        raise InvalidInput(
            f"{_shown(text)} has an empty part", hint="write WHERE[@VERSION][#SUBFOLDER]"
        )
    # git would take a part that begins with a dash as an option.
    if any(part.startswith("-") for part in parts):
        raise InvalidInput(f"{_shown(text)} has a part that begins with a dash")
    if not text.isprintable() or text != text.strip():
        raise InvalidInput(
            f"{_shown(text)} has blanks around it or characters that cannot be shown"
        )
    if subfolder and (subfolder.startswith("/") or _has_dots(subfolder)):
        raise InvalidInput(f"the sub-folder {subfolder!r} leads out of the repository")
    _check_scheme(url)


def _check_scheme(url: str) -> None:
    if not _SCHEME.match(url) or _SCP.match(url):
        return
    if url.startswith(BUILT_IN):
        if not re.fullmatch(r"idp:[a-z0-9]([a-z0-9-]*[a-z0-9])?", url):
            raise InvalidInput(
                f"{_shown(url)} names no built-in template", hint="for example idp:python-api"
            )
        return
    _check_server(url)


def _check_server(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        # Its message may repeat the credential.
        raise InvalidInput(f"{_shown(url)} is no URL") from None
    host = parts.hostname or ""
    if parts.scheme not in ("https", "ssh") or not host or "-" in (parts.netloc[0], host[0]):
        raise InvalidInput(f"{_shown(url)} cannot be used", hint=f"use {_KINDS}")
    if parts.password is not None or (parts.scheme == "https" and parts.username is not None):
        raise InvalidInput(
            f"the URL of {host} carries a credential",
            hint="take it out and let git's credential helper answer",
        )


def _shown(text: str) -> str:
    """Return the text for a message, without what may be a credential."""
    return repr(re.sub(r"//[^/]*@", "//***@", text))


def _has_dots(path: str) -> bool:
    return any(part in (".", "..") for part in unquote(path).split("/"))
