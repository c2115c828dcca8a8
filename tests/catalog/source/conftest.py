"""What stories about sources that are read over APIs start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ...forge.conftest import forge as forge
from ...forge.conftest import forge_keys as forge_keys
from ...forge.standin import StandIn
from .organisation import Organisation


@pytest.fixture
def acme(forge: StandIn, tmp_path: Path) -> Organisation:
    """An organisation on a GitHub of our own, without a repository."""
    return Organisation(forge, tmp_path)
