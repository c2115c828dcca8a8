"""What every command is given: settings, doors and the streams, each built when first asked for."""

from __future__ import annotations

import os
import posixpath
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from idp.clock import Clock, SystemClock
from idp.errors import InvalidInput, NotFound, UsageError
from idp.output import Output

if TYPE_CHECKING:
    from idp.audit import Trail
    from idp.config import Platform, Setting, UserConfig
    from idp.config.source import Source
    from idp.forge.base import Forge
    from idp.forge.credentials import Credential
    from idp.forge.place import Place
    from idp.identity import Identity
    from idp.ledger import Ledger
    from idp.policy import Policies
    from idp.provider.connect import Providers
    from idp.releases import Shelf
    from idp.request.base import Desk
    from idp.road import Road
    from idp.secret.base import Backend
    from idp.service.renders import Renders

PLATFORM_FILE = "idp-platform.yaml"


@dataclass(frozen=True)
class Context:
    """One call of idp.

    Attributes:
        folder: where it works (`-C`).
        flags: global flags that are settings too, by name; absent where not given.
        trust: trust this call's template (`--trust`).
    """

    folder: Path = Path()
    output: Output = field(default_factory=Output)
    no_input: bool = False
    yes: bool = False
    flags: Mapping[str, str | None] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    trust: bool = False
    clock: Clock = field(default_factory=SystemClock)

    def trusting(self, trust: bool) -> Context:
        """Return the context of a call that trusts its template, or does not."""
        return replace(self, trust=trust)

    def path(self, given: str | Path) -> Path:
        """Return a path that the user gave, from where `-C` says."""
        return Path(os.path.normpath(Path.cwd() / self.folder / Path(given).expanduser()))

    def place(self, written: str) -> str:
        """Return a URL or path as the user wrote it, a relative one from where `-C` says."""
        if re.match(r"\.\.?([/@#]|$)", written):
            return f"{Path.cwd() / self.folder}/{written}"
        return written

    @property
    def can_ask(self) -> bool:
        """Tell whether a person sits at the terminal."""
        return not self.no_input and sys.stdin.isatty() and sys.stderr.isatty()

    def ask(self, question: str) -> bool:
        """Ask a yes-or-no question; `--yes` answers it.

        Raises:
            UsageError: nobody can be asked.
        """
        if self.yes:
            return True
        if not self.can_ask:
            raise UsageError(f"nobody can be asked here: {question}", hint="--yes")
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @cached_property
    def cache(self) -> Path:
        """The folder of what can always be deleted."""
        folder = self._home("XDG_CACHE_HOME", ".cache") / "idp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise InvalidInput(
                f"cannot write in {folder}: {error.strerror}",
                hint="set XDG_CACHE_HOME to a folder of yours",
            ) from error
        return folder

    @property
    def state(self) -> Path:
        """The folder of what idp keeps and nobody may delete: ledger, keys, signed heads."""
        return self._home("XDG_STATE_HOME", ".local/state") / "idp"

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger: the platform's, else this machine's own."""
        from idp.ledger import open_ledger

        written = self.setting("ledger.url") or str(self.state / "ledger.db")
        own = "://" in written or Path(written).is_absolute()
        beside = self.path if self.environ.get("IDP_LEDGER") else self.beside_platform
        return open_ledger(written if own else str(beside(written)), self.clock, self.output.say)

    @cached_property
    def trail(self) -> Trail:
        """The audit trail, with the key that signs its heads."""
        from idp.audit import Trail
        from idp.audit.seal import Seals

        key = self.environ.get("IDP_AUDIT_KEY", "")
        return Trail(self.ledger, Seals(self.state / "audit", key), self.clock)

    @cached_property
    def who(self) -> Identity:
        """Who acts: as an OIDC token or the forge says; else unverified."""
        from idp.identity.account import who

        def login() -> tuple[Place, Credential | None]:
            return self.forge_at(), self.credential(self.forge_at())

        return who(self.environ, self.platform.guardrails.identity, login, self.clock)

    @cached_property
    def providers(self) -> Providers:
        """The platform's providers of environments."""
        from idp.provider.connect import Providers

        told = self.platform.running.providers
        return Providers(told, self.state, self.environ, self.clock)

    @cached_property
    def secrets(self) -> Backend:
        """The platform's place of secrets."""
        from idp.secret.connect import connect

        return connect(self.platform.guardrails.secrets, self.environ, self.state, self.clock)

    @cached_property
    def road(self) -> Road:
        """The road by which anything is changed, with the platform's guard on it."""
        from idp.audit.origin import origin_of
        from idp.guard import PlatformGuard
        from idp.road import Road

        guard = PlatformGuard(
            self.platform,
            lambda: self.policies,
            lambda: self.trail,
            lambda: self.who,
            lambda: self.desk,
            self.catalog_index,
            self.clock,
            self.output.say,
            self.ask,
            origin_of(self.environ),
            bool(self.environ.get("CI")),
        )
        return Road(self.ask, guard)

    @cached_property
    def policies(self) -> Policies:
        """The policies that every plan runs through."""
        from idp.policy import ready

        told = self.platform.guardrails.policies
        return ready(told, [self.beside_platform(file) for file in told.rego])

    @cached_property
    def desk(self) -> Desk:
        """Where requests for approval are kept: the platform's repository, else the ledger."""
        settings = self.platform.guardrails.requests
        if settings.repository:
            from idp.request.connect import forge_desk

            room = self.cache / "requests"
            return forge_desk(
                self.forge(), settings, self.git_env, self.clock, room, self.output.say
            )
        from idp.request.desk import LedgerDesk

        return LedgerDesk(self.ledger, settings, self.clock)

    @cached_property
    def user(self) -> UserConfig:
        """The user's configuration."""
        from idp.config import load_user_config

        path = self._home("XDG_CONFIG_HOME", ".config") / "idp" / "config.yaml"
        return load_user_config(path, self.cache / "config")

    def _home(self, variable: str, default: str) -> Path:
        return Path(self.environ.get(variable) or Path.home() / default)

    @cached_property
    def platform(self) -> Platform:
        """The platform file, or the embedded default."""
        from idp.config import EMBEDDED, load_platform, locate_platform

        place = locate_platform(self.flags, self.environ, self.user)
        if place is None:
            return EMBEDDED
        text, origin = self._read_platform(str(place.value))
        return load_platform(text, origin, self.cache / "config")

    def _read_platform(self, place: str) -> tuple[bytes, str]:
        """Read a platform file from a path, or from a git URL with its version and folder."""
        from idp.config.source import parse_source

        source = parse_source(place)
        if source.url.startswith("idp:"):
            raise InvalidInput(f"{place} is a template, not a platform")
        path = self.path(place) if source.is_path else self._fetched(place)
        file = path / PLATFORM_FILE if path.is_dir() else path
        try:
            return file.read_bytes(), str(file) if source.is_path else place
        except OSError as error:
            raise NotFound(
                f"no platform file {file}: {error.strerror}", hint="see --platform, IDP_PLATFORM"
            ) from error

    def _fetched(self, place: str) -> Path:
        from idp.config.source import parse_source

        source = parse_source(place)
        origin = self.shelf_of(lambda *_: False).origin(source)
        return origin.export(source.version or origin.default())[3]

    @cached_property
    def shelf(self) -> Shelf:
        """All templates that can be reached, and which of them are trusted."""
        return self.shelf_of(lambda url, _commit: self.trust or self._trusts(url))

    def shelf_of(self, trusts: Callable[[str, str], bool]) -> Shelf:
        """Return the templates with another rule of trust."""
        from idp.releases import Shelf

        return Shelf(self.cache, trusts, self.output.say)

    def _trusts(self, url: str) -> bool:
        """Tell whether idp itself, the user or the platform trusts a template."""
        from idp.config.source import BUILT_IN

        if url.startswith(BUILT_IN) or self.user.trusts(url):
            return True
        named = (self._named(t.source) for t in self.platform.templates.values() if t.trusted)
        return any(self._canonical(source) == url for source in named)

    def _canonical(self, source: Source) -> str:
        return f"{source.url}#{source.subfolder}" if source.subfolder else source.url

    def _named(self, written: str) -> Source:
        """Return a template that the platform file names; a path begins at that file.

        Raises:
            InvalidInput: the path leads out of the repository that the file was fetched from.
        """
        from idp.config.source import Source, parse_source

        source, origin = parse_source(written), self.platform.origin
        if not source.is_path:
            return source
        if Path(origin).is_absolute() or source.url.startswith(("/", "~")):
            return replace(source, url=str(self.beside_platform(source.url)))
        home = parse_source(origin)
        parts = (home.subfolder, source.url, source.subfolder)
        folder = posixpath.normpath("/".join(part for part in parts if part))
        if folder.startswith(".."):
            raise InvalidInput(
                f"the template {written!r} is outside the platform's repository {home.url}",
                hint="name it by its git URL in idp-platform.yaml",
            )
        return Source(home.url, source.version, None if folder == "." else folder)

    def beside_platform(self, written: str) -> Path:
        """Return a path that the platform file names, relative to that file."""
        return (Path(self.platform.origin).parent / Path(written).expanduser()).resolve()

    def template(self, name: str) -> Source:
        """Return where the platform's template of this name is.

        Raises:
            NotFound: the platform has none of this name.
        """
        from difflib import get_close_matches

        entry = self.platform.templates.get(name)
        if entry is None:
            known = sorted(self.platform.templates)
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"types: {', '.join(known) or 'none'}"
            raise NotFound(f"no template called {name!r} on this platform", hint=hint)
        return self._named(entry.source)

    def forge_at(self, host: str = "") -> Place:
        """Return the forge at a host; without one, the platform's own."""
        from idp.forge.place import Place, host_of, place_of

        own = self.platform.forge
        platform = Place(host_of(own.url), own.kind)
        return place_of(host, platform, self.environ) if host else platform

    def forge(self, host: str = "") -> Forge:
        """Return the forge at a host, spoken to with a credential for it.

        Raises:
            NotAllowed: not logged in there.
        """
        from idp.forge.connect import connect

        place = self.forge_at(host)
        return connect(place, self.credential(place), self.clock, self.output.say)

    def is_logged_in(self, host: str) -> bool:
        """Tell whether we hold a credential for a forge that we know."""
        try:
            return self.credential(self.forge_at(host)) is not None
        except InvalidInput:
            return False

    @cached_property
    def _credentials(self) -> dict[Place, Credential | None]:
        return {}

    def credential(self, place: Place) -> Credential | None:
        """Return the credential for a forge, looked for once: it may take a program."""
        from idp.forge import credentials

        if place not in self._credentials:
            self._credentials[place] = credentials.find(place, self.environ)
        return self._credentials[place]

    def git_env(self, url: str) -> Mapping[str, str]:
        """Return the environment in which git reaches a remote, with a token where we hold one."""
        from idp import git
        from idp.forge.address import parse_remote

        if not url.startswith("https://"):
            return git.clean_env()
        try:
            place = self.forge_at(parse_remote(url).host)
        except InvalidInput:  # no forge, or none that we know
            return git.clean_env()
        found = self.credential(place)
        return git.logged_in(url, place.git_user, found.token) if found else git.clean_env()

    def catalog_index(self, given: str | None = None) -> Path:
        """Return the file of the catalog's index: the one named, else this platform's own."""
        if given:
            return self.path(given)
        from idp.config import EMBEDDED_ORIGIN

        key, origin = "default", self.platform.origin
        if origin != EMBEDDED_ORIGIN:
            import hashlib

            key = hashlib.sha256(origin.encode()).hexdigest()[:16]
        return self.cache / "catalog" / key / "index.db"

    def renders(self, object_format: str = "sha1") -> Renders:
        """Return the store of renders."""
        from idp.service.renders import Renders

        return Renders(self.cache / "renders", object_format).open()

    def settings(self) -> tuple[Setting, ...]:
        """Return each effective setting and where it comes from."""
        from idp.config import explain

        return explain(self.flags, self.environ, self.user, self.platform)

    def setting(self, key: str) -> str:
        """Return one effective setting, empty where there is none."""
        return next((str(s.value) for s in self.settings() if s.key == key), "")
