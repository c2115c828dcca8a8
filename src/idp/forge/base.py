"""What every forge can do, in words that fit them all; what one cannot, it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from idp.errors import InvalidInput

Kind = Literal["github", "gitlab", "gitea"]
Visibility = Literal["private", "internal", "public"]
Role = Literal["read", "triage", "write", "maintain", "admin"]
PullState = Literal["open", "closed", "merged"]
Verdict = Literal["approved", "changes_requested", "commented", "dismissed"]
Judgement = Literal["approved", "changes_requested"]
Outcome = Literal["pending", "success", "failure", "neutral"]
DeploymentState = Literal["queued", "in_progress", "success", "failure", "error", "inactive"]


class NotSupported(InvalidInput):
    """A forge has no such thing, or not in this version or edition."""

    code = "not_supported"


@dataclass(frozen=True)
class Account:
    """Whom a token speaks for.

    Attributes:
        scopes: what the token may do; None where the forge does not say.
    """

    login: str
    is_bot: bool
    scopes: frozenset[str] | None


@dataclass(frozen=True)
class Repository:
    """A repository of a forge.

    Attributes:
        full_name: OWNER/NAME; GitLab's may have more parts.
        url: for a browser.
        https_url: for git.
        pushed_at: when it was last pushed to, or changed otherwise, to the second; None where the
            forge does not say.
    """

    full_name: str
    url: str
    https_url: str
    ssh_url: str
    default_branch: str
    visibility: Visibility
    is_archived: bool
    is_empty: bool
    topics: tuple[str, ...]
    description: str = ""
    pushed_at: datetime | None = None


@dataclass(frozen=True)
class Page:
    """A page of a listing of repositories; `etag` is empty where it has to be read again."""

    etag: str
    next: str
    repositories: tuple[Repository, ...]


@dataclass
class Pages:
    """The pages of a listing by their URL: as they were, and as they are."""

    before: Mapping[str, Page] = field(default_factory=dict)
    now: dict[str, Page] = field(default_factory=dict)


@dataclass(frozen=True)
class NewRepository:
    """A repository to be made."""

    full_name: str
    description: str
    visibility: Visibility


@dataclass(frozen=True)
class Protection:
    """What a protected branch asks for; force pushes and deletion are always refused.

    Attributes:
        reviews: approvals before a merge.
        code_owners: whether a code owner must be among them.
        checks: names of checks that must have passed.
    """

    reviews: int = 1
    code_owners: bool = True
    checks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A pull request (GitLab: merge request) to be opened, or brought up to date."""

    branch: str
    base: str
    title: str
    body: str
    draft: bool


@dataclass(frozen=True)
class PullRequest:
    """A pull request as it stands.

    Attributes:
        head: the commit at the tip of its branch.
        repository: the full name of where the branch is: a fork's is another.
    """

    number: int
    url: str
    title: str
    body: str
    branch: str
    base: str
    head: str
    repository: str
    state: PullState
    draft: bool
    author: str
    created_at: datetime
    merged_at: datetime | None


@dataclass(frozen=True)
class Review:
    """What somebody said of a pull request; `commit` is what they looked at, where it is known."""

    author: str
    verdict: Verdict
    commit: str
    at: datetime | None


@dataclass(frozen=True)
class Check:
    """What a CI said of a commit."""

    name: str
    outcome: Outcome
    url: str


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request or an issue."""

    id: int
    author: str
    body: str
    url: str


@dataclass(frozen=True)
class NewDeployment:
    """A deployment to be told of; `payload` is ours, for whoever joins it with our records."""

    ref: str
    sha: str
    environment: str
    description: str = ""
    is_transient: bool = False
    is_production: bool = False
    payload: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Deployment:
    """A deployment that a forge knows of."""

    id: int
    sha: str
    ref: str
    environment: str
    created_at: datetime


@dataclass(frozen=True)
class DeploymentStatus:
    """How a deployment stands; the description is cut to 140 characters."""

    state: DeploymentState
    url: str = ""
    log_url: str = ""
    description: str = ""


@dataclass(frozen=True)
class Blob:
    """A file of a repository's tree; size in bytes, None where the forge does not say."""

    path: str
    sha: str
    size: int | None


@dataclass(frozen=True)
class Tree:
    """All files of a commit.

    Attributes:
        etag: by which to ask for it again; empty for none.
        commit: which one it is, empty where the forge does not say.
    """

    blobs: tuple[Blob, ...] = ()
    etag: str = ""
    commit: str = ""


@dataclass(frozen=True)
class File:
    """A file's content, and the etag by which to ask for it again."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class Issue:
    """An issue."""

    number: int
    url: str
    title: str
    labels: tuple[str, ...]
    is_open: bool
    created_at: datetime
    closed_at: datetime | None


class Forge(Protocol):
    """A forge, spoken to as one account.

    `repo` is a repository's full name. What is not there is a NotFound, what this forge has not a
    NotSupported; making what is there already returns it.
    """

    kind: Kind
    host: str

    def account(self) -> Account:
        """Return whom the token speaks for."""

    def repository(self, repo: str) -> Repository | None:
        """Return a repository, or None where there is none (that we may see)."""

    def create_repository(self, wanted: NewRepository) -> Repository:
        """Make a repository without a commit, in an organisation or for the account itself."""

    def set_topics(self, repo: str, topics: Sequence[str]) -> None:
        """Make these the repository's topics."""

    def check_team(self, repo: str, team: str) -> None:
        """Raise NotFound where a repository's owner has no such team; the repository may not be."""

    def grant(self, repo: str, team: str, role: Role) -> None:
        """Give a team of the repository's owner a role."""

    def protect(self, repo: str, branch: str, protection: Protection) -> None:
        """Protect a branch."""

    def pull_request(self, repo: str, number: int) -> PullRequest:
        """Return a pull request."""

    def open_pull_requests(self, repo: str, branch: str = "") -> Iterator[PullRequest]:
        """Yield the open ones, or those from one branch of the repository itself."""

    def last_pull_request(self, repo: str, branch: str) -> PullRequest | None:
        """Return the newest one from one branch of the repository itself, whatever its state."""

    def propose(self, repo: str, proposal: Proposal) -> PullRequest:
        """Open a pull request, or bring the open one of that branch up to date."""

    def close_pull_request(self, repo: str, number: int) -> None:
        """Close a pull request without merging it."""

    def reviews(self, repo: str, number: int) -> tuple[Review, ...]:
        """Return the last verdict of each reviewer."""

    def review(self, repo: str, number: int, commit: str, verdict: Judgement, body: str) -> None:
        """Approve a pull request as of a commit, or say what is against it, as this account.

        Raises:
            Refused: it is this account's own.
        """

    def merge(self, repo: str, number: int, commit: str) -> None:
        """Merge a pull request as of a commit; one that is merged is left so.

        Raises:
            Refused: it may not be merged (yet), or its branch has moved on.
        """

    def role(self, repo: str, login: str) -> Role | None:
        """Return what an account may do in a repository; None for nothing, or no such account."""

    def is_protected(self, repo: str, branch: str) -> bool:
        """Tell whether a branch is protected from pushes that nobody reviewed."""

    def checks(self, repo: str, sha: str) -> tuple[Check, ...]:
        """Return what checks said of a commit, the last one of each name."""

    def comment(self, repo: str, number: int, marker: str, body: str) -> Comment:
        """Write our comment with this hidden marker, or bring it up to date.

        Another author's comment with the same marker is never touched.
        """

    def comments(self, repo: str, number: int, marker: str) -> tuple[Comment, ...]:
        """Return all comments on a pull request with this hidden marker, whoever wrote them."""

    def deploy(self, repo: str, wanted: NewDeployment) -> Deployment:
        """Tell of a deployment; the one of the same commit and environment is returned."""

    def deployments(self, repo: str, environment: str = "") -> Iterator[Deployment]:
        """Yield deployments, the newest first."""

    def set_status(self, repo: str, deployment: Deployment, status: DeploymentStatus) -> None:
        """Say how a deployment stands."""

    def repositories(self, owner: str, pages: Pages | None = None) -> Iterator[Repository]:
        """Yield the repositories of an organisation, a group or a person.

        One that was pushed to just now for the first time may still be told to be empty.

        Args:
            pages: what the listing was, and then is, on forges that tell whether it changed.
        """

    def files(self, repo: str, ref: str, etag: str = "") -> Tree | None:
        """Return all files of a commit or branch; None where they are unchanged since `etag`.

        A repository without a commit has none.
        """

    def read(self, repo: str, path: str, ref: str, etag: str = "") -> File | None:
        """Read a file; None where it is unchanged since `etag`."""

    def issues(self, repo: str, label: str) -> Iterator[Issue]:
        """Yield the issues with a label, open and closed."""
