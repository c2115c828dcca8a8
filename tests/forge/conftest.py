"""A forge of our own, and idp set up to use it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..releases.server import certificate
from .standin import StandIn, standing_in

PLATFORM = """\
version: 1
forge:
  kind: github
  url: {url}
  owner: acme
"""


@pytest.fixture(scope="session")
def forge_keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("forge-keys"))


@pytest.fixture
def forge(
    tmp_path: Path, forge_keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[StandIn]:
    """Start a GitHub with the organisation `acme`; idp finds it, trusts it and is logged in."""
    (tmp_path / "forge").mkdir()
    with standing_in(tmp_path / "forge", *forge_keys) as forge:
        platform = tmp_path / "idp-platform.yaml"
        platform.write_text(PLATFORM.format(url=forge.url))
        for name, value in {
            "SSL_CERT_FILE": str(forge_keys[1]),
            "GIT_SSL_CAINFO": str(forge_keys[1]),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "GH_HOST": forge.host,
            "GH_ENTERPRISE_TOKEN": forge.token,
            "IDP_PLATFORM": str(platform),
        }.items():
            monkeypatch.setenv(name, value)
        yield forge
