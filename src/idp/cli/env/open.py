"""idp env open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, given, shape
from idp.cli.running import Name, ProviderName, Pull

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp env open
  idp env open --pr 7
"""


@app.command("open", epilog=EXAMPLES)
def open_(
    ctx: typer.Context,
    name: Name = None,
    pull: Pull = None,
    provider: ProviderName = None,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Open an environment in the browser; without a screen its URL is printed alone."""
    import webbrowser

    from idp.cli import running
    from idp.errors import Refused
    from idp.rollout.records import Environment

    idp: Context = ctx.obj
    given(name=name, pr=pull, provider=provider)
    wanted = shape(as_json, fields, Environment)
    env, _ = running.one(idp, name, pull, provider)
    if not env.url:
        raise Refused(f"{env.name} is {env.state} and has no URL", hint="idp env show")
    if idp.can_ask and not as_json:
        webbrowser.open(env.url)
    idp.output.item(env, wanted, lambda: env.url)
