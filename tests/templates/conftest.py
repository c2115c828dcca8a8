"""Every release of the built-in templates, rendered and installed once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from .stories import Service, idp

RELEASES = ("1.0.0", "1.1.0")
ANSWERS = {"name": "orders-api", "owner": "payments"}


class Render(Protocol):
    """Renders a release of the template with answers into a folder."""

    def __call__(self, release: str, folder: Path, **answers: str) -> Service: ...


def _render(release: str, folder: Path, **answers: str) -> Service:
    given = ANSWERS | answers
    name = given.pop("name")
    data = [word for key, value in given.items() for word in ("--data", f"{key}={value}")]
    template = ("--template", f"idp:python-api@{release}")
    idp("create-service", name, *template, "--dest", folder, "--defaults", *data)
    return Service(folder, release)


@pytest.fixture(scope="session")
def render() -> Render:
    return _render


@pytest.fixture(scope="session", params=RELEASES)
def service(
    request: pytest.FixtureRequest, render: Render, tmp_path_factory: pytest.TempPathFactory
) -> Service:
    """A service nobody has touched yet."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(tmp_path_factory.mktemp(name.lower())))
        return render(request.param, tmp_path_factory.mktemp("rendered") / "orders-api")


@pytest.fixture(scope="session")
def installed(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """The same service, with its dependencies from the package index."""
    copy = service.copy(tmp_path_factory.mktemp("installed") / "orders-api")
    copy.make("setup")
    return copy
