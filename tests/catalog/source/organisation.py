"""Words for stories about an organisation: pushing to its repositories, reading them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from idp.catalog.index.opened import opened
from idp.catalog.ingest import Order, Origin, Outcome, ingest
from idp.catalog.source.base import Found, Source
from idp.catalog.source.forge import ForgeSource
from idp.catalog.source.grammar import parse_place
from idp.forge.connect import connect
from idp.forge.credentials import Credential
from idp.forge.place import Place

from ...clock import FakeClock
from ...forge.standin import StandIn
from ...service.stories import commit_all, git
from ..index_stories import written

BRANCH = "main"


@dataclass
class Catalog:
    """An index, and what is known from it."""

    path: Path
    clock: FakeClock = field(
        default_factory=lambda: FakeClock(datetime(2026, 11, 24, 9, tzinfo=UTC))
    )

    def read(self, source: Source) -> Outcome:
        """Bring the index up to date with one source."""
        return ingest(self.path, [Origin(source, 0)], self.clock, Order()).outcome

    @property
    def refs(self) -> set[str]:
        """The entities that are there, and no orphans."""
        return {ref for ref, is_orphan in self._entities().items() if not is_orphan}

    @property
    def orphans(self) -> set[str]:
        return {ref for ref, is_orphan in self._entities().items() if is_orphan}

    def _entities(self) -> dict[str, bool]:
        with opened(self.path) as index:
            rows = index.connection.execute("SELECT id FROM entity").fetchall()
            cards = index.cards(row[0] for row in rows)
        return {card.ref: card.orphan for card in cards.values()}

    def document(self, ref: str) -> dict[str, object]:
        with opened(self.path) as index:
            node = index.node(ref)
            assert node is not None
            return index.document(node)

    def adrs(self, ref: str) -> tuple[str, ...]:
        with opened(self.path) as index:
            node = index.node(ref)
            assert node is not None
            return index.evidence(node).adrs

    @property
    def troubles(self) -> list[tuple[str, str, str]]:
        """What could not be read: repository, message, hint."""
        with opened(self.path) as index:
            rows = index.connection.execute("SELECT trouble FROM source").fetchall()
        return [tuple(one) for row in rows for one in json.loads(row[0])]


@dataclass
class Organisation:
    """The organisation `acme`, and a catalog of it."""

    forge: StandIn
    folder: Path
    catalog: Catalog = field(init=False)
    files: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    token: str = ""

    def __post_init__(self) -> None:
        self.catalog = Catalog(self.folder / "catalog" / "catalog.db")
        self.token = self.forge.token

    def push(self, name: str, files: Mapping[str, str | None], *, branch: str = BRANCH) -> None:
        """Commit files to a repository of the organisation, which is made if there is none."""
        full_name = f"acme/{name}"
        repo = self.forge.repos.get(full_name) or self.forge.add_repo(full_name)
        work = self.folder / "work" / name
        if not work.exists():
            work.mkdir(parents=True)
            git(work, "init", "--quiet", f"--initial-branch={BRANCH}")
        git(work, "checkout", "--quiet", "-B", branch)
        written(work, files)
        commit_all(work, "Change")
        git(work, "push", "--quiet", "--force", str(repo.git_dir), branch)
        pushed = datetime.fromisoformat(repo.pushed_at) + timedelta(minutes=5)
        repo.pushed_at = pushed.strftime("%Y-%m-%dT%H:%M:%SZ")

    def url(self, name: str, path: str) -> str:
        """Return the page of a file."""
        return f"{self.forge.url}/acme/{name}/blob/{BRANCH}/{path}"

    def source(self) -> ForgeSource:
        place = Place(self.forge.host, "github")
        credential = Credential(self.forge.host, self.token, "the test")
        clock = self.catalog.clock
        hub = connect(place, credential, clock, lambda _: None)
        meant = parse_place(
            f"github:acme@{self.forge.host}", self.files, self.skip, base=self.folder
        )
        return ForgeSource(meant, hub, clock)

    def found(self) -> dict[str, Found]:
        """Return the files that are there, by location, without an index."""
        listed = self.source().scan({})
        return {one.location: one for one in listed if isinstance(one, Found)}

    def read(self) -> list[str]:
        """Bring the catalog up to date; return what was asked of the forge for it."""
        return self.asked(lambda: self.catalog.read(self.source()))

    def asked(self, work: Callable[[], object]) -> list[str]:
        """Return the paths of what some work asks of the forge, without the queries."""
        before = len(self.forge.requests)
        work()
        return [one.path.partition("?")[0] for one in self.forge.requests[before:]]
