"""`scripts/audit-anchors` of a platform repository: the trail's heads, kept in another one."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from .service.stories import git, idp
from .templates.stories import run
from .test_platform import init


@dataclass(frozen=True)
class Anchors:
    """A platform repository, and the bare one that keeps the heads."""

    platform: Path
    bare: Path

    def script(self, verb: str) -> str:
        environ = {
            **os.environ,
            "ANCHORS": str(self.bare),
            "IDP": str(Path(sys.executable).parent / "idp"),
        }
        script = self.platform / "scripts" / "audit-anchors"
        return run(script, verb, cwd=self.platform, env=environ)

    @property
    def kept(self) -> list[str]:
        return git(self.bare, "show", "main:checkpoints.jsonl").splitlines()


@pytest.fixture
def anchors(tmp_path: Path) -> Anchors:
    bare = tmp_path / "audit-anchors.git"
    git(tmp_path, "init", "--quiet", "--bare", str(bare))
    return Anchors(init(tmp_path / "platform"), bare)


def test_heads_of_the_trail_are_kept_and_it_is_verified_by_them(
    anchors: Anchors, tmp_path: Path
) -> None:
    anchors.script("add")
    anchors.script("add")
    assert len(anchors.kept) == 1, "the same head is kept once"
    assert "anchored up to record" in anchors.script("verify")
    made = idp("create-service", "pay", "--type", "python-api", "--owner", "core", "--defaults",
               "--dest", tmp_path / "pay")  # fmt: skip
    assert made.code == 0, made.everything
    anchors.script("add")
    first, second = (json.loads(line) for line in anchors.kept)
    assert second["seq"] > first["seq"]


def test_a_trail_that_does_not_reach_a_head_that_is_kept_fails(
    anchors: Anchors, home: Path
) -> None:
    anchors.script("add")
    head = json.loads(anchors.kept[0])
    clone = home / "clone"
    git(home, "clone", "--quiet", str(anchors.bare), str(clone))
    (clone / "checkpoints.jsonl").write_text(json.dumps(head | {"hash": "0" * 64}) + "\n")
    git(clone, "commit", "--quiet", "--all", "--message", "bent")
    git(clone, "push", "--quiet")
    with pytest.raises(AssertionError, match="BENT"):
        anchors.script("verify")


def test_where_nothing_was_recorded_no_head_is_kept(
    anchors: Anchors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "fresh"))
    anchors.script("add")
    assert git(anchors.bare, "for-each-ref") == ""
