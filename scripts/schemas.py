"""Write the JSON Schemas under docs/schemas/; with --check, only say which differ (exit 1)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from idp.config.schema import PlatformModel

FOLDER = Path(__file__).parent.parent / "docs" / "schemas"

# Name → (a Pydantic model or a dataclass, whether it is read by idp or printed by it).
SHAPES: dict[str, tuple[Any, Literal["validation", "serialization"]]] = {
    "idp-platform": (PlatformModel, "validation"),
}


def schema(name: str) -> str:
    """Return a shape's JSON Schema as text."""
    shape, mode = SHAPES[name]
    made = TypeAdapter(shape).json_schema(mode=mode)
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def stale() -> dict[Path, str]:
    """Return the text of each schema file that is missing or differs."""
    wanted = {FOLDER / f"{name}.schema.json": schema(name) for name in SHAPES}
    return {
        path: text
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def main(arguments: list[str]) -> int:
    """Write what differs; with --check, name it and return 1."""
    check = "--check" in arguments
    found = stale()
    for path, text in found.items():
        print(f"{'differs' if check else 'written'}: {path.name}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
