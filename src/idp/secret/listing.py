"""Secrets as they are listed: never with a value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime

from idp.config.guardrails import SecretSettings
from idp.secret.base import Backend, Secret, State


@dataclass(frozen=True)
class Row:
    """A secret, flat.

    Attributes:
        age_days: since its newest value was written; null without one.
        stale: its value is older than the platform allows, or beyond its end.
    """

    path: str
    name: str
    service: str
    environment: str
    owner: str
    state: State
    version: int
    keys: tuple[str, ...]
    written_at: datetime | None
    age_days: int | None
    expires_at: datetime | None
    stale: bool
    request: str
    asked_by: str
    approved_by: str
    why: str

    def page(self) -> str:
        """Return it as lines of words."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        told["keys"] = ", ".join(self.keys)
        lines = [
            f"{name.replace('_', ' '):12} {value}"
            for name, value in told.items()
            if value not in ("", None)
        ]
        return "\n".join(lines)


def row(secret: Secret, now: datetime, max_age_days: int) -> Row:
    """Return a secret as it is listed."""
    about = secret.about
    return Row(
        secret.path,
        about.name,
        about.service,
        about.environment,
        about.owner,
        secret.state,
        secret.version,
        secret.keys,
        secret.written_at,
        (now - secret.written_at).days if secret.written_at else None,
        about.expires_at,
        secret.is_stale(now, max_age_days),
        about.request,
        about.asked_by,
        about.approved_by,
        about.why,
    )


def rows(
    backend: Backend, settings: SecretSettings, now: datetime, service: str, environment: str
) -> Iterator[Row]:
    """Yield the secrets of a service and an environment; of all where one is empty."""
    for secret in backend.list(_folder(settings.path, service, environment)):
        about = secret.about
        if service in ("", about.service) and environment in ("", about.environment):
            yield row(secret, now, settings.max_age_days)


def _folder(pattern: str, service: str, environment: str) -> str:
    """Return the folder that holds all that is asked for, as deep as it is known."""
    known = []
    for part in pattern.split("/")[:-1]:
        if ("{service}" in part and not service) or ("{environment}" in part and not environment):
            break
        if "{name}" in part:
            break
        known.append(part.format(service=service, environment=environment))
    return "/".join(known)
