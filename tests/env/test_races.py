"""Two at once, down against up, and kills: nothing is left and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from idp.ledger import open_ledger
from idp.ledger.happenings import of
from idp.provider.base import Busy, Fenced
from idp.rollout.lease import LASTS, LedgerLeases, held

from ..clock import FakeClock
from ..service.stories import idp, idp_process
from .stories import Shop, answer


def test_two_ups_at_once_take_turns_and_one_release_answers(shop: Shop) -> None:
    first = shop.up()
    both = [idp_process("-C", shop.folder, "env", "up", "--set", f"VERSION={n}") for n in (2, 3)]
    for one in both:
        _, said = one.communicate(timeout=60)
        assert one.returncode == 0, said.decode()
    [now] = shop.environments()
    assert now["url"] == first["url"]
    assert answer(first["url"])[1] in ("2", "3")


def test_down_wins_over_an_up_that_is_under_way(shop: Shop) -> None:
    name = shop.up()["name"]
    shop.changed("2", "mute")  # it never becomes healthy
    going = idp_process("-C", shop.folder, "env", "up")
    wait_for(lambda: state_of(shop) in ("deploying", "verifying"))
    done = idp("env", "down", name, "--yes")
    assert done.code == 0, done.err
    _, said = going.communicate(timeout=60)
    assert going.returncode == 5, said.decode()
    assert "torn" in said.decode() or "tear" in said.decode()
    assert shop.environments() == []
    assert leftovers(Path(os.environ["XDG_STATE_HOME"])) == []


@pytest.mark.parametrize("after", [0.2, 0.6, 1.0, 1.5])
def test_an_up_that_is_killed_is_finished_by_the_next(shop: Shop, after: float) -> None:
    going = idp_process("-C", shop.folder, "env", "up")
    time.sleep(after)
    kill(going)
    told = shop.up()
    assert answer(told["url"]) == (200, "1")
    assert len(shop.environments()) == 1


def test_a_down_that_is_killed_is_finished_by_the_reaper(shop: Shop) -> None:
    name = shop.changed("1", "hangs").up()["name"]
    going = idp_process("env", "down", name, "--yes")
    wait_for(lambda: state_of(shop) == "stopping")
    kill(going)
    done = idp("env", "reap", "--yes", "--json")
    assert done.code == 0, done.err
    assert shop.environments() == []
    assert leftovers(Path(os.environ["XDG_STATE_HOME"])) == []


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_for(holds: object, seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    assert callable(holds)
    while not holds():
        assert time.monotonic() < give_up, "it never came to that"
        time.sleep(0.05)


def state_of(shop: Shop) -> str:
    return next((one["state"] for one in shop.environments()), "")


def leftovers(state: Path) -> list[str]:
    return [path.name for path in (state / "idp" / "local" / "environments").iterdir()]


def test_a_lease_passes_over_the_dead_and_counts_up(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger = open_ledger(str(tmp_path / "ledger.db"), clock, print)
    leases = LedgerLeases(ledger, clock)
    now = clock.now()
    first = leases.take("shop", "pid 1 on elsewhere 1.0", now + LASTS, now, above=0, force=False)
    with (
        pytest.raises(Busy, match="pid 1 on elsewhere is changing shop"),
        held(leases, "shop", clock),
    ):
        pass
    clock.sleep(LASTS.total_seconds() + 1)
    with held(leases, "shop", clock) as second:
        assert second.fence > first
        with pytest.raises(Fenced):
            leases.renew("shop", first, now)
    dead = leases.take(
        "shop", f"pid 999999 on {os.uname().nodename} 1.0", now, now, above=9, force=False
    )
    assert dead > 9
    with held(leases, "shop", clock) as third:
        assert third.fence > dead
    with ledger.reading() as tx:
        assert [one.kind for one in of(tx, "lease", "shop")].count("taken") == 4
    ledger.close()


def test_down_takes_a_lease_from_whoever_holds_it(tmp_path: Path) -> None:
    clock = FakeClock()
    ledger = open_ledger(str(tmp_path / "ledger.db"), clock, print)
    leases = LedgerLeases(ledger, clock)
    with held(leases, "shop", clock) as up, held(leases, "shop", clock, force=True) as down:
        assert down.fence > up.fence
        with pytest.raises(Fenced, match="somebody else has changed shop since"):
            up.keep(at_once=True)
    ledger.close()
