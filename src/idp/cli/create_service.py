"""idp create-service."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.options import Data, DryRun, Fields, Json, Trust, answers, given, shape
from idp.errors import Refused, UsageError

if TYPE_CHECKING:
    from idp.config.source import Source
    from idp.context import Context
    from idp.plan import Plan
    from idp.releases import Release
    from idp.service.begun import Begun
    from idp.service.create import Created, Draft, Request
    from idp.service.publish import Publication, Target

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp create-service payments-api --type python-api --owner payments --defaults
  idp create-service billing --template https://github.com/acme/golden.git#python@v2.1.0
  idp create-service billing --template ./golden --into ../monorepo --dry-run
  idp create-service ledger --type python-api --owner payments --defaults --push
"""


def _types() -> list[str]:
    """Complete the names of the platform's templates."""
    from idp.context import Context

    return sorted(Context().platform.templates)


@app.command(epilog=EXAMPLES)
def create_service(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name in the catalog.")],
    type_: Annotated[
        str | None,
        typer.Option("--type", "-t", help="A template of the platform.", autocompletion=_types),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="SOURCE", help="A Copier template: PATH or URL[#FOLDER][@VERSION]."),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="The team that owns it.")] = None,
    dest: Annotated[
        str | None, typer.Option(metavar="DIR", help="Its folder; else ./NAME.")
    ] = None,
    into: Annotated[
        str | None, typer.Option(metavar="REPO", help="Make it a folder of this repository.")
    ] = None,
    data: Data = None,
    data_file: Annotated[str | None, typer.Option(metavar="FILE", help="Answers as YAML.")] = None,
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Take the defaults for what is not answered.")
    ] = False,
    trust: Trust = False,
    remote: Annotated[
        str | None, typer.Option(metavar="URL", help="Add this remote and push.")
    ] = None,
    push: Annotated[
        bool, typer.Option("--push", help="Make its repository on the forge, and push.")
    ] = False,
    repo: Annotated[
        str | None, typer.Option(metavar="OWNER/NAME", help="That repository, with --push.")
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Make a service from a golden-path template: a git repository with one commit.

    If it fails or is interrupted, nothing is left behind; with --push, running it again finishes.
    """
    from idp.service import create
    from idp.service.begun import begun

    given(type=type_, template=template, owner=owner, dest=dest, into=into,
          data_file=data_file, remote=remote, repo=repo)  # fmt: skip
    idp: Context = ctx.obj.trusting(trust)
    wanted = shape(as_json, fields, create.Created)
    place, inside = _place(idp, name, dest, into)
    team = owner or idp.setting("defaults.owner")
    request = create.Request(
        name, place, inside, team,
        _data(idp, data, data_file), defaults, idp.can_ask and not defaults,
        idp.place(remote or ""), _target(idp, name, push, repo, team),
    )  # fmt: skip
    create.check(request)
    publication = _publication(idp, request, dry_run)
    if publication:
        request = replace(request, target=publication.target)
    if request.target and create.is_taken(place):
        found = begun(name, place, request.target)
        if type_ or template:
            _check_same(found, idp.shelf.release(_source(idp, type_, template)))
        plan, made, text = _finish(idp, found, request, publication)
    else:
        release = idp.shelf.release(_source(idp, type_, template))
        _tell(idp, release, request)
        with create.drafted(request, release, idp.renders(), dry=dry_run) as draft:
            plan, made, text = _make(idp, draft, publication, dry_run)
    for left in made.not_done:
        mend = f" ({left.mend})" if left.mend else ""
        idp.output.say(f"warning: {left.what}: {left.why}{mend}")
    idp.output.item(made, wanted, lambda: text)
    if dry_run:
        idp.road.rehearse(plan)


def _target(idp: Context, name: str, push: bool, repo: str | None, team: str) -> Target | None:
    """Return the repository that is asked for."""
    if repo and not push:
        raise UsageError("--repo says where --push goes", hint="add --push")
    if not push:
        return None
    from idp.service.publish import target

    return target(idp.platform.forge, name, repo or "", team)


def _publication(idp: Context, request: Request, dry_run: bool) -> Publication | None:
    """Return what publishes; a dry run asks nothing of the forge."""
    if request.target is None or dry_run:
        return None
    from idp.service.publish import publication

    platform = idp.platform.origin if idp.flags.get("platform") else ""
    return publication(request.target, idp.forge(), idp.git_env, platform)


def _make(
    idp: Context, draft: Draft, publication: Publication | None, dry_run: bool
) -> tuple[Plan, Created, str]:
    """Make a service, and return the plan, the service and what is told of it."""
    from idp.service import create

    plan = draft.plan()
    idp.output.detail(f"plan {plan.digest}")
    if dry_run:
        return plan, draft.created(""), _tree(draft, plan)
    if publication is None:
        made = create.carry_out(draft, idp.road)
    else:
        _show(idp, plan)
        made = create.publish(draft, publication, idp.road)
    return plan, made, _story(made, draft.request)


def _finish(
    idp: Context, found: Begun, request: Request, publication: Publication | None
) -> tuple[Plan, Created, str]:
    """Finish what is left of publishing a service that is there already."""
    from idp.service import create

    plan = found.plan()
    idp.output.detail(f"plan {plan.digest}")
    if publication is None:
        text = "\n".join([*_effects(plan), _nothing_written(plan)])
        return plan, create.finished(found), text
    _show(idp, plan)
    made = create.finish(found, publication, idp.road)
    return plan, made, _story(made, request)


def _check_same(found: Begun, release: Release) -> None:
    made_from = found.service.answers.template
    if release.template != made_from:
        raise Refused(
            f"{found.folder} is there already, made from {made_from}",
            hint="choose another with --dest DIR",
        )


def _show(idp: Context, plan: Plan) -> None:
    """Say what will be so on the forge, to a person who will be asked."""
    if not idp.yes:
        idp.output.say("\n".join(_effects(plan)))


def _effects(plan: Plan) -> list[str]:
    return [f"{effect.what}: {effect.on}" for effect in plan.effects if effect.what != "added"]


def _nothing_written(plan: Plan) -> str:
    return f"plan {plan.digest[:16]}, nothing was written"


def _place(idp: Context, name: str, dest: str | None, into: str | None) -> tuple[Path, Path | None]:
    """Return the service's folder, and the repository that it becomes a part of, if any."""
    if dest and into:
        raise UsageError("--dest and --into say two places", hint="give one")
    repo = idp.path(into) if into else None
    return (repo / name, repo) if repo else (idp.path(dest or name), None)


def _source(idp: Context, type_: str | None, template: str | None) -> Source:
    """Return the template that is asked for, or the platform's default type."""
    from idp.config.source import parse_source

    if type_ and template:
        raise UsageError("--type and --template are two ways to say one thing", hint="give one")
    if template:
        return parse_source(idp.place(template))
    chosen = type_ or idp.setting("defaults.type")
    if not chosen:
        raise UsageError("which template?", hint="--type TYPE, see `idp template list`")
    entry = idp.platform.templates.get(chosen)
    if entry and entry.deprecated:
        idp.output.say(f"warning: {chosen} is deprecated: {entry.deprecated}")
    return idp.template(chosen)


def _tell(idp: Context, release: Release, request: Request) -> None:
    """Say what a person should know before the service is there."""
    from idp.service.create import unasked

    idp.output.detail(f"{release.template} {release.version} is {release.commit}")
    if said := release.config.own.get("deprecated"):
        idp.output.say(f"warning: {release.name} is deprecated: {said}")
    if release.left_out:
        idp.output.say(f"not trusted, so without its {' and '.join(release.left_out)} (--trust)")
    for ignored in unasked(request, release):
        idp.output.say(f"warning: {ignored}")


def _data(idp: Context, pairs: list[str] | None, file: str | None) -> dict[str, Any]:
    """Return the answers of `--data-file`, and over them those of `--data`."""
    return (_read(idp.path(file)) if file else {}) | answers(pairs)


def _read(path: Path) -> dict[str, Any]:
    import yaml

    from idp.errors import InvalidInput, NotFound

    try:
        found = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise NotFound(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        said = str(error).replace("\n", " ")
        raise InvalidInput(f"{path}: {said}", hint="write answers as `name: value`") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{path}: expected answers as `name: value`")
    return found


def _story(made: Created, request: Request) -> str:
    where = Path(made.path)
    lines = [f"{made.name}: {len(made.files)} files from {made.template} {made.version}"]
    lines.append(f"  in {where}")
    if request.into:
        return "\n".join([*lines, f"  not committed: git -C {request.into} add {where.name}"])
    if made.url:
        lines.append(f"  at {made.url}")
    verbs = " && make setup test" if "Makefile" in made.files else ""
    return "\n".join([*lines, f"  commit {made.commit[:12]}", f"next: cd {where}{verbs}"])


def _tree(draft: Draft, plan: Plan) -> str:
    """Return a plan as a tree of files."""
    from idp.output import printable

    lines, shown = [f"{draft.request.dest.name}/"], set()
    for name in draft.files:
        parts = name.split("/")
        for depth, part in enumerate(parts):
            path = "/".join(parts[: depth + 1])
            if path not in shown:
                shown.add(path)
                lines.append("  " * (depth + 1) + printable(part) + "/" * (depth + 1 < len(parts)))
    told = f"{len(draft.files)} files from {draft.release.template} {draft.release.version}"
    return "\n".join([*lines, told, *_effects(plan), _nothing_written(plan)])
