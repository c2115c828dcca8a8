"""What a platform repository's workflows run of the audit trail, run as they write it."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path

import pytest
import yaml

from .service.stories import git, idp
from .templates.stories import run, tool
from .test_platform import init

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the empty repository that is to keep the heads; all that runs signs with one key."""
    monkeypatch.setenv("IDP_AUDIT_KEY", KEY)
    bare = tmp_path / "audit-anchors.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    return bare


def step(platform: Path, workflow: str, name: str, bare: Path) -> str:
    """Run a step of a workflow with the idp that is tested here."""
    text = (platform / ".github" / "workflows" / workflow).read_text()
    (job,) = yaml.safe_load(text)["jobs"].values()
    (found,) = (step for step in job["steps"] if step.get("name") == name)
    assert "IDP_AUDIT_KEY" in found["env"]
    idp_here = str(Path(sys.executable).parent / "idp")
    script = found["run"].replace(".venv/bin/idp", idp_here)
    environ = {**os.environ, "ANCHORS": str(bare)}
    return run(tool("sh"), "-euc", script, cwd=platform, env=environ)


def kept(bare: Path) -> list[dict[str, object]]:
    (file,) = git(bare, "ls-tree", "--name-only", "main").split()
    return [json.loads(line) for line in git(bare, "show", f"main:{file}").splitlines()]


def test_the_nightly_workflow_keeps_a_head_and_verifies_by_it(bare: Path, tmp_path: Path) -> None:
    platform = init(tmp_path / "platform")
    nightly = ("audit.yml", "Keep the head of the audit trail, and verify it", bare)
    assert "anchored up to record" in step(platform, *nightly)
    assert "nothing new to anchor" in step(platform, *nightly)
    assert len(kept(bare)) == 1, "the same head is kept once"
    assert idp("create-service", "pay", "--defaults", "--dest", tmp_path / "pay").code == 0
    step(platform, "requests.yml", "Keep the head of the audit trail", bare)
    first, second = (line["seq"] for line in kept(bare))
    assert isinstance(first, int) and isinstance(second, int) and second > first


def test_where_nothing_was_recorded_no_head_is_kept(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = init(tmp_path / "platform")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "fresh"))
    nightly = ("audit.yml", "Keep the head of the audit trail, and verify it", bare)
    assert "the trail is empty" in step(platform, *nightly)
    assert git(bare, "for-each-ref") == ""
