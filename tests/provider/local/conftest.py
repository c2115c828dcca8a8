"""A world for the local provider, and nothing of it left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.provider.contract import story
from tests.provider.local.world import LocalWorld

__all__ = ["story"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LocalWorld]:
    """Give a provider; every environment is taken down at the end, which must leave nothing."""
    made = LocalWorld(tmp_path / "local")
    yield made
    logs = made.folder.glob("environments/*/**/idp.log")
    assert [text for log in logs if "Traceback" in (text := log.read_text())] == []
    names = [one.name for one in made.provider.list({})]
    for name in names:
        made.provider.delete(name, 10**9)
    for name in names:
        made.until_gone(name)
    assert made.processes() == []
