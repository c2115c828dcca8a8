"""The catalog as CSV and as JSON lines."""

from __future__ import annotations

import csv as tables
import json
from collections.abc import Iterator
from typing import Any, TextIO

from idp.catalog.export import Entry, Tally, related
from idp.catalog.index.opened import Index
from idp.output import harmless

COLUMNS = (
    *("ref", "kind", "namespace", "name", "title", "description", "type", "lifecycle"),
    *("owner", "system", "tier", "tags", "repository", "path", "orphan"),
)
"""Of CSV; more may be added behind them."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv(index: Index, entries: Iterator[Entry], out: TextIO, tally: Tally) -> None:
    """Write a line an entity, with a header (RFC 4180)."""
    lines = tables.writer(out)
    lines.writerow(COLUMNS)
    for entry in entries:
        lines.writerow(_harmless(cell) for cell in _cells(entry))
        tally.written += 1


def _cells(entry: Entry) -> tuple[str, ...]:
    metadata = entry.data["metadata"]
    description, tags = metadata.get("description"), metadata.get("tags")
    return (
        *(entry.ref, entry.kind, entry.namespace, entry.name, entry.title),
        description if isinstance(description, str) else "",
        *(entry.type, entry.lifecycle, entry.owner, entry.system, entry.tier),
        " ".join(map(str, tags)) if isinstance(tags, list) else "",
        *(entry.repository, entry.path, "true" if entry.orphaned_at else "false"),
    )


def _harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    cell = harmless(cell)
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def json_lines(index: Index, entries: Iterator[Entry], out: TextIO, tally: Tally) -> None:
    """Write an entity a line, with its relations and where it was read."""
    for entry in entries:
        text = json.dumps(_object(index, entry), ensure_ascii=False, separators=(",", ":"))
        out.write(f"{text}\n")
        tally.written += 1


def _object(index: Index, entry: Entry) -> dict[str, Any]:
    return {
        "ref": entry.ref,
        "entity": entry.data,
        "relations": [{"type": kind, "targetRef": ref} for kind, ref in related(index, entry.id)],
        "provenance": {
            "source": entry.place,
            "location": entry.location,
            "path": entry.path,
            "document": entry.document,
            "line": entry.line,
            "repository": entry.repository,
            "commit": entry.commit,
            "read_at": _moment(entry.read_at),
            "orphaned_at": _moment(entry.orphaned_at),
        },
    }


def _moment(written: str | None) -> str | None:
    return written.replace("+00:00", "Z") if written else None
