"""What must be so before a service is deployed: clean, pushed, green, and no freeze."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from idp import git
from idp.config.running import Freeze, Target, moment
from idp.errors import Refused
from idp.forge.base import Forge
from idp.provider.base import Source


class NotReady(Refused):
    """It may not be deployed as it is."""

    code = "not_ready"


@dataclass(frozen=True)
class Finding:
    """Why not, and what mends it."""

    what: str
    mend: str


def check(
    target: Target,
    repo: git.Repo,
    source: Source,
    now: datetime,
    forge: Callable[[], Forge],
    name: str,
) -> None:
    """Look at everything a target asks for before its releases.

    Args:
        forge: asked only where the target wants green checks.
        name: of the repository there; empty for none.

    Raises:
        NotReady: with each finding and its mend.
    """
    found = [*_frozen(target.freezes, now)]
    if target.clean:
        found += [*_unclean(repo, source)]
    if target.checks:
        found += [*_checks(forge, name, source.commit)]
    if found:
        first, *others = found
        details = tuple(f"{one.what} ({one.mend})" for one in others)
        raise NotReady(
            f"not deployed to {target.name}: {first.what}", hint=first.mend, details=details
        )


def _frozen(freezes: tuple[Freeze, ...], now: datetime) -> Iterator[Finding]:
    for one in freezes:
        begin, end = moment(one.begin), moment(one.end)
        if begin <= now < end:
            why = f": {one.why}" if one.why else ""
            yield Finding(
                f"frozen until {end:%Y-%m-%d %H:%M} UTC{why}", "wait, or ask for a change"
            )


def _unclean(repo: git.Repo, source: Source) -> Iterator[Finding]:
    if source.dirty:
        yield Finding("there are uncommitted changes", "commit them, or stash them")
    if not repo.text("for-each-ref", "--contains", source.commit, "refs/remotes"):
        yield Finding(f"commit {source.commit[:12]} is not pushed", "git push")


def _checks(forge: Callable[[], Forge], name: str, commit: str) -> Iterator[Finding]:
    if not name:
        yield Finding("the service's repository is on no forge", "git remote add origin URL")
        return
    found = forge().checks(name, commit)
    if not found:
        yield Finding(f"no check has run on {commit[:12]}", "wait for the pipeline")
    for one in found:
        if one.outcome in ("pending", "failure"):
            said = "is still running" if one.outcome == "pending" else "has failed"
            yield Finding(f"the check {one.name} {said}", one.url or "see the pipeline")
