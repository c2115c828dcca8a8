"""What a field's name means in an index."""

from __future__ import annotations

from dataclasses import dataclass

from idp.catalog.index.opened import Index
from idp.catalog.index.schema import NUMBER, RELATIONS
from idp.catalog.query.ast import Word
from idp.catalog.query.fault import close, fault

PATHS = {
    "kind": "kind",
    "namespace": "metadata.namespace",
    "name": "metadata.name",
    "title": "metadata.title",
    "description": "metadata.description",
    "type": "spec.type",
    "lifecycle": "spec.lifecycle",
    "tag": "metadata.tags",
    "tags": "metadata.tags",
}
"""Short names of fields that every catalog has."""

FILES = {"source": "s.place", "repository": "f.repository", "path": "f.path"}
"""Fields of the file that an entity was read from, and where the index has them."""

SPECIAL = ("ref", "orphan", "text")

# As in a spec: what is related how, and the kind that is meant where none is written.
_SPEC = {
    "owner": ("ownedBy", "group"),
    "system": ("partOf", "system"),
    "domain": ("partOf", "domain"),
    "subdomainof": ("partOf", "domain"),
    "subcomponentof": ("partOf", "component"),
    "providesapis": ("providesApi", "api"),
    "consumesapis": ("consumesApi", "api"),
    "parent": ("childOf", "group"),
    "children": ("parentOf", "group"),
    "members": ("hasMember", "user"),
}
_USUAL = {
    "ownedBy": "group",
    "hasMember": "user",
    "memberOf": "group",
    "childOf": "group",
    "parentOf": "group",
    "providesApi": "api",
    "consumesApi": "api",
}
# The spec fields of which others of the same relation are not meant.
_NARROW = frozenset({"system", "domain", "subdomainof", "subcomponentof"})

_LOWER = {name.lower(): name for name in RELATIONS}
_ORPHAN = "metadata.annotations.backstage.io/orphan"

NAMES = frozenset({*PATHS, *FILES, *SPECIAL, *_SPEC, *_LOWER, "tier"})
"""Every name that is known without looking into an index, in lower case."""


@dataclass(frozen=True)
class Attributes:
    """Scalars of the document at any of these paths: number and path of each."""

    paths: tuple[tuple[int, str], ...]

    @property
    def says(self) -> str:
        """The paths, for a person."""
        return " or ".join(path for _, path in self.paths) or "a field that nothing has"


@dataclass(frozen=True)
class Relation:
    """Relations of a type.

    Attributes:
        kind: the kind that is meant where a ref does not say it; empty if any may be.
        narrow: only such of the other end are meant.
    """

    type: str
    kind: str = ""
    narrow: bool = False

    @property
    def number(self) -> int:
        """The type's number in the index."""
        return NUMBER[self.type]

    @property
    def says(self) -> str:
        """The relation, for a person."""
        return f"{self.type} (a {self.kind})" if self.narrow else self.type


@dataclass(frozen=True)
class Special:
    """What is neither in the document nor a relation: SPECIAL and FILES."""

    name: str

    @property
    def says(self) -> str:
        """The name."""
        return self.name


Field = Attributes | Relation | Special


def field(index: Index, name: Word, text: str = "") -> Field:
    """Return what a field's name means.

    Args:
        text: the expression that it is part of.

    Raises:
        UsageError: the index has no such field.
    """
    lower = name.text.lower()
    if lower in SPECIAL or lower in FILES:
        return Special(lower)
    if lower in PATHS:
        return _attributes(index, [PATHS[lower]])
    if lower in _SPEC:
        return Relation(*_SPEC[lower], narrow=lower in _NARROW)
    if lower in _LOWER:
        relation = _LOWER[lower]
        return Relation(relation, _USUAL.get(relation, ""))
    if lower == "tier":
        return _attributes(index, _endings(index, "tier"))
    return _dotted(index, name, text)


def exact_field(index: Index, path: str) -> Field:
    """Return what a path means where Backstage's filters name it."""
    lower = path.lower()
    if lower.startswith("relations.") and lower[10:] in _LOWER:
        return Relation(_LOWER[lower[10:]])
    return Special("orphan") if lower == _ORPHAN else _attributes(index, [lower])


def below(index: Index, paths: list[str]) -> Attributes:
    """Return the fields at and under some paths."""
    starts = tuple(f"{path}." for path in paths)
    return Attributes(
        tuple((n, path) for n, path in _all(index) if path in paths or path.startswith(starts))
    )


def candidates(name: str) -> list[str]:
    """Return the paths that a dotted name may stand for, in lower case."""
    lower = name.lower()
    if lower.startswith(("metadata.", "spec.")):
        return [lower]
    if lower.startswith(("annotations.", "labels.")):
        return [f"metadata.{lower}"]
    places = ("metadata.", "spec.", "metadata.labels.", "metadata.annotations.")
    return [lower, *(f"{place}{lower}" for place in places)]


def _dotted(index: Index, name: Word, text: str) -> Field:
    lower = name.text.lower()
    if lower.startswith("relations.") or lower == _ORPHAN:
        return exact_field(index, lower)
    paths = candidates(lower)
    is_bare = "." not in lower and "/" not in lower
    found = _attributes(index, [*paths, *_endings(index, lower)] if is_bare else paths)
    if not found.paths:
        found = below(index, paths)
    if found.paths or len(paths) == 1:  # a path in full is a field, whether anybody has it or not
        return found
    raise fault(text, name, f"no entity has a field {name.text!r}", _mend(index, name.text))


def _attributes(index: Index, paths: list[str]) -> Attributes:
    marks = ",".join("?" * len(paths))
    rows = index.connection.execute(
        f"SELECT id, path FROM field WHERE path IN ({marks}) ORDER BY path", paths
    )
    return Attributes(tuple(rows))


def _endings(index: Index, name: str) -> list[str]:
    """Return the paths of a spec's key, and of labels and annotations with a name after a /."""
    places = ("metadata.labels.", "metadata.annotations.")
    found = [
        path
        for _, path in _all(index)
        if path.startswith(places) and path.split(".", 2)[2].rpartition("/")[2] == name
    ]
    return [f"spec.{name}", *found]


def _all(index: Index) -> list[tuple[int, str]]:
    return index.connection.execute("SELECT id, path FROM field ORDER BY path").fetchall()


def known(index: Index) -> list[str]:
    """Return the names that a field may be given, short and in full."""
    paths = [path for _, path in _all(index)]
    short = [path.split(".", 1)[1] for path in paths if path.startswith(("spec.", "metadata."))]
    ends = [path.rpartition("/")[2] for path in paths if "/" in path]
    names = [*PATHS, *FILES, *SPECIAL, "tier", *_SPEC, *RELATIONS]
    return [*names, *paths, *short, *ends]


def _mend(index: Index, name: str) -> str:
    like = close(name, known(index))
    full = f"labels.{name}" if "/" in name else f"spec.{name}"
    return f"did you mean {like}?" if like else f"write it in full to ask all the same: {full}"
