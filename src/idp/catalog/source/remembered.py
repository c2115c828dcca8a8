"""What the source of a forge's repositories remembers of each from one time to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from idp.forge.base import Page, Repository
from idp.forge.shapes import maybe_moment


@dataclass
class Remembered:
    """A repository as it was.

    Attributes:
        pushed: when it was last pushed to; empty where that does not tell whether it changed.
        etag: of its tree.
        unread: catalog files that could not be read: stamp, and what is beside them.
        absent: paths that a Location named, and that were not there.
    """

    url: str
    branch: str
    pushed: str
    etag: str
    unread: dict[str, list[str]] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)

    def is_at(self, repository: Repository) -> bool:
        """Tell whether a repository is where it was, with the branch that it had."""
        return (self.url, self.branch) == (repository.url, repository.default_branch)

    def is_as_it_was(self, repository: Repository) -> bool:
        """Tell whether a repository was not pushed to, as far as its listing says."""
        return self.is_at(repository) and self.pushed != "" and self.pushed == pushed(repository)


def page_as_json(page: Page) -> dict[str, Any]:
    """Return a page of a listing as JSON holds it."""
    entries = [{**asdict(one), "pushed_at": pushed(one)} for one in page.repositories]
    return {"etag": page.etag, "next": page.next, "repositories": entries}


def page_of_json(held: Mapping[str, Any]) -> Page:
    """Return the page that was written as JSON."""
    entries = (
        Repository(
            **{
                **one,
                "topics": tuple(one["topics"]),
                "pushed_at": maybe_moment(one["pushed_at"]),
            }
        )
        for one in held["repositories"]
    )
    return Page(held["etag"], held["next"], tuple(entries))


def pushed(repository: Repository) -> str:
    """Return when a repository was last pushed to; empty where the forge does not say."""
    return repository.pushed_at.isoformat() if repository.pushed_at else ""
