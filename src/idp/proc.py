"""The one door for processes."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from idp.errors import NotFound, RemoteFailed

T = TypeVar("T")

TAIL = 40
"""Lines of a failed program's output that are shown."""

GRACE = 1.0
"""Seconds until the pipes of a program that was ended are closed, whoever holds them."""


@dataclass(frozen=True)
class Finished:
    """What a program that ran to its end left behind."""

    code: int
    stdout: bytes
    stderr: bytes


class CommandFailed(RemoteFailed):
    """A program ended with an exit code that was not expected."""

    code = "command_failed"
    retryable = False

    def __init__(self, command: Sequence[str], finished: Finished) -> None:
        self.finished = finished
        said = (finished.stderr or finished.stdout).decode(errors="replace").strip()
        lines = tuple(said.splitlines()[-TAIL:])
        super().__init__(f"`{' '.join(command[:2])}` exited {finished.code}", details=lines)


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    timeout: float = 600,
    ok: Sequence[int] = (0,),
    merge_streams: bool = False,
) -> Finished:
    """Run a program to its end, in a process group of its own.

    Args:
        timeout: seconds until the whole group is killed.
        ok: the exit codes that are no failure.
        merge_streams: stderr goes into stdout, in the order written.

    Raises:
        CommandFailed: another exit code, or out of time.
        NotFound: there is no such program.
    """
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge_streams else subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd and not cwd.is_dir():
            raise NotFound(f"no folder {cwd}") from error
        raise NotFound(f"no program called {command[0]}", hint=f"install {command[0]}") from error
    finished = _finish(process, command, stdin, timeout)
    if finished.code not in ok:
        raise CommandFailed(command, finished)
    return finished


def _finish(
    process: subprocess.Popen[bytes], command: Sequence[str], stdin: bytes | None, timeout: float
) -> Finished:
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired as error:
        said = _end_group(process).decode(errors="replace")
        late = f"{said.rstrip()}\nstopped after {timeout:g} s".encode()
        raise CommandFailed(command, Finished(-signal.SIGKILL, late, b"")) from error
    except BaseException:
        _end_group(process)
        process.wait()
        raise
    return Finished(process.returncode, out, err or b"")


def _end_group(process: subprocess.Popen[bytes]) -> bytes:
    """End the program and all it started; return what it wrote."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    try:
        out, _ = process.communicate(timeout=GRACE)
    except subprocess.TimeoutExpired as left:  # a daemon has left the group and holds the pipe
        out = left.output
        process.wait()
    for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
        with suppress(BrokenPipeError):
            stream.close()
    return out or b""


def become(command: Sequence[str], env: Mapping[str, str]) -> NoReturn:
    """Turn this process into a program, which has its terminal, its signals and its exit code.

    Raises:
        NotFound: there is no such program, or it is none.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and a program would too
    try:
        os.execvpe(command[0], list(command), dict(env))
    except OSError as error:
        why = f"cannot run {command[0]}: {error.strerror}"
        raise NotFound(why, hint=f"install {command[0]}") from None


def no_way_back() -> None:
    """Ignore Ctrl-C and SIGTERM from here on: what is being done will be whole in a moment.

    Whoever calls a command inside a longer process puts the handlers back, as `main` does.
    """
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block is done."""
    former = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


@contextmanager
def forked(work: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """Do work in a fork of this process, which has imported what it needs already.

    Yields what waits for the result; what the work raises is raised there.
    """
    reading, writing = os.pipe()
    # Ctrl-C inside a fork's own callbacks would be printed and lost; the child is ended by us.
    former = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
    else:
        os.close(reading)
        _answer(work, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a file descriptor
        try:
            yield lambda: _result(pipe.read())
        except BaseException:
            os.kill(child, signal.SIGKILL)
            raise
        finally:
            os.waitpid(child, 0)


def _answer(work: Callable[[], object], writing: int) -> None:
    """Write the outcome to the parent and end, without running the parent's clean-up."""
    try:
        try:
            outcome = pickle.dumps((True, work()))
        except BaseException as error:
            outcome = pickle.dumps((False, error))
        with open(writing, "wb") as pipe:
            pipe.write(outcome)
    finally:
        os._exit(0)


def _result(answer: bytes) -> Any:
    if not answer:
        raise RemoteFailed("a process of ours was killed", hint="run the command again")
    done, value = pickle.loads(answer)
    if not done:
        raise value
    return value
