"""What a provider of environments does: one small protocol, and data that fits them all.

States, waiting, health and rollback are the core's. What runs carries its own truth with it (tags
and the release): a record elsewhere is a cache.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from idp.errors import Refused
from idp.workload.model import Workload

Say = Callable[[str], None]
Strategy = Literal["rolling", "blue-green"]
State = Literal["starting", "ready", "failed", "stopping", "stopped"]

MANAGED_BY = "idp"
TAGS = ("environment", "service", "owner", "team", "cost-centre", "author", "repository", "pull")
"""The tags that everything made for an environment carries, where they are known; all lower case.

Providers write them in their own form: labels `idp.dev/TAG`, an annotation where a value does not
fit a label.
"""


class Fenced(Refused):
    """Somebody with a later lease has been at the environment since: what came later stands."""

    code = "fenced"


@dataclass(frozen=True)
class Source:
    """The files of a service at one state.

    Attributes:
        tree: git's id of the tree: the same files have the same id.
        commit: whose tree it is; the one it grew from where there are uncommitted changes.
        dirty: there are uncommitted changes in it.
        export: writes the files into an empty folder.
    """

    tree: str
    commit: str
    dirty: bool
    export: Callable[[Path], None] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Release:
    """What shall run in an environment: whole, so that it can be started again without a checkout.

    Attributes:
        id: unique; those made later sort later.
        environment: the name of the environment, an RFC 1123 label of at most 53 characters.
        artefact: what `build` returned; empty where nothing is built.
        plan: the digest of the plan that brought it.
        previous: the release that it replaces; empty for the first.
        tags: see TAGS.
        settings: variables that stand over the workload's; never a secret.
        given: outputs of resources that the core supplies, by resource: values of secrets among
            them; never written anywhere but where the provider keeps secrets.
    """

    id: str
    environment: str
    service: str
    commit: str
    workload: Workload
    created_at: datetime
    expires_at: datetime | None = None
    artefact: str = ""
    plan: str = ""
    previous: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    strategy: Strategy = "rolling"
    given: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Observed:
    """An environment as its provider sees it now.

    Attributes:
        state: ready says that all of `release` runs and reports itself healthy, where it can.
        url: where it is reached; empty where it publishes nothing.
        release: the id of the release that traffic goes to.
        next: the id of one that stands beside it without traffic (blue-green); empty for none.
        previous: the id of the release before, as the thing itself carries it.
        fence: of the last lease that changed it.
        updated_at: when a release was last applied, or the time of expiry changed.
        reason: why it is not ready, in the provider's own words.
        log: the last lines of what failed, where something did.
    """

    name: str
    state: State
    url: str
    release: str
    previous: str
    fence: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    tags: Mapping[str, str]
    next: str = ""
    reason: str = ""
    log: tuple[str, ...] = ()


class Provider(Protocol):
    """Runs environments; each method may be called again after a kill at any moment."""

    @property
    def name(self) -> str:
        """As the platform file calls it."""

    @property
    def kind(self) -> str:
        """One of local, container, kubernetes."""

    @property
    def is_shared(self) -> bool:
        """Whether others reach the same things from other machines."""

    @property
    def acts_on(self) -> Collection[str]:
        """The fields of a workload that it acts on, of `workload.fields.FIELDS`."""

    def build(self, release: Release, source: Source, say: Say) -> str:
        """Make what the release runs from a source, unless it is there; return the artefact.

        Raises:
            CommandFailed, InvalidInput: it cannot be built, with the last lines of why.
        """

    def apply(self, release: Release, fence: int) -> Observed:
        """Make it so, and return at once: everything carries the tags from the moment it is made.

        For a blue-green release the present one keeps its traffic until `Traffic.switch`.

        Raises:
            Fenced: a later lease has changed it.
            InvalidInput: the workload asks for what this provider cannot do, by name.
        """

    def observe(self, name: str) -> Observed | None:
        """Look at one; None where nothing of it is there any more."""

    def list(self, tags: Mapping[str, str]) -> Iterator[Observed]:
        """Yield those that carry all of these tags, and what has only idp's mark as far as known.

        What bears no mark of idp's is nobody's business here.
        """

    def stored(self, name: str, release: str) -> Release | None:
        """Return a release that is still kept (the present, the previous), without `given`."""

    def extend(self, name: str, until: datetime | None, fence: int) -> None:
        """Write another time of expiry on it."""

    def delete(self, name: str, fence: int) -> None:
        """Begin to remove everything of it, and return at once; nothing there is no error.

        `observe` says None once all is gone. Removing is begun again by calling it again.
        """


@runtime_checkable
class Logs(Protocol):
    """A provider that keeps what a service writes."""

    def logs(self, name: str, *, follow: bool, lines: int, container: str = "") -> Iterator[str]:
        """Yield the last lines, and those to come if it follows."""


@dataclass(frozen=True)
class Command:
    """A program with where and how it is run."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: Path | None = None


@runtime_checkable
class Exec(Protocol):
    """A provider in whose environments a program can be run."""

    def command(self, name: str, argv: Sequence[str], *, tty: bool, container: str) -> Command:
        """Return the program that runs argv in there."""


@runtime_checkable
class Traffic(Protocol):
    """A provider that can hold two releases of an environment side by side."""

    def beside(self, name: str) -> Observed | None:
        """Return the release without traffic as if it were the environment: its own URL and state.

        None where there is none.
        """

    def switch(self, name: str, release: str, fence: int) -> None:
        """Send new requests to this release; those that run are answered where they are."""

    def retire(self, name: str, release: str, fence: int) -> None:
        """Let a release without traffic finish its requests, and end it."""


@runtime_checkable
class Leasing(Protocol):
    """A provider whose environments can hold their own leases, for all who reach them."""

    def take(
        self, name: str, holder: str, until: datetime, now: datetime, *, above: int, force: bool
    ) -> int:
        """Take the lease of an environment; return its fence, higher than `above` and all before.

        Args:
            force: from whoever holds it: tearing down always wins.

        Raises:
            Busy: somebody else holds it.
        """

    def renew(self, name: str, fence: int, until: datetime) -> None:
        """Hold it longer.

        Raises:
            Fenced: somebody else has taken it.
        """

    def give_back(self, name: str, fence: int) -> None:
        """End it; one that is not ours any more is left."""


class Busy(Refused):
    """Somebody else is changing the environment just now."""

    code = "busy"
    retryable = True
