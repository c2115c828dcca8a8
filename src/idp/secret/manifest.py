"""What a service on Kubernetes needs to read its secrets, for the External Secrets Operator.

The manifests are of `external-secrets.io/v1`: a SecretStore, by which the operator logs in as the
service's own account, and an ExternalSecret, which makes the Kubernetes Secret `SERVICE-secrets`
with an entry `RESOURCE.KEY` for each `${resources.RESOURCE.KEY}` of the workload.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp.config.guardrails import SecretSettings
from idp.errors import InvalidInput, NotFound, Refused
from idp.plan import Effect, Facts, Plan
from idp.road import Road
from idp.secret.aws import AwsSecrets, reading_policy
from idp.secret.base import Backend, path_of
from idp.secret.score import Workload, keys_of
from idp.secret.vault_kv import VaultKV

API = "external-secrets.io/v1"
REFRESH = "1h0m0s"


@dataclass(frozen=True)
class Manifest:
    """The manifests, as YAML.

    Attributes:
        secret: the Kubernetes Secret that comes of it.
        file: where it was written; empty where it was not.
        status: of the file: `printed`, `planned`, `written` or `unchanged`.
    """

    text: str
    secret: str
    file: str = ""
    status: str = "printed"


def manifests(
    workload: Workload,
    settings: SecretSettings,
    service: str,
    environment: str,
    backend: Backend,
    cluster_store: str = "",
) -> Manifest:
    """Return the manifests for a service in an environment.

    Args:
        cluster_store: a ClusterSecretStore to use; else a SecretStore is made.

    Raises:
        Refused: no cluster can read the secrets of this machine.
        NotFound: the workload names no secret.
    """
    import yaml

    if backend.local:
        raise Refused(
            "secrets are in a file of this machine, which no cluster can read",
            hint="secrets.backend in idp-platform.yaml: vault or aws",
        )
    if not workload.needed:
        raise NotFound(
            f"{workload.file} names no secret", hint="a resource of type `secret` names one"
        )
    made = [] if cluster_store else [_store(service, environment, backend)]
    made.append(_external(workload, settings, service, environment, cluster_store))
    text = yaml.safe_dump_all(made, sort_keys=False, explicit_start=True, allow_unicode=True)
    return Manifest(text, f"{service}-secrets")


def write(made: Manifest, path: Path, shown: str, road: Road, *, dry: bool = False) -> Manifest:
    """Write manifests to a file, which no link may lead elsewhere."""
    if path.is_symlink() or path.is_dir():
        raise InvalidInput(f"{shown} is no file of its own", hint="--write another")
    before = path.read_bytes() if path.exists() else b""
    if before == made.text.encode():
        return Manifest(made.text, made.secret, shown, "unchanged")
    was = _digest(before)
    plan = Plan(
        "secret manifest",
        shown,
        preconditions={shown: was},
        effects=(Effect("updated" if before else "added", shown),),
        result=_digest(made.text.encode()),
        facts=Facts(),
    )
    if dry:
        road.rehearse(plan)
        return Manifest(made.text, made.secret, shown, "planned")

    def apply() -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.part")
            part.write_text(made.text, "utf-8")
            part.replace(path)
        except OSError as error:
            raise InvalidInput(f"cannot write {shown}: {error.strerror}") from None

    def observe() -> Mapping[str, str]:
        return {shown: _digest(path.read_bytes() if path.exists() else b"")}

    road.carry_out(plan, apply, observe=observe, proof=lambda _: plan.result)
    return Manifest(made.text, made.secret, shown, "written")


def _external(
    workload: Workload,
    settings: SecretSettings,
    service: str,
    environment: str,
    cluster_store: str,
) -> dict[str, Any]:
    data = [
        {
            "secretKey": f"{one.resource}.{key}",
            "remoteRef": {
                "key": path_of(settings.path, service, environment, one.name),
                "property": key,
            },
        }
        for one in workload.needed
        for key in keys_of(one)
    ]
    kind = "ClusterSecretStore" if cluster_store else "SecretStore"
    name = f"{service}-secrets"
    return _object(
        "ExternalSecret",
        name,
        service,
        {
            "refreshInterval": REFRESH,
            "secretStoreRef": {"kind": kind, "name": cluster_store or name},
            "target": {"name": name, "creationPolicy": "Owner"},
            "data": data,
        },
    )


def _store(service: str, environment: str, backend: Backend) -> dict[str, Any]:
    account = {"name": service}
    if isinstance(backend, AwsSecrets):
        provider: dict[str, Any] = {
            "aws": {
                "service": "SecretsManager",
                "region": backend.region,
                "auth": {"jwt": {"serviceAccountRef": account}},
            }
        }
    elif isinstance(backend, VaultKV):
        login = {
            "mountPath": "kubernetes",
            "role": f"idp-read-{service}-{environment}".lower(),
            "serviceAccountRef": account,
        }
        vault: dict[str, Any] = {
            "server": backend.anonymous.url,
            "path": backend.mount,
            "version": "v2",
            "auth": {"kubernetes": login},
        }
        if backend.anonymous.namespace:
            vault["namespace"] = backend.anonymous.namespace
        provider = {"vault": vault}
    else:
        raise Refused(f"no manifest is known for {backend.place}")
    return _object("SecretStore", f"{service}-secrets", service, {"provider": provider})


def _object(kind: str, name: str, service: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": service, "app.kubernetes.io/managed-by": "idp"}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": API, "kind": kind, "metadata": metadata, "spec": dict(spec)}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def policy_of(
    workload: Workload,
    settings: SecretSettings,
    service: str,
    environment: str,
    backend: Backend,
) -> dict[str, Any]:
    """Return the IAM policy by which the service's role reads the workload's secrets alone.

    Raises:
        Refused: the secrets are not in AWS; idp writes Vault's policy when a secret is made.
    """
    if not isinstance(backend, AwsSecrets):
        raise Refused(
            f"secrets are at {backend.place}, not in AWS",
            hint="Vault's policy idp:read:SERVICE:ENV is made with the first secret",
        )
    paths = (path_of(settings.path, service, environment, one.name) for one in workload.needed)
    return reading_policy(backend.region, tuple(paths))
