"""An untrusted template is rendered from a copy that names no extension, and is else the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from idp.config.source import parse_source
from idp.releases import Shelf
from idp.scaffold.config import without_extensions

from ..service.stories import build_tree, files_below

BLOCKS = [
    "name: {type: str}\n",
    "# a comment about _jinja_extensions\n",
    "notes: |\n  _jinja_extensions: [not, this]\n  more\n",
    "_exclude: [a, b]\n",
    "nested:\n  _jinja_extensions: [nor this]\n  type: str\n",
    "quoted: '_jinja_extensions: []'\n",
    "größe: ü\n",
    "\n",
]
EXTENSIONS = [
    "_jinja_extensions: [a.B, c.D]\n",
    "_jinja_extensions:\n  - a.B\n  - c.D  # why\n",
    "_jinja_extensions:\n- a.B\n- c.D\n",
    '"_jinja_extensions": [a.B]\n',
    "'_jinja_extensions' :\n  [a.B,\n   c.D]\n",
    "_jinja_extensions: []\n",
    "_jinja_extensions: >-\n  a.B\n",
    "_jinja_extensions:\n",
    "? _jinja_extensions\n: - a.B\n",
]


def parsed(text: str) -> list[object]:
    documents = [d for d in yaml.safe_load_all(text) if d]
    for document in documents:
        if isinstance(document, dict):
            document.pop("_jinja_extensions", None)
    return [d for d in documents if d]


@given(
    st.permutations(BLOCKS), st.sampled_from(EXTENSIONS), st.integers(0, len(BLOCKS)), st.booleans()
)
def test_all_else_stands_as_it_stood(
    blocks: list[str], extensions: str, place: int, sections: bool
) -> None:
    parts = [*blocks[:place], extensions, *blocks[place:]]
    text = "".join(parts) + ("---\n_jinja_extensions: [e.F]\nlast: 1\n" if sections else "")
    left = without_extensions(text)
    assert parsed(left) == parsed(text)
    assert not any("_jinja_extensions" in d for d in yaml.safe_load_all(left) if d)
    kept = [block for block in blocks if block.strip() and not block.startswith("#")]
    assert [block for block in kept if block not in left] == []


def test_a_file_written_in_one_line_keeps_its_questions() -> None:
    text = "{name: {type: str}, _jinja_extensions: [a.B], port: 1}\n"
    assert yaml.safe_load(without_extensions(text)) == {"name": {"type": "str"}, "port": 1}


@pytest.mark.parametrize("trusted", [True, False])
def test_a_shelf_hands_out_the_copy_to_the_untrusted_only(trusted: bool, tmp_path: Path) -> None:
    files = {"copier.yml": "x: 1\n_jinja_extensions: [a.B]\n_tasks: [t]\n", "sub/a.txt": "a\n"}
    build_tree(tmp_path / "t", files)
    shelf = Shelf(tmp_path / "cache", lambda *_: trusted, print)
    release = shelf.release(parse_source(str(tmp_path / "t")))
    assert (release.tree == tmp_path / "t") == trusted
    assert bool(release.config.extensions) == trusted
    assert release.left_out == (() if trusted else ("tasks", "extensions"))
    theirs, ours = files_below(tmp_path / "t"), files_below(release.tree)
    assert {n for n in theirs if ours[n] != theirs[n]} == (set() if trusted else {"copier.yml"})
    assert (tmp_path / "t" / "copier.yml").read_text() == files["copier.yml"]
