"""Reading many files at once: those of this machine in processes, others in threads."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from idp.catalog.index.rows import FileRows
from idp.catalog.ingest.intake import Local, read_local, read_remote
from idp.catalog.source.base import Found, Source
from idp.errors import IdpError

BATCH = 64
"""Files that a process is given at once."""

FEW = 200
"""Fewer files than this are read faster without starting processes."""

SWEEP = 500_000
"""New objects until Python looks for circles among them."""

Read = tuple[Found, "FileRows | Exception"]
In = TypeVar("In")
Out = TypeVar("Out")


def read_all(source: Source, files: Sequence[Found]) -> Iterator[Read]:
    """Yield each file with its rows, or the error that kept it from being read, in order."""
    local = [found for found in files if found.local]
    remote = [found for found in files if not found.local]
    yield from _read_local(local)
    if remote:
        with ThreadPoolExecutor(max(1, source.workers)) as pool:
            rows = _in_order(pool, partial(_read_remote, source), remote, source.workers * 4)
            yield from zip(remote, rows, strict=True)


def _read_remote(source: Source, found: Found) -> FileRows | Exception:
    try:
        return read_remote(source, found)
    except (IdpError, OSError) as error:
        return error


def _read_local(files: Sequence[Found]) -> Iterator[Read]:
    jobs = [Local(found.local, found.beside) for found in files if found.local]
    batches = [jobs[start : start + BATCH] for start in range(0, len(jobs), BATCH)]
    if len(jobs) < FEW:
        done: Iterable[list[FileRows | OSError]] = map(read_local, batches)
        yield from zip(files, (rows for batch in done for rows in batch), strict=True)
        return
    with _processes() as pool:
        done = _in_order(pool, read_local, batches, 2 * _count() + 2)
        yield from zip(files, (rows for batch in done for rows in batch), strict=True)


def _count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes() -> ProcessPoolExecutor:
    # Threads may be running already: a fork of them could wait for ever.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(_count(), mp_context=context, initializer=_begin)


@contextmanager
def seldom_swept() -> Iterator[None]:
    """Look for circles in memory less often: rows have none, and the search takes long."""
    usual = gc.get_threshold()
    gc.set_threshold(SWEEP, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _begin() -> None:
    """Begin a worker's life: Ctrl-C is its parent's to answer, and it ends with its parent."""
    gc.set_threshold(SWEEP)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


def _in_order(
    pool: Executor, work: Callable[[In], Out], jobs: Sequence[In], most: int
) -> Iterator[Out]:
    """Yield what comes of jobs in their order, never more than `most` of them under way."""
    waiting: deque[Future[Out]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(work, job))
            if len(waiting) >= most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
