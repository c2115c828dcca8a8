"""What is wrong with a catalog file, and where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

KeyPath = tuple[str | int, ...]
Level = Literal["error", "warning"]

_PLAIN_KEY = re.compile(r"[\w$-]+\Z")


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake in a document.

    Attributes:
        line, column: where it stands, counted from 1.
        path: the field, e.g. `spec.dependsOn[0]`; empty for the whole document.
        message: what is wrong.
        hint: what mends it; empty where nothing is known to.
        rule: the sort of mistake, e.g. `format`.
        level: `error`, or `warning` for what does not make the document invalid.
    """

    line: int
    column: int
    path: str
    message: str
    hint: str = ""
    rule: str = "yaml"
    level: Level = "error"


def written(path: KeyPath) -> str:
    """Return a field's path as text: `metadata.labels["acme.io/tier"]`."""
    parts = []
    for key in path:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        elif _PLAIN_KEY.match(key):
            parts.append(f".{key}")
        else:
            parts.append(f"[{json.dumps(key, ensure_ascii=False)}]")
    return "".join(parts).removeprefix(".")
