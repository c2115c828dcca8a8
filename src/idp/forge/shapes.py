"""What the answers of all forges have in common, and how a strange one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from idp.errors import IdpError, InvalidInput, NotAllowed, Refused, RemoteFailed
from idp.forge.base import Comment, Proposal, PullRequest, Repository, Review
from idp.rest import Conflict, Reply

P = ParamSpec("P")
T = TypeVar("T")

Answer = Mapping[str, Any]


def understood(forge: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Say of an answer without the fields we read that it is none of this forge's."""

    def decorated(read: Callable[P, T]) -> Callable[P, T]:
        @wraps(read)
        def reading(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise RemoteFailed(
                    f"an answer has no {forge} shape: {read.__name__}: {error!r}",
                    hint=f"is it {forge} that answers at the forge's address?",
                ) from error

        return reading

    return decorated


def listed(pages: Iterable[Reply]) -> Iterator[Any]:
    """Yield the entries of a listing, page by page."""
    for page in pages:
        if not isinstance(page.data, list):
            raise RemoteFailed("a forge answered a listing with something that is no list")
        yield from page.data


def moment(written: str) -> datetime:
    """Return a time (RFC 3339), in UTC."""
    return datetime.fromisoformat(written).astimezone(UTC)


def maybe_moment(written: str | None) -> datetime | None:
    """Return a time, where there is one."""
    return moment(written) if written else None


def lines(written: str | None) -> str:
    """Return a text with line ends as we write them."""
    return (written or "").replace("\r\n", "\n")


def marked(marker: str, body: str) -> str:
    """Return a comment's text with a marker that a reader does not see."""
    return f"{_hidden(marker)}\n{body}"


def is_marked(marker: str, text: str) -> bool:
    """Tell whether a comment begins with the marker: what it cites is another's."""
    return text.startswith(_hidden(marker))


def with_marker(marker: str, comments: Iterable[Comment]) -> tuple[Comment, ...]:
    """Return the comments that begin with a marker."""
    return tuple(one for one in comments if is_marked(marker, one.body))


def merged_or_told(error: IdpError, pull: PullRequest, commit: str) -> None:
    """Say why a pull request was not merged, unless it is: the answer may have been lost.

    Raises:
        Refused: what keeps it from being merged.
    """
    if pull.state == "merged":
        return
    if isinstance(error, RemoteFailed) and not isinstance(error, Conflict):
        raise error
    if pull.head != commit:
        raise Refused(
            f"{pull.url} has moved on to {pull.head[:12]}: it was not merged",
            hint="look at what is new, then decide again",
        ) from error
    if isinstance(error, InvalidInput | NotAllowed | Conflict):
        raise Refused(
            f"{pull.url} was not merged: {error.message}",
            hint="checks, code owners or a right may be missing: look at it there",
        ) from error
    raise error


def _hidden(marker: str) -> str:
    return marker if marker.startswith("<!--") else f"<!-- {marker} -->"


def last_verdicts(reviews: Iterable[Review]) -> tuple[Review, ...]:
    """Return each author's last review, from the oldest on; a comment takes no verdict back."""
    last: dict[str, Review] = {}
    for review in reviews:
        before = last.get(review.author)
        decided = before and before.verdict in ("approved", "changes_requested")
        if not (review.verdict == "commented" and decided):
            last[review.author] = review
    return tuple(last.values())


def not_renamed(found: Repository, name: str, host: str) -> Repository:
    """Return a repository that is still called so.

    Raises:
        Conflict: it has another name now, and answers to its old one as well.
    """
    if found.full_name.lower() == name.lower():
        return found
    raise Conflict(
        f"{name} on {host} is now called {found.full_name}",
        hint="choose another name: a new one of that name would break the old links",
    )


def differences(pull: PullRequest, proposal: Proposal) -> frozenset[str]:
    """Return in what a pull request differs from what is proposed; a last line end is nothing."""
    names = ("title", "base", "draft")
    found = {name for name in names if getattr(pull, name) != getattr(proposal, name)}
    same_body = pull.body.rstrip() == lines(proposal.body).rstrip()
    return frozenset(found if same_body else {*found, "body"})
