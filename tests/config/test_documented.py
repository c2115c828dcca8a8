"""docs/configuration.md tells every key of the platform file, with its default and an example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo

from idp.config import load_platform
from idp.config.schema import PlatformModel
from idp.config.strict import Strict

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
EXAMPLE = PAGE.split("## idp-platform.yaml")[1].split("```yaml\n")[1].split("```")[0]
TOLD = ("ledger", "identity", "policies", "costs", "requests", "secrets")
ROW = re.compile(r"^\| `([\w.]+)` \| (.+?) \| (.+?) \| (.*?) ?\| (.+) \|$", re.M)
ROWS = {row[1]: row for row in ROW.finditer(PAGE)}


def inside(field: FieldInfo) -> tuple[type[Strict] | None, bool]:
    """Return the model that a field holds, and whether it holds many of them by name."""
    here = (field.annotation, *get_args(field.annotation))
    found = next((one for one in here if isinstance(one, type) and issubclass(one, Strict)), None)
    return found, str(field.annotation).startswith("dict")


def keys(model: type[Strict], around: str = "") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        key = around + name
        if around:
            yield key, field
        held, is_many = inside(field)
        if held:
            yield from keys(held, f"{key}.NAME." if is_many else f"{key}.")


GUARDRAILS = [(key, field) for key, field in keys(PlatformModel) if key.split(".")[0] in TOLD]


@pytest.mark.parametrize(("key", "field"), GUARDRAILS, ids=[key for key, _ in GUARDRAILS])
def test_a_key_is_told_with_its_default_and_its_example(key: str, field: FieldInfo) -> None:
    assert key in ROWS, f"docs/configuration.md has no row for {key}"
    _, _, default, example, _ = ROWS[key].groups()
    assert default == written_default(field)
    assert example == (f"`{shown(field.examples[0])}`" if field.examples else "")


def test_no_row_tells_a_key_that_there_is_not() -> None:
    assert set(ROWS) == {key for key, _ in GUARDRAILS}


def test_every_section_and_what_is_told_without_a_table_is_in_the_example() -> None:
    told = set(re.findall(r"(?:^ *(?:- )?|[{,] *)([\w-]+):", EXAMPLE, re.M))
    sections = set(PlatformModel.model_fields)
    others = {key.split(".")[-1] for key, _ in keys(PlatformModel) if not key.startswith(TOLD)}
    assert sections | others <= told, sorted((sections | others) - told)


def test_the_example_is_a_platform_file() -> None:
    assert load_platform(EXAMPLE.encode(), "configuration.md", None).name == "acme"


def written_default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    is_nothing = default in ("", None, [], {}) or isinstance(default, Strict)
    return "none" if is_nothing else f"`{shown(default)}`"


def shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
