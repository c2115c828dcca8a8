"""A ledger of each kind, to guard a road with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.ledger import Ledger, migrate, open_ledger

from ..clock import FakeClock
from ..postgres import new_database, postgres

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Give an open ledger."""
    place = str(tmp_path / "ledger.db")
    if request.param == "postgres":
        place = new_database(request.getfixturevalue("postgres"))
        migrate(place, FakeClock(), lambda _: None)
    opened = open_ledger(place, FakeClock(), lambda _: None)
    yield opened
    opened.close()
