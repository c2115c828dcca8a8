"""YAML as Backstage's parser reads it."""

from __future__ import annotations

import json

import pytest

from idp.catalog.reading import Document, read


def only(text: str | bytes) -> Document:
    (document,) = read(text if isinstance(text, bytes) else text.encode())
    return document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("2020-01-01", "2020-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-7", -7),
        ("true", True),
        ("False", False),
        ("tRUE", "tRUE"),
        ("~", None),
        ("", None),
        ("null", None),
        ("'7'", "7"),
        ("!!str 7", "7"),
        ("!!int '7'", 7),
        ("!mine x", "x"),
        ("123456789012345678901", 123456789012345680000.0),
        ("a\n  b", "a b"),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    assert only(f"key: {text}\n").data == {"key": value}


def test_a_merge_key_is_a_key_like_others() -> None:
    assert only("a: &a {x: 1}\nb: {<<: *a}\n").data == {"a": {"x": 1}, "b": {"<<": {"x": 1}}}


def test_keys_become_texts() -> None:
    text = "1: a\ntrue: b\n~: c\n1.5: d\n? [x, 1]\n: e\n"

    assert only(text).data == {"1": "a", "true": "b", "": "c", "1.5": "d", "[ x, 1 ]": "e"}


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2\n", "{a: 1, 'a': 2}", "1: a\n1.0: b\n", "~: a\nnull: b\n"]
)
def test_a_key_that_is_there_twice_is_told(text: str) -> None:
    (problem,) = only(text).problems
    assert "is there twice" in problem.message


def test_a_number_and_its_text_are_two_keys() -> None:
    assert only("1: a\n'1': b\n").problems == []


@pytest.mark.parametrize(
    "text", ["\ufeffa: b\n", "a: b\r\n", "a: b", "# c\n%YAML 1.2\n---\na: b\n"]
)
def test_marks_line_ends_and_directives_do_not_matter(text: str) -> None:
    assert only(text).data == {"a": "b"}


def test_characters_that_backstage_takes_are_taken() -> None:
    assert only(b"a: '\x07\xff'\n").data == {"a": "\ufffd\ufffd"}


def test_places_count_from_the_start_of_the_file() -> None:
    document = list(read(b"a: 1\n---\n# c\nb:\n  - x: 2\n"))[1]

    assert document.at(("b", 0, "x")) == (5, 8)
    assert document.at(("b", 0, "x"), key=True) == (5, 5)
    assert document.at(("b", 0, "absent")) == (5, 5)


def test_each_document_is_judged_by_itself() -> None:
    text = b"a: 1\n---\nb: 'open\n---\nc: [\n---\nd: {e: f: g}\n---\nh: 1\n...\n"

    assert [bool(one.problems) for one in read(text)] == [False, True, True, True, False]


def test_what_is_left_over_spoils_the_document_before_it() -> None:
    (problem,) = only("  owner: dev\nkind: System\n").problems

    assert (problem.line, problem.column) == (2, 1)


@pytest.mark.parametrize("text", ["a: 'b\nc'\n", "x:\n  a: [b,\n  c]\n", 'a:\n  - "b\n  c"\n'])
def test_a_line_that_is_not_indented_is_refused(text: str) -> None:
    (problem,) = only(text).problems
    assert "must be indented further" in problem.message


@pytest.mark.parametrize("text", ["a: 'b\n c'\n", "a: [b,\n c\n]\n", "a: {\n\n# d\n b: c}\n"])
def test_a_line_that_is_indented_is_not(text: str) -> None:
    assert only(text).problems == []


def test_an_alias_bomb_is_refused_and_few_aliases_are_not() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))

    assert "too often" in only(bomb).problems[0].message
    assert only("a: &a x\nb: [*a, *a]\n").data == {"a": "x", "b": ["x", "x"]}


@pytest.mark.parametrize("text", ["a: *b\n", "a: &a [*a]\n", "[" * 5000, "- " * 5000])
def test_what_cannot_be_built_is_a_problem(text: str) -> None:
    (problem,) = only(text).problems
    assert problem.message


def test_numbers_are_json(text: str = "[0x" + "f" * 400 + ", 1e999, .nan]") -> None:
    assert json.dumps(only(text).data) == "[Infinity, Infinity, NaN]"
