"""Checkpoints in a git repository: who holds the ledger and its key cannot change them there.

Each ledger has a file of its own, `LEDGER.jsonl`, a line of JSON a checkpoint; other files that end
so are read as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from idp import git
from idp.audit.seal import Checkpoint, parse
from idp.clone import Clone, Remote, author_env
from idp.errors import InvalidInput, NotAllowed, NotFound, Refused

ENDING = ".jsonl"
FIRST_BRANCH = "main"
"""The branch of a repository that has none."""

_TRIES = 20
_HISTORY = ("-p", "-U0", "-m", "--full-history", "--no-renames", "--text", "--no-ext-diff")


@dataclass(frozen=True)
class Kept:
    """What a repository keeps.

    Attributes:
        place: where, for people.
        tip: the commit, "" before the first one.
        now: the checkpoints of this ledger.
        gone: those that its history has, and it has no more.
        others: the ids of other ledgers that are anchored there.
    """

    place: str
    tip: str = ""
    now: tuple[Checkpoint, ...] = ()
    gone: tuple[Checkpoint, ...] = ()
    others: tuple[str, ...] = ()


@contextmanager
def opened(remote: Remote, branch: str, room: Path) -> Iterator[Clone]:
    """Give a clone that holds nothing yet; it goes when the block ends.

    Args:
        branch: "" is the repository's default one.
        room: the folder for what is passing.
    """
    from idp.workshop import workshop

    room.mkdir(parents=True, exist_ok=True)
    with workshop(room) as folder:
        top = folder / "anchors"
        git.run("init", "--quiet", "--template=", "--", str(top))
        yield Clone(git.find(top), remote, branch or _default(remote))


def _default(remote: Remote) -> str:
    try:
        return remote.default()
    except NotFound:
        return FIRST_BRANCH


def kept(clone: Clone, ledger: str) -> Kept:
    """Fetch and return what is kept of a ledger.

    Raises:
        InvalidInput: a line is no checkpoint.
        RemoteFailed, NotAllowed: the repository cannot be reached, or lets nobody in.
    """
    place, tip = f"{clone.remote.name}@{clone.branch}", clone.fetch(clone.branch)
    if not tip:
        return Kept(place)
    lines: dict[str, str] = {}
    for file, content in _files(clone, tip).items():
        text = content.decode(errors="replace")
        lines |= {line: f"{place}:{file}" for line in text.splitlines() if line.strip()}
    found = [parse(line, where) for line, where in lines.items()]
    gone = [one for one in _removed(clone, tip) if one not in found]
    return Kept(
        place,
        tip,
        tuple(one for one in found if one.ledger == ledger),
        tuple(one for one in gone if one.ledger == ledger and one.is_genuine),
        tuple(sorted({one.ledger for one in found} - {ledger})),
    )


def _files(clone: Clone, tip: str) -> dict[str, bytes]:
    listing = clone.repo.run("ls-tree", "-z", tip).stdout
    entries = {
        name: entry.oid
        for name, entry in git.tree_of(listing).items()
        if name.endswith(ENDING) and entry.mode.startswith("100")
    }
    asked = "".join(f"{oid}\n" for oid in entries.values()).encode()
    contents = git.batch(clone.repo.run("cat-file", "--batch", stdin=asked).stdout)
    return dict(zip(entries, contents, strict=True))


def _removed(clone: Clone, tip: str) -> list[Checkpoint]:
    """Return the checkpoints that some commit took out of some file."""
    asked = ("log", "--format=", *_HISTORY, "--no-textconv", tip, "--", f":(glob)*{ENDING}")
    text = clone.repo.run(*asked).stdout.decode(errors="replace")
    found = []
    for line in text.splitlines():
        if line.startswith("-{"):
            try:
                found.append(parse(line[1:], ""))
            except InvalidInput:
                continue
    return list(dict.fromkeys(found))


def add(clone: Clone, head: Checkpoint, keys: Collection[str]) -> str:
    """Append a checkpoint, push it, and return the commit that holds it.

    Where others push meanwhile, it goes after theirs; where they have kept this head or a newer
    one, by a believed key, nothing is added.

    Raises:
        NotAllowed: the repository does not take it.
        Refused: others were faster each time.
    """
    for attempt in range(1, _TRIES + 1):
        known = kept(clone, head.ledger)
        if any(_covers(one, head) and one.key in keys and one.is_genuine for one in known.now):
            return known.tip
        commit = _commit(clone, known.tip, head)
        try:
            clone.push(clone.branch, known.tip, commit)
        except (Refused, NotAllowed):
            moved = clone.remote.tips(clone.branch)[clone.branch] != known.tip
            if attempt == _TRIES or not moved:
                raise
        else:
            return commit
    raise AssertionError


def _covers(one: Checkpoint, head: Checkpoint) -> bool:
    return one.seq > head.seq or (one.seq, one.hash) == (head.seq, head.hash)


def _commit(clone: Clone, tip: str, head: Checkpoint) -> str:
    """Write the commit that holds one more line, after a tip or as the first one."""
    repo, file = clone.repo, f"{head.ledger}{ENDING}"
    before = _files(clone, tip).get(file, b"") if tip else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    asked = ("hash-object", "-w", "--no-filters", "--stdin")
    oid = repo.run(*asked, stdin=before + f"{head.line}\n".encode()).stdout.decode().strip()
    lines = git.index_lines(file, {0: git.Entry("100644", oid)}, repo.nothing)
    base = tip or repo.run("mktree", stdin=b"").stdout.decode().strip()
    tree = clone.write_tree(base, lines)
    message = f"audit: {head.ledger} up to record {head.seq}"
    parents = ("-p", tip) if tip else ()
    env = git.clean_env(**author_env(repo))
    return git.text("commit-tree", tree, *parents, "-m", message, cwd=repo.top, env=env)
