"""What a requester's machine keeps until a secret is written: the key of the handover.

A file of mode 600 for each path and action. Once the wrapped token is opened, the token of few uses
is kept here until the value is written, since it can be opened only once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from idp.errors import InvalidInput, Refused
from idp.vault import keep


@dataclass(frozen=True, repr=False)
class Course:
    """How far a request of this machine has come.

    Attributes:
        request: its id; empty until it is opened.
        private, public: the key pair of the handover.
        opening: the wrapped token was about to be opened.
        token: what was in it.
        sent: the value was about to be written.
    """

    private: str = ""
    public: str = ""
    request: str = ""
    opening: bool = False
    token: str = ""
    expect: int = 0
    sent: bool = False


@dataclass(frozen=True)
class Keeping:
    """Where the course of one action on one secret is kept."""

    folder: Path = field(repr=False)
    place: str
    path: str
    action: str

    @property
    def file(self) -> Path:
        """The file."""
        named = f"{self.place}\n{self.path}\n{self.action}"
        return self.folder / f"{hashlib.sha256(named.encode()).hexdigest()[:24]}.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold that no other idp takes a step meanwhile: two would each open the wrapped token.

        Raises:
            Refused: another one does.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / ".lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Refused(
                    "another idp is asking for a secret here", hint="run this again after it"
                ) from error
            yield

    def read(self) -> Course | None:
        """Return how far it has come; None where nothing is under way."""
        try:
            data = json.loads(self.file.read_text("utf-8"))
            return Course(**data) if isinstance(data, Mapping) else None
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise InvalidInput(
                f"{self.file} is damaged: what was asked for {self.path} cannot be finished",
                hint=f"delete it, and ask again: rm {self.file}",
            ) from error

    def write(self, course: Course) -> Course:
        """Keep how far it has come."""
        keep(self.file, vars(course))
        return course

    def forget(self) -> None:
        """Delete the file: it is done, or cannot be finished."""
        self.file.unlink(missing_ok=True)
