"""What every source of catalog files can do: list what it has, and read one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

State = Mapping[str, Any]
"""What a source remembers from one ingest to the next, as JSON holds it."""


@dataclass(frozen=True)
class Found:
    """A catalog file that is there; it has not been read.

    Attributes:
        location: what it is called in the whole index: `file:/…` or the URL of its page.
        path: its path in the repository, or in the folder of the source.
        stamp: tells whether it or what is beside it changed: equal means unchanged.
        repository: the repository's address in a browser, empty where it has none.
        commit: the commit it is read at, empty where it is in none.
        local: where it is on this machine, None for one that the source must read.
        beside: what its folder says of the service: paths from there that `evidence.CONCERNS`.
        blobs: the repository's other files and their hashes, where the source has them at hand:
            tells whether what the file includes by `$text` has changed.
    """

    location: str
    path: str
    stamp: str
    repository: str = ""
    commit: str = ""
    local: Path | None = None
    beside: tuple[str, ...] = ()
    blobs: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Kept:
    """All that is known of a repository is as it was; it was not listed again."""

    repository: str


@dataclass(frozen=True)
class Trouble:
    """A part of a source that cannot be read now: what is known of it stays, and this is told.

    Attributes:
        repository: the repository; empty for the whole source.
    """

    repository: str
    message: str
    hint: str = ""


class Source(Protocol):
    """A source of catalog files.

    Attributes:
        place: how it is written in the platform file; its name in the index.
        workers: how many files it can read at once; 0 for one whose files are local.
    """

    place: str
    workers: int

    def scan(self, state: State) -> Iterator[Found | Kept | Trouble]:
        """Yield what there is, in no particular order; a location may come twice.

        Args:
            state: what the source said of itself last time, empty the first time.

        Raises:
            IdpError: the source cannot be reached at all: nothing of it is touched.
        """

    def state(self) -> State:
        """Return what to remember for the next time; asked after a scan came to its end."""

    def read(self, found: Found, path: str = "") -> bytes:
        """Return the content of a file that is not local, or of another of its repository.

        Args:
            path: the other file's path in the repository.

        Raises:
            IdpError: it cannot be read.
        """

    def target(self, found: Found, written: str) -> Iterator[Found]:
        """Yield the files that a Location in this file names: a path, a glob, or a URL.

        Raises:
            IdpError: there is none, or it is not for us to read.
        """
