"""Tokens: where the one for a host is found; it goes to that host and nowhere else.

In this order, the first hit wins: a variable that was made for that very host, what `idp auth
login` stored, the login of the forge's own program (gh, glab, tea), netrc.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from idp.errors import InvalidInput
from idp.forge.base import Kind
from idp.forge.place import Place, host_of

VARIABLES: Mapping[Kind, tuple[str, ...]] = {
    "github": ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"),
    "gitlab": ("GITLAB_TOKEN", "GITLAB_ACCESS_TOKEN"),
    "gitea": ("GITEA_TOKEN", "GITEA_SERVER_TOKEN", "FORGEJO_TOKEN"),
}
"""What may hold a token, by the kind of forge."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_GHE = ".ghe.com"


@dataclass(frozen=True)
class Credential:
    """A token for one host; `origin` tells where it was found, e.g. GITHUB_TOKEN, `gh`, keyring.

    Raises:
        InvalidInput: it is no token: with white space in it, for example.
    """

    host: str
    token: str = field(repr=False)
    origin: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not be sent: the HTTP library would print it in its error."""
        if not _TOKEN.fullmatch(self.token):
            raise InvalidInput(
                f"the token from {self.origin} for {self.host} has characters that no token has",
                hint="look for white space, quotes or a second line in it",
            )


def find(place: Place, environ: Mapping[str, str]) -> Credential | None:
    """Return the token for a forge, or None where there is none."""
    from idp.forge import programs, store

    sources: tuple[Callable[[Place, Mapping[str, str]], tuple[str, str] | None], ...] = (
        _from_environment,
        store.find,
        programs.find,
        _from_netrc,
    )
    for source in sources:
        if found := source(place, environ):
            return Credential(place.host, *found)
    return None


@dataclass(frozen=True)
class Claim:
    """A variable that holds a token, and the host that it was made for.

    Attributes:
        host: `.ghe.com` stands for every host below it.
    """

    kind: Kind
    host: str
    variable: str

    def is_for(self, place: Place) -> bool:
        """Tell whether the token was made for a forge."""
        at = place.host.endswith(_GHE) if self.host == _GHE else place.host == self.host
        return at and place.kind == self.kind


def claims(environ: Mapping[str, str]) -> Iterator[Claim]:
    """Yield the variables that hold a token whose host is known, the first to be taken first."""
    by_kind: Mapping[Kind, Iterator[tuple[str, tuple[str, ...]]]] = {
        "github": _github(environ),
        "gitlab": _gitlab(environ),
        "gitea": _gitea(environ),
    }
    for kind, hosts in by_kind.items():
        for host, names in hosts:
            yield from (Claim(kind, host, n) for n in names if host and environ.get(n, "").strip())


def unclaimed(place: Place, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables of this kind of forge that hold a token for another host, or for none.

    They tell a person why the token that was set is not taken.
    """
    taken = {claim.variable for claim in claims(environ) if claim.is_for(place)}
    return tuple(n for n in VARIABLES[place.kind] if environ.get(n, "").strip() and n not in taken)


def _from_environment(place: Place, environ: Mapping[str, str]) -> tuple[str, str] | None:
    for claim in claims(environ):
        if claim.is_for(place):
            return environ[claim.variable].strip(), claim.variable
    return None


def _github(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield hosts and variables as gh takes them, but GITHUB_TOKEN of Actions for its server only.

    https://cli.github.com/manual/gh_help_environment
    """
    in_actions = environ.get("GITHUB_ACTIONS") == "true"
    server = host_of(environ.get("GITHUB_SERVER_URL", "")) if in_actions else ""
    own = host_of(environ.get("GH_HOST", ""))
    if own != "github.com" and not own.endswith(_GHE):
        yield own, ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
    public = ("GH_TOKEN",) if server else ("GH_TOKEN", "GITHUB_TOKEN")
    yield "github.com", public
    yield _GHE, public
    if not _is_gitea_actions(environ):  # it sets the variables of GitHub's
        yield server, ("GITHUB_TOKEN",)


def _gitlab(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the host that glab would take these for; in CI the server that runs it."""
    named = (environ.get(name) for name in ("GITLAB_HOST", "GITLAB_URI", "GL_HOST"))
    own = host_of(next(filter(None, named), ""))
    if not own and environ.get("GITLAB_CI"):
        own = host_of(environ.get("CI_SERVER_URL") or environ.get("CI_SERVER_HOST") or "")
    yield own or "gitlab.com", VARIABLES["gitlab"]


def _gitea(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the host that must be named beside the token, as tea and Gitea's own Actions do."""
    server = host_of(environ.get("GITHUB_SERVER_URL", "")) if _is_gitea_actions(environ) else ""
    gitea = environ.get("GITEA_INSTANCE_URL") or environ.get("GITEA_SERVER_URL") or ""
    forgejo = environ.get("FORGEJO_URL") or environ.get("FORGEJO_SERVER_URL") or ""
    yield host_of(gitea) or server, ("GITEA_TOKEN", "GITEA_SERVER_TOKEN")
    yield host_of(forgejo) or server, ("FORGEJO_TOKEN",)
    yield server, ("GITHUB_TOKEN",)


def _is_gitea_actions(environ: Mapping[str, str]) -> bool:
    return "true" in (environ.get("GITEA_ACTIONS"), environ.get("FORGEJO_ACTIONS"))


def netrc_path(environ: Mapping[str, str]) -> Path:
    """Return where netrc is: at NETRC, as curl has it, or in the home folder."""
    return Path(environ.get("NETRC") or home(environ) / ".netrc")


def home(environ: Mapping[str, str]) -> Path:
    """Return the user's home folder."""
    return Path(environ["HOME"]) if environ.get("HOME") else Path.home()


def read_netrc(path: Path) -> dict[str, str]:
    """Return the passwords of a netrc file by host; the `default` entry is for nobody.

    Raises:
        InvalidInput: it cannot be read; what it holds is never in the message.
    """
    import netrc

    try:
        entries = netrc.netrc(str(path)).hosts
    except FileNotFoundError:
        return {}
    except netrc.NetrcParseError as error:
        what = f"{path}:{error.lineno}: not as netrc is written"
        raise InvalidInput(
            what, hint=f"edit {path}: machine HOST login USER password TOKEN"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {path}: {type(error).__name__}") from None
    return {name.lower(): entry[2] for name, entry in entries.items() if name != "default"}


def _from_netrc(place: Place, environ: Mapping[str, str]) -> tuple[str, str] | None:
    path = netrc_path(environ)
    try:
        passwords = read_netrc(path)
    except InvalidInput:
        return None  # `idp doctor` tells it
    api = urlsplit(place.api).hostname or ""
    names = (place.host, urlsplit(f"//{place.host}").hostname or "", api)
    return next(((passwords[n], str(path)) for n in names if passwords.get(n)), None)
