"""Who carries out which requests: a function a kind of plan, loaded when one is at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp.context import Context
    from idp.request.base import Fulfilment, Request
    from idp.request.fulfil import Carrier

CARRIERS = {
    "secret create": "idp.cli.secret.carrying:carrier",
    "secret rotate": "idp.cli.secret.carrying:carrier",
    "secret revoke": "idp.cli.secret.carrying:carrier",
}
"""By the action of a plan: MODULE:FUNCTION, which takes the context and returns a `Carrier`."""


def carriers(idp: Context) -> Mapping[str, Carrier]:
    """Return who carries out what, each made when it is first needed."""
    return {action: _later(idp, place) for action, place in CARRIERS.items()}


def _later(idp: Context, place: str) -> Carrier:
    def carry(request: Request) -> Fulfilment:
        module, _, name = place.partition(":")
        made: Callable[[Context], Carrier] = getattr(import_module(module), name)
        return made(idp)(request)

    return carry
