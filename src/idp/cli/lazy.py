"""Groups of commands whose names and summaries are a table, each command's file loaded when run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

_AS_WRITTEN = (str, list[str], bool)


def group(package: str, table: Mapping[str, str]) -> type[TyperGroup]:
    """Return a kind of group that lists a table's commands and imports the one that is run."""

    class Lazy(TyperGroup):
        """Lists every command from the table; imports one only when it is run."""

        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            for name, summary in table.items():
                self.add_command(TyperCommand(name, help=summary))

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Read the group's own options."""
            _spare_pydantic(self, ctx)
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            """Load the command that is asked for."""
            if (name := args[0]) in table:
                command = load(package, name)
                _spare_pydantic(command, ctx)
                self.add_command(command, name)
            return super().resolve_command(ctx, args)

    return Lazy


def load(package: str, name: str) -> Any:
    """Return a command by its name, declared in the file of that name."""
    module = import_module(f"{package}.{name.replace('-', '_')}")
    app: typer.Typer = module.app
    return get_command(app)


@dataclass(frozen=True)
class _AsWritten:
    """What Typer turns a parameter's text into its value with, where the value is the text."""

    def coerce(self, value: Any, param: Any, **_: Any) -> Any:
        if param.multiple or param.nargs == -1:
            return list(value or ())
        return value


def _spare_pydantic(command: Any, ctx: Any) -> None:
    """Take texts and flags as they are: Typer would load Pydantic, as much again as itself.

    Typer has no public way for it; should its next version have another attribute, this does
    nothing, and a test of what is imported says so.
    """
    for parameter in command.get_params(ctx):  # --help too
        if parameter.type_descriptor.annotation in _AS_WRITTEN:
            parameter._runtime_param = _AsWritten()
    for part in getattr(command, "commands", {}).values():
        _spare_pydantic(part, ctx)
