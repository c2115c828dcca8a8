"""Every release of the templates that make a service, rendered and installed once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import pytest

from idp.scaffold.version import newest_first

from .languages import LANGUAGES
from .stories import TEMPLATES, Service, idp

ANSWERS = {"name": "orders-api", "owner": "payments"}


def _released(template: str) -> list[str]:
    folders = (TEMPLATES / template / "releases").glob("[0-9]*")
    return [f"{template}@{version}" for version in newest_first([path.name for path in folders])]


NAMES = [name for name in LANGUAGES if _released(name)]
# As `create-service` is told them: TEMPLATE@X.Y.Z.
RELEASES = [release for name in NAMES for release in reversed(_released(name))]
NEWEST = [_released(name)[0] for name in NAMES]


class Render(Protocol):
    """Renders a release of a template with answers into a folder."""

    def __call__(self, release: str, folder: Path, **answers: str) -> Service: ...


def _render(release: str, folder: Path, **answers: str) -> Service:
    given = ANSWERS | answers
    name = given.pop("name")
    data = [word for key, value in given.items() for word in ("--data", f"{key}={value}")]
    template = release if release.startswith("/") else f"idp:{release}"
    idp("create-service", name, "--template", template, "--dest", folder, "--defaults", *data)
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


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "since(version): releases before it do not promise this")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a release does not promise yet."""
    early = [item for item in items if _is_early(item)]
    config.hook.pytest_deselected(items=early)
    items[:] = [item for item in items if item not in early]


def _is_early(item: pytest.Item) -> bool:
    since = item.get_closest_marker("since")
    if since is None or not isinstance(item, pytest.Function):
        return False
    version = str(item.callspec.params["service"]).split("@")[1]
    return version != newest_first([version, since.args[0]])[0]
