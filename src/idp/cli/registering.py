"""idp catalog register: how its parts are brought together, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from idp import clone
from idp.config import EMBEDDED_ORIGIN, Platform, load_platform
from idp.config.source import Source, parse_source
from idp.context import PLATFORM_FILE
from idp.errors import InvalidInput, NotFound, Refused, UsageError
from idp.forge.address import parse_remote
from idp.forge.base import Forge, PullState
from idp.register import local, pull
from idp.register.covering import covering
from idp.register.insertion import Edit, added
from idp.register.service import Service, look, same

if TYPE_CHECKING:
    from idp.context import Context
    from idp.plan import Plan


Status = Literal["covered", "written", "committed"] | pull.Status


@dataclass(frozen=True)
class PullRequested:
    """A pull request, as far as it concerns a registration."""

    number: int
    url: str
    state: PullState


@dataclass(frozen=True)
class Registered:
    """What is told of a registration.

    Attributes:
        status: `covered` where the catalog has the service already; `left-alone` where a person
            closed the pull request or worked on its branch.
        source: the line that names the service among the catalog's sources.
        covered_by: the source by which the catalog has it.
        entities: what its catalog files say there is.
        platform: the platform file, or its git URL.
        file: the platform file's path, in its repository where that is on a forge.
        line: where in it the source stands, 0 for nowhere.
        branch, base: of the pull request.
        commit: the commit with the change, where there is one.
        diff: the change of the file.
        notes: why the catalog may not find the service yet.
        plan: the plan's digest, empty where nothing is to be changed.
    """

    status: Status
    source: str
    covered_by: str
    entities: tuple[str, ...]
    platform: str
    file: str
    line: int = 0
    branch: str = ""
    base: str = ""
    commit: str = ""
    pull_request: PullRequested | None = None
    diff: str = ""
    notes: tuple[str, ...] = ()
    plan: str = ""


def register(
    idp: Context, path: Path, *, commit: bool, dry_run: bool
) -> tuple[Registered, Plan | None]:
    """Register the service in a folder with the platform, or say that it is registered.

    Returns: what is told of it, and the plan; None where nothing is to be changed.

    Raises:
        NotFound: there is no platform file.
        UsageError: a commit is asked for, of a file that is not on this machine.
    """
    service = look(path, lambda host: _is_forge(idp, host))
    origin = idp.platform.origin
    if origin == EMBEDDED_ORIGIN:
        raise NotFound(
            "there is no platform file that the service could be registered in",
            hint="`idp platform init` makes one; else name it: --platform, IDP_PLATFORM",
        )
    place = parse_source(origin)
    if place.is_path:
        told, plan = _written(idp, service, Path(origin), commit=commit, dry_run=dry_run)
    elif commit:
        raise UsageError(
            "--commit is for a platform file on this machine",
            hint=f"leave it out: {origin} gets a pull request",
        )
    else:
        told, plan = _proposed(idp, service, place, dry_run=dry_run)
    for note in service.notes:
        idp.output.say(f"note: {note}")
    return replace(told, notes=service.notes), plan


def _is_forge(idp: Context, host: str) -> bool:
    try:
        return bool(idp.forge_at(host).kind)
    except InvalidInput:
        return False


def _covered(
    idp: Context, service: Service, platform: Platform, folder: Path | None, file: str
) -> Registered | None:
    """Return what is told of a service that the catalog has already."""
    own = idp.forge_at().host
    found = covering(platform.catalog.sources, service, folder, own)
    if not found:
        return None
    return Registered("covered", service.source, found, service.entities, platform.origin, file)


def _told(status: Status, service: Service, edit: Edit, platform: str, file: str) -> Registered:
    entities, diff = service.entities, edit.diff(Path(file).name)
    return Registered(status, edit.source, "", entities, platform, file, edit.line, diff=diff)


def _written(
    idp: Context, service: Service, origin: Path, *, commit: bool, dry_run: bool
) -> tuple[Registered, Plan | None]:
    """Register a service in a platform file on this machine."""
    file, name = origin.resolve(), str(origin)
    if told := _covered(idp, service, idp.platform, file.parent, name):
        return told, None
    edit = added(file.read_bytes(), service.source, name)
    repo = local.check_committable(file) if commit else None
    wanted = local.Local(file, edit, repo, pull.title(service))
    plan = wanted.plan
    _show(idp, edit, plan.digest, asks=False)
    made = "" if dry_run else local.carry_out(wanted, idp.road)
    status: Status = "committed" if commit else "written"
    told = _told(status, service, edit, name, name)
    return replace(told, commit=made, plan=plan.digest), plan


def _proposed(
    idp: Context, service: Service, place: Source, *, dry_run: bool
) -> tuple[Registered, Plan | None]:
    """Register a service by a pull request to the platform's repository."""
    if service.source.startswith("file:"):
        raise InvalidInput(
            f"{service.source} is on this machine: nobody else could read it",
            hint="git remote set-url origin https://HOST/OWNER/NAME.git",
        )
    file = "/".join(filter(None, (place.subfolder, PLATFORM_FILE)))
    remote, forge = _remote(idp, place, dry_run)
    base = _base(idp, remote, place.version)
    work = idp.renders(service.repo.object_format).work
    with clone.cloned(remote, base, work, None) as cloned:
        origin = idp.platform.origin
        text = pull.read(cloned, file)
        platform = load_platform(text, origin, None)
        is_here = same(place.url) == same(service.url)
        folder = service.repo.top / (place.subfolder or "") if is_here else None
        if told := _covered(idp, service, platform, folder, file):
            return replace(told, base=base), None
        edit = added(text, service.source, f"{origin}: {file}")
        standing = pull.look(service, edit, file, cloned, forge)
        plan = standing.plan
        _show(idp, edit, plan.digest, asks=standing.changes and not idp.yes)
        made = pull.carry_out(standing, idp.road)
    found = made.pull_request
    told = replace(
        _told(made.status, service, edit, origin, file),
        branch=service.branch,
        base=base,
        commit=made.commit,
        pull_request=PullRequested(found.number, found.url, found.state) if found else None,
        plan=plan.digest,
    )
    return told, plan if standing.changes else None


def _show(idp: Context, edit: Edit, digest: str, *, asks: bool) -> None:
    idp.output.detail(f"plan {digest}")
    if asks:
        idp.output.say(edit.diff(PLATFORM_FILE).rstrip("\n"))


def _remote(idp: Context, place: Source, dry_run: bool) -> tuple[clone.Remote, Forge | None]:
    """Return the platform's repository and its forge; a dry run asks git alone."""
    address = parse_remote(place.url)
    env = idp.git_env(place.url)
    if dry_run:
        return clone.Remote(place.url, env, address.name), None
    forge = idp.forge(address.host)
    known = forge.repository(address.name)
    if known is None:
        raise NotFound(
            f"{address.host} has no repository {address.name}, or the token may not see it",
            hint="it is named by --platform, IDP_PLATFORM or your configuration",
        )
    if known.is_archived:
        raise Refused(f"{known.full_name} is archived", hint=f"unarchive it: {known.url}")
    return clone.Remote(place.url, env, known.full_name), forge


def _base(idp: Context, remote: clone.Remote, version: str | None) -> str:
    """Return the branch to go to: that of the platform's URL, if it names one."""
    if version and remote.tips(version)[version]:
        return version
    default = remote.default()
    if version:
        idp.output.say(f"note: {version} is no branch: the change goes to {default}")
    return default


def story(told: Registered, *, dry_run: bool) -> str:
    """Return the outcome for a person: what came of it, and what to do next."""
    if told.status == "covered":
        return f"in the catalog already: by the source {told.covered_by} of {told.platform}"
    if told.status == "left-alone":
        return _left_alone(told)
    where = told.pull_request.url if told.pull_request else told.branch or told.file
    if dry_run:
        return f"{told.diff}{where}: would be {told.status}; nothing was changed"
    if told.status == "written":
        return f"{told.diff}written {where}\nnext: look at it, commit and push it"
    if told.status == "committed":
        return f"{told.diff}committed {told.commit[:12]} in {where}\nnext: push it"
    return f"{told.status} {where}"


def _left_alone(told: Registered) -> str:
    found = told.pull_request
    if found and found.state == "closed":
        return (
            f"left alone: somebody closed {found.url}\n"
            "to register the service after all, reopen it, or delete the hidden comment at the "
            "end of its text"
        )
    where = found.url if found else told.branch
    return (
        f"left alone: somebody else has worked on {where}\n"
        f"to give it back to idp, delete its branch {told.branch}"
    )
