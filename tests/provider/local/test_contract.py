"""The local provider keeps the contract of all providers."""

from __future__ import annotations

from tests.provider.contract import Contract


class TestLocal(Contract):
    """All of it."""
