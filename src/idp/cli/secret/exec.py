"""idp secret exec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.secret import workload

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret exec --env dev -- make run
  idp secret exec --env dev --service payments -- ./migrate --once
"""


@app.command("exec", epilog=EXAMPLES)
def execute(
    ctx: typer.Context,
    command: Annotated[list[str], typer.Argument(metavar="-- CMD", help="The program to run.")],
    env: workload.Environment,
    service: workload.Service = None,
    score: workload.Score = None,
) -> None:
    """Run a program with a service's secrets in its environment, and nowhere else.

    With a score.yaml it gets the variables there that hold a secret; without one each secret is a
    variable. The program takes idp's place: signals and its exit code are its own.
    """
    from idp import proc
    from idp.secret.exec import variables
    from idp.secret.score import FILE

    idp: Context = ctx.obj
    if score or not service or idp.path(FILE).is_file():
        named, name = workload.workload(idp, score, service)
    else:
        named, name = None, service
    settings = idp.platform.guardrails.secrets
    found = variables(idp.secrets, settings, name, env, named)
    idp.output.detail(f"with {', '.join(sorted(found))}")
    proc.become(command, {**idp.environ, **found})
