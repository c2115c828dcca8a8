"""What the commands on a service's secrets share: its score.yaml, its name and its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import given
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.context import Context
    from idp.secret.score import Workload

Environment = Annotated[str, typer.Option("--env", metavar="NAME", help="The environment.")]
Service = Annotated[
    str | None,
    typer.Option("--service", metavar="NAME", help="The service; else score.yaml's metadata.name."),
]
Score = Annotated[
    str | None, typer.Option("--score", metavar="FILE", help="The workload. [score.yaml]")
]


def workload(idp: Context, score: str | None, service: str | None) -> tuple[Workload, str]:
    """Return the workload and the service's name."""
    from idp.secret.score import FILE, look

    given(score=score, service=service)
    found = look(idp.path(score or FILE), score or FILE)
    if not (service or found.name):
        raise UsageError(f"{found.file} has no metadata.name", hint="--service NAME")
    return found, service or found.name
