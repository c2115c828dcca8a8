"""A desk in a ledger, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.config.guardrails import RequestSettings
from idp.ledger import migrate, open_ledger
from idp.request.desk import LedgerDesk

from ..clock import FakeClock
from ..postgres import new_database
from ..postgres import postgres as postgres


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give where the ledger is."""
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    url = new_database(request.getfixturevalue("postgres"))
    migrate(url, FakeClock(), print)
    return url


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def desk(place: str, clock: FakeClock) -> Iterator[LedgerDesk]:
    """Give a desk whose requests are void after seven days."""
    ledger = open_ledger(place, clock, print)
    yield LedgerDesk(ledger, RequestSettings(), clock)
    ledger.close()
