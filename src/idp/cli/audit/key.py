"""idp audit key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from idp.cli.options import Fields, Json, shape

if TYPE_CHECKING:
    from idp.context import Context

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp audit key
  idp audit key --json
"""


@dataclass(frozen=True)
class Key:
    """A public key (Ed25519, 32 bytes in base64)."""

    public: str


@app.command(epilog=EXAMPLES)
def key(ctx: typer.Context, as_json: Json = False, fields: Fields = "") -> None:
    """Print the public key that this machine signs heads of the trail with.

    In idp-platform.yaml it stands among `ledger.keys`; who pins it can verify the trail.
    """
    idp: Context = ctx.obj
    wanted = shape(as_json, fields, Key)
    idp.output.item(Key(idp.trail.seals.public), wanted, lambda: idp.trail.seals.public)
