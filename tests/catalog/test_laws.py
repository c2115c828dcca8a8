"""What holds whatever is in a file."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from idp.catalog.formats import as_name, as_namespace, as_tag, is_name, is_namespace, is_tag
from idp.catalog.placeholders import Surroundings
from idp.catalog.ref import MalformedRef, Ref, parse
from idp.catalog.urls import is_url
from idp.catalog.validation import judge_file

from .stories import component, documents, group

VALID = documents(component("pay", dependsOn=["component:ledger"]), group("team-a"))
BITS = [
    *"'\":#-{}[]|>&*!%@`\n\t ,?~\\",
    "---\n",
    "...\n",
    "{{ x }}",
    "&a ",
    "*a",
    "$text",
    "\ufeff",
]
CHANGES = st.lists(
    st.tuples(st.integers(0, len(VALID)), st.integers(0, 3), st.sampled_from(BITS)), max_size=4
)
PART = st.text(st.characters(codec="utf-8", exclude_characters=":/"), min_size=1)


def judge(content: bytes) -> None:
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text)  # as YAML ends them
    for one in judge_file(content, Surroundings()):
        assert one.ok == (one.entity is not None)
        assert list(one.problems) == sorted(one.problems)
        for problem in one.problems:
            assert 1 <= problem.line <= len(lines) + 1
            assert problem.column >= 1
            assert problem.message


@settings(max_examples=200, deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_are_judged(content: bytes) -> None:
    judge(content)


@settings(max_examples=400, deadline=None)
@given(CHANGES)
def test_any_change_of_a_catalog_file_is_judged(changes: list[tuple[int, int, str]]) -> None:
    text = VALID
    for at, gone, bit in changes:
        text = text[:at] + bit + text[at + gone :]
    judge(text.encode())


@given(PART, PART, PART)
def test_a_reference_is_read_as_it_is_written(kind: str, namespace: str, name: str) -> None:
    assert parse(f"{kind}:{namespace}/{name}") == Ref(kind, namespace, name)
    assert parse(f"{namespace}/{name}", kind) == Ref(kind, namespace, name)
    assert parse(name, kind, namespace) == Ref(kind, namespace, name)
    canonical = str(Ref(kind, namespace, name))
    assert str(parse(canonical)).casefold() == canonical.casefold()


@given(st.text(alphabet="a:/ "))
def test_a_reference_is_read_or_refused(text: str) -> None:
    try:
        ref = parse(text, "component")
    except MalformedRef:
        return
    assert ref.kind and ref.namespace and ref.name


@given(st.text())
def test_what_is_proposed_instead_would_do(text: str) -> None:
    assert is_name(as_name(text)) or as_name(text) == ""
    assert is_tag(as_tag(text)) or as_tag(text) == ""
    assert is_namespace(as_namespace(text)) or as_namespace(text) == ""


@given(st.text() | st.from_regex(r"https?://[^ ]{0,20}(:[0-9]{0,6})?/.*"))
def test_any_text_is_a_url_or_not(text: str) -> None:
    assert is_url(text) in (True, False)
    assert not is_url("/" + text.lstrip())
