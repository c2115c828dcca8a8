"""What the commands on one secret share: their options, and a person who is asked for a value."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.context import Context
    from idp.output import Shape
    from idp.secret.request import Told
    from idp.secret.wanted import Wanted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The secret's name.")]
Service = Annotated[str, typer.Option("--service", metavar="NAME", help="The service it is for.")]
Environment = Annotated[
    str, typer.Option("--env", metavar="NAME", help="The environment it is for.")
]
Why = Annotated[str, typer.Option("--why", help="What it is for; whoever approves reads it.")]
Owner = Annotated[str, typer.Option("--owner", metavar="TEAM", help="The team that owns it.")]
Generate = Annotated[
    bool, typer.Option("--generate", help="Have idp make the value, which nobody sees.")
]
Stdin = Annotated[bool, typer.Option("--stdin", help="Read the value from standard input.")]
Key = Annotated[str, typer.Option("--key", metavar="KEY", help="The name of the value in it.")]
Days = Annotated[
    int | None,
    typer.Option("--days", min=1, help="After how many days it expires; else the platform's."),
]


def serve(
    idp: Context, wanted: Wanted, shape: Shape, *, stdin: bool = False, dry_run: bool = False
) -> None:
    """Take the next step towards what is wanted, and tell what came of it."""
    from idp.secret.request import Counter, ask

    if not wanted.why.strip():
        raise UsageError("--why is empty", hint="say what it is for: whoever approves reads it")
    counter = Counter(
        idp.secrets,
        idp.platform.guardrails.secrets.path,
        lambda: idp.desk,
        lambda: idp.who,
        idp.road,
        idp.state / "handover",
        idp.clock,
        idp.output.say,
        lambda: _value(idp, wanted.name, stdin=stdin),
    )
    told = ask(wanted, counter, dry=dry_run)
    idp.output.item(told, shape, lambda: _words(told))


def _value(idp: Context, name: str, *, stdin: bool) -> str:
    """Return the value from standard input, or from a person who types it unseen."""
    if stdin:
        value = sys.stdin.read().removesuffix("\n").removesuffix("\r")
    elif idp.can_ask:
        from getpass import getpass

        value = getpass(f"value of {name} (not shown): ")
    else:
        raise UsageError(
            f"nobody can be asked here for the value of {name}",
            hint="--stdin reads it, --generate makes one",
        )
    if not value:
        raise UsageError(f"the value of {name} is empty", hint="nothing was written")
    return value


def _words(told: Told) -> str:
    version = f", version {told.version}" if told.version else ""
    said = {
        "planned": "would ask for" if told.enforced else "would change",
        "there": "is there already:",
        "written": "has its value:",
        "revoked": "is destroyed:",
    }[told.status]
    if told.status == "planned":
        return f"{said} {told.path} at {told.place}"
    asked = f" ({told.request})" if told.request else ""
    return f"{told.path} {said} {told.place}{version}{asked}"
