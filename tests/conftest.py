"""What every test stands on: a home of its own, an identity, no credentials, no network."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

GITCONFIG = """\
[user]
    name = Pat Tester
    email = pat@example.com
[init]
    defaultBranch = main
"""

# Whatever the person who runs the tests has set must not reach them.
FOREIGN = (
    *(
        "GIT_",
        "IDP_",
        "PAGERDUTY_",
        "OPSGENIE_",
        "COPIER_",
        "SSH_",
        "XDG_",
        "NO_COLOR",
        "CLICOLOR",
        "FORCE_",
        "COLUMNS",
    ),
    *("GITHUB_", "GH_", "GITLAB_", "GL_", "GLAB_", "GITEA_", "FORGEJO_", "TEA_", "CI_"),
    *("OAUTH_TOKEN", "NETRC", "PYTHON_KEYRING_", "DBUS_SESSION_"),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test a fresh home, XDG folders and a folder for temporary files."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(GITCONFIG)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    (home / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(home / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file")
    monkeypatch.setenv("GIT_TERMINAL_PROMPT", "0")
    return home
