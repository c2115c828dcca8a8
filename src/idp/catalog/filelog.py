"""The commits that changed a file, its former names included."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from idp import git
from idp.proc import Finished

Run = Callable[..., Finished]
"""Runs git in one repository."""

_FORMAT = "--format=%x01%H%x02%ct%x02%an%x02%s%x00"
_COMMIT = re.compile(r"\x01([0-9a-f]{40,64})\x02(\d+)\x02([^\0]*?)\x02([^\0]*)\0\n?")


@dataclass(frozen=True)
class Logged:
    """A commit that changed a file.

    Attributes:
        at: when it was committed.
        path: the file's path after it.
        blob: the file's content after it, empty where the file is gone.
    """

    commit: str
    at: datetime
    author: str
    summary: str
    path: str
    blob: str


def log(run: Run, tip: str, path: str) -> list[Logged]:
    """Return the commits that changed a file, oldest first.

    Only first parents are walked: a version counts from when it came to the branch, by a merge too.
    """
    words = ("--follow", "-M", "--first-parent", "--diff-merges=first-parent", "--raw", "-z")
    plain = ("--no-abbrev", "--no-show-signature", "--no-color", "--encoding=UTF-8", _FORMAT)
    said = run("log", *words, *plain, tip, "--", path, env=git.clean_env(GIT_LITERAL_PATHSPECS="1"))
    parts = _COMMIT.split(said.stdout.decode(errors="surrogateescape"))[1:]
    found = []
    for at in range(0, len(parts), 5):
        commit, seconds, author, summary, raw = parts[at : at + 5]
        # `:100644 100644 OLD NEW M\0PATH\0`, with two paths for a rename
        fields = raw.strip("\0\n").split("\0")
        blob = fields[0].split(" ")[3]
        when = datetime.fromtimestamp(int(seconds), UTC)
        found.append(Logged(commit, when, author, summary, fields[-1], blob.strip("0") and blob))
    return found[::-1]


def contents(run: Run, blobs: list[str]) -> list[bytes]:
    """Return the contents of blobs, in one process."""
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    return list(git.batch(run("cat-file", "--batch", stdin=asked).stdout)) if blobs else []
