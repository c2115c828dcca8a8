"""Which forge is at a host, and where its API is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from idp.errors import InvalidInput
from idp.forge.base import Kind

KNOWN: Mapping[str, Kind] = {
    "github.com": "github",
    "gitlab.com": "gitlab",
    "codeberg.org": "gitea",
    "gitea.com": "gitea",
}
GIT_USERS: Mapping[Kind, str] = {"github": "x-access-token", "gitlab": "oauth2", "gitea": "idp"}
LABEL: Mapping[Kind, str] = {"github": "GitHub", "gitlab": "GitLab", "gitea": "Gitea"}


@dataclass(frozen=True)
class Place:
    """A forge: its host and its kind."""

    host: str
    kind: Kind

    @property
    def login(self) -> str:
        """The command that logs in to it."""
        return f"idp auth login {self.host}"

    @property
    def git_user(self) -> str:
        """The user name beside a token, for git over https; Gitea takes any."""
        return GIT_USERS[self.kind]

    @property
    def api(self) -> str:
        """The base URL of its REST API."""
        if self.kind == "gitlab":
            return f"https://{self.host}/api/v4"
        if self.kind == "gitea":
            return f"https://{self.host}/api/v1"
        if self.host == "github.com" or self.host.endswith(".ghe.com"):
            return f"https://api.{self.host}"
        return f"https://{self.host}/api/v3"


def host_of(written: str) -> str:
    """Return the host of a forge, with its port, that was written as a host or as a URL."""
    return urlsplit(written if "://" in written else f"https://{written}").netloc.lower()


def _ci_server(environ: Mapping[str, str]) -> dict[str, Kind]:
    """Return the forge that runs us; Gitea's Actions set the variables of GitHub's as well."""
    is_gitea = "true" in (environ.get("GITEA_ACTIONS"), environ.get("FORGEJO_ACTIONS"))
    github: Kind = "gitea" if is_gitea else "github"
    return {
        host_of(environ.get("GITHUB_SERVER_URL", "")): github,
        host_of(environ.get("CI_SERVER_URL", "")): "gitlab",
    }


def place_of(host: str, platform: Place, environ: Mapping[str, str]) -> Place:
    """Return what kind of forge is at a host.

    Raises:
        InvalidInput: nobody has said it.
    """
    kinds = {**_ci_server(environ), **KNOWN, platform.host: platform.kind}
    if host in kinds:
        return Place(host, kinds[host])
    raise InvalidInput(
        f"nobody has said what kind of forge {host} is",
        hint="say it in idp-platform.yaml: forge: {kind: github|gitlab|gitea, url: https://…}",
    )
