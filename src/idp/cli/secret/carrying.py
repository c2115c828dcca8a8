"""Carrying out approved requests for secrets, for `idp request fulfil`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp.context import Context
    from idp.request.base import Fulfilment, Request
    from idp.request.fulfil import Carrier


def carrier(idp: Context) -> Carrier:
    """Return what carries out a request for a secret at the platform's place of secrets."""
    from idp.secret.fulfil import fulfil

    def carry(request: Request) -> Fulfilment:
        pattern = idp.platform.guardrails.secrets.path
        return fulfil(request, idp.secrets, pattern, idp.road, idp.clock)

    return carry
