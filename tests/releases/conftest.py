"""A shelf to look for templates on, and a server to fetch them from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from idp.config.source import parse_source
from idp.releases import Release, Shelf

from ..service.stories import Template
from .server import Server, certificate, serving

Find = Callable[[str], Release]


@pytest.fixture
def said() -> list[str]:
    """What the shelf told the user."""
    return []


@pytest.fixture
def shelf(tmp_path: Path, said: list[str]) -> Shelf:
    return Shelf(tmp_path / "cache", lambda *_: True, said.append)


@pytest.fixture
def find(tmp_path: Path, said: list[str]) -> Find:
    """Find a release as a new run of idp does."""
    return lambda text: Shelf(tmp_path / "cache", lambda *_: True, said.append).release(
        parse_source(text)
    )


@pytest.fixture
def template(tmp_path: Path) -> Template:
    """A template with releases 1.0.0, 1.1.0 and a pre-release, and work since."""
    template = Template(tmp_path / "golden")
    template.release("v1.0.0", {"a.txt": "1.0\n"})
    template.release("v1.1.0", {"a.txt": "1.1\n"})
    template.release("v2.0.0-rc.1", {"a.txt": "2.0 rc\n"})
    template.commit({"a.txt": "work\n"})
    return template


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def server(
    tmp_path: Path, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Server]:
    monkeypatch.setenv("GIT_SSL_CAINFO", str(keys[1]))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served", *keys) as server:
        yield server
