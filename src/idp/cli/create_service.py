"""idp create-service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.options import Data, DryRun, Fields, Json, Trust, answers, names
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.config.source import Source
    from idp.context import Context
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
    name: Annotated[str, typer.Argument(help="The service's name in the catalog.")],
    type_: Annotated[
        str, typer.Option("--type", "-t", help="A template of the platform.", autocompletion=_types)
    ] = "",
    template: Annotated[
        str,
        typer.Option(metavar="SOURCE", help="Any Copier template: PATH or URL[#FOLDER][@VERSION]."),
    ] = "",
    owner: Annotated[str, typer.Option(help="The team that owns it.")] = "",
    dest: Annotated[str, typer.Option(metavar="DIR", help="Its folder; else ./NAME.")] = "",
    into: Annotated[
        str, typer.Option(metavar="REPO", help="Make it a folder of this repository.")
    ] = "",
    data: Data = None,
    data_file: Annotated[str, typer.Option(metavar="FILE", help="Answers as YAML.")] = "",
    defaults: Annotated[
        bool, typer.Option("--defaults", help="Take the defaults for what is not answered.")
    ] = False,
    trust: Trust = False,
    remote: Annotated[str, typer.Option(metavar="URL", help="Add this remote and push.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Make a service from a golden-path template: a git repository with one commit.

    If it fails or is interrupted, nothing is left behind.
    """
    from idp.output import Shape
    from idp.service import create

    idp: Context = ctx.obj.trusting(trust)
    request = _request(
        idp, create.Request, name, owner, dest, into, defaults, remote, _data(idp, data, data_file)
    )
    create.check(request)
    release = idp.shelf.release(_source(idp, type_, template))
    with create.drafted(request, release, idp.renders(), dry=dry_run) as draft:
        made = draft.created("") if dry_run else create.carry_out(draft, idp.ask)
        text = _tree(draft) if dry_run else _story(made, request)
    if release.left_out:
        idp.output.say(f"not trusted, so without its {' and '.join(release.left_out)} (--trust)")
    idp.output.item(made, Shape(as_json, names(fields)), lambda: text)


def _source(idp: Context, type_: str, template: str) -> Source:
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


def _request(
    idp: Context,
    make: type[Request],
    name: str,
    owner: str,
    dest: str,
    into: str,
    defaults: bool,
    remote: str,
    data: dict[str, Any],
) -> Request:
    if dest and into:
        raise UsageError("--dest and --into say two places", hint="give one")
    repo = idp.path(into) if into else None
    place = repo / name if repo else idp.path(dest or name)
    return make(
        name,
        place,
        repo,
        owner or idp.setting("defaults.owner"),
        data,
        defaults,
        idp.can_ask and not defaults,
        remote,
    )


def _data(idp: Context, pairs: list[str] | None, file: str) -> dict[str, Any]:
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
    lines = [
        f"{made.name}: {len(made.files)} files from {made.template} {made.version}",
        f"  in {where}",
    ]
    if request.into:
        return "\n".join([*lines, f"  not committed: git -C {request.into} add {where.name}"])
    return "\n".join(
        [*lines, f"  commit {made.commit[:12]}", f"next: cd {where} && make setup test"]
    )


def _tree(draft: Draft) -> str:
    """Return the plan as a tree of files."""
    lines, shown = [f"{draft.request.dest.name}/"], set()
    for name in draft.files:
        parts = name.split("/")
        for depth, part in enumerate(parts):
            path = "/".join(parts[: depth + 1])
            if path not in shown:
                shown.add(path)
                lines.append("  " * (depth + 1) + part + "/" * (depth + 1 < len(parts)))
    plan = draft.plan()
    told = f"{len(draft.files)} files from {draft.release.template} {draft.release.version}"
    return "\n".join([*lines, told, f"plan {plan.digest[:16]}, nothing was written"])
