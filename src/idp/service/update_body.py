"""The text of an update's pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from idp.git import Entry
from idp.markdown import code, harmless, quoted
from idp.service import changelog
from idp.service.merge import FileOutcome
from idp.service.proposal import Update

LIMIT = 65_536 - 1_024
"""Bytes of a text: GitHub's limit in characters, less what is said of what is left out."""

OPEN_ROWS = 30
"""Files in a table that is not folded."""

LONGEST = 400
"""Characters of a note, or of a command that waits."""

MARKED = re.compile(rb"^<{7,} yours\r?$", re.M)


@dataclass(frozen=True)
class Open:
    """A path that a person has to decide, and what both sides want there, in Markdown."""

    path: str
    what: str


@dataclass(frozen=True)
class Story:
    """What is told of an update.

    Attributes:
        news: what the template's changelog says of it, as it stands there.
        waiting: commands of the template that were not run.
    """

    name: str
    template: str
    old: str
    new: str
    branch: str
    news: str
    files: tuple[FileOutcome, ...]
    open: tuple[Open, ...]
    notes: tuple[str, ...]
    waiting: tuple[str, ...]


def story_of(update: Update, branch: str) -> Story:
    """Return what is to be told of an update."""
    old, new = update.old, update.new
    paths = sorted(update.merged.conflicts)
    contents = _contents(update, paths)
    return Story(
        new.name,
        new.template,
        old.version,
        new.version,
        branch,
        changelog.between(old, new),
        update.files,
        tuple(_open(update, path, contents) for path in paths),
        update.notes,
        update.waiting,
    )


def _open(update: Update, path: str, contents: Mapping[str, bytes]) -> Open:
    stages, entry = update.merged.conflicts[path], update.merged.tree.get(path)
    new = harmless(f"{update.new.name} {update.new.version}")
    if entry and MARKED.search(contents[entry.oid]):
        both = "changed the same lines" if 1 in stages else "added it, each in its own way"
        return Open(path, f"you and {new} {both}: marked in the file")
    match sorted(stages):
        case [1]:
            what = f"you moved it to one place, {new} to another"
        case [1, 2]:
            what = f"you changed it, {new} deletes or moves it: yours is kept here"
        case [1, 3]:
            what = f"you deleted or moved it, {new} changes it"
        case [2]:
            what = f"yours: {new} has it elsewhere, or something else in its place"
        case [3]:
            what = f"of {new}: you have it elsewhere, or something else in its place"
        case _:
            has = _size(stages[3], contents)
            what = f"both changed it and no marks fit in: yours is kept, {new} has {has}"
    return Open(path, what)


def _contents(update: Update, paths: Iterable[str]) -> dict[str, bytes]:
    """Return what the files in conflict hold, merged and as the template has them, by blob."""
    merged = update.merged
    found = [entry for path in paths for entry in (merged.tree.get(path),) if entry]
    found += [stages[3] for stages in merged.conflicts.values() if 3 in stages]
    oids = sorted({entry.oid for entry in found})
    return dict(zip(oids, update.scratch.blobs(oids), strict=True)) if oids else {}


def _size(entry: Entry, contents: Mapping[str, bytes]) -> str:
    content = contents[entry.oid]
    if entry.mode == "120000":
        return f"a link to {code(content.decode(errors='surrogateescape'))}"
    return f"{len(content):,} bytes"


def body(story: Story) -> str:
    """Return the text, in Markdown, cut to what a forge takes: the table first, then the news."""
    rows = [_row(file) for file in story.files]
    to_know = _cut(_to_know(story), LIMIT // 4, "- … and {} more")
    news = quoted(story.news).splitlines()
    todo = [f"- [ ] {code(item.path)}: {item.what}" for item in story.open]
    room = LIMIT - _size_of(_parts(story, [], to_know, [], []))
    todo = _cut(todo, room // 2, "- … and {} more: `git grep -l '^<<<<<<< yours'`")
    news = _cut(news, room - _size_of(todo), "> … and {} more lines: see the template's changelog")
    rows = _cut(rows, room - _size_of(todo) - _size_of(news), "| … | and {} more |")
    return "\n\n".join(_parts(story, todo, to_know, news, rows))


def _size_of(lines: Iterable[str]) -> int:
    return sum(len(line.encode()) + 2 for line in lines)


def _cut(lines: Sequence[str], room: int, more: str) -> list[str]:
    """Return the first lines, as many as fit, and what says how many do not."""
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 2
        if room < 0:
            return [*kept, more.format(f"{len(lines) - len(kept):,}")]
        kept.append(line)
    return kept


def _parts(
    story: Story, todo: list[str], to_know: list[str], news: list[str], rows: list[str]
) -> list[str]:
    """Return the sections of the text, those that have nothing to say left out."""
    there = code(story.template)
    moved = f"from {code(story.old)} to {code(story.new)}"
    if story.old == story.new:
        moved = f"to other answers, on release {code(story.new)}"
    sections = [f"Brings this service {moved} of its template {code(story.name)} ({there})."]
    if story.open:
        sections += ["### To resolve", "\n".join(todo), _how_to_resolve(story)]
    if to_know:
        sections += ["### To know", "\n".join(to_know)]
    if news:
        sections += ["### What is new in the template", "\n".join(news)]
    if story.files:
        sections += ["### What becomes of the files", *_table(rows, len(story.files))]
    return [*sections, "---", _whose(story)]


def _one_line(words: str) -> str:
    return re.sub(r"([\\*_~|\[\]])", r"\\\1", " ".join(words.split()))


def _to_know(story: Story) -> list[str]:
    """Return a list of the notes, and of the commands that were not run."""
    notes = [f"- {harmless(_one_line(_short(note)))}" for note in story.notes]
    if not story.waiting:
        return notes
    if story.open:
        why = "wait until the conflicts are resolved; run then, by hand, what is still needed"
    else:
        why = "were not run: the template is not trusted (`idp update-service --pr --trust`)"
    listed = [f"  - {code(_short(words))}" for words in story.waiting]
    return [*notes, f"- these commands of the template {why}:", *listed]


def _short(words: str) -> str:
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def _table(rows: list[str], count: int) -> list[str]:
    table = "\n".join(["| what | file |", "|---|---|", *rows])
    if count <= OPEN_ROWS:
        return [table]
    return [f"<details><summary>{count:,} files</summary>", table, "</details>"]


def _row(file: FileOutcome) -> str:
    name = f"{code(file.was)} → {code(file.path)}" if file.was else code(file.path)
    return f"| {file.outcome} | {name} |"


def _how_to_resolve(story: Story) -> str:
    return (
        "Both sides stand in the files of this branch. Take it, resolve each file and push:\n\n"
        "```sh\n"
        f"git fetch origin {story.branch} && git switch {story.branch}\n"
        "git diff --check HEAD~1  # names the marks that are left\n"
        "git add --all && git commit -m 'chore: resolve the conflicts of the update' && git push\n"
        "```"
    )


def _whose(story: Story) -> str:
    look = f"`git fetch origin {story.branch} && git switch {story.branch}`"
    return (
        f"Look at it with {look}. `idp update-service --pr` keeps this pull request up to date "
        "until somebody else commits to its branch: from then on it is yours, and left alone. "
        "To give it back, delete the branch. Closed by hand it stays closed until there is another "
        "release."
    )
