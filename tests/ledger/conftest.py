"""A ledger of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..postgres import new_database
from ..postgres import postgres as postgres


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give where a ledger can be made: a path, or an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "state" / "ledger.db")
    return new_database(request.getfixturevalue("postgres"))
