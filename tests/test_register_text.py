"""One more source in a platform file: every other byte stays where it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.config.places import parse
from idp.errors import InvalidInput
from idp.register.insertion import added

SOURCE = "https://git.example.com/acme/pay.git#services/api"


def add(text: str) -> str:
    return added(text.encode(), SOURCE, "idp-platform.yaml").after.decode()


def said(text: str) -> Any:
    return parse(text.encode(), "it").data


def test_a_line_comes_after_the_last_source() -> None:
    text = "version: 1\ncatalog:\n  sources:\n  -  a  # ours\n  -  'b'\n\n  # days\n  grace: 3\n"
    assert add(text) == text.replace("  -  'b'\n", f"  -  'b'\n  -  '{SOURCE}'\n")


def test_a_source_with_settings_of_its_own_is_stepped_over() -> None:
    entry = "    - source: a\n      files:\n        - x.yaml\n        # more to come\n"
    text = f"version: 1\ncatalog:\n  sources:\n{entry}"
    new = f"        - x.yaml\n    - {SOURCE}\n"
    assert add(text) == text.replace("        - x.yaml\n", new)


def test_a_file_without_the_section_gets_it_at_its_end() -> None:
    text = "# ours\nversion: 1\n# the end\n"
    assert add(text) == f"{text}\ncatalog:\n  sources:\n    - {SOURCE}\n"


def test_a_section_without_sources_gets_them_first() -> None:
    text = "version: 1\ncatalog: # who\n    # days\n    grace: 3\n"
    new = f"who\n    sources:\n      - {SOURCE}\n"
    assert add(text) == text.replace("who\n", new)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("catalog: {}", f"catalog: {{sources: [{SOURCE}]}}"),
        ("catalog: {grace: 3}", f"catalog: {{sources: [{SOURCE}], grace: 3}}"),
        ("catalog:\n  sources: []", f"catalog:\n  sources: [{SOURCE}]"),
        ("catalog:\n  sources: [a] # b", f"catalog:\n  sources: [a, {SOURCE}] # b"),
        ('catalog: {sources: ["a" ]}', f'catalog: {{sources: ["a", "{SOURCE}" ]}}'),
        (
            "catalog:\n  sources: [\n    a, # one\n    b # two, or so\n  ]",
            f"catalog:\n  sources: [\n    a, # one\n    b, # two, or so\n    {SOURCE}\n  ]",
        ),
        (
            "catalog:\n  sources: [\n    a,\n  ]",
            f"catalog:\n  sources: [\n    a,\n    {SOURCE},\n  ]",
        ),
    ],
)
def test_brackets_stay_brackets(before: str, after: str) -> None:
    assert add(f"version: 1\n{before}\n") == f"version: 1\n{after}\n"


def test_the_ends_of_lines_stay_as_they_are() -> None:
    text = "\ufeffversion: 1\r\ncatalog:\r\n  sources:\r\n    - a"
    assert add(text) == f"{text}\r\n    - {SOURCE}"


def test_what_a_source_needs_quotes_for_has_them() -> None:
    made = added(b"version: 1\n", "file:///srv/pay & co: [x].git", "p.yaml").after
    assert said(made.decode())["catalog"]["sources"] == ["file:///srv/pay & co: [x].git"]


@pytest.mark.parametrize(
    "text",
    [
        "{version: 1}\n",
        "version: 1\ncatalog:\n  ? sources\n  : - a\n",
        "version: 1\ncatalog:\n  sources:\n    - source: a\n      files:\n      - |+\n       x\n\n",
    ],
)
def test_what_cannot_be_done_safely_is_left_to_a_person(text: str) -> None:
    with pytest.raises(InvalidInput, match="without touching the rest") as caught:
        add(text)
    assert SOURCE in caught.value.hint


NAMES = st.from_regex(r"[a-z](?:[a-z0-9 /.:#-]{0,10}[a-z0-9])?", fullmatch=True).filter(
    lambda text: ": " not in text and " #" not in text and text not in ("true", "false", "null")
)
COMMENTS = st.sampled_from(["", "  # why", " # a, b: [c] - 'd'", "   "])
GAPS = st.lists(st.sampled_from(["", "# one", "  # two: [", "      # - three"]), max_size=2)


@st.composite
def items(draw: st.DrawFn, indent: str) -> list[str]:
    """Draw the lines of a list with a line for each item or more."""
    lines = []
    blank = draw(st.sampled_from([" ", "   "]))
    for name in draw(st.lists(NAMES, min_size=1, max_size=4)):
        quote = draw(st.sampled_from(["", "'", '"']))
        lines += draw(GAPS)
        value = f"{quote}{name}{quote}{draw(COMMENTS)}"
        if draw(st.booleans()):
            lines += [f"{indent}-{blank}source: {value}"]
            lines += [f"{indent} {blank}skip: [x, y]"] if draw(st.booleans()) else []
            lines += [f"{indent} {blank}files:", f"{indent} {blank}- z"] if quote else []
        else:
            lines += [f"{indent}-{blank}{value}"]
    return lines


@st.composite
def platform_files(draw: st.DrawFn) -> str:
    """Draw a platform file with sources in some layout, or without."""
    inside = " " * draw(st.integers(1, 5))
    indent = inside + " " * draw(st.integers(0, 4))
    names = ", ".join(draw(st.lists(NAMES.map(lambda name: f"'{name}'"), max_size=3)))
    listed = draw(
        st.one_of(
            st.just([]),
            st.just([f"{inside}sources: [{names}]{draw(COMMENTS)}"]),
            items(indent).map(lambda lines: [f"{inside}sources:{'  # here'}", *lines]),
        )
    )
    more = draw(st.lists(st.sampled_from(["grace: 3", 'snapshot: "x"']), unique=True))
    others = [f"{inside}{one}{draw(COMMENTS)}" for one in more]
    keys = [listed, others] if draw(st.booleans()) else [others, listed]
    section = [line for key in keys for line in [*draw(GAPS), *key]]
    head = ["catalog:" + draw(COMMENTS)] if listed or others else []
    rest = [["version: 1"], [*head, *section], ["name: acme" + draw(COMMENTS)]]
    parts = draw(st.permutations(rest))
    lines = [line for part in parts for line in [*draw(GAPS), *part]] + draw(GAPS)
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    return ends.join(lines) + (ends if draw(st.booleans()) else "")


@given(platform_files())
def test_there_is_one_source_more_and_all_else_is_as_it_was(text: str) -> None:
    made = add(text)
    wanted = said(text)
    wanted.setdefault("catalog", {}).setdefault("sources", []).append(SOURCE)
    assert said(made) == wanted
    left = iter(made)
    assert all(character in left for character in text), "something was taken away or moved"
    assert sum(line.count("#") for line in made.split("\n")) == text.count("#") + SOURCE.count("#")
