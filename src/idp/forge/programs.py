"""The login of a forge's own program: asked of gh and glab, read from tea's configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from idp import proc
from idp.errors import IdpError
from idp.forge.base import Kind
from idp.forge.credentials import VARIABLES, home
from idp.forge.place import Place, host_of

ASK: Mapping[Kind, tuple[str, ...]] = {
    "github": ("gh", "auth", "token", "--hostname"),
    "gitlab": ("glab", "config", "get", "token", "--host"),
}
"""The command that prints the token of the host that is put behind it."""

LOGIN: Mapping[Kind, str] = {
    "github": "gh auth login --hostname {host}",
    "gitlab": "glab auth login --hostname {host}",
    "gitea": "tea login add --url https://{host}",
}
"""The command that logs that program in."""

NOWHERE = "host.invalid"
"""A host that there is not (RFC 2606)."""

PATIENCE = 5.0
"""Seconds until a program that does not answer is given up."""

# With these set, the programs would print them for any host.
_BENDING = {name for names in VARIABLES.values() for name in names}
_BENDING |= {"GH_HOST", "GITLAB_HOST", "GL_HOST", "OAUTH_TOKEN", "GLAB_ENABLE_CI_AUTOLOGIN"}


def again(place: Place, origin: str) -> str:
    """Return the command that brings another token in the place of one that will not do."""
    if any(origin in names for names in VARIABLES.values()):
        return f"unset {origin} && {place.login}"
    if origin in ("gh", "glab", "tea"):
        return LOGIN[place.kind].format(host=place.host)
    return place.login


def find(place: Place, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the token that the forge's program has for its host, and the program's name."""
    if place.kind == "gitea":
        token = next(_of_tea(place, environ), "")
        return (token, "tea") if token else None
    token = _said(place.kind, place.host, environ)
    # glab prints a token that stands outside of `hosts` for any host: whose it is nobody knows.
    if not token or (place.kind == "gitlab" and token == _said("gitlab", NOWHERE, environ)):
        return None
    return token, ASK[place.kind][0]


def _said(kind: Kind, host: str, environ: Mapping[str, str]) -> str:
    """Return what a program says is its token for a host; empty where it says nothing."""
    env = {name: value for name, value in environ.items() if name not in _BENDING}
    try:
        # Not here: glab would read a configuration that the repository brings.
        done = proc.run((*ASK[kind], host), cwd=Path("/"), env=env, timeout=PATIENCE)
    except (IdpError, OSError):
        return ""
    return done.stdout.decode(errors="replace").strip()


def _of_tea(place: Place, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the tokens of the host's logins, the default one first."""
    logins = [login for path in _tea_files(environ) for login in _logins(path)]
    for login in sorted(logins, key=lambda login: login.get("default") != "true"):
        if host_of(str(login.get("url", ""))) == place.host and login.get("token"):
            yield str(login["token"])


def _tea_files(environ: Mapping[str, str]) -> Iterator[Path]:
    mac = home(environ) / "Library" / "Application Support"
    for folder in (environ.get("XDG_CONFIG_HOME"), home(environ) / ".config", mac):
        if folder and (path := Path(folder) / "tea" / "config.yml").is_file():
            yield path


def _logins(path: Path) -> list[dict[str, Any]]:
    import yaml

    with suppress(OSError, UnicodeDecodeError, yaml.YAMLError):
        # Every value as text: a token of digits stays what it is.
        match yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader):
            case {"logins": list(logins)}:
                return [login for login in logins if isinstance(login, dict)]
    return []
