"""Options that many commands share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.output import Shape

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Fields = Annotated[str, typer.Option("--fields", metavar="A,B", help="Only these fields.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the plan and change nothing.")]
Trust = Annotated[
    bool, typer.Option("--trust", help="Let this template run its tasks and extensions.")
]
IndexPath = Annotated[
    str | None, typer.Option("--index", metavar="FILE", help="Another index than the platform's.")
]
Data = Annotated[
    list[str] | None, typer.Option("--data", "-d", metavar="K=V", help="Answer a question.")
]


def shape(as_json: bool, wanted: str, kind: type) -> Shape:
    """Return how a record shall be printed; its fields are checked before any work is done.

    Args:
        wanted: the value of `--fields a,b`.
        kind: the dataclass that will be printed.

    Raises:
        UsageError: it has no such field.
    """
    from idp.output import Shape, select

    names = tuple(filter(None, (name.strip() for name in wanted.split(","))))
    select({field.name.rstrip("_"): None for field in fields(kind)}, names)
    return Shape(as_json, names)


def answers(pairs: list[str] | None) -> dict[str, Any]:
    """Return the answers in `--data k=v`; the template says what types they have."""
    answered = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UsageError(f"--data {pair!r} is no K=V", hint="--data owner=payments")
        if key.startswith("_"):
            raise UsageError(f"{key} is recorded by idp and cannot be answered")
        answered[key] = value
    return answered


def given(**options: str | None) -> None:
    """Refuse empty values: `--branch "$X"` with no X would do something else than was meant."""
    for name, value in options.items():
        if value == "":
            raise UsageError(f"--{name} is empty", hint=f"give it a value, or leave --{name} out")


def given_each(what: str, words: Sequence[str]) -> None:
    """Refuse empty arguments: `query "$X"` with no X would ask for everything."""
    if "" in words:
        raise UsageError(f"{what} is empty", hint=f"give it a value, or leave {what} out")
