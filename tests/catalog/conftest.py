"""What the catalog's tests start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from .stories import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "pay", "https://github.com/acme/pay.git")
