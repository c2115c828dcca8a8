"""A service to bring up; whatever still stands after a test is taken away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .stories import Shop, new_shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Give a service's repository."""
    made = new_shop(tmp_path / "shop")
    yield made
    for one in made.environments():
        made.idp("env", "down", one["name"], "--yes")
