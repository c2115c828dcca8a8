"""From how a source is written to the source itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idp.catalog.source.base import Found, Source, State
from idp.catalog.source.grammar import Place
from idp.clock import Clock
from idp.errors import IdpError

if TYPE_CHECKING:
    from idp.forge.base import Forge, Kind


@dataclass(frozen=True)
class Doors:
    """What sources need of the world.

    Attributes:
        cache: idp's cache, where copies of repositories are kept.
        forge: logs in to the forge at a host of a kind.
        kind_of: tells which kind of forge is at a host, empty if nobody knows.
        git_env: the environment in which git reaches a URL.
        backstage_token: sent to a Backstage; may be empty.
        say: tells a person of a wait.
    """

    cache: Path
    clock: Clock
    forge: Callable[[Kind, str], Forge]
    kind_of: Callable[[str], str]
    git_env: Callable[[str], Mapping[str, str]]
    backstage_token: str
    say: Callable[[str], None]


class _Closed:
    """A source that cannot be asked; it says why when it is."""

    workers = 0

    def __init__(self, place: str, error: IdpError) -> None:
        self.place, self._error = place, error

    def scan(self, _: State) -> Iterator[Found]:
        raise self._error

    def state(self) -> State:
        return {}

    def read(self, _found: Found, _path: str = "") -> bytes:
        raise self._error

    def target(self, _found: Found, _written: str) -> Iterator[Found]:
        raise self._error


def connect(place: Place, doors: Doors) -> Source:
    """Return a source; one that we are not logged in to says so when it is scanned."""
    try:
        return _connected(place, doors)
    except IdpError as error:
        return _Closed(place.written, error)


def _connected(place: Place, doors: Doors) -> Source:
    if place.kind == "folder":
        from idp.catalog.source.folder import FolderSource

        return FolderSource(place, doors.clock)
    if place.kind == "git":
        from idp.catalog.source.git import GitSource

        return GitSource(place, doors.cache, doors.git_env, doors.kind_of)
    if place.kind == "forge":
        from idp.catalog.source.forge import ForgeSource

        return ForgeSource(place, doors.forge(place.forge, place.host), doors.clock)
    from idp.catalog.source.backstage import BackstageSource

    return BackstageSource(place, doors.backstage_token, doors.clock, doors.say)
