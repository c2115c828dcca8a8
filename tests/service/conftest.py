"""A template, and services made from it by idp itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from ..forge.conftest import forge as forge
from ..forge.conftest import forge_keys as forge_keys
from .stories import Service, Template, idp


class Create(Protocol):
    """Makes a service from the template by `idp create-service`."""

    def __call__(self, version: str = ..., *options: str | Path, name: str = ...) -> Service: ...


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(tmp_path / "template")


@pytest.fixture
def create(tmp_path: Path, template: Template) -> Create:
    def create(version: str = "v1", *options: str | Path, name: str = "pay") -> Service:
        path = tmp_path / "services" / name
        run = idp(
            "create-service",
            name,
            *("--template", template.at(version)),
            *("--dest", path),
            "--defaults",
            "--json",
            *options,
        )
        assert run.code == 0, run.everything
        return Service(path)

    return create


@pytest.fixture(autouse=True)
def no_litter(home: Path) -> Iterator[None]:
    """Hold that nobody leaves temporary files behind."""
    yield
    assert [path.name for path in (home / "tmp").iterdir()] == []
