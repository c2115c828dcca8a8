"""Checks of what idp reads: its cache, the configuration files, stored tokens, netrc."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from idp import git
from idp.config.source import parse_source
from idp.doctor.world import Check, World
from idp.errors import RemoteFailed
from idp.forge import credentials, store

LOOK = 5.0
"""Seconds for a git server to answer."""


def cache(world: World) -> Iterator[Check]:
    """Try to write in the cache."""
    yield Check("cache", "ok", str(world.cache()))


def configuration(world: World) -> Iterator[Check]:
    """Read the user's configuration."""
    where = world.configured()
    yield Check("configuration", "ok", f"platform: {where or 'embedded default'}")


def platform_file(world: World) -> Iterator[Check]:
    """Reach the platform file and read it; every mistake in it is told."""
    if not world.configured():
        yield Check("platform file", "skipped", "none given: the embedded default is used")
        return
    platform = world.platform()
    name = f"{platform.name}, " if platform.name else ""
    found = f"{name}{len(platform.templates)} templates, from {platform.origin}"
    yield Check("platform file", "ok", found)


def look(written: str) -> None:
    """Ask a git server for a sign of life, where a place is at one.

    Raises:
        RemoteFailed: it does not answer, or not in time.
        NotAllowed: it does not let us in.
    """
    source = parse_source(written)
    if not source.is_path:
        listed(source.url, "HEAD")


def listed(url: str, *patterns: str) -> dict[str, str]:
    """Return the commits of a remote repository's references.

    Raises:
        RemoteFailed: it does not answer, or not in time.
        NotAllowed: it does not let us in.
    """
    try:
        with git.talking_to(url):
            done = git.run("ls-remote", "--", url, *patterns, timeout=LOOK)
    except RemoteFailed as error:
        hint = f"git ls-remote {shlex.quote(url)}"
        raise RemoteFailed(error.message, hint=hint, details=error.details) from error
    lines = done.stdout.decode(errors="replace").splitlines()
    return {name: commit for commit, _, name in (line.partition("\t") for line in lines)}


def stored_logins(world: World) -> Iterator[Check]:
    """Look at the tokens that idp keeps: whole, and nobody else's to read."""
    kept = store.store_of(world.environ)
    entries = kept.entries()
    if not entries:
        yield Check("stored logins", "skipped", "idp keeps no token; see idp auth status")
        return
    hosts = ", ".join(entry.host for entry in entries)
    if any(entry.token for entry in entries) and _is_open(kept.path):
        yield _open("stored logins", kept.path)
        return
    yield Check("stored logins", "ok", hosts)


def netrc(world: World) -> Iterator[Check]:
    """Read netrc, from which tokens may come."""
    path = credentials.netrc_path(world.environ)
    if not path.exists():
        yield Check("netrc", "skipped", f"no {path}")
        return
    hosts = credentials.read_netrc(path)
    if _is_open(path):
        yield _open("netrc", path)
        return
    yield Check("netrc", "ok", f"{path} knows {', '.join(sorted(hosts)) or 'no host'}")


def _is_open(path: Path) -> bool:
    """Tell whether others than its owner may read a file."""
    return bool(path.stat().st_mode & 0o077)


def _open(name: str, path: Path) -> Check:
    quoted = shlex.quote(str(path))
    return Check(name, "warning", f"others may read {path}", f"chmod 600 {quoted}")
