"""What has had its time goes, by what it carries itself; what is not known stays."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.config.running import Running
from idp.env.reap import judge
from idp.rollout.records import Environment

from ..service.stories import idp
from .stories import Shop, answer

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LIVE = Environment(
    "shop-pr-7-1a2b3",
    "live",
    "http://127.0.0.1:1",
    "local",
    "shop",
    "team-shop",
    "team-shop",
    "c0ffee",
    NOW - timedelta(hours=10),
    NOW - timedelta(hours=10),
    NOW + timedelta(hours=10),
    repository="git.example.com/acme/shop",
    pull="7",
)


@pytest.mark.parametrize(
    ("env", "why"),
    [
        (LIVE, None),
        (replace(LIVE, expires_at=NOW), "expired"),
        (replace(LIVE, expires_at=None), None),
        (replace(LIVE, state="idle"), "idle"),
        (replace(LIVE, state="failed"), None),
        (replace(LIVE, state="failed", updated_at=NOW - timedelta(hours=49)), "idle"),
        (replace(LIVE, wanted="down"), "unfinished"),
        (replace(LIVE, service=""), "unknown"),
        (replace(LIVE, service="", expires_at=NOW), "unknown"),
    ],
)
def test_who_goes_and_why(env: Environment, why: str | None) -> None:
    assert judge(env, Running(), NOW, lambda _: False) == why


def test_a_closed_pull_request_takes_its_environment_along() -> None:
    assert judge(LIVE, Running(), NOW, lambda _: True) == "closed"
    assert judge(replace(LIVE, pull=""), Running(), NOW, lambda _: True) is None


def test_a_dry_run_says_what_would_go_and_the_run_takes_it_away(shop: Shop, tmp_path: Path) -> None:
    told = shop.up("--ttl", "1h")
    later = expired(shop, told["name"])
    shown = idp("env", "reap", "--dry-run", "--json")
    assert json.loads(shown.out) == [
        {
            "name": told["name"],
            "provider": "local",
            "why": "expired",
            "done": "planned",
            "reason": "",
        }
    ]
    assert answer(told["url"])[0] == 200
    assert later
    done = idp("env", "reap", "--yes", "--json")
    assert json.loads(done.out)[0]["done"] == "removed"
    assert shop.environments() == []
    assert json.loads(idp("env", "reap", "--yes", "--json").out) == []


def expired(shop: Shop, name: str) -> bool:
    """Let an environment's time be over, in what it carries itself."""
    from idp.clock import SystemClock
    from idp.context import Context

    local = Context(clock=SystemClock()).providers["local"]
    seen = local.observe(name)
    assert seen
    local.extend(name, datetime.now(UTC) - timedelta(minutes=1), seen.fence)
    return True


def test_what_runs_without_a_record_is_adopted(shop: Shop, home: Path) -> None:
    told = shop.up()
    for file in (home / "state" / "idp").glob("ledger.db*"):
        file.unlink()
    [now] = shop.environments()
    assert (now["name"], now["url"], now["team"]) == (told["name"], told["url"], "team-shop")
    assert idp("env", "down", told["name"], "--yes").code == 0
    assert shop.environments() == []


def test_a_record_of_what_is_gone_is_told_and_reaped(shop: Shop, home: Path) -> None:
    told = shop.up()
    from idp.context import Context

    local = Context().providers["local"]
    local.delete(told["name"], 10_000)
    while local.observe(told["name"]):
        pass
    [lost] = shop.environments()
    assert (lost["state"], lost["reason"]) == ("failed", "nothing of it is there any more")
    done = idp("env", "reap", "--yes", "--json")
    assert json.loads(done.out)[0]["why"] == "lost"
    assert shop.environments() == []
    shutil.rmtree(home / "tmp", ignore_errors=True)
    (home / "tmp").mkdir()
