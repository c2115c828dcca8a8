"""What the doctor looks at, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, TypeVar

from idp.clock import Clock
from idp.config import EMBEDDED_ORIGIN, Platform
from idp.config.source import Source
from idp.errors import IdpError
from idp.forge.place import Place
from idp.releases import Shelf

T = TypeVar("T")
State = Literal["ok", "warning", "problem", "skipped"]


@dataclass(frozen=True)
class Check:
    """What a check found.

    Attributes:
        state: ok, warning, problem, or skipped: it could not be, or need not be, looked at.
        mend: the command that mends it; empty where nothing needs to be.
    """

    name: str
    state: State
    found: str
    mend: str = ""


def trouble(name: str, error: IdpError) -> Check:
    """Return the check that an error ended: all that it tells, and its hint."""
    return Check(name, "problem", "; ".join((error.message, *error.details)), error.hint)


@dataclass
class Once(Generic[T]):
    """A value that several checks need and that is worked out once, whoever comes first."""

    make: Callable[[], T]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _made: list[T | IdpError] = field(default_factory=list)

    def __call__(self) -> T:
        """Return the value, or raise the IdpError that it came to."""
        with self._lock:
            if not self._made:
                try:
                    self._made.append(self.make())
                except IdpError as error:
                    self._made.append(error)
        made = self._made[0]
        if isinstance(made, IdpError):
            raise made
        return made


def begin(work: Callable[[], T]) -> Future[T]:
    """Do work in a thread that the end of the program does not wait for."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


@dataclass(frozen=True)
class World:
    """What the doctor looks at; what is to be called may raise an IdpError, which is then told.

    Attributes:
        folder: where the command works.
        cache: the cache's folder, tried by writing in it.
        configured: reads the user's configuration, and returns where the platform file is said to
            be; empty where nobody says it.
        platform: reads the platform file.
        forge: the platform's forge.
        template: where a template of the platform is.
        service: the template and the release of the service in `folder`; None where there is none.
    """

    environ: Mapping[str, str]
    clock: Clock
    folder: Path
    shelf: Callable[[], Shelf]
    cache: Callable[[], Path]
    configured: Callable[[], str]
    platform: Callable[[], Platform]
    forge: Callable[[], Place]
    template: Callable[[str], Source]
    service: Callable[[], tuple[str, str] | None]

    def has_platform(self) -> bool:
        """Tell whether there is a platform file: only then is what it names missed."""
        return self.platform().origin != EMBEDDED_ORIGIN
