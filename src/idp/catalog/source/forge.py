"""All repositories of an organisation, a group or a person, read through their forge's API.

A repository that was not pushed to since the last time costs nothing beyond the listing; of one
that was, the tree is asked for, and only files whose hash is another are read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from idp.catalog.source.base import Found, Kept, State, Trouble
from idp.catalog.source.blobs import Blobs, catalog_files, stamped
from idp.catalog.source.grammar import Place
from idp.catalog.source.page import page
from idp.catalog.source.patterns import chosen
from idp.catalog.source.remembered import Remembered, page_as_json, page_of_json, pushed
from idp.catalog.source.targets import Named, named_by, place_of
from idp.clock import Clock
from idp.errors import IdpError, InvalidInput, NotFound
from idp.forge.base import Forge, Pages, Repository, Tree
from idp.rest import RateLimited

WORKERS = 8
YOUNG = timedelta(minutes=1)
"""Two pushes within one second look like one: what was pushed to just now is looked at again."""

TREES = 16
"""Trees of other repositories that are kept at hand."""


class ForgeSource:
    """The catalog files in the repositories of an owner; archived ones are left out."""

    workers = WORKERS

    def __init__(self, place: Place, forge: Forge, clock: Clock) -> None:
        self.place = place.written
        self._owner, self._files = place.owner, place.files
        self._skip = tuple(pattern.lower() for pattern in place.skip)
        self._chosen = chosen(place.files)
        self._forge = forge
        self._clock = clock
        self._known: dict[str, Remembered] = {}
        self._pages = Pages()
        self._fresh: set[str] = set()
        self._limit: RateLimited | None = None
        self._trees: dict[tuple[str, str], Tree] = {}

    def scan(self, state: State) -> Iterator[Found | Kept | Trouble]:
        """Yield the catalog files of each repository in which something may have changed."""
        same = state.get("files") == list(self._files)
        held: Mapping[str, Any] = state.get("repositories", {}) if same else {}
        before = {name: Remembered(**one) for name, one in held.items()}
        pages = {url: page_of_json(page) for url, page in state.get("pages", {}).items()}
        self._known, self._fresh, self._pages = {}, set(), Pages(pages)
        pool = ThreadPoolExecutor(WORKERS)
        waiting: deque[Future[list[Found | Kept | Trouble]]] = deque()
        try:
            for repository in self._listed(before):
                if isinstance(repository, Trouble):
                    yield repository
                    continue
                known = before.get(repository.full_name)
                if known and known.is_as_it_was(repository):
                    yield from self._kept(repository.full_name, known)
                else:
                    waiting.append(pool.submit(self._looked_at, repository, known))
                if len(waiting) > 2 * WORKERS:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _listed(self, before: Mapping[str, Remembered]) -> Iterator[Repository | Trouble]:
        """Yield the repositories to look at; a listing that breaks off is told."""
        begun, seen = False, set()
        try:
            for repository in self._forge.repositories(self._owner, self._pages):
                begun = True
                seen.add(repository.full_name)
                if self._is_meant(repository):
                    yield repository
        except IdpError as error:
            if not begun:
                raise
            self._known |= {name: known for name, known in before.items() if name not in seen}
            yield Trouble("", f"{self.place} is not listed to its end: {error.message}", error.hint)

    def _is_meant(self, repository: Repository) -> bool:
        if repository.is_archived or not repository.default_branch:
            return False
        whole = repository.full_name.lower()
        names = (whole, whole.removeprefix(f"{self._owner.lower()}/"), whole.rpartition("/")[2])
        return not any(fnmatchcase(name, pattern) for pattern in self._skip for name in names)

    def _kept(self, name: str, known: Remembered) -> Iterator[Found | Kept]:
        """Yield that a repository is as it was, and its files that could not be read then."""
        self._known[name] = replace(known, unread={})
        yield Kept(known.url)
        if known.unread:
            self._fresh.add(name)
        for path, (stamp, *beside) in known.unread.items():
            location = page(self._forge.kind, known.url, known.branch, path)
            yield Found(location, path, stamp, known.url, beside=tuple(beside))

    def _looked_at(
        self, repository: Repository, known: Remembered | None
    ) -> list[Found | Kept | Trouble]:
        name, branch = repository.full_name, repository.default_branch
        etag = known.etag if known and known.is_at(repository) else ""
        try:
            self._check_limit()
            tree = self._forge.files(name, branch, etag)
        except IdpError as error:
            self._note(error)
            if known:
                self._known[name] = known
            return [Trouble(repository.url, f"{name} is not read: {error.message}", error.hint)]
        is_young = repository.pushed_at and self._clock.now() - repository.pushed_at < YOUNG
        when = "" if is_young else pushed(repository)
        if known and tree is None:
            return list(self._kept(name, replace(known, pushed=when)))
        tree = tree or Tree()
        self._known[name] = Remembered(repository.url, branch, when, tree.etag)
        self._fresh.add(name)
        blobs = Blobs({blob.path: blob.sha for blob in tree.blobs})
        where = Named(repository.url, name, branch)
        return list(self._founds(where, tree.commit, blobs))

    def _founds(
        self,
        where: Named,
        commit: str,
        blobs: Mapping[str, str],
        wanted: list[str] | None = None,
    ) -> Iterator[Found]:
        """Yield the files that are wanted: all that are meant, if nothing else is said."""
        meant = catalog_files(blobs, self._chosen)
        files = meant if wanted is None else wanted
        for path, stamp, beside in stamped(blobs, files, {*meant, *files}):
            location = page(self._forge.kind, where.url, where.ref, path)
            yield Found(location, path, stamp, where.url, commit, None, beside, blobs)

    def _note(self, error: IdpError) -> None:
        if isinstance(error, RateLimited):
            self._limit = error

    def _check_limit(self) -> None:
        """Raise what the forge said, instead of asking it again and again."""
        if self._limit:
            raise RateLimited(self._limit.message, hint=self._limit.hint)

    def state(self) -> State:
        """Return what is known of each repository, and which of its files are still to be read."""
        known = {name: asdict(one) for name, one in self._known.items()}
        pages = {url: page_as_json(page) for url, page in self._pages.now.items() if page.etag}
        return {"files": list(self._files), "repositories": known, "pages": pages}

    def read(self, found: Found, path: str = "") -> bytes:
        """Return the content of a file, or of another of its repository."""
        where = place_of(found)
        wanted = path or found.path
        if found.blobs and wanted not in found.blobs:
            raise NotFound(f"there is no {wanted} in {where.repository}")
        try:
            self._check_limit()
            file = self._forge.read(where.repository, wanted, found.commit or where.ref)
        except IdpError as error:
            self._note(error)
            known = self._known.get(where.repository)
            if known and known.branch == where.ref and not isinstance(error, InvalidInput):
                known.unread[found.path] = [found.stamp, *found.beside]
            raise
        return file.content if file else b""

    def target(self, found: Found, written: str) -> Iterator[Found]:
        """Yield the files that a Location in this file names.

        A path begins at the file's folder, one with `/` at its front at the top of the
        repository; a URL is that of a page, or of a raw file, of the same forge. Nothing is looked
        up for a file that is as it was in a repository that is so too: what it names is known.
        """
        here = place_of(found)
        where = named_by(written, here, self._forge.host)
        commit, blobs = found.commit, found.blobs
        known = self._known.get(where.repository)
        if not blobs and known and where.repository not in self._fresh:
            self._check_present(where, known.absent)
            return
        if not blobs or (where.repository, where.ref) != (here.repository, here.ref):
            tree = self._tree(where)
            commit, blobs = tree.commit, Blobs({blob.path: blob.sha for blob in tree.blobs})
        is_there = where.path in blobs
        wanted = [where.path] if is_there else catalog_files(blobs, chosen((where.path,)))
        if known and known.branch == where.ref and not wanted:
            known.absent = sorted({*known.absent, where.path})
        self._check_present(where, () if wanted else (where.path,))
        yield from self._founds(where, commit, blobs, wanted)

    def _check_present(self, where: Named, absent: Collection[str]) -> None:
        if where.path in absent:
            raise NotFound(f"there is no {where.path} in {where.repository}")

    def _tree(self, where: Named) -> Tree:
        key = (where.repository, where.ref)
        if key not in self._trees:
            self._check_limit()
            try:
                tree = self._forge.files(*key) or Tree()
            except IdpError as error:
                self._note(error)
                raise
            while len(self._trees) >= TREES:
                self._trees.pop(next(iter(self._trees)), None)
            self._trees[key] = tree
        return self._trees[key]
