"""The environment in which git reaches a remote: our token goes to the forge it was made for."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from idp.context import Context

from .standin import StandIn


def has_login(url: str) -> bool:
    """Tell whether git is given a login in the environment for this URL."""
    return any(key.startswith("GIT_CONFIG_") for key in Context().git_env(url))


def test_the_token_goes_to_its_forge(forge: StandIn, tmp_path: Path) -> None:
    forge.add_repo("acme/pay")
    url = forge.git_url("acme/pay")
    command = ["git", "ls-remote", url]
    assert subprocess.run(command, env=Context().git_env(url), cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "url",
    [
        "git@127.0.0.1:acme/pay.git",
        "ssh://git@127.0.0.1/acme/pay.git",
        "https://git.example.com/acme/pay.git",
        "https://github.com/acme/pay.git",
        "https://127.0.0.1/acme/pay.git",
        "https://127.0.0.1:1",
        "../pay",
    ],
)
def test_and_to_nobody_else(forge: StandIn, url: str) -> None:
    assert has_login(forge.git_url("acme/pay"))
    assert not has_login(url)


def test_without_a_login_git_is_left_to_itself(
    forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    assert not has_login(forge.git_url("acme/pay"))
