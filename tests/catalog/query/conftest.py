"""What the stories of queries start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..index_stories import made
from .stories import COMPANY, Catalog


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    return Catalog(made(tmp_path_factory.mktemp("company"), {"catalog-info.yaml": COMPANY}))


@pytest.fixture
def index(company: Catalog) -> Path:
    return company.path
