"""idp policy test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import Fields, Json, given_each, shape
from idp.cli.policy import policies

if TYPE_CHECKING:
    from idp.context import Context
    from idp.policy.trial import Tried

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp policy test policies/team.test.yaml
  idp --platform . policy test policies/*.test.yaml --json
"""


@app.command(epilog=EXAMPLES)
def test(
    ctx: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="YAML with tests.")],
    as_json: Json = False,
    fields: Fields = "",
) -> int:
    """Run the tests of the platform's policies; exit 3 if one fails."""
    from idp.policy.trial import Tried

    idp: Context = ctx.obj
    given_each("FILE", files)
    wanted = shape(as_json, fields, Tried)
    found = list(_tried(idp, files))
    if wanted.as_json or wanted.fields:
        idp.output.rows(found, (), wanted)
    else:
        for one in found:
            print("\n".join(_lines(idp, one)))
    failed = sum(not one.ok for one in found)
    idp.output.say(f"{len(found)} test{'s' * (len(found) != 1)}, {failed or 'none'} failed")
    return 3 if failed else 0


def _tried(idp: Context, files: list[str]) -> Iterator[Tried]:
    from idp.errors import NotFound
    from idp.policy.trial import Limits, tried

    rails = idp.platform.guardrails
    limits = Limits(rails.policies, rails.costs.approval_over)
    for file in files:
        try:
            text = idp.path(file).read_bytes()
        except OSError as error:
            raise NotFound(f"no tests {file}: {error.strerror}") from error
        yield from tried(text, file, policies(idp), limits)


def _lines(idp: Context, one: Tried) -> Iterator[str]:
    from idp.output import printable

    mark = idp.output.text("ok", "green") if one.ok else idp.output.text("FAIL", "red")
    yield f"{mark}  {printable(one.at)}  {printable(one.name)}"
    yield from (f"  - expected  {printable(what)}" for what in one.missing)
    yield from (f"  + found     {printable(what)}" for what in one.unexpected)
