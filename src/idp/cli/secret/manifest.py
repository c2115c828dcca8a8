"""idp secret manifest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.options import DryRun, Fields, Json, given, shape
from idp.cli.secret import workload
from idp.errors import UsageError

if TYPE_CHECKING:
    from idp.context import Context
    from idp.secret.manifest import Manifest

app = typer.Typer(add_completion=False, rich_markup_mode=None)

EXAMPLES = """\b
Examples:
  idp secret manifest --env production
  idp secret manifest --env production --write deploy/secrets.yaml
  idp secret manifest --env production --store company-vault
  idp secret manifest --env production --policy
"""


@app.command(epilog=EXAMPLES)
def manifest(
    ctx: typer.Context,
    env: workload.Environment,
    service: workload.Service = None,
    score: workload.Score = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Use this ClusterSecretStore, and make no SecretStore."),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--write", metavar="FILE", help="Write it here, not to stdout.")
    ] = None,
    policy: Annotated[
        bool, typer.Option("--policy", help="Print the IAM policy of the service's role, for AWS.")
    ] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    fields: Fields = "",
) -> None:
    """Print what Kubernetes needs to give a service its secrets (External Secrets Operator)."""
    from idp.secret.manifest import Manifest, manifests, policy_of, write

    idp: Context = ctx.obj
    given(store=store, write=file)
    if policy and file:
        raise UsageError("--policy goes without --write")
    wanted = shape(as_json, fields, Manifest)
    named, name = workload.workload(idp, score, service)
    settings = idp.platform.guardrails.secrets
    if policy:
        print(json.dumps(policy_of(named, settings, name, env, idp.secrets), indent=2))
        return
    made = manifests(named, settings, name, env, idp.secrets, store or "")
    if file:
        made = write(made, idp.path(file), file, idp.road, dry=dry_run)
    idp.output.item(made, wanted, lambda: _words(made))


def _words(made: Manifest) -> str:
    if not made.file:
        return made.text.rstrip("\n")
    said = "would be written" if made.status == "planned" else made.status
    return f"{made.file} {said}: the Secret {made.secret}"
