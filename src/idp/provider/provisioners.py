"""Resources that a platform supplies by itself: fixed outputs, or a program that makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from idp import proc
from idp.config.running import Provisioner
from idp.errors import InvalidInput
from idp.workload.model import Resource

PATIENCE = 600
"""Seconds that a provisioner's program may take."""


@dataclass(frozen=True)
class Provisioned:
    """A resource that a platform supplies.

    Attributes:
        state: what its program is given the next time.
    """

    outputs: Mapping[str, str] = field(repr=False)
    state: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Wanted:
    """What is asked of a provisioner; `params` are filled already."""

    environment: str
    service: str
    resource: Resource
    params: Mapping[str, Any]


def fitting(provisioners: Sequence[Provisioner], resource: Resource) -> Provisioner | None:
    """Return what supplies a resource: one for its class stands over one for the type."""
    of_kind = [one for one in provisioners if one.kind == resource.kind]
    exact = [one for one in of_kind if one.klass and one.klass == resource.klass]
    return next(iter(exact + [one for one in of_kind if not one.klass]), None)


def provision(
    provisioner: Provisioner, wanted: Wanted, state: Any, env: Mapping[str, str]
) -> Provisioned:
    """Supply a resource, or tell again what was supplied.

    Args:
        state: what its program returned the last time; None the first time.
        env: the environment of its program.

    Raises:
        CommandFailed, NotFound: its program failed, or is not there.
        InvalidInput: its program printed what it must not.
    """
    if not provisioner.command:
        words = {
            "{environment}": wanted.environment,
            "{service}": wanted.service,
            "{resource}": wanted.resource.name,
        }
        return Provisioned({name: _put(t, words) for name, t in provisioner.outputs.items()})
    said = ask(provisioner.command, "provision", request(wanted), state, env)
    outputs = said.get("outputs")
    if not isinstance(outputs, dict) or not all(_is_plain(v) for v in outputs.values()):
        raise InvalidInput(
            f"the provisioner `{provisioner.command[0]}` gave no outputs for"
            f" {wanted.resource.name} ({wanted.resource.kind})",
            hint='it must print {"outputs": {"name": "text"}, "state": …}',
        )
    told = {
        name: value if isinstance(value, str) else str(value) for name, value in outputs.items()
    }
    return Provisioned({**provisioner.outputs, **told}, said.get("state"))


def request(wanted: Wanted) -> dict[str, Any]:
    """Return what a program is told of a resource: enough to remove it later as well."""
    one = wanted.resource
    return {
        "environment": wanted.environment,
        "service": wanted.service,
        "resource": one.name,
        "type": one.kind,
        "class": one.klass,
        "id": one.id,
        "params": dict(wanted.params),
    }


def ask(
    command: Sequence[str],
    action: Literal["provision", "remove"],
    told: Mapping[str, Any],
    state: Any,
    env: Mapping[str, str],
) -> dict[str, Any]:
    """Run a provisioner's program with a request on its standard input; return what it printed.

    Raises:
        CommandFailed, NotFound: it failed, or is not there.
        InvalidInput: it printed no JSON object.
    """
    stdin = json.dumps({**told, "action": action, "state": state}).encode()
    done = proc.run(command, env=env, stdin=stdin, timeout=PATIENCE)
    try:
        said = json.loads(done.stdout or b"{}")
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise InvalidInput(f"the provisioner `{command[0]}` printed no JSON object")
    return said


def _put(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)
