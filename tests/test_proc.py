"""The one door for processes: what runs through it ends with it."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from pathlib import Path

import pytest

from idp import proc
from idp.errors import InvalidInput, NotFound, RemoteFailed, UsageError


def sh(script: str, **more: object) -> proc.Finished:
    return proc.run(["/bin/sh", "-c", script], **more)  # type: ignore[arg-type]


def is_gone(pid: int) -> bool:
    """Wait until a process that was killed has ended, and tell that it has."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([handle], [], [], 10)
    os.close(handle)
    return bool(ended)


def test_both_streams_come_back_as_bytes() -> None:
    done = sh("printf 'a\\377'; echo b >&2")
    assert (done.code, done.stdout, done.stderr) == (0, b"a\xff", b"b\n")


def test_streams_can_be_merged_in_the_order_written() -> None:
    done = sh("echo 1; echo 2 >&2; echo 3", merge_streams=True)
    assert (done.stdout, done.stderr) == (b"1\n2\n3\n", b"")


def test_stdin_is_what_is_given_and_otherwise_empty() -> None:
    assert sh("cat", stdin=b"x\0y").stdout == b"x\0y"
    assert sh("cat").stdout == b""


def test_a_megabyte_each_way_does_not_block() -> None:
    much = b"x" * 1_000_000
    assert sh("tee /dev/stderr", stdin=much) == proc.Finished(0, much, much)


def test_a_program_that_does_not_read_its_stdin_is_no_error() -> None:
    assert sh("exec true", stdin=b"x" * 1_000_000).code == 0


def test_folder_and_environment_are_those_given(tmp_path: Path) -> None:
    done = sh("pwd -P; echo $A; echo ${HOME-none}", cwd=tmp_path, env={"A": "1"})
    assert done.stdout.decode().split() == [str(tmp_path.resolve()), "1", "none"]


def test_an_exit_code_is_a_failure_unless_it_is_expected() -> None:
    assert sh("exit 3", ok=(0, 3)).code == 3
    with pytest.raises(proc.CommandFailed, match="`/bin/sh -c` exited 3") as caught:
        sh("echo out; echo why >&2; exit 3")
    assert caught.value.details == ("why",)
    assert (caught.value.exit_code, caught.value.finished.code) == (6, 3)


def test_a_long_output_is_told_by_its_end() -> None:
    with pytest.raises(proc.CommandFailed) as caught:
        sh("seq 100; exit 1")
    assert caught.value.details == tuple(str(n) for n in range(61, 101))


def test_what_is_written_is_told_even_if_it_is_no_text() -> None:
    with pytest.raises(proc.CommandFailed) as caught:
        sh("printf '\\377 oh'; exit 1")
    assert caught.value.details == ("� oh",)


def test_an_argument_does_not_show_in_the_message() -> None:
    """It may be a URL with a token, or a whole script."""
    with pytest.raises(proc.CommandFailed) as caught:
        sh("exit 1 # hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="no program called no-such-program") as caught:
        proc.run(["no-such-program"])
    assert caught.value.hint == "install no-such-program"


def test_a_folder_that_is_not_there_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone"):
        sh("true", cwd=tmp_path / "gone")


def test_a_program_out_of_time_ends_with_all_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"echo $$ > {pids}; sleep 600 & echo $! >> {pids}; echo so far; wait"
    with pytest.raises(proc.CommandFailed) as caught:
        sh(script, timeout=1)
    assert caught.value.details == ("so far", "stopped after 1 s")
    assert caught.value.finished.code == -signal.SIGKILL
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


def test_an_interruption_ends_the_program_too(tmp_path: Path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)

    def interrupt() -> None:
        started.read_text()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    waiting = threading.Thread(target=interrupt)
    waiting.start()
    pids = tmp_path / "pids"
    script = f"read go; sleep 600 & echo $! > {pids}; echo $$ >> {pids}; echo > {started}; wait"
    with pytest.raises(KeyboardInterrupt):
        sh(script, stdin=b"go\n")
    waiting.join()
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


def test_a_daemon_that_holds_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(proc.CommandFailed, match="exited -9") as caught:
        sh(f"setsid sh -c 'echo $$ > {pid}; exec sleep 600' & echo so far; wait", timeout=1)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    assert caught.value.details == ("so far", "stopped after 1 s")


def test_ctrl_c_at_the_terminal_does_not_reach_the_program() -> None:
    """It has a group of its own: we end it, it is not ended beside us."""
    code = "import os; print(os.getpgid(0) == os.getpid())"
    assert proc.run([sys.executable, "-c", code]).stdout == b"True\n"


def test_a_fork_does_work_beside_ours() -> None:
    with proc.forked(lambda: (os.getpid(), {"a": [1]})) as wait:
        pid, value = wait()
    assert pid != os.getpid()
    assert value == {"a": [1]}


@pytest.mark.parametrize(
    "error",
    [
        InvalidInput("bad", hint="h", details=("d",)),
        UsageError("worse"),
        proc.CommandFailed(("git", "push"), proc.Finished(1, b"", b"no")),
        ValueError("plain"),
    ],
)
def test_what_a_fork_raises_is_raised_here(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(type(error)) as caught, proc.forked(fail) as wait:
        wait()
    assert str(caught.value) == str(error)
    assert getattr(caught.value, "details", ()) == getattr(error, "details", ())
    assert getattr(caught.value, "hint", "") == getattr(error, "hint", "")


def test_a_fork_that_is_killed_is_told() -> None:
    with (
        pytest.raises(RemoteFailed, match="was killed"),
        proc.forked(lambda: os.kill(os.getpid(), signal.SIGKILL)) as wait,
    ):
        wait()


def test_a_fork_is_ended_when_its_result_is_no_longer_wanted(tmp_path: Path) -> None:
    reading, writing = os.pipe()

    def forever() -> None:
        os.write(writing, f"{os.getpid()}\n".encode())
        signal.pause()

    with pytest.raises(UsageError), proc.forked(forever):
        pid = int(os.read(reading, 32))
        raise UsageError("something else went wrong")
    assert is_gone(pid)
    os.close(reading)
    os.close(writing)


def test_a_result_that_cannot_cross_is_an_error_and_not_a_hang() -> None:
    with pytest.raises(Exception, match="pickle"), proc.forked(lambda: (n for n in "ab")) as wait:
        wait()


def test_a_fork_does_not_run_our_clean_up(tmp_path: Path) -> None:
    code = (
        "import atexit; from idp import proc\n"
        "atexit.register(print, 'clean-up', flush=True)\n"
        "print('once')\n"
        "with proc.forked(lambda: 1) as wait: wait()\n"
    )
    assert proc.run([sys.executable, "-c", code]).stdout == b"once\nclean-up\n"
