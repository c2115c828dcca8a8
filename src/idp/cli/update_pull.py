"""idp update-service --pr: how its parts are brought together, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from idp import clone, git
from idp.cli.update_service import count, file_line
from idp.errors import NotFound, Refused
from idp.forge.address import parse_remote
from idp.forge.base import Forge, PullState
from idp.service import answers, update_pull
from idp.service.merge import FileOutcome
from idp.service.merging import prepared
from idp.service.proposal import Request
from idp.service.update_pull import Outcome, Standing

if TYPE_CHECKING:
    from idp.context import Context
    from idp.output import Shape


@dataclass(frozen=True)
class Pulled:
    """A pull request, as far as it concerns an update."""

    number: int
    url: str
    draft: bool
    state: PullState


@dataclass(frozen=True)
class Proposed:
    """What is told of `--pr`.

    Attributes:
        commit: the tip of the branch, where there is one.
        base: the branch that the pull request goes to.
        title, body: the text of the pull request.
        plan: the plan's digest.
    """

    from_: str
    to: str
    status: Literal["opened", "updated", "unchanged", "left-alone", "up-to-date", "closed"]
    template: str
    branch: str
    base: str
    commit: str
    pull_request: Pulled | None
    files: tuple[FileOutcome, ...]
    notes: tuple[str, ...]
    title: str
    body: str
    plan: str


def propose(
    idp: Context,
    place: tuple[git.Repo, str],
    answers_file: str,
    request: Request,
    base: str,
    dry_run: bool,
    shape: Shape,
) -> int:
    """Open a pull request with an update, or bring it up to date; return the exit code.

    Args:
        place: the repository where the person stands, and the service's folder in it.
    """
    repo, prefix = place
    renders = idp.renders(repo.object_format)
    remote, forge, base = _remote(idp, repo, base, dry_run)
    with clone.cloned(remote, base, renders.work, repo) as cloned:
        service = answers.find(cloned.repo, prefix, answers_file)
        with prepared(service, idp.shelf, renders, request) as made:
            who = clone.author_env(repo)
            standing = update_pull.look(made, cloned, forge, remote.name, who)
            for note in made.notes:
                idp.output.say(note)
            idp.output.detail(f"plan {standing.plan.digest}")
            if standing.changes and not idp.yes:
                idp.output.say("\n".join(f"{e.what}: {e.on}" for e in standing.plan.effects))
            outcome = update_pull.carry_out(standing, idp.road)
            told = _proposed(standing, outcome)
            idp.output.item(told, shape, lambda: _pull_story(idp, standing, told, dry_run))
            if dry_run and standing.status in ("opened", "updated"):
                idp.road.rehearse(standing.plan)
    stand = told.status in ("opened", "updated", "unchanged")
    return 7 if stand and made.status == "conflicts" else 0


def _remote(
    idp: Context, repo: git.Repo, base: str, dry_run: bool
) -> tuple[clone.Remote, Forge | None, str]:
    """Return where the service is, its forge, and the branch to go to; a dry run asks nobody."""
    origin, url = clone.remote_of(repo)
    address = parse_remote(url)
    if dry_run:
        refs = f"refs/remotes/{origin}/"
        remote = clone.Remote(str(repo.top), git.clean_env(), address.name, refs)
        return remote, None, clone.known_base(repo, origin, base)
    forge = idp.forge(address.host)
    known = forge.repository(address.name)
    if known is None:
        raise NotFound(
            f"{address.host} has no repository {address.name}, or the token may not see it",
            hint=f"git remote get-url {origin}",
        )
    if known.is_archived:
        raise Refused(f"{known.full_name} is archived", hint=f"unarchive it: {known.url}")
    remote = clone.Remote(url, idp.git_env(url), known.full_name)
    return remote, forge, base or known.default_branch


def _proposed(standing: Standing, outcome: Outcome) -> Proposed:
    made, pull = standing.update, outcome.pull_request
    return Proposed(
        made.old.version,
        made.new.version,
        outcome.status,
        made.new.template,
        standing.branch,
        standing.clone.branch,
        outcome.commit,
        Pulled(pull.number, pull.url, pull.draft, pull.state) if pull else None,
        made.files,
        made.notes,
        made.title,
        standing.text,
        standing.plan.digest,
    )


def _pull_story(idp: Context, standing: Standing, told: Proposed, dry_run: bool) -> str:
    """Return the outcome for a person: file by file, then where it is to be seen."""
    if told.status == "up-to-date":
        return f"up to date: {told.template} {told.to}"
    where = told.pull_request.url if told.pull_request else told.branch
    if told.status == "closed":
        return f"up to date: {told.template} {told.to}; closed {where}"
    if told.status == "left-alone" and standing.declined:
        return (
            f"left alone: somebody closed {where}\n"
            "to have this update after all, reopen it, or delete the hidden comment at the end of "
            "its text; another release opens a new one"
        )
    if told.status == "left-alone":
        return (
            f"left alone: somebody else has worked on {where}\n"
            f"to give it back to idp, delete the branch: git push origin --delete {told.branch}"
        )
    found = sum(file.outcome == "conflict" for file in told.files)
    to_do = f"{count(found, 'conflict')} to resolve, " if found else ""
    done = f"would be {told.status}: {where}; nothing was changed"
    done = done if dry_run else f"{told.status} {where}"
    lines = [told.body] if dry_run else []
    lines += [file_line(idp, file) for file in told.files]
    return "\n".join([*lines, f"{told.from_} -> {told.to}: {to_do}{done}"])
