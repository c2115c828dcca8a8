"""A service's secrets in the environment of one process, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from idp.config.guardrails import SecretSettings
from idp.errors import NotFound
from idp.secret.base import KEY, Backend, path_of
from idp.secret.check import of_service
from idp.secret.score import Workload, filled, placeholders


def variables(
    backend: Backend,
    settings: SecretSettings,
    service: str,
    environment: str,
    workload: Workload | None,
) -> dict[str, str]:
    """Return the variables that a service's secrets come to.

    With a workload they are those of its containers that hold a secret's value, with the value in
    its place; without one each secret is a variable: `db-password` is DB_PASSWORD, and its key
    `user` DB_PASSWORD_USER.

    Raises:
        NotFound: a secret, its value or one of its keys is missing; or there is none.
    """
    if workload is None:
        found = _all(backend, settings, service, environment)
    else:
        found = _of(workload, backend, settings, service, environment)
    if not found:
        raise NotFound(
            f"no secret of {service} in {environment} at {backend.place}",
            hint="idp secret list; idp secret check",
        )
    return found


def _of(
    workload: Workload,
    backend: Backend,
    settings: SecretSettings,
    service: str,
    environment: str,
) -> dict[str, str]:
    names = {one.resource: one.name for one in workload.needed}
    used = {resource for text in workload.variables.values() for resource, _ in placeholders(text)}
    values: dict[tuple[str, str], str] = {}
    for resource in sorted(used):
        path = path_of(settings.path, service, environment, names[resource])
        for key, value in backend.read(path).items():
            values[resource, key] = value
    for name, text in workload.variables.items():
        for resource, key in placeholders(text):
            if (resource, key) not in values:
                raise NotFound(
                    f"{workload.file}: {name} needs the key {key!r} of the secret "
                    f"{names[resource]}, which has none such",
                    hint="idp secret show",
                )
    return {name: filled(text, values) for name, text in workload.variables.items()}


def _all(
    backend: Backend, settings: SecretSettings, service: str, environment: str
) -> dict[str, str]:
    found: dict[str, str] = {}
    for secret in of_service(backend, settings, service, environment):
        if secret.state == "present":
            found |= _named(secret.about.name, backend.read(secret.path))
    return found


def _named(name: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        re.sub(r"\W", "_", name if key == KEY else f"{name}_{key}", flags=re.A).upper(): value
        for key, value in values.items()
    }
