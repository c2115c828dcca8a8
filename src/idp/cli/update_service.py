"""idp update-service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from idp.cli.options import Data, DryRun, Fields, Json, Trust, answers, given, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.context import Context
    from idp.git import Repo
    from idp.output import Shape
    from idp.service.merge import FileOutcome
    from idp.service.proposal import Request, Update
    from idp.service.status import Status
    from idp.service.update import Target

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp update-service
  idp update-service payments-api --to 2.0.0 --dry-run
  idp update-service --branch golden-path --check 'make test'
  idp update-service --pr --yes
  idp update-service --status
  idp update-service --abort
"""

MARKS = {
    "added": "+",
    "updated": "~",
    "merged": "*",
    "deleted": "-",
    "renamed": ">",
    "kept": "=",
    "conflict": "!",
}
STYLES = {"added": "green", "deleted": "red", "conflict": "red", "kept": "dim"}


def _releases() -> list[str]:
    """Complete the releases of the template of the service that we stand in."""
    from pathlib import Path

    from idp.config.source import parse_source
    from idp.context import Context
    from idp.service import answers

    service = answers.find(*answers.locate(Path.cwd()))
    return Context().shelf.origin(parse_source(service.answers.template)).versions()


@dataclass(frozen=True)
class Updated:
    """What is told of an update; `commit` is the one made, if one was; `plan` is its digest."""

    from_: str
    to: str
    status: Literal["updated", "up-to-date", "conflicts"]
    template: str
    commit: str
    files: tuple[FileOutcome, ...]
    notes: tuple[str, ...]
    plan: str


@app.command(epilog=EXAMPLES)
def update_service(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="The service's folder.")] = ".",
    to: Annotated[
        str | None,
        typer.Option(
            metavar="VERSION", help="The release; else the newest.", autocompletion=_releases
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="SOURCE", help="Where the template is, if it has moved.")
    ] = None,
    data: Data = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Take the defaults for new questions.")
    ] = False,
    trust: Trust = False,
    restore: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Bring back what you deleted.")
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="[COMMAND]", help="Run this (or the template's check) on the result first."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Update though the check fails.")] = False,
    commit: Annotated[bool, typer.Option("--commit", help="Commit the result.")] = False,
    branch: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Commit to a new branch, the work tree untouched."),
    ] = None,
    pr: Annotated[
        bool, typer.Option("--pr", help="Open a pull request, or bring ours up to date.")
    ] = False,
    base: Annotated[
        str | None,
        typer.Option(metavar="BRANCH", help="Where --pr goes; else the default branch."),
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Show releases and drift, and change nothing.")
    ] = False,
    heal: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Bring a drifted file back to the recorded release."),
    ] = None,
    abort: Annotated[bool, typer.Option("--abort", help="Undo the last update.")] = False,
    answers_file: Annotated[
        str, typer.Option(metavar="FILE", help="Which answers, where there are several.")
    ] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Bring a service forward to another release of its template.

    Your changes and the template's are merged; the result is staged, not committed. Work that is
    not committed is never touched. Conflicts are left in the index, as git leaves them: exit 7.
    """
    from idp.service import update
    from idp.service.answers import locate
    from idp.service.proposal import Request

    idp: Context = ctx.obj.trusting(trust)
    given(to=to, source=source, branch=branch, base=base)
    wanted = shape(as_json, fields, _kind(abort=abort, status=status, pr=pr))
    folder = idp.path(path)
    source = idp.place(source or "")
    chosen = {"branch": bool(branch), "commit": commit, "pr": pr}
    _only_one(base or "", status=status, abort=abort, heal=bool(heal), **chosen)
    place = locate(folder)
    if not pr:
        _finish(idp, place[0])
    if abort:
        return _abort(idp, place[0], dry_run, wanted)
    if status:
        return _status(idp, place, answers_file, source or "", wanted)
    request = Request(
        to or "",
        source,
        answers(data),
        tuple(restore or ()),
        tuple(heal or ()),
        check,
        force,
        idp.can_ask and not defaults,
    )
    if pr:
        from idp.cli.update_pull import propose

        return propose(idp, place, answers_file, request, base or "", dry_run, wanted)
    return _update(
        idp, place, answers_file, request, update.Target(commit, branch or ""), dry_run, wanted
    )


def _kind(*, abort: bool, status: bool, pr: bool) -> type:
    """Return what is told; `--pr` and what it needs is imported only where it is asked for."""
    if abort:
        from idp.service.update import Undone

        return Undone
    if status:
        from idp.service.status import Status

        return Status
    if pr:
        from idp.cli.update_pull import Proposed

        return Proposed
    return Updated


def _only_one(base: str, **asked: bool) -> None:
    if base and not asked["pr"]:
        raise UsageError("--base is for --pr", hint="give --pr too, or leave --base out")
    chosen = [f"--{name}" for name, given in asked.items() if given]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} do not go together", hint="give one of them")


def _finish(idp: Context, repo: Repo) -> None:
    """Finish what a killed run began."""
    from idp.service import journal

    if done := journal.recover(repo):
        idp.output.say(f"finished what was interrupted: {done}")


def _abort(idp: Context, repo: Repo, dry_run: bool, shape: Shape) -> int:
    from idp.service import update

    with update.undoing(repo) as found:
        undone = found.undone("") if dry_run else update.undo(found, idp.road)
        if undone.kept:
            idp.output.say(f"what you edited since is kept in {undone.kept}")
        done = "would undo" if dry_run else "undone"
        told = f"{done}: {undone.title} ({count(len(undone.paths), 'path')})"
        idp.output.item(undone, shape, lambda: told)
        if dry_run:
            idp.road.rehearse(found.plan)
    return 0


def _status(
    idp: Context, place: tuple[Repo, str], answers_file: str, source: str, shape: Shape
) -> int:
    from idp.service import answers, status

    service = answers.find(*place, answers_file)
    found = status.of(service, idp.shelf, idp.renders(service.repo.object_format), source)
    idp.output.item(found, shape, lambda: _status_text(idp, found))
    return 0


def _status_text(idp: Context, found: Status) -> str:
    from idp.output import printable

    lines = [f"{found.template} {found.release}"]
    if found.between:
        lines.append(f"{len(found.between)} newer: {', '.join(found.between)}")
    else:
        lines.append("no newer release")
    lines += [idp.output.text(f"deprecated: {found.deprecated}", "yellow")] * bool(found.deprecated)
    lines += [f"  {d.state:9} {printable(d.path)}" for d in found.drift] or ["no drift"]
    return "\n".join(lines)


def _update(
    idp: Context,
    place: tuple[Repo, str],
    answers_file: str,
    request: Request,
    target: Target,
    dry_run: bool,
    shape: Shape,
) -> int:
    from idp import git
    from idp.service import answers, update
    from idp.service.merging import prepared

    service = answers.find(*place, answers_file)
    git.check_calm(service.repo, detached_is_fine=bool(target.branch))
    renders = idp.renders(service.repo.object_format)
    with prepared(service, idp.shelf, renders, request) as made:
        for note in (*made.notes, *made.reminders):
            idp.output.say(note)
        idp.output.detail(f"plan {made.plan().digest}")
        if dry_run:
            update.look(made, target)
            commit = ""
        else:
            commit = update.carry_out(made, target, idp.road)
        told = Updated(
            made.old.version,
            made.new.version,
            made.status,
            made.new.template,
            commit,
            made.files,
            (*made.notes, *made.reminders),
            made.plan().digest,
        )
        idp.output.item(told, shape, lambda: _story(idp, made, told, target, dry_run))
        if dry_run:
            idp.road.rehearse(made.plan())
    return 7 if told.status == "conflicts" else 0


def _story(idp: Context, made: Update, told: Updated, target: Target, dry_run: bool) -> str:
    """Return the outcome for a person: what to do next, file by file."""
    if told.status == "up-to-date":
        return f"up to date: {told.template} {told.to}"
    lines = [made.diff(color=idp.output.coloured).rstrip()] if dry_run else []
    lines += [file_line(idp, file) for file in told.files]
    lines.append(f"{told.from_} -> {told.to}: {_next(told, target, dry_run)}")
    return "\n".join(lines)


def file_line(idp: Context, file: FileOutcome) -> str:
    """Return what becomes of a file, for a person."""
    from idp.output import printable

    name = printable(f"{file.was} -> {file.path}" if file.was else file.path)
    line = f"  {MARKS[file.outcome]} {file.outcome:8} {name}"
    style = STYLES.get(file.outcome)
    return idp.output.text(line, style) if style else line


def count(number: int, thing: str) -> str:
    """Return a number of things in words."""
    return f"{number} {thing}{'s' * (number != 1)}"


def _next(told: Updated, target: Target, dry_run: bool) -> str:
    if told.status == "conflicts":
        found = count(sum(file.outcome == "conflict" for file in told.files), "conflict")
        if target.branch:
            return f"{found}, no branch was made: run it without --branch and resolve"
        if dry_run:
            return f"{found}, nothing was changed"
        return f"{found}: resolve, `git add` and commit, or --abort"
    if dry_run:
        return "nothing was changed"
    if told.commit:
        where = f"branch {target.branch}" if target.branch else "commit"
        return f"{where} {told.commit[:12]}"
    return "staged: look at it with `git diff --staged`, then commit, or --abort"
