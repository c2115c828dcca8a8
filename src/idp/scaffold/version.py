"""Versions of template releases, compared by PEP 440 as Copier compares them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from packaging.version import Version

DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<count>\d+)-g(?P<commit>[0-9a-f]+)")
"""What `git describe` says of a commit that has no tag of its own."""


def parse(spelled: str) -> Version | None:
    """Return the version that a tag, or a described commit, stands for; None where it is none."""
    from packaging.version import InvalidVersion, Version

    name = spelled.rsplit("/", 1)[-1]
    if described := DESCRIBED.fullmatch(name):
        name = f"{described['tag']}.post{described['count']}+{described['commit']}"
    try:
        return Version(name)
    except InvalidVersion:
        return None


def newest_first(spelled: list[str]) -> list[str]:
    """Sort the spellings that are versions, newest first, and leave out the others."""
    versions = [(version, s) for s in spelled if (version := parse(s))]
    return [s for _, s in sorted(versions, reverse=True)]


def newest_stable(newest_first: list[str]) -> str:
    """Return the newest version that is no pre-release, empty where there is none."""
    return next(filter(is_stable, newest_first), "")


def is_stable(spelled: str) -> bool:
    """Tell whether it is a version and no pre-release."""
    version = parse(spelled)
    return version is not None and not version.is_prerelease
