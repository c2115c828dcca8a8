"""A secret, where it is, and what a place of secrets can do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from idp.errors import InvalidInput, Refused

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?"
KEY = "value"
"""The key of a secret that holds a single value."""


class LostRace(Refused):
    """Somebody else wrote a secret since it was looked at."""

    code = "lost_race"
    retryable = True


@dataclass(frozen=True)
class About:
    """What is kept beside a secret, for people; never a value.

    Attributes:
        request: the id of the request it was made for; empty where nobody had to approve it.
        asked_by, approved_by: `Identity.id`s.
    """

    service: str
    environment: str
    name: str
    owner: str = ""
    request: str = ""
    asked_by: str = ""
    approved_by: str = ""
    why: str = ""
    expires_at: datetime | None = None


State = Literal["present", "empty", "deleted"]


@dataclass(frozen=True)
class Secret:
    """A secret as anybody may see it: never its values.

    Attributes:
        path: below the mount, such as `pay/production/db-password`.
        version: of the newest value, counting from 1; 0 before the first.
        state: whether it has a value, none yet, or one that was deleted and can be restored.
        keys: the names of its values; `list` leaves them out.
        written_at: when its newest value was written.
    """

    path: str
    about: About
    version: int = 0
    state: State = "empty"
    keys: tuple[str, ...] = ()
    written_at: datetime | None = None

    def is_stale(self, now: datetime, max_age_days: int) -> bool:
        """Tell whether its value is older than allowed, or beyond its end."""
        if self.about.expires_at and now >= self.about.expires_at:
            return True
        return self.written_at is not None and (now - self.written_at).days >= max_age_days


class Backend(Protocol):
    """A place of secrets.

    Paths are those of `Secret.path`. A NotFound tells of a secret that there is not, a NotAllowed
    of what the caller may not do, a LostRace of a value that somebody else wrote, a RemoteFailed
    of a server that cannot do it now. No error holds a value.
    """

    @property
    def name(self) -> str:
        """`vault`, `aws` or `local`."""

    @property
    def place(self) -> str:
        """Where the secrets are, for people: a URL with its mount, or a file."""

    @property
    def local(self) -> bool:
        """Whether it is this machine's own: nobody has to approve, and nothing is enforced."""

    def preflight(self, path: str) -> None:
        """Raise what would keep the caller from making a secret here, without making it.

        Somebody who only asks for one needs no right to make it: a place that can be reached, and
        is one of secrets, is enough.
        """

    def list(self, prefix: str = "") -> Iterator[Secret]:
        """Yield the secrets below a folder (`pay/production`), sorted by path, without keys."""

    def show(self, path: str) -> Secret:
        """Return one, with the names of its keys."""

    def prepare(self, path: str, about: About) -> None:
        """Make its place, what is kept beside it, and the right of its service to read it.

        Each part is looked at first, and written only where it is not so already.
        """

    def write(self, path: str, values: Mapping[str, str], expect: int) -> int:
        """Write its values as the version after `expect` and return that version."""

    def read(self, path: str) -> Mapping[str, str]:
        """Return its newest values."""

    def revoke(self, path: str) -> None:
        """Destroy all its values and what is kept beside it; one that is not there is no error."""

    def writer(self, path: str, expect: int, ttl: int) -> str | None:
        """Return a wrapped token that can only write this one path as the version after `expect`.

        It can be opened once, within `ttl` seconds; None where the place has no such thing.
        """


def path_of(pattern: str, service: str, environment: str, name: str) -> str:
    """Return where a secret is (`SecretSettings.path` holds the pattern).

    Raises:
        InvalidInput: one of the three is no name.
    """
    given = {"service": service, "environment": environment, "name": name}
    for what, text in given.items():
        if not re.fullmatch(NAME, text):
            raise InvalidInput(
                f"{text!r} is no name of a {'secret' if what == 'name' else what}",
                hint="letters, digits, dot, underscore and dash, at most 64",
            )
    return pattern.format(**given)
