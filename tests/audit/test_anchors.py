"""`idp audit anchor` and what `idp audit verify` finds by what it kept."""

from __future__ import annotations

import base64
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ..service.stories import Run, clean_env, git, idp, idp_process
from .test_trail import bend

CHECKPOINTS = "checkpoints.jsonl"


class Story:
    """A machine with a trail, and a bare repository for its anchors."""

    def __init__(self, home: Path) -> None:
        self.bare = home / "anchors.git"
        self.ledger = home / "home" / "state" / "idp" / "ledger.db"
        git(home, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))

    def act(self, name: str) -> None:
        assert idp("create-service", name, "--defaults").code == 0

    def anchor(self, *more: str) -> Run:
        return idp("--yes", "audit", "anchor", "--to", self.bare, *more)

    def verify(self, *more: str) -> Run:
        return idp("audit", "verify", "--anchors", self.bare, *more)

    @property
    def file(self) -> str:
        (name,) = git(self.bare, "ls-tree", "--name-only", "main").split()
        return name

    @property
    def lines(self) -> list[str]:
        return git(self.bare, "show", f"main:{self.file}").splitlines()

    def rewrite(self, folder: Path, file: str, text: str) -> None:
        """Push another content of the file, as somebody who may push there."""
        git(folder, "clone", "--quiet", str(self.bare), str(folder / "clone"))
        (folder / "clone" / file).write_text(text)
        git(folder / "clone", "add", "--all")
        git(folder / "clone", "commit", "--quiet", "--message", "bent")
        git(folder / "clone", "push", "--quiet", "origin", "main")


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.chdir(tmp_path)
    story = Story(tmp_path)
    story.act("pay")
    return story


def test_a_head_is_kept_once(story: Story) -> None:
    first = story.anchor("--json").json
    assert (first["status"], first["seq"], first["added"]) == ("anchored", 2, 2)
    assert first["commit"] == git(story.bare, "rev-parse", "main").strip()
    again = story.anchor("--json").json
    assert (again["status"], again["commit"]) == ("unchanged", first["commit"])
    assert len(story.lines) == 1
    found = story.verify("--json").json
    assert (found["ok"], found["anchored"], found["unanchored"]) == (True, 2, 2)
    story.act("shop")
    assert story.anchor("--json").json["seq"] == 6
    assert [json.loads(line)["seq"] for line in story.lines] == [2, 6]


def test_the_file_has_the_lines_that_export_prints(story: Story) -> None:
    head = idp("audit", "export", "--checkpoint").out
    story.anchor()
    assert [head.strip()] == story.lines
    assert story.file == f"{json.loads(head)['ledger']}.jsonl"


def test_a_dry_run_pushes_nothing_and_no_answer_is_no_yes(story: Story) -> None:
    assert "would be anchored" in story.anchor("--dry-run").out
    assert idp("audit", "anchor", "--to", story.bare).code == 2
    assert git(story.bare, "for-each-ref") == ""


def test_who_holds_database_and_key_is_found_by_the_anchor(story: Story) -> None:
    story.anchor()
    bend(str(story.ledger), "DELETE FROM audit_record")
    for head in (story.ledger.parent / "audit").glob("*.head.json"):
        head.unlink()
    for name in ("a", "b"):
        story.act(name)
    assert idp("audit", "verify").code == 0, "the key itself vouches for it"
    found = story.verify("--json")
    assert (found.code, found.json["broken_at"]) == (3, 2)
    refused = story.anchor()
    assert refused.code == 3 and "the trail is bent at record 2" in refused.err
    assert len(story.lines) == 1


def test_another_ledger_in_its_place_is_told(story: Story) -> None:
    story.anchor()
    for file in story.ledger.parent.glob("ledger.db*"):
        file.unlink()
    story.act("other")
    found = story.verify()
    assert found.code == 3 and "another ledger may have been put in its place" in found.err


def test_a_checkpoint_that_was_taken_out_is_told(story: Story, tmp_path: Path) -> None:
    story.anchor()
    story.act("shop")
    story.anchor()
    story.rewrite(tmp_path, story.file, f"{story.lines[1]}\n")
    found = story.verify("--json").json
    assert not found["ok"] and "the checkpoint of record 2" in found["what"]


def test_what_is_no_checkpoint_is_told(story: Story, tmp_path: Path) -> None:
    story.anchor()
    story.rewrite(tmp_path, story.file, '{"seq": "two"}\n')
    found = story.verify()
    assert found.code == 3 and f"{story.file} holds no checkpoint" in found.err


def test_lines_of_the_older_file_count(story: Story, tmp_path: Path) -> None:
    story.anchor()
    git(tmp_path, "clone", "--quiet", str(story.bare), str(tmp_path / "moved"))
    git(tmp_path / "moved", "mv", story.file, CHECKPOINTS)
    git(tmp_path / "moved", "commit", "--quiet", "--message", "as platform 1.2.0 did")
    git(tmp_path / "moved", "push", "--quiet")
    found = story.verify("--json").json
    assert (found["ok"], found["anchored"]) == (True, 2)
    assert story.anchor("--json").json["status"] == "unchanged"


def test_eight_runners_at_once_keep_one_head_once(story: Story) -> None:
    story.anchor()
    story.act("shop")
    runners = [
        idp_process("--yes", "audit", "anchor", "--to", story.bare, env=clean_env())
        for _ in range(8)
    ]
    with ThreadPoolExecutor(8) as at_once:
        ends = list(at_once.map(subprocess.Popen[bytes].communicate, runners))
    assert [runner.returncode for runner in runners] == [0] * 8, ends
    kept = [json.loads(line)["seq"] for line in story.lines]
    assert kept == sorted(set(kept)) and kept[:1] == [2]
    assert story.verify().code == 0


def test_a_fresh_runner_signs_with_the_key_it_is_given(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_LEDGER", str(story.ledger))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "runner"))
    without = story.anchor()
    assert without.code == 3 and "IDP_AUDIT_KEY" in without.err
    assert not (tmp_path / "runner" / "idp" / "audit" / "key").exists()
    monkeypatch.setenv("IDP_AUDIT_KEY", base64.b64encode(bytes(32)).decode())
    assert story.anchor("--json").json["seq"] == 2
    assert story.verify("--json", "--key", idp("audit", "key").out.strip()).json["anchored"] == 2


def test_a_key_that_is_not_pinned_anchors_nothing(story: Story, tmp_path: Path) -> None:
    pinned = base64.b64encode(bytes(32)).decode()
    file = tmp_path / "idp-platform.yaml"
    file.write_text(f"version: 1\nledger:\n  anchors: ./anchors.git\n  keys:\n    ci: {pinned}\n")
    refused = idp("--yes", "--platform", file, "audit", "anchor")
    assert refused.code == 4 and "not among `ledger.keys`" in refused.err
    file.write_text("version: 1\nledger:\n  anchors: ./anchors.git\n")
    assert idp("--yes", "--platform", file, "audit", "anchor").code == 0
    assert "anchored up to record 2" in idp("--platform", file, "audit", "verify").out
    assert "anchored nowhere" in idp("--platform", file, "audit", "verify", "--no-anchors").out
