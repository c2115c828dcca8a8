"""What an environment is called: by its repository and pull request, never by a branch alone."""

from __future__ import annotations

import hashlib
import re

from idp.errors import InvalidInput

LONGEST = 53
"""Letters that leave room for what providers put before or behind a name (RFC 1123: 63)."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def checked(name: str) -> str:
    """Return a name that somebody chose.

    Raises:
        InvalidInput: it cannot be a part of a host's name.
    """
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot be an environment's name",
            hint=f"lower-case letters, digits and dashes, at most {LONGEST}",
        )
    return name


def of_pull(service: str, repository: str, number: int) -> str:
    """Return the name of a pull request's environment."""
    return f"{_slug(service, 32)}-pr-{number}-{_hash(service, repository)}"


def of_branch(service: str, repository: str, branch: str) -> str:
    """Return the name of a branch's environment; a repository elsewhere gives another."""
    return f"{_slug(service, 24)}-{_slug(branch, 16)}-{_hash(service, repository, branch)}"


def of_target(service: str, repository: str, target: str) -> str:
    """Return the name of a service's lasting environment."""
    return f"{_slug(service, 30)}-{_slug(target, 16)}-{_hash(service, repository)}"


def _slug(text: str, longest: int) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:longest].strip("-")
    return words or "x"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:5]
