"""Processes that end in the middle: a writer that is killed, a reader that is told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idp.audit import Trail

from ..service.stories import clean_env, idp, idp_process
from .test_trail import WRITER, add, verified


def test_a_writer_that_is_killed_leaves_a_chain_that_verifies(trail: Trail, place: str) -> None:
    words = [sys.executable, str(WRITER), place, str(trail.seals.folder), "1000000"]
    before = 0
    for _ in range(5):
        writer = subprocess.Popen(words)
        until = time.monotonic() + 60
        while (found := verified(trail)).records < before + 20:
            assert found.ok and writer.poll() is None and time.monotonic() < until, found
        writer.kill()
        assert writer.wait() == -signal.SIGKILL
        found = verified(trail)
        assert found.ok and found.records >= before + 20, found
        assert found.records - found.signed <= 1, "the head of the last commit alone may be lost"
        before = found.records
    add(trail)
    last = verified(trail)
    assert last.ok and last.signed == last.records


def test_follow_tells_what_is_added_until_it_is_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert idp("create-service", "pay", "--defaults").code == 0
    reader = idp_process("audit", "log", "--follow", "--jsonl", env=clean_env())
    assert reader.stdout and reader.stderr
    assert [json.loads(reader.stdout.readline())["seq"] for _ in range(2)] == [1, 2]
    assert idp("create-service", "shop", "--defaults").code == 0
    added = [json.loads(reader.stdout.readline()) for _ in range(2)]
    assert [(one["seq"], one["kind"]) for one in added] == [(3, "intent"), (4, "outcome")]
    reader.send_signal(signal.SIGINT)
    out, err = reader.communicate(timeout=30)
    assert (reader.returncode, out) == (130, b"")
    assert b"Traceback" not in err
