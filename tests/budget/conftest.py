"""A ledger of each kind, to hold budgets in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.ledger import Ledger, migrate, open_ledger

from ..clock import FakeClock
from ..postgres import new_database, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the place of a ledger that is ready."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    url = new_database(request.getfixturevalue("postgres"))
    migrate(url, FakeClock(), lambda _: None)
    return url


@pytest.fixture
def ledger(place: str) -> Iterator[Ledger]:
    """Give an open ledger."""
    opened = open_ledger(place, FakeClock(), lambda _: None)
    yield opened
    opened.close()
