"""What the stories of secrets stand on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.openbao import Bao, openbao
from tests.secret.stories import WRITER_ROLE, Story

__all__ = ["openbao"]


@pytest.fixture
def story(openbao: Bao, tmp_path: Path) -> Story:
    openbao.call("POST", "auth/token/roles/idp-writer", WRITER_ROLE)
    return Story(openbao, tmp_path / "alice", openbao.mount())
