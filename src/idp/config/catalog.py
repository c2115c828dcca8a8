"""The section `catalog` of the platform file: where entities are read, and how they are scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SourceEntry:
    """Where catalog files are.

    Attributes:
        source: a folder, a glob, a git repository, a forge's organisation or another catalog, as
            written; a path is relative to the platform file.
        files: globs of the files to read; the default where none is given.
        skip: globs of repositories or paths that are left out.
    """

    source: str
    files: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScorecardRule:
    """A rule of a scorecard; `when` and `filter` are CEL.

    Attributes:
        level: the level it belongs to.
        when: what must be so.
        next: what to do where it is not so.
        filter: which of the scored entities it is asked of; all if empty.
        weight: how much it counts in the percentage.
    """

    level: str
    when: str
    title: str
    next: str = ""
    filter: str = ""
    weight: int = 1


@dataclass(frozen=True)
class Scorecard:
    """How the platform scores its services, as far as its file says so.

    Attributes:
        filter: which entities are scored, in CEL; the built-in choice if empty.
        levels: from the lowest to the highest.
        built_in: the built-in rules that count; None is all of them.
        rules: the platform's own, by name; one replaces the built-in rule of its name.
    """

    filter: str = ""
    levels: tuple[str, ...] = ("bronze", "silver", "gold")
    built_in: tuple[str, ...] | None = None
    rules: Mapping[str, ScorecardRule] = field(default_factory=dict)


@dataclass(frozen=True)
class CatalogSettings:
    """Where the catalog is read, and what holds for it.

    Attributes:
        grace: days for which an entity that no source has any more stays.
        snapshot: where the index is published and pulled: a path or a URL; empty is nowhere.
    """

    sources: tuple[SourceEntry, ...] = ()
    grace: int = 7
    snapshot: str = ""
    scorecard: Scorecard = Scorecard()


def settings(data: dict[str, Any]) -> CatalogSettings:
    """Return the settings that a validated section holds."""
    sources = tuple(
        SourceEntry(one["source"], tuple(one["files"]), tuple(one["skip"]))
        for one in data["sources"]
    )
    return CatalogSettings(**data | {"sources": sources, "scorecard": _card(data["scorecard"])})


def _card(data: dict[str, Any]) -> Scorecard:
    chosen = data["built_in"]
    return Scorecard(
        filter=data["filter"],
        levels=tuple(data["levels"]),
        built_in=None if chosen is None else tuple(chosen),
        rules={name: ScorecardRule(**rule) for name, rule in data["rules"].items()},
    )
