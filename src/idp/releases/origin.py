"""What every place of a template's releases has in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from idp.errors import NotFound
from idp.workshop import workshop

UNRELEASED = "unreleased"
"""The version of a template folder as it lies there, outside every release."""


class Origin(Protocol):
    """Where the releases of one template are."""

    @property
    def url(self) -> str:
        """The canonical URL."""

    def versions(self) -> list[str]:
        """Return the released versions, newest first."""

    def default(self) -> str:
        """Return the version that is meant where none is named."""

    def export(self, version: str) -> tuple[str, str, str, Path]:
        """Return (version as recorded, commit, tree id, folder); raise NotFound."""


def no_release(url: str, version: str, known: list[str]) -> NotFound:
    """Return the error of a release that is not there."""
    some = ", ".join(known[:8]) or "none"
    return NotFound(f"{url} has no release {version!r}", hint=f"releases: {some}")


@contextmanager
def new_folder(target: Path) -> Iterator[Path | None]:
    """Give a folder to fill, which then appears at `target` at once; None where it is there."""
    if target.exists():
        yield None
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with workshop(target.parent) as room:
        made = room / "new"
        made.mkdir()
        yield made
        # Another process may have been faster: its folder is as good as ours.
        with _either_one():
            made.rename(target)


@contextmanager
def _either_one() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if not isinstance(error, FileExistsError) and error.errno not in (17, 39):
            raise
