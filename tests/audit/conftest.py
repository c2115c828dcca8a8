"""A trail on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.audit import Trail
from idp.audit.seal import Seals
from idp.ledger import migrate, open_ledger

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
def trail(place: str, tmp_path: Path) -> Iterator[Trail]:
    """Give a trail, whose key and heads are in a folder of the test's own."""
    ledger = open_ledger(place, FakeClock(), lambda _: None)
    yield Trail(ledger, Seals(tmp_path / "audit"), FakeClock())
    ledger.close()
