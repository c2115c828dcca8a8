"""The catalog as a Backstage backend ingests it: YAML, a document an entity."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TextIO
from urllib.parse import urljoin, urlsplit

import yaml

from idp.catalog.export import Entry, Tally
from idp.catalog.index.opened import Index
from idp.catalog.scalars import plain

_ROOT = ("apiVersion", "kind", "metadata", "spec")
_ITS_OWN = frozenset({"uid", "etag", "generation"})
_MANAGED = ("backstage.io/managed-by-", "backstage.io/orphan")
_SOURCE = "backstage.io/source-location"

# What YAML 1.1 or 1.2, or one of its readers, takes for something else than a text.
_NUMBER_LIKE = re.compile(r"[-+.]*_*[0-9]|[-+]\.|\.(?:inf|nan)\Z|[-+.]*(?:e[-+]?[0-9]+)?\Z", re.I)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "<<", "="})
# Line breaks to some readers and not to others; in double quotes they are escaped.
_ESCAPED = re.compile("[\r\x85\u2028\u2029\ufeff\t]")


class _Dumper(yaml.CSafeDumper):
    """Writes texts so that every reader of YAML takes them for texts, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write what is there twice in full."""
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None
    if _ESCAPED.search(value):
        style = '"'
    elif "\n" in value:
        style = "|"
    elif _NUMBER_LIKE.match(value) or value.lower() in _WORDS or plain(value) != value:
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


_Dumper.add_representer(str, _text)


def write(index: Index, entries: Iterator[Entry], out: TextIO, tally: Tally) -> None:
    """Write a document an entity; Locations and orphans are left out."""
    for entry in entries:
        if entry.kind == "Location":
            tally.locations += 1
        elif entry.orphaned_at:
            tally.orphans += 1
        else:
            dump(document(entry, tally), out)
            tally.written += 1


def dump(data: dict[str, Any], out: TextIO) -> None:
    """Write a document of YAML that every reader takes for the same, 1.1 and 1.2."""
    out.write("---\n")
    yaml.dump(data, out, _Dumper, sort_keys=False, allow_unicode=True, width=1_000_000)


def document(entry: Entry, tally: Tally) -> dict[str, Any]:
    """Return an entity's document without what only the backend that has it may say.

    What it names relative to its own file, such as `techdocs-ref: dir:.`, is still found: the
    file's folder is its source location, as a backend that had read the file would add.
    """
    data = {key: entry.data[key] for key in _ROOT if key in entry.data}
    metadata = {key: value for key, value in data["metadata"].items() if key not in _ITS_OWN}
    given = metadata.get("annotations")
    notes = dict(given) if isinstance(given, dict) else {}
    notes = {key: value for key, value in notes.items() if not key.startswith(_MANAGED)}
    if folder := _folder(entry.location):
        notes.setdefault(_SOURCE, f"url:{folder}")
    metadata["annotations"] = notes
    if not notes:
        del metadata["annotations"]
    read = {key: _readable(value, entry, tally) for key, value in data["spec"].items()}
    return {**data, "metadata": metadata, "spec": read}


def _folder(location: str) -> str:
    """Return the page of a file's folder on a forge; empty if there is none that we can tell."""
    if not _is_page(location) or urlsplit(location).query:
        return ""
    return urljoin(location, ".").replace("/blob/", "/tree/", 1)


def _is_page(location: str) -> bool:
    return urlsplit(location).scheme in ("http", "https")


def _readable(value: Any, entry: Entry, tally: Tally) -> Any:
    """Return a value in which a placeholder that nobody could read is the name of its file.

    It is relative to a file that the reader does not have, and an entity is lost for it.
    """
    if isinstance(value, list):
        return [_readable(item, entry, tally) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$text": str(named)} if len(value) == 1:
            tally.unread += 1
            return urljoin(entry.location, named) if _is_page(entry.location) else named
    return {key: _readable(item, entry, tally) for key, item in value.items()}
