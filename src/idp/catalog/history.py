"""What an entity was in the past: git's own history of its file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from idp import git
from idp.catalog.difference import Change, changes
from idp.catalog.entity import Entity
from idp.catalog.filelog import Logged, Run, contents, log
from idp.catalog.index.opened import Card, Index, Provenance
from idp.catalog.placeholders import Surroundings
from idp.catalog.source.grammar import parse_place
from idp.catalog.source.mirror import EnvFor, Mirror
from idp.catalog.validation import Judged, judge_file
from idp.errors import InvalidInput, NotFound, UsageError

Event = Literal["added", "changed", "moved", "removed", "broken"]

_BATCH = 100


@dataclass(frozen=True)
class Version:
    """A commit that changed an entity.

    Attributes:
        at: when it came to the branch.
        commit: empty for what is not committed yet.
        event: `broken` if the document cannot be read in it: what was before holds on.
        owner: the canonical ref of its owner from then on, empty if there is none.
        path: the file.
        problem: why it is broken.
    """

    at: datetime
    commit: str
    author: str
    summary: str
    event: Event
    owner: str
    path: str
    changes: tuple[Change, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class History:
    """An entity's versions, newest first, and its document in each (None where it was not there).

    Attributes:
        is_shallow: the clone has not all commits: there may be more.
    """

    ref: str
    versions: tuple[Version, ...]
    entities: tuple[Entity | None, ...]
    is_shallow: bool = False


@dataclass(frozen=True)
class Past:
    """How an entity stood at a time.

    Attributes:
        at: the time.
        since: since when it stood so.
        commit: what made it so.
        document: all that its file said.
    """

    ref: str
    at: datetime
    owner: str
    type: str
    lifecycle: str
    system: str
    depends_on: tuple[str, ...]
    since: datetime
    commit: str
    author: str
    summary: str
    path: str
    document: dict[str, Any]


def history(index: Index, card: Card, cache: Path, env_for: EnvFor) -> History:
    """Read an entity's history from its work tree, or from a mirror of its repository.

    Args:
        cache: where mirrors are kept.

    Raises:
        InvalidInput: its file is in no git repository that is known.
        NotFound: no commit has it.
        NotAllowed, RemoteFailed: its repository cannot be reached.
    """
    where = index.provenance(card.id)
    if where.location.startswith("file:/"):
        return _local(card.ref, Path(where.location.removeprefix("file:")))
    return _remote(card.ref, where, cache, env_for)


def _local(ref: str, file: Path) -> History:
    folder = next(folder for folder in file.parents if folder.is_dir())
    try:
        repo = git.find(folder)
    except InvalidInput as error:
        hint = "history is git's own: keep the file in a repository"
        raise InvalidInput(
            f"{file} has no history: it is in no git work tree", hint=hint
        ) from error
    run = partial(git.run, cwd=repo.top)
    path = os.path.relpath(f"{os.path.realpath(folder)}/{file.relative_to(folder)}", repo.top)
    is_begun = not run("rev-parse", "--verify", "--quiet", "HEAD", ok=(0, 1)).code
    steps = _contents(run, log(run, "HEAD", path) if is_begun else [])
    return _history(ref, chain(steps, _now(file, path)), file, is_shallow=repo.shallow)


def _now(file: Path, path: str) -> Iterator[tuple[Logged, bytes]]:
    """Yield the file as it is in the work tree, committed or not; nothing if it is not there."""
    if file.is_file():
        changed = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
        yield Logged("", changed, "", "", path, ""), file.read_bytes()


def _remote(ref: str, where: Provenance, cache: Path, env_for: EnvFor) -> History:
    url, branch = _repository(where)
    mirror = Mirror(url, cache, env_for)
    if not mirror.has(where.commit):
        newest = mirror.fetch(mirror.tip(branch))
        where = where if mirror.has(where.commit) else replace(where, commit=newest)
    return _history(
        ref, _contents(mirror.run, log(mirror.run, where.commit, where.path)), where.path
    )


def _repository(where: Provenance) -> tuple[str, str]:
    """Return the URL and the branch that an entity was read from."""
    place = parse_place(where.place, base=Path("/"))
    if place.kind == "git":
        return place.url, place.ref
    if place.kind != "forge":
        again = where.repository or "its repository"
        raise InvalidInput(
            f"{where.place} does not say which file the entity is from: its history is not known",
            hint=f"add {again} as a source, then `idp catalog ingest`",
        )
    return f"{where.repository}.git", ""


def _contents(run: Run, commits: list[Logged]) -> Iterator[tuple[Logged, bytes]]:
    """Yield commits, each with the file after it; some at a time, since files may be large."""
    for start in range(0, len(commits), _BATCH):
        some = commits[start : start + _BATCH]
        blobs = [one.blob for one in some if one.blob]
        read = dict(zip(blobs, contents(run, blobs), strict=True))
        yield from ((one, read.get(one.blob, b"")) for one in some)


def _history(
    ref: str, steps: Iterable[tuple[Logged, bytes]], file: Path | str, *, is_shallow: bool = False
) -> History:
    told = list(_versions(ref, steps))[::-1]
    if not told:
        raise NotFound(f"no commit has {ref} in {file}")
    versions, entities = zip(*told, strict=True)
    return History(ref, versions, entities, is_shallow)


def _versions(
    ref: str, steps: Iterable[tuple[Logged, bytes]]
) -> Iterator[tuple[Version, Entity | None]]:
    """Yield the versions of one entity, oldest first, each with the entity from then on."""
    former: Entity | None = None
    path = ""
    for commit, content in steps:
        found, problem = _find(ref, content)
        event: Event | None = None
        changed: tuple[Change, ...] = ()
        if problem:
            event = "broken"
        elif former is None or found is None:
            event = "added" if found else "removed" if former else None
        elif changed := changes(former.data, found.data):
            event = "changed"
        elif commit.path != path:
            event = "moved"
        former = former if problem else found
        path = commit.path
        if event:
            about = (commit.at, commit.commit, commit.author, commit.summary, event)
            yield Version(*about, _owner(former), path, changed, problem), former


def _find(ref: str, content: bytes) -> tuple[Entity | None, str]:
    """Return an entity of a file, or why it cannot be read though it seems to be there."""
    judged = judge_file(content, Surroundings()) if content else []
    for one in judged:
        if one.entity and str(one.entity.ref) == ref:
            return one.entity, ""
    spoilt = (one for one in judged if not one.ok and _may_be(ref, one))
    problems = [one.problems[0] for one in spoilt]
    if not problems:
        return None, ""
    first = problems[0]
    field = f"{first.path}: " if first.path else ""
    return None, f"line {first.line}: {field}{first.message}"


def _may_be(ref: str, one: Judged) -> bool:
    """Tell whether an invalid document may be that of an entity."""
    data = one.document.data
    if not isinstance(data, dict):
        return bool(one.document.problems)
    metadata = data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return ref.rpartition("/")[2] == str(name).lower()


def _owner(entity: Entity | None) -> str:
    return next(iter(_targets(entity, "owner")), "") if entity else ""


def _targets(entity: Entity, field: str) -> list[str]:
    return [str(one.target) for one in entity.mentions if one.field.name == field]


def moment(written: str) -> datetime:
    """Return the end of a year, a month or a day, in UTC; an exact time as it is.

    Raises:
        UsageError: it is none of these.
    """
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?", written)
    try:
        if not found:
            time = datetime.fromisoformat(written)
            return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        year, month, day = (int(part or 0) for part in found.groups())
        if not month:
            after = datetime(year + 1, 1, 1, tzinfo=UTC)
        elif not day:
            after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
            datetime(year, month, 1, tzinfo=UTC)
        else:
            after = datetime(year, month, day, tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        hint = "--at 2026-03-15, --at 2026-03, --at 2026-03-15T09:00Z"
        raise UsageError(f"{written!r} is no date", hint=hint) from error
    return after - timedelta(microseconds=1)


def at(told: History, time: datetime) -> Past:
    """Return how an entity stood at a time.

    Raises:
        NotFound: it was not there.
    """
    pairs = zip(told.versions, told.entities, strict=True)
    so_far = [pair for pair in pairs if pair[0].at <= time]
    version, entity = next((p for p in so_far if p[0].event != "broken"), (None, None))
    if version is None or entity is None:
        raise _absent(told, version, time)
    spec = entity.data["spec"]
    return Past(
        told.ref,
        time,
        _owner(entity),
        str(spec.get("type", "")),
        str(spec.get("lifecycle", "")),
        next(iter(_targets(entity, "system")), ""),
        tuple(sorted(_targets(entity, "dependsOn"))),
        version.at,
        version.commit,
        version.author,
        version.summary,
        version.path,
        json.loads(json.dumps(entity.data, default=lambda unread: {"$text": unread.source})),
    )


def _absent(told: History, version: Version | None, time: datetime) -> NotFound:
    """Return the error of an entity that was not there at a time: not yet, or no longer."""
    day = time.date().isoformat()
    if version is not None:
        hint = f"it was removed on {version.at.date()} by {version.commit[:12]}"
        return NotFound(f"{told.ref} was no longer there on {day}", hint=hint)
    first = told.versions[-1]
    hint = f"it came on {first.at.date()} by {first.commit[:12] or 'a change not committed yet'}"
    if told.is_shallow:
        hint = "the clone is shallow: git fetch --unshallow"
    return NotFound(f"{told.ref} was not there yet on {day}", hint=hint)
