"""Checks of what has releases: the platform's templates, the service's own, and idp."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from packaging.version import InvalidVersion, Version

from idp import __version__, proc
from idp.config.source import Source, parse_source
from idp.doctor.settings import listed
from idp.doctor.world import Check, Once, World, begin, trouble
from idp.errors import IdpError
from idp.releases.repository import own_tags, short
from idp.scaffold.version import newest_first, newest_stable

Tags = Mapping[str, str]
TAGS = "refs/tags/"
PACKAGE = "idp-toolchain"


def platform_templates(world: World) -> Iterator[Check]:
    """Reach each template of the platform."""
    try:
        names = sorted(world.platform().templates)
    except IdpError:
        yield Check("templates", "skipped", "the platform file could not be read")
        return
    tags: Mapping[str, Once[Tags]] = _Listings()
    asked = [begin(partial(_template, world, name, tags)) for name in names]
    yield from (future.result() for future in asked)


class _Listings(dict[str, Once[Tags]]):
    """The tags of remote repositories by URL, each asked for once: it may hold many templates."""

    def __missing__(self, url: str) -> Once[Tags]:
        return self.setdefault(url, Once(lambda: _tags(url)))


def _template(world: World, name: str, tags: Mapping[str, Once[Tags]]) -> Check:
    try:
        newest = _newest(world, world.template(name), tags)
    except IdpError as error:
        return trouble(f"template {name}", error)
    return Check(f"template {name}", "ok", f"newest release {newest or 'none'}")


def _tags(url: str) -> Tags:
    refs = listed(url, f"{TAGS}*").items()
    return {ref.removeprefix(TAGS): at for ref, at in refs if not ref.endswith("^{}")}


def _newest(world: World, source: Source, tags: Mapping[str, Once[Tags]]) -> str:
    """Return the newest stable release, asked of the server where the template is at one.

    Nothing is fetched: the doctor has no time for that.
    """
    if source.is_path or source.url.startswith("idp:"):
        return newest_stable(world.shelf().origin(source).versions()) or ""
    folder = source.subfolder or ""
    own = own_tags(tags[source.url](), folder)
    return newest_stable(newest_first([short(tag, folder) for tag in own])) or ""


def service(world: World) -> Iterator[Check]:
    """Compare the release of the service that we stand in with the newest of its template."""
    found = world.service()
    if found is None:
        yield Check("service", "skipped", "not in a service")
        return
    template, release = found
    newest = _newest(world, replace(parse_source(template), version=None), _Listings())
    if not newest or newest_first([newest, release])[0] == release:
        yield Check("service", "ok", f"on {release}, the newest release of {template}")
        return
    what = f"on {release}; the newest release of {template} is {newest}"
    yield Check("service", "warning", what, "idp update-service --dry-run")


def idp_itself(world: World) -> Iterator[Check]:
    """Ask the package index that pip is set up for whether there is a newer idp."""
    command = [sys.executable, "-m", "pip", "index", "versions", PACKAGE, "--no-input"]
    command += ["--disable-pip-version-check", "--retries", "0", "--timeout", "4"]
    try:
        said = proc.run(command, env=world.environ, timeout=7).stdout.decode(errors="replace")
        newest = Version(said.split("(", 1)[1].split(")", 1)[0])
    except (IdpError, OSError, IndexError, InvalidVersion):
        what = f"{__version__}; no package index told us of a newer one"
        yield Check("idp", "skipped", what)
        return
    if newest > Version(__version__):
        what = f"{__version__}; {newest} is out"
        yield Check("idp", "warning", what, f"pip install --upgrade {PACKAGE}")
        return
    yield Check("idp", "ok", f"{__version__}, the newest release")
