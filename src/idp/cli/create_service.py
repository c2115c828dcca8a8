"""idp create-service."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.options import Data, DryRun, Fields, Json, Trust, answers, given, shape
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.config.source import Source
    from idp.context import Context
    from idp.releases import Release
    from idp.service.create import Created, Draft, Request

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp create-service payments-api --type python-api --owner payments --defaults
  idp create-service billing --template https://github.com/acme/golden.git#python@v2.1.0
  idp create-service billing --template ./golden --into ../monorepo --dry-run
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
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Make a service from a golden-path template: a git repository with one commit.

    If it fails or is interrupted, nothing is left behind.
    """
    from idp.service import create

    given(type=type_, template=template, owner=owner, dest=dest, into=into,
          data_file=data_file, remote=remote)  # fmt: skip
    idp: Context = ctx.obj.trusting(trust)
    wanted = shape(as_json, fields, create.Created)
    place, repo = _place(idp, name, dest, into)
    request = create.Request(
        name, place, repo, owner or idp.setting("defaults.owner"),
        _data(idp, data, data_file), defaults, idp.can_ask and not defaults,
        idp.place(remote or ""),
    )  # fmt: skip
    create.check(request)
    release = idp.shelf.release(_source(idp, type_, template))
    _tell(idp, release, request)
    with create.drafted(request, release, idp.renders(), dry=dry_run) as draft:
        idp.output.detail(f"plan {draft.plan().digest}")
        made = draft.created("") if dry_run else create.carry_out(draft, idp.ask)
        text = _tree(draft) if dry_run else _story(made, request)
    idp.output.item(made, wanted, lambda: text)


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
    idp.output.detail(f"{release.template} {release.version} is {release.commit}")
    if said := release.config.own.get("deprecated"):
        idp.output.say(f"warning: {release.name} is deprecated: {said}")
    if release.left_out:
        idp.output.say(f"not trusted, so without its {' and '.join(release.left_out)} (--trust)")
    for unknown in sorted(request.data.keys() - release.config.questions.keys()):
        close = get_close_matches(unknown, release.config.questions, 1)
        mean = f", did you mean {close[0]}?" if close else ""
        idp.output.say(f"warning: {release.name} does not ask {unknown}{mean}")


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
    verbs = " && make setup test" if "Makefile" in made.files else ""
    return "\n".join([*lines, f"  commit {made.commit[:12]}", f"next: cd {where}{verbs}"])


def _tree(draft: Draft) -> str:
    """Return the plan as a tree of files."""
    from idp.output import printable

    lines, shown = [f"{draft.request.dest.name}/"], set()
    for name in draft.files:
        parts = name.split("/")
        for depth, part in enumerate(parts):
            path = "/".join(parts[: depth + 1])
            if path not in shown:
                shown.add(path)
                lines.append("  " * (depth + 1) + printable(part) + "/" * (depth + 1 < len(parts)))
    plan = draft.plan()
    told = f"{len(draft.files)} files from {draft.release.template} {draft.release.version}"
    return "\n".join([*lines, told, f"plan {plan.digest[:16]}, nothing was written"])
