"""Programs that outlive whoever starts them: started, told apart from a reused pid, ended."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from idp.errors import IdpError, NotFound, RemoteFailed

PATIENCE = 30
"""Seconds until a program of ours must have begun."""

BEGUN = b"begun"

LOOK = 0.02
"""Seconds between two looks at something that is about to happen."""


@dataclass(frozen=True)
class Process:
    """A process; `born` tells it from a later one that has the same pid."""

    pid: int
    born: str

    @property
    def is_there(self) -> bool:
        """It runs still; one that ended and that nobody has asked for (a zombie) does not."""
        return bool(self.born) and born(self.pid) == self.born

    def send(self, number: int) -> None:
        """Send it a signal, if it is there."""
        if self.is_there:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def this() -> Process:
    """Return this process."""
    return Process(os.getpid(), born(os.getpid()))


def born(pid: int) -> str:
    """Return when a process was born, in a form that no other process has; "" if it is not there.

    On Linux: of which boot, and its tick; a change of the wall clock does not move them.
    """
    if not sys.platform.startswith("linux"):
        return _born_elsewhere(pid)
    try:
        after = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if after[0] in b"ZX" else f"{boot()}/{after[19].decode()}"


def boot() -> str:
    """Return what is the same for as long as the machine is not started anew."""
    if sys.platform.startswith("linux"):
        return _read("/proc/sys/kernel/random/boot_id").decode().strip()[:8]
    import psutil

    return f"{psutil.boot_time():.0f}"


def _read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY)
    try:
        return os.read(handle, 4096)
    finally:
        os.close(handle)


def _born_elsewhere(pid: int) -> str:
    import psutil

    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return "" if gone else f"{boot()}/{process.create_time():.2f}"
    except psutil.Error:
        return ""


def spawn(
    module: str,
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    given: bytes = b"",
    passing: Sequence[int] = (),
) -> None:
    """Start one of our own modules, in a session of its own, and wait until it has `begun`.

    Args:
        log: what it writes is added there.
        given: comes to it through a pipe, so that it is in no list of processes and in no file.
        passing: open files that it inherits.

    Raises:
        RemoteFailed: it did not begin.
    """
    command = [sys.executable, "-P", "-m", module, *words]
    with log.open("ab") as writing:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=writing,
            start_new_session=True,
            pass_fds=tuple(passing),
        )
    try:
        said, _ = process.communicate(given, timeout=PATIENCE)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if said != BEGUN:
        raise RemoteFailed(f"{module} did not begin", hint=f"see {log}")


def detach() -> bytes:
    """Go on in a session of our own, and return what was given; the starter waits for `begun`."""
    if os.fork():
        os._exit(0)
    os.setsid()
    with open(0, "rb", closefd=False) as pipe:
        given = pipe.read()
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return given


def begun() -> None:
    """Let whoever started us go on: from here on observers see us."""
    os.write(1, BEGUN)
    os.dup2(2, 1)


@dataclass(frozen=True)
class Program:
    """What a supervisor runs, with all that it is given.

    Attributes:
        user: who runs it; empty is who we are.
    """

    argv: tuple[str, ...]
    cwd: str
    env: Mapping[str, str]
    user: str = ""


def start(program: Program, log: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a program as a child, in a process group of its own within our session.

    Raises:
        NotFound: there is no such program, or no such folder.
        IdpError: it cannot be started.
    """
    try:
        with open(log, "ab") as writing:  # noqa: PTH123 - a path as text
            return subprocess.Popen(
                program.argv,
                cwd=program.cwd,
                env=dict(program.env),
                stdin=stdin,
                stdout=writing,
                stderr=subprocess.STDOUT,
                process_group=0,
                user=program.user or None,
                group=program.user or None,
                extra_groups=[] if program.user else None,
            )
    except FileNotFoundError as error:
        raise NotFound(f"cannot run {program.argv[0]}: {error.filename} is missing") from error
    except (OSError, ValueError) as error:  # no variable may hold a NUL, for one
        why = error.strerror if isinstance(error, OSError) else error
        raise IdpError(f"cannot run {program.argv[0]}: {why}") from error


def is_group_there(leader: int) -> bool:
    """Tell whether anything of a process group is left."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_group(leader: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to all of a process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


@contextmanager
def locked(path: Path | str) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends; others wait.

    The file may be removed by whoever holds it.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, path):
                yield
                return
        finally:
            os.close(handle)


def _is_at(handle: int, path: Path | str) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), Path(path).stat())
    except FileNotFoundError:
        return False


def be_alone(path: str) -> int:
    """Hold a lock for as long as this process lives, or end it where another holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    give_up = time.monotonic() + 1
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except BlockingIOError:  # somebody who looks holds it too, for microseconds
            if time.monotonic() > give_up:
                _end_quietly()
            time.sleep(LOOK)


def _end_quietly() -> NoReturn:
    sys.exit(0)


def is_held(path: Path | str) -> bool:
    """Tell whether a process that lives holds a lock."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
