"""Giving a service its repository on the forge: made, pushed to, and set up as the platform says.

Each step finds what is there or makes it, so that one that was cut short can be run again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from idp import git
from idp.config import ForgeSettings, Role
from idp.errors import (
    IdpError,
    Interrupted,
    InvalidInput,
    NotAllowed,
    Refused,
    RemoteFailed,
    UsageError,
)
from idp.forge import scopes
from idp.forge.base import (
    Forge,
    Kind,
    NewRepository,
    NotSupported,
    Protection,
    Repository,
    Visibility,
)
from idp.plan import Effect

BRANCH = "main"
ABSENT, EMPTY = "absent", "empty"
PART = r"[A-Za-z0-9](?:[\w.-]*[\w-])?"
OWNER = re.compile(rf"{PART}(?:/{PART})*", re.ASCII)
FULL_NAME = re.compile(rf"{PART}(?:/{PART})+", re.ASCII)
READERS = ("private", "internal", "public")
"""Visibilities, the fewest readers first."""


@dataclass(frozen=True)
class Target:
    """A repository on the platform's forge, and how it shall be.

    Attributes:
        full_name: OWNER/NAME; only NAME while it is not known whose account it will be.
        site: the forge's address in a browser.
        teams: the roles of teams, by name; None where the owner is a person, who has none.
        team: the one that owns the service, with its role `owner_role`; empty if none does.
        found: what is there: ABSENT, EMPTY, or the commit of its main; empty if nobody has looked.
    """

    full_name: str
    kind: Kind
    site: str
    visibility: Visibility
    topics: tuple[str, ...]
    teams: Mapping[str, Role] | None
    owner_role: Role
    protection: Protection
    team: str = ""
    found: str = ""

    @property
    def host(self) -> str:
        """The forge's host, with its port where it has one."""
        return urlsplit(self.site).netloc

    @property
    def url(self) -> str:
        """Where it will be in a browser; empty while its owner is not known."""
        return f"{self.site}/{self.full_name}" if "/" in self.full_name else ""

    @property
    def git_url(self) -> str:
        """Where git reaches it."""
        return f"{self.url}.git"

    @property
    def removal(self) -> str:
        """What deletes it: a command, or the page to do it on."""
        name = self.full_name if self.host == "github.com" else f"{self.host}/{self.full_name}"
        commands = {
            "github": f"`gh repo delete {name}`",
            "gitlab": f"`glab repo delete {self.full_name}`",
            "gitea": f"the settings at {self.url}/settings",
        }
        return commands[self.kind]

    @property
    def grants(self) -> Mapping[str, Role]:
        """The roles to be given."""
        if self.teams is None:
            return {}
        owners = {self.team: self.owner_role} if self.team else {}
        return {**owners, **self.teams}

    def effects(self) -> Iterator[Effect]:
        """Yield what will be so once it is published."""
        where = self.url or f"{self.full_name}, of your own account at {self.host}"
        if self.found in ("", ABSENT):
            yield Effect("created", f"{where} ({self.visibility})")
        if self.found in ("", ABSENT, EMPTY):
            yield Effect("pushed", f"{BRANCH} to {where}")
        if self.topics:
            yield Effect("topics", ", ".join(self.topics))
        for team, role in self.grants.items():
            yield Effect("granted", f"{role} to {team}")
        yield Effect("protected", BRANCH)


@dataclass(frozen=True)
class NotDone:
    """A setting that the forge cannot have.

    Attributes:
        what: the setting.
        why: what the forge says.
        mend: what helps; empty where nothing is known to.
    """

    what: str
    why: str
    mend: str = ""


def target(settings: ForgeSettings, name: str, repo: str, team: str) -> Target:
    """Return where a service goes.

    Args:
        repo: OWNER/NAME as asked for; else the platform's owner has it, or the account itself.
        team: the one that owns the service, as far as it is known; else empty.

    Raises:
        UsageError: `repo` is no OWNER/NAME.
        InvalidInput: the platform's owner is none.
    """
    parts = repo.count("/")
    if repo and (not FULL_NAME.fullmatch(repo) or (parts > 1 and settings.kind != "gitlab")):
        raise UsageError(f"--repo {repo!r} is no OWNER/NAME", hint="--repo acme/payments-api")
    if settings.owner and not OWNER.fullmatch(settings.owner):
        raise InvalidInput(
            f"forge.owner of the platform file is no organisation or group: {settings.owner!r}",
            hint="write its name in its URL, like acme",
        )
    rules = settings.protection
    return Target(
        repo or (f"{settings.owner}/{name}" if settings.owner else name),
        settings.kind,
        settings.url.rstrip("/"),
        settings.visibility,
        settings.topics,
        settings.teams,
        settings.owner_role,
        Protection(rules.reviews, rules.code_owners, rules.checks),
        team,
    )


@dataclass
class Publication:
    """A target, and the forge and the environment in which git reaches it.

    Attributes:
        platform: the platform file, where the call named one by flag; else empty.
        reached: how far it has come, for a person.
    """

    target: Target
    forge: Forge
    env: Mapping[str, str] = field(repr=False)
    platform: str = ""
    reached: str = ""

    def state(self) -> str:
        """Return what is there now.

        Raises:
            Refused: it is archived, was renamed, more may read it than shall, or it has no main.
        """
        there = self.forge.repository(self.target.full_name)
        if there is None:
            return ABSENT
        self._check(there)
        url = self.target.git_url
        with git.talking_to(url):
            said = git.text("ls-remote", "--heads", url, env=self.env)
        if not said:
            return EMPTY
        for line in said.splitlines():
            commit, _, ref = line.partition("\t")
            if ref == f"refs/heads/{BRANCH}":
                return commit
        raise _taken(self.target)

    def _check(self, there: Repository) -> None:
        wanted = self.target.visibility
        if there.full_name.lower() != self.target.full_name.lower():
            raise Refused(
                f"{self.target.url} is now called {there.full_name}",
                hint="another: --repo OWNER/NAME",
            )
        if there.is_archived:
            raise Refused(f"{there.url} is archived", hint="another: --repo OWNER/NAME")
        if READERS.index(there.visibility) > READERS.index(wanted):
            raise Refused(
                f"{there.url} is there already and {there.visibility}, where the platform asks"
                f" for {wanted}",
                hint=f"make it {wanted}, or take another: --repo OWNER/NAME",
            )

    def check_teams(self) -> None:
        """Look for the teams, so that a slip of the finger does not cost a repository.

        Raises:
            NotFound: there is no such team.
        """
        for team in self.target.grants:
            self.forge.check_team(self.target.full_name, team)

    def make(self, description: str) -> None:
        """Make the repository, unless it is there."""
        name = self.target.full_name
        words = " ".join(description.split())
        if self.target.found == ABSENT:
            self.reached = f"whether {self.target.url} is there is not known"
            wanted = NewRepository(name, words, self.target.visibility)
            self._create(wanted)
        self.reached = f"{self.target.url} is there, and empty"

    def _create(self, wanted: NewRepository) -> None:
        try:
            self.forge.create_repository(wanted)
        except (NotAllowed, InvalidInput):  # it was refused, so it is not there
            self.reached = ""
            raise

    def pushed(self) -> None:
        """Note that main has been pushed."""
        self.reached = f"{self.target.url} is there, with {BRANCH}"

    def settle(self) -> tuple[NotDone, ...]:
        """Set topics, access and protection; return what this forge cannot have.

        Raises:
            IdpError: the first that failed, when all that do not hang on it are done.
        """
        not_done, failed = [], []
        for what, step in self._steps():
            try:
                step()
            except NotSupported as error:
                not_done.append(NotDone(what, error.message, error.hint))
            except IdpError as error:
                error.message = f"{what}: {error.message}"
                failed.append(error)
                if isinstance(error, RemoteFailed):
                    break
        if failed:
            failed[0].details += tuple(error.message for error in failed[1:])
            raise failed[0]
        return tuple(not_done)

    def _steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        forge, wanted, name = self.forge, self.target, self.target.full_name
        if wanted.topics:
            yield "topics", self._add_topics
        for team, role in wanted.grants.items():
            yield f"access of the team {team}", partial(forge.grant, name, team, role)
        protect = partial(forge.protect, name, BRANCH, wanted.protection)
        yield f"protection of {BRANCH}", protect

    def _add_topics(self) -> None:
        there = self.forge.repository(self.target.full_name)
        known = there.topics if there else ()
        missing = [topic for topic in self.target.topics if topic.lower() not in known]
        if missing:
            self.forge.set_topics(self.target.full_name, (*known, *missing))

    @contextmanager
    def telling(self, name: str, dest: Path) -> Iterator[None]:
        """Tell, of whatever stops it, what there is by then and what finishes or removes it."""
        try:
            yield
        except IdpError as error:
            self._tell(error, name, dest)
            raise
        except KeyboardInterrupt:
            stopped = Interrupted("interrupted")
            self._tell(stopped, name, dest)
            raise stopped from None

    def _tell(self, error: IdpError, name: str, dest: Path) -> None:
        is_made = (dest / ".git").exists()
        local = f"the service is in {dest}" if is_made else f"nothing is in {dest}"
        error.details += (local, self.reached or f"nothing is at {self.target.url}")
        command = shlex.join(self._again(name, dest))
        hint = "to finish: " + (f"`{command}`" if is_made else "run the same command")
        if self.reached and self.target.found != EMPTY:  # an empty one may be another's
            hint += f"; to give it up: {self.target.removal}" + f", and delete {dest}" * is_made
        error.hint = f"{error.hint}; {hint}" if error.hint else hint

    def _again(self, name: str, dest: Path) -> list[str]:
        words = ["idp", "create-service", name, "--dest", str(dest)]
        words += ["--platform", self.platform] if self.platform else []
        words += ["--owner", self.target.team] if self.target.team else []
        return [*words, "--push", "--repo", self.target.full_name]


def publication(
    wanted: Target, forge: Forge, env_of: Callable[[str], Mapping[str, str]], platform: str
) -> Publication:
    """Return what publishes to a target: logged in, allowed, and looked at.

    Args:
        env_of: gives the environment in which git reaches a URL.
        platform: the platform file, where the call named one by flag; else empty.

    Raises:
        NotAllowed: the token may not do what is needed.
        Refused: the repository is there and cannot be taken.
    """
    account = forge.account()
    owner = wanted.full_name.split("/")[0] if "/" in wanted.full_name else account.login
    purpose: scopes.Purpose = "own" if owner.lower() == account.login.lower() else "push"
    lacking = scopes.missing(forge.kind, account, purpose)
    if lacking:
        raise NotAllowed(
            f"the token for {forge.host} lacks the scopes {', '.join(lacking)}",
            hint=f"idp auth login {forge.host}; idp auth status says where the token comes from",
        )
    if "/" not in wanted.full_name:
        wanted = replace(wanted, full_name=f"{account.login}/{wanted.full_name}")
    if wanted.full_name.split("/")[0].lower() == account.login.lower():
        wanted = replace(wanted, teams=None)  # a person's account has no teams
    made = Publication(wanted, forge, env_of(wanted.git_url), platform)
    made.target = replace(wanted, found=made.state())
    return made


def check_free(wanted: Target) -> None:
    """Raise Refused where a new service's repository has commits already."""
    if wanted.found not in ("", ABSENT, EMPTY):
        raise _taken(wanted)


def _taken(wanted: Target) -> Refused:
    return Refused(
        f"{wanted.url} is there already, and has commits",
        hint=f"clone it: `git clone {wanted.git_url}`, or take another: --repo OWNER/NAME",
    )
