"""Where a repository is: its forge's host and its name there, read from a git remote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from idp.errors import InvalidInput

_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?!//)(?P<path>.+)")


@dataclass(frozen=True)
class Address:
    """A repository on a host; `name` is OWNER/NAME, on GitLab with groups between."""

    host: str
    name: str


def parse_remote(url: str) -> Address:
    """Return the address in an https, ssh or scp-like URL.

    Raises:
        InvalidInput: it is none of these: a folder, for example.
    """
    if "://" in url:
        parts = urlsplit(url)
        host, path = parts.hostname or "", unquote(parts.path)
        if parts.scheme == "https" and parts.port:
            host = f"{host}:{parts.port}"
        known = parts.scheme in ("https", "ssh", "git+ssh")
    else:
        found = _SCP.fullmatch(url)
        host, path = (found["host"], found["path"]) if found else ("", "")
        known = bool(found)
    name = path.strip("/").removesuffix(".git")
    if not known or not host or "/" not in name:
        raise InvalidInput(
            f"{_without_credential(url)} is no repository of a forge",
            hint="git remote set-url origin https://HOST/OWNER/NAME.git",
        )
    return Address(host.lower(), name)


def _without_credential(url: str) -> str:
    return re.sub(r"(?<=://)[^/@]*@", "", url)
