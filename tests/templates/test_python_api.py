"""python-api: the name of its package."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import NEWEST, Render


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("orders-api", "orders_api"),
        ("email", "email_service"),  # a module of the standard library
        ("class", "class_service"),  # a keyword
        ("pydantic", "pydantic_service"),  # a dependency
        ("a" * 63, "a" * 40),
        ("abcdefghi-" * 5 + "x", "abcdefghi_abcdefghi_abcdefghi_abcdefghi"),
    ],
)
def test_the_package_never_hides_another(
    name: str, package: str, render: Render, tmp_path: Path
) -> None:
    (newest,) = (release for release in NEWEST if release.startswith("python-api@"))
    service = render(newest, tmp_path / "service", name=name)

    (settings,) = (service.path / "src").glob("*/settings.py")
    assert settings.parent.name == package
