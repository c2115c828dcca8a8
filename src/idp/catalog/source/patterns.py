"""Which files of a source are catalog files, and which paths are left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from idp.errors import InvalidInput

DEFAULT = ("**/catalog-info.{yaml,yml}",)
NAMES = frozenset({"catalog-info.yaml", "catalog-info.yml"})
SKIPPED = frozenset({".git", ".venv", "node_modules"})
"""Folders that no source looks into."""

MOST_STARS = 3
"""In a Location's glob: matching takes the length of a path to the power of their number."""

_MAGIC = re.compile(r"[*?\[{]")

Chosen = Callable[[str], bool]
"""Tells of a path, from the top of its source, whether it is meant."""


def is_glob(path: str) -> bool:
    """Tell whether a path has what stands for other characters."""
    return bool(_MAGIC.search(path))


def split_glob(path: str) -> tuple[str, str]:
    """Return the folder that a glob begins in, and the glob from there; no glob in a plain path."""
    parts = path.split("/")
    first = next((n for n, part in enumerate(parts) if is_glob(part)), len(parts))
    top = "/" if path.startswith("/") else ""
    return "/".join(parts[:first]) or top, "/".join(parts[first:])


def chosen(files: Sequence[str]) -> Chosen:
    """Return what tells a catalog file by its path: globs with `**`, `*`, `?`, `[…]`, `{a,b}`.

    Raises:
        InvalidInput: a glob that cannot be understood.
    """
    if tuple(files) == DEFAULT:
        return _is_named
    from wcmatch import glob
    from wcmatch._wcparse import PatternLimitException  # it is exported nowhere else

    for pattern in files:
        if not pattern or pattern.startswith("/") or ".." in pattern.split("/"):
            raise InvalidInput(
                f"{pattern!r} cannot be a glob of catalog files",
                hint='globs begin at the top of the source: "services/*/catalog-info.yaml"',
            )
    flags = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.FORCEUNIX | glob.CASE
    try:
        wanted, _ = glob.translate([pattern.removeprefix("./") for pattern in files], flags=flags)
        one = re.compile("|".join(f"(?:{part})" for part in wanted))
    except (re.error, PatternLimitException) as error:
        raise InvalidInput(f"{', '.join(files)} is no glob: {error}") from error
    return lambda path: one.fullmatch(path) is not None


def _is_named(path: str) -> bool:
    return path.rpartition("/")[2] in NAMES


def followed(pattern: str) -> Chosen:
    """Return what tells the files that a Location's glob means: anybody may have written it.

    Raises:
        InvalidInput: it cannot be understood, or would take for ever.
    """
    if len(re.findall(r"\*+", pattern)) > MOST_STARS:
        raise InvalidInput(
            f"{pattern} has more than {MOST_STARS} times `*` or `**`", hint="name folders in full"
        )
    return chosen((pattern,))


def deepest(files: Sequence[str]) -> int | None:
    """Return how many folders below the top a file may be; None for any number."""
    if any("**" in pattern for pattern in files):
        return None
    return max(pattern.count("/") for pattern in files)


def left_out(skip: Sequence[str]) -> Chosen | None:
    """Return what tells a path to leave out, by lines as in a .gitignore; None for no lines.

    Raises:
        InvalidInput: a line that cannot be understood.
    """
    if not skip:
        return None
    from pathspec import GitIgnoreSpec

    try:
        spec = GitIgnoreSpec.from_lines(skip)
    except ValueError as error:
        raise InvalidInput(f"`skip` has a pattern that is none: {error}") from error
    return spec.match_file
