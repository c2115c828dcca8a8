"""What a template's changelog says of the releases between two."""

from __future__ import annotations

import re
from pathlib import Path

from idp.releases import Release
from idp.scaffold.version import parse

NAME = "CHANGELOG.md"
LARGEST = 1_000_000
"""Bytes of a changelog that are read."""

HEADING = re.compile(r"##\s+\[?v?(?P<version>\d[^\s\]]*)\]?", re.I)
"""A section's heading, as keepachangelog.com has it: `## [1.2.0] - 2026-11-23`, `## v1.2.0`."""

REFERENCE = re.compile(r"\[[^\]]+\]:\s")
"""Where a link's target is defined: these stand at the end, in no section."""


def between(old: Release, new: Release) -> str:
    """Return the sections after `old` up to `new`, as they are; empty where there are none."""
    low, high = parse(old.version), parse(new.version)
    if low is None or high is None:
        return ""
    told = []
    for version, text in _sections(_read(new.tree / NAME)):
        at = parse(version)
        if at is not None and low < at <= high:
            told.append(text)
    return "\n\n".join(told)


def _read(path: Path) -> str:
    # A link could lead to any file of this machine.
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(LARGEST).decode(errors="replace")


def _sections(text: str) -> list[tuple[str, str]]:
    """Return the version and the text of each section, heading included."""
    sections: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        found = HEADING.match(line)
        if found or re.match(r"##?\s", line):
            sections.append((found["version"] if found else "", [line]))
        elif sections and not REFERENCE.match(line):
            sections[-1][1].append(line)
    return [(version, "\n".join(lines).strip()) for version, lines in sections]
