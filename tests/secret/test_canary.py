"""A value is looked for in everything that a whole run writes: it must be nowhere in plain text."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from idp.clock import SystemClock
from idp.config.guardrails import RequestSettings
from idp.identity import Identity
from idp.ledger import open_ledger
from idp.request.base import Decision
from idp.request.desk import LedgerDesk
from idp.secret.fulfil import fulfil
from tests.roads import open_road
from tests.secret.stories import ASKS, BOB, FULFILS, PATTERN, Story

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: pay}
containers:
  main:
    image: .
    variables: {PASSWORD: "${resources.db.value}"}
resources:
  db: {type: secret}
"""
PLATFORM = """\
version: 1
secrets: {{backend: vault, url: "{url}", mount: "{mount}"}}
"""
WHERE = ("--service", "pay", "--env", "dev")


@dataclass
class Run:
    """Commands of a person whose home, work and words are all kept."""

    tmp: Path
    canaries: tuple[str, ...]
    said: list[bytes] = field(default_factory=list)
    argv: set[bytes] = field(default_factory=set)

    def idp(
        self, *words: str, stdin: str = "", code: int = 0, env: Mapping[str, str] | None = None
    ) -> str:
        """Run idp as a process of its own; each argv that is seen meanwhile is kept."""
        process = subprocess.Popen(
            [sys.executable, "-m", "idp", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.tmp / "work",
            env={**os.environ, **(env or {})},
        )
        assert process.stdin is not None
        process.stdin.write(stdin.encode())
        process.stdin.close()
        process.stdin = None
        while process.poll() is None:
            self._look_at_processes()
            time.sleep(0.005)
        out, err = process.communicate()
        self.said += [out, err]
        assert process.returncode == code, err.decode()
        return out.decode()

    def _look_at_processes(self) -> None:
        for one in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                self.argv.add(one.read_bytes())

    def found(self) -> list[str]:
        """Return where a canary is, in whatever was written or said."""
        places: list[tuple[str, Callable[[], bytes]]] = [
            (str(path), path.read_bytes) for path in self.tmp.rglob("*") if path.is_file()
        ]
        places += [("said", lambda: b"\n".join(self.said)), ("argv", lambda: b"".join(self.argv))]
        return [
            name for name, read in places for canary in self.canaries if canary.encode() in read()
        ]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    work = tmp_path / "work"
    work.mkdir()
    (work / "score.yaml").write_text(SCORE)
    return Run(tmp_path, tuple(f"canary{secrets.token_hex(12)}" for _ in range(3)))


def test_the_test_itself_finds_a_value_in_a_file_in_words_and_in_argv(run: Run) -> None:
    canary = run.canaries[0]
    (run.tmp / "work" / "left").write_text(canary)
    run.idp("config", canary, code=2)
    assert set(run.found()) == {str(run.tmp / "work" / "left"), "said", "argv"}


def test_on_this_machine_no_value_is_left_anywhere(run: Run) -> None:
    first, second, third = run.canaries
    why = ("--why", "a story")
    run.idp("secret", "request", "db", *WHERE, *why, "--stdin", stdin=first)
    run.idp("secret", "request", "db", *WHERE, *why, "--stdin", stdin=second)
    run.idp("secret", "rotate", "db", *WHERE, *why, "--stdin", "--json", stdin=second)
    for words in (("list",), ("show", "db", *WHERE), ("check", "--env", "dev")):
        run.idp("secret", *words)
        run.idp("secret", *words, "--json", "--debug", "-v")
    script = f'test $(printf %s "$PASSWORD" | wc -c) = {len(second)}'
    run.idp("secret", "exec", "--env", "dev", "--debug", "-v", "--", "sh", "-c", script)
    # What goes wrong tells of everything but the value.
    run.idp("secret", "rotate", "none", *WHERE, *why, "--stdin", "--debug", stdin=third, code=3)
    run.idp("secret", "exec", "--env", "production", "--debug", "--", "true", code=3)
    run.idp("secret", "exec", "--env", "dev", "--debug", "--", "no-such-program", code=3)
    assert any(run.tmp.rglob("ledger.db"))  # and the audit trail in it is searched as well
    store = next(run.tmp.rglob("secrets.fernet"))
    sealed = store.read_bytes()
    store.write_bytes(sealed[:-9])
    run.idp("secret", "rotate", "db", *WHERE, *why, "--stdin", "--debug", stdin=third, code=3)
    store.write_bytes(sealed)
    run.idp("secret", "revoke", "db", *WHERE, *why, "--yes")
    assert run.found() == []


def test_with_openbao_no_value_is_left_anywhere(run: Run, story: Story, home: Path) -> None:
    first, second, _ = run.canaries
    platform = run.tmp / "work" / "idp-platform.yaml"
    platform.write_text(PLATFORM.format(url=story.bao.url, mount=story.mount))
    reads = ASKS + 'path "{mount}/data/*" {{ capabilities = ["read"] }}'
    env = {
        "IDP_PLATFORM": str(platform),
        "VAULT_TOKEN": story.bao.token(reads.format(mount=story.mount)),
    }
    asks = ("secret", "request", "db", *WHERE, "--why", "a story", "--stdin", "--debug", "--yes")
    run.idp(*asks, stdin=first, code=5, env=env)
    desk = LedgerDesk(
        open_ledger(str(home / "state" / "idp" / "ledger.db"), SystemClock(), print),
        RequestSettings(),
        SystemClock(),
    )
    (asked,) = desk.list()
    request = desk.decide(asked.id, Decision(BOB.id, "approved", None, asked.digest), BOB)
    done = fulfil(request, story.backend(FULFILS), PATTERN, open_road(), SystemClock())
    desk.close(request.id, done, Identity("ci", "oidc"))
    run.idp(*asks, stdin=first, env=env)
    assert story.data("pay/dev/db")["data"] == {"value": first}
    run.idp("secret", "show", "db", *WHERE, "--debug", "-v", env=env)
    run.idp("secret", "list", "--json", env=env)
    run.idp("secret", "check", "--env", "dev", env=env)
    script = f'test "$(printf %s "$PASSWORD" | wc -c)" = {len(first)}'
    run.idp("secret", "exec", "--env", "dev", "--", "sh", "-c", script, env=env)
    run.idp(*asks, "--rotate", stdin=second, code=5, env=env)
    run.idp("secret", "show", "none", *WHERE, "--debug", code=3, env=env)
    assert run.found() == []
