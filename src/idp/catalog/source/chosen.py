"""Which sources an ingest reads: the platform's, and those that somebody named before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from idp.catalog.source.grammar import Place, parse_place
from idp.config import Platform
from idp.errors import InvalidInput, NotFound


@dataclass(frozen=True)
class Choice:
    """A source to be read.

    Attributes:
        position: its place among all sources: the first to have a ref keeps it.
        given: somebody named it; the platform does not.
    """

    place: Place
    position: int
    given: bool


def chosen(
    platform: Platform, named: Sequence[str], remembered: Sequence[str], here: Path
) -> list[Choice]:
    """Return the sources that are named; if none is, all: the platform's and the remembered.

    Args:
        remembered: those that were named in earlier ingests.
        here: where a relative path of a named one begins.

    Raises:
        NotFound: there is none at all.
        InvalidInput: one is no source.
    """
    own = [Choice(place, n, False) for n, place in enumerate(platform_places(platform))]
    listed = {choice.place.written: choice for choice in own}
    for written in remembered:
        _add(listed, parse_place(written, base=here))
    if not named:
        if not listed:
            hint = "name one: idp catalog ingest ./services, or list them in idp-platform.yaml"
            raise NotFound("no sources of catalog files", hint=hint)
        return list(listed.values())
    places = [parse_place(written, base=here) for written in named]
    for place in places:
        _add(listed, place)
    return [listed[place.written] for place in dict.fromkeys(places)]


def _add(listed: dict[str, Choice], place: Place) -> None:
    listed.setdefault(place.written, Choice(place, len(listed), True))


def platform_places(platform: Platform) -> list[Place]:
    """Return the sources that a platform file lists.

    Raises:
        InvalidInput: one is there twice, or is a folder where the platform file is in a repository.
    """
    origin = Path(platform.origin)
    places: list[Place] = []
    for entry in platform.catalog.sources:
        place = parse_place(entry.source, entry.files, entry.skip, base=origin.parent)
        if place.kind == "folder" and not origin.is_absolute() and not _is_absolute(entry.source):
            raise InvalidInput(
                f"{platform.origin}: the catalog source {entry.source!r} is a folder beside a"
                " platform file that is in a repository",
                hint="name its repository: https://…",
            )
        if place.written in {other.written for other in places}:
            raise InvalidInput(
                f"{platform.origin}: the catalog source {entry.source!r} is there twice",
                hint="put all its globs into one `files`",
            )
        places.append(place)
    return places


def _is_absolute(written: str) -> bool:
    return written.startswith(("/", "~"))
