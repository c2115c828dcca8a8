"""The local provider: environments as processes of this machine, the default without any server."""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from idp import daemon
from idp.config.running import Provisioner
from idp.errors import IdpError, InvalidInput, NotFound
from idp.provider.base import Command, Fenced, Observed, Release, Say, Source
from idp.provider.document import from_json
from idp.provider.local import following, looking, orders, processes, removal, state
from idp.provider.local.applying import Applying, Tools
from idp.provider.local.artefacts import Artefacts
from idp.provider.local.ports import Ports
from idp.provider.local.resources import Supplier, outside
from idp.provider.local.state import Kept, Place
from idp.provider.tags import tags_of
from idp.workload.fields import FIELDS

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,51}[a-z0-9])?")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
AT_ONCE = 16
NOT_HERE = frozenset(
    {
        "containers.image",
        "containers.command",
        "containers.args",
        "containers.resources.requests",
        "containers.resources.limits",
        "containers.livenessProbe.httpGet",
        "containers.livenessProbe.exec",
    }
)
"""Fields of a workload that mean a container's."""


@dataclass(frozen=True)
class Local:
    """Environments in a folder of this machine.

    Attributes:
        folder: where all is kept, for its owner alone.
        environ: the user's environment, of which services are given a few variables.
        now: the clock.
        provisioners: the platform's, which stand over what this machine has.
        url: how an environment's URL is told, with `{name}` and `{port}`; empty is as it is.
    """

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]
    provisioners: Sequence[Provisioner] = ()
    name: str = "local"
    kind: str = "local"
    is_shared: bool = False
    acts_on: frozenset[str] = frozenset(FIELDS) - NOT_HERE
    url: str = ""

    def build(self, release: Release, source: Source, say: Say) -> str:
        """Build a tree once, by the workload's own command."""
        place = self._place()
        _check_names(release.environment)
        orders.check(release.workload)
        folder = place.of(release.environment)
        return Artefacts(place.artefacts).build(release, source, say, self._base(), folder)

    def apply(self, release: Release, fence: int) -> Observed:
        """Start a release: beside the present one, in its place, or as the first."""
        place = self._place()
        _check_names(release.environment, release.id)
        orders.check(release.workload)
        with _disk(self.folder), daemon.locked(place.lock(release.environment)):
            kept, is_new = self._opened(release, fence)
            try:
                Applying(self._tools(place), release, kept).run()
            except IdpError:
                if is_new:  # nothing of it runs, and nobody has to take it down
                    with suppress(IdpError):
                        removal.finish(place, kept.name, self.environ)
                raise
        return self.observe(release.environment) or _gone(release)

    def _tools(self, place: Place) -> Tools:
        drawing = Ports(place.folder, lambda name: place.of(name).exists())

        def supplier(kept: Kept) -> Supplier:
            return Supplier(
                place.of(kept.name),
                lambda: drawing.draw(kept.name, 1)[0],
                outside(kept.token),
                kept.port,
                self.provisioners,
                self.environ,
            )

        return Tools(place, drawing, self._base(), supplier)

    def _opened(self, release: Release, fence: int) -> tuple[Kept, bool]:
        """Return the environment to change, made with all its tags where it is not there."""
        place, name = self._place(), release.environment
        kept = self._known(name, fence)
        if kept and kept.deleting:
            removal.finish(place, name, self.environ)
            kept = None
        is_new = kept is None
        if kept is None:
            now, token = self.now(), secrets.token_hex(16)
            kept = Kept(name, token, secrets.token_hex(16), fence, now, now)
        kept = replace(
            kept,
            fence=fence,
            tags=tags_of(release),
            updated_at=self.now(),
            expires_at=release.expires_at,
            outside=str(outside(kept.token)),
        )
        _put(place, kept)
        return kept, is_new

    def observe(self, name: str) -> Observed | None:
        """Look at its processes, and ask whether they are ready."""
        kept = state.read(self._place().of(name))
        return self._look(kept) if kept else None

    def _look(self, kept: Kept, *, cached: bool = False) -> Observed:
        place = Place(self.folder)
        folder, lock = place.of(kept.name), place.lock(kept.name)
        seen = looking.observed(folder, kept, lock, cached=cached)
        if not self.url or not seen.url:
            return seen
        url = self.url.replace("{name}", kept.name).replace("{port}", str(kept.port))
        return replace(seen, url=url)

    def list(self, tags: Mapping[str, str]) -> Iterator[Observed]:
        """Yield those with these tags; one that was ready and did not start anew is so still."""
        place = self._place()
        found = [kept for kept in place.all() if tags.items() <= kept.tags.items()]

        def look(kept: Kept) -> Observed:
            return self._look(kept, cached=True)

        if len(found) <= 1:
            yield from map(look, found)
            return
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(look, found)

    def stored(self, name: str, release: str) -> Release | None:
        """Return a release that is kept."""
        if not ID.fullmatch(release):
            return None
        try:
            return from_json((self._place().of(name) / "releases" / f"{release}.json").read_text())
        except FileNotFoundError:
            return None

    def extend(self, name: str, until: datetime | None, fence: int) -> None:
        """Write another time of expiry."""
        with self._changing(name, fence) as (place, kept):
            state.write(place.of(name), replace(kept, expires_at=until, updated_at=self.now()))

    def delete(self, name: str, fence: int) -> None:
        """Begin to end all its processes and to remove all its files."""
        _check_names(name)
        place = self._place()
        if looking.is_alive(place.of(name) / "removing"):
            return
        with _disk(self.folder), daemon.locked(place.lock(name)):
            try:
                kept = self._known(name, fence)
            except InvalidInput:  # its file is damaged, which must not keep it alive
                kept = None
            if kept is None:
                removal.finish(place, name, self.environ)
                place.lock(name).unlink(missing_ok=True)
                return
            kept = replace(kept, deleting=True, fence=fence)
            state.write(place.of(name), kept)
            removal.begin(place, kept, self._base(), self.environ)

    def beside(self, name: str) -> Observed | None:
        """Return the release without traffic."""
        folder = self._place().of(name)
        kept = state.read(folder)
        return looking.beside(folder, kept) if kept else None

    def switch(self, name: str, release: str, fence: int) -> None:
        """Send new requests to a release that stands beside the present one."""
        with self._changing(name, fence) as (place, kept):
            if kept.current == release:
                return
            if kept.next != release:
                raise NotFound(f"{release} does not stand beside the present release of {name}")
            changed = replace(kept, current=release, next=kept.current, fallback="")
            state.write(place.of(name), changed)
            looking.poke(place.of(name))

    def retire(self, name: str, release: str, fence: int) -> None:
        """Let the front end a release when its requests are answered."""
        with self._changing(name, fence) as (place, kept):
            if release == kept.current:
                raise InvalidInput(f"{release} is the present release of {name}")
            if release not in kept.units or release in kept.leaving:
                return
            beside = "" if kept.next == release else kept.next
            leaving = (*kept.leaving, release)
            folder = place.of(name)
            state.write(folder, replace(kept, next=beside, leaving=leaving))
            if looking.is_alive(folder / "front"):
                looking.poke(folder)
            else:
                looking.supervisor(folder / "units" / release).send(signal.SIGTERM)

    def logs(self, name: str, *, follow: bool, lines: int, container: str = "") -> Iterator[str]:
        """Yield what its programs wrote."""
        return following.lines_of(self._place().of(name), name, follow, lines, container)

    def command(self, name: str, argv: Sequence[str], *, tty: bool, container: str) -> Command:
        """Return a program with the variables and the folder of a container of the release."""
        folder = self._place().of(name)
        kept = state.read(folder)
        if kept is None:
            raise NotFound(f"no environment called {name}", hint="idp env list")
        told = state.read_json(folder / "units" / kept.current / state.RUNNER)
        programs = told.get("programs", {})
        which = container or next(iter(programs), "")
        if which not in programs:
            raise NotFound(f"{name} has no container {which!r}", hint=", ".join(programs))
        env = processes.environment_of(programs[which]["pid"])
        if not env:
            raise NotFound(f"{which} of {name} does not run just now", hint="idp env logs")
        mine = {processes.TOKEN, processes.UNIT}
        terminal = {"TERM": self.environ.get("TERM", "dumb")} if tty else {}
        env = {key: value for key, value in env.items() if key not in mine} | terminal
        artefact = kept.units[kept.current].artefact
        return Command(tuple(argv), env, _cwd(self._place(), folder, artefact))

    def _place(self) -> Place:
        place = Place(self.folder)
        place.prepare()
        return place

    def _base(self) -> dict[str, str]:
        return {name: self.environ[name] for name in processes.KEPT if name in self.environ}

    def _known(self, name: str, fence: int) -> Kept | None:
        """Return an environment that this fence may change.

        Raises:
            Fenced: a later lease has changed it.
        """
        kept = state.read(self._place().of(name))
        if kept and kept.fence > fence:
            raise Fenced(
                f"somebody else has changed {name} since (fence {kept.fence}, ours is {fence})",
                hint="look at it: idp env show",
            )
        return kept

    @contextmanager
    def _changing(self, name: str, fence: int) -> Iterator[tuple[Place, Kept]]:
        place = self._place()
        with _disk(self.folder), daemon.locked(place.lock(name)):
            kept = self._known(name, fence)
            if kept is None or kept.deleting:
                raise NotFound(f"no environment called {name}", hint="idp env list")
            yield place, replace(kept, fence=fence)


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Tell of a disk that is full, or not ours, in our words."""
    try:
        yield
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        raise IdpError(f"cannot write in {folder}: {what}{error.strerror}") from error


def _check_names(name: str, release: str = "r") -> None:
    if not NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} is no name of an environment: a-z, 0-9 and -, at most 53")
    if not ID.fullmatch(release):
        raise InvalidInput(f"{release!r} is no id of a release")


def _gone(release: Release) -> NoReturn:
    raise NotFound(f"{release.environment} was taken down meanwhile")


def _put(place: Place, kept: Kept) -> None:
    """Write an environment; a new one appears with its file in it or not at all."""
    folder = place.of(kept.name)
    if (folder / state.FILE).exists():
        return state.write(folder, kept)
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=place.environments))
    try:
        for inside in ("units", "releases", "servers", "front"):
            (draft / inside).mkdir()
        state.write(draft, kept)
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _cwd(place: Place, folder: Path, artefact: str) -> Path:
    return Artefacts(place.artefacts).files(artefact) if artefact else folder
