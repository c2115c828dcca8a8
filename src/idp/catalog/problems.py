"""All that is wrong in the catalog: in files, in sources, and between entities."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from idp.catalog import report
from idp.catalog.index.opened import Index
from idp.catalog.index.packing import unpack
from idp.catalog.index.schema import DATA, NUMBER, RELATIONS
from idp.catalog.problem import Level, written
from idp.errors import UsageError

RULES = {
    **report.RULES,
    "unreadable": "Every file that a source lists can be read",
    "source": "Every source, and every repository of it, can be read",
    "orphan": "Every entity is in a file",
}
"""The sorts of problems, each as what should be so."""

_EVERY = ",".join(map(str, range(len(RELATIONS))))
_OF_FILES = (
    "SELECT s.place, f.repository, f.location, f.path, p.document, p.line, p.col, p.path,"
    " p.message, p.hint, p.rule, p.level, p.skeleton, coalesce(n.ref, '')"
    " FROM problem p JOIN file f ON f.id = p.file JOIN source s ON s.id = f.source"
    " LEFT JOIN entity e ON e.file = p.file AND e.document = p.document"
    " LEFT JOIN node n ON n.id = e.id"
)
_CLAIMS = (
    "SELECT s.place, f.repository, f.location, f.path, c.document, c.line, c.col, n.ref,"
    " g.location, e.line FROM claim c JOIN file f ON f.id = c.file JOIN source s ON s.id = f.source"
    " JOIN node n ON n.id = c.node LEFT JOIN entity e ON e.id = c.node"
    " LEFT JOIN file g ON g.id = e.file"
)
_PLACE = "s.place, f.repository, f.location, f.path, e.document, e.line, n.ref"
_WHERE_IT_IS = " JOIN file f ON f.id = e.file JOIN source s ON s.id = f.source"
# From the few refs that nobody has, by the key of `relation`: not over all of it.
_DANGLING = (
    f"SELECT {_PLACE}, {DATA}, r.type, m.ref FROM node m CROSS JOIN relation r"
    f" ON r.type IN ({_EVERY}) AND r.target = m.id AND r.by = 0"
    f" JOIN entity e ON e.id = r.source JOIN node n ON n.id = e.id{_WHERE_IT_IS}"
    " WHERE NOT EXISTS (SELECT 1 FROM entity WHERE id = m.id)"
)
_SPOILT = (
    "SELECT p.ref, f.location, p.line FROM problem p JOIN file f ON f.id = p.file"
    " WHERE p.ref != '' AND p.level = 'error'"
)
_OWNERLESS = (
    f"SELECT {_PLACE} FROM entity e JOIN node n ON n.id = e.id{_WHERE_IT_IS}"
    " WHERE e.owner IS NULL AND e.kind NOT IN ('Group', 'User', 'Location')"
)
_ORPHANS = (
    f"SELECT {_PLACE}, e.orphaned_at FROM entity e JOIN node n ON n.id = e.id{_WHERE_IT_IS}"
    " WHERE e.orphaned_at IS NOT NULL"
)


@dataclass(frozen=True)
class Listed:
    """A problem of the catalog.

    Attributes:
        source: the source, as the platform file has it.
        repository: its address in a browser, empty where there is none.
        location: the file, `file:/…` or the URL of its page; empty for a source's own problem.
        file: its path in the repository, or in the folder of the source.
        document: which of the file's documents, from 0.
        line, column: counted from 1; 0 for a source's own problem.
        path: the field; empty for the whole document.
        ref: the entity; empty where there is none.
        skeleton: it is in a template's file, which has not been rendered.
    """

    source: str
    repository: str
    location: str
    file: str
    document: int
    line: int
    column: int
    path: str
    ref: str
    message: str
    hint: str
    rule: str
    level: Level
    skeleton: bool = False

    @property
    def place(self) -> str:
        """Where it is, for a person: a path on this machine, a URL, or the source."""
        return self.location.removeprefix("file:") or self.repository or self.source


def problems(index: Index) -> list[Listed]:
    """Return all that is wrong, source by source, file by file."""
    found = [
        *_sources(index),
        *_of_files(index),
        *_claims(index),
        *_dangling(index),
        *_ownerless(index),
        *_orphans(index),
    ]
    return sorted(found, key=_order)


def check_names(index: Index, rule: str, source: str) -> None:
    """Refuse a rule or a source that does not exist; empty ones are none.

    Raises:
        UsageError: with those that do.
    """
    places = [row[0] for row in index.connection.execute("SELECT place FROM source")]
    for what, name, known in (("rule", rule, [*RULES]), ("source", source, sorted(places))):
        if name and name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"{what}s: {', '.join(known)}"
            raise UsageError(f"no {what} {name!r}", hint=hint)


def _order(one: Listed) -> tuple[Any, ...]:
    where = (bool(one.location), one.location, one.source, one.repository)
    return *where, one.document, one.line, one.column, one.path, one.message, one.rule


def _sources(index: Index) -> Iterator[Listed]:
    for place, trouble in index.connection.execute("SELECT place, trouble FROM source"):
        for repository, message, hint in json.loads(trouble):
            where = (place, repository, "", "", 0, 0, 0)
            yield _listed(where, "", "", message, hint, "source", "error")


def _of_files(index: Index) -> Iterator[Listed]:
    for *where, field, message, hint, rule, level, skeleton, ref in _rows(index, _OF_FILES):
        yield _listed(where, field, ref, message, hint, rule, level, bool(skeleton))


def _claims(index: Index) -> Iterator[Listed]:
    for *where, ref, owner, line in _rows(index, _CLAIMS):
        held = f"{owner.removeprefix('file:')}:{line}" if owner else "another file"
        message = f"{ref} is there already, at {held}: only the first counts"
        hint = "rename or remove one of the two"
        yield _listed(where, "metadata.name", ref, message, hint, "refs", "error")


def _dangling(index: Index) -> Iterator[Listed]:
    spoilt = {ref: f"{at.removeprefix('file:')}:{line}" for ref, at, line in _rows(index, _SPOILT)}
    for *where, ref, data, number, target in _rows(index, _DANGLING):
        kind = RELATIONS[number]
        field = _field(unpack(data), kind, target)
        who = "the owner " if number == NUMBER["ownedBy"] else ""
        said = (f"{who}{target} is not in the catalog", "mend the name, or add what it means")
        level = "error"
        if target in spoilt:
            said = (f"{target} is not valid itself, at {spoilt[target]}", "mend it there")
            level = "warning"
        yield _listed((*where, 1), field, ref, *said, "refs", level)


def _field(data: dict[str, Any], relation: str, target: str) -> str:
    """Return the field of a document that refers to an entity by a relation."""
    from idp.catalog.index.rows import entity_of

    paths = (
        mention.path
        for mention in entity_of(data).mentions
        if mention.field.relation == relation and str(mention.target) == target
    )
    return written(next(paths, ("spec",)))


def _ownerless(index: Index) -> Iterator[Listed]:
    for *where, ref in _rows(index, _OWNERLESS):
        what = ("is missing", "add owner")
        yield _listed((*where, 1), "spec.owner", ref, *what, "refs", "warning")


def _orphans(index: Index) -> Iterator[Listed]:
    for *where, ref, since in _rows(index, _ORPHANS):
        message = f"{ref} is in no file any more, since {since[:10]}"
        hint = "bring its file back, or leave it: it goes when its time is over"
        yield _listed((*where, 1), "", ref, message, hint, "orphan", "warning")


def _listed(where: Sequence[Any], *said: Any) -> Listed:
    return Listed(*where, *said)


def _rows(index: Index, sql: str) -> Iterator[Sequence[Any]]:
    yield from index.connection.execute(sql)
