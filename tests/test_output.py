"""What a command prints: a table for a person, TSV for a pipe, JSON when asked."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.errors import NotFound, UsageError
from idp.output import Output, Shape, error_text, plain, select


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    at: datetime
    cost: Decimal


@dataclass(frozen=True)
class Row:
    name: str
    from_: str
    parts: tuple[Part, ...] = ()
    colour: Colour = Colour.RED
    path: Path | None = None


NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LONG = "A very long description of a template, " * 8
PLAIN = Shape()
ROWS = [
    Row("payments", "1.0.0", (Part(NOON, Decimal("0.10")),), path=Path("/srv/pay")),
    Row("billing", LONG),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(capsys: pytest.CaptureFixture[str], shape: Shape = PLAIN, **environ: str) -> str:
    Output(environ=environ).rows(ROWS, ("name", "from"), shape)
    return capsys.readouterr().out


def test_a_pipe_gets_tsv_with_a_header_and_nothing_cut_off(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert printed(capsys) == f"name\tfrom\npayments\t1.0.0\nbilling\t{LONG}\n"


def test_a_cell_never_breaks_the_rows_of_tsv(capsys: pytest.CaptureFixture[str]) -> None:
    Output(environ={}).rows([{"a": "x\ty\nz\r\n", "b": None}], ("a", "b"), Shape())
    assert capsys.readouterr().out == "a\tb\nx y z\t\n"


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_whatever_is_in_a_cell_a_row_is_a_line(cells: list[str]) -> None:
    from contextlib import redirect_stdout

    names = [f"c{n}" for n, _ in enumerate(cells)]
    with redirect_stdout(io.StringIO()) as out:
        Output(environ={}).rows([dict(zip(names, cells, strict=True))], names, Shape())
    lines = out.getvalue().split("\n")
    assert [line.count("\t") for line in lines[:2]] == [len(cells) - 1] * 2
    assert lines[2:] == [""]


@pytest.mark.parametrize(
    ("value", "cell"),
    [(None, ""), (True, "true"), (False, "false"), (["a", 1], "a, 1"), ({"a": 1}, '{"a": 1}')],
)
def test_cells_read_like_json_where_they_are_no_text(
    value: object, cell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Output(environ={}).rows([{"a": value}], ("a",), Shape())
    assert capsys.readouterr().out == f"a\n{cell}\n"


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_table_as_wide_as_it_is(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = printed(capsys, FORCE_TTY="1", NO_COLOR="1").splitlines()
    assert columns - 10 < max(map(len, lines)) <= columns
    assert lines[1].split() == ["name", "from"]
    assert "…" not in "".join(lines)
    folded = "".join(line[10:].rstrip() + " " for line in lines[4:])
    assert " ".join(folded.split()).replace("billing ", "") == LONG.strip()


def test_markup_in_a_cell_is_only_text(capsys: pytest.CaptureFixture[str]) -> None:
    Output(environ={"FORCE_TTY": "1"}).rows([{"a": "[bold]x[/bold] :smile:"}], ("a",), Shape())
    assert "[bold]x[/bold] :smile:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("environ", "tty", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
        ({"CLICOLOR": "0"}, True, False),
        ({"CLICOLOR": "1"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, False, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        ({"TERM": "dumb"}, True, False),
        ({"FORCE_TTY": "1"}, False, True),
        ({"FORCE_TTY": "1", "CLICOLOR": "0"}, False, False),
    ],
)
def test_colours_follow_the_environment(environ: dict[str, str], tty: bool, coloured: bool) -> None:
    stream = Terminal() if tty else io.StringIO()
    assert Output(environ=environ).has_colour(stream) == coloured


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        ({"FORCE_TTY": "1"}, True),
        ({"FORCE_TTY": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_TTY": "1", "TERM": "dumb"}, False),
        ({"CLICOLOR_FORCE": "1"}, False),  # a pipe gets TSV, and TSV has no colours
    ],
)
def test_a_whole_command_is_coloured_or_not(environ: dict[str, str], coloured: bool) -> None:
    env = {k: v for k, v in os.environ.items() if k != "TERM"} | {"TERM": "xterm"} | environ
    words = [sys.executable, "-m", "idp", "template", "list"]
    run = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    assert ("\033[" in run.stdout) == coloured
    assert "python-api" in run.stdout


def test_an_error_is_coloured_by_the_same_rules() -> None:
    error = NotFound("no such thing", hint="look elsewhere")
    assert error_text(error, colour=False) == "error: no such thing\nhint: look elsewhere"
    assert error_text(error, colour=True).startswith("\033[31merror:\033[0m ")


def test_json_holds_everything_whatever_its_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, Shape(as_json=True)))[0] == {
        "name": "payments",
        "from": "1.0.0",
        "parts": [{"at": "2026-05-04T12:00:00Z", "cost": "0.10"}],
        "colour": "red",
        "path": "/srv/pay",
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (Decimal("1E+3"), "1E+3"),
        (Decimal("0.1"), "0.1"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2026-05-04T14:00:00+02:00"),
        (Path("a/b"), "a/b"),
        (Colour.RED, "red"),
        ((1, (2, {"k": Colour.RED})), [1, [2, {"k": "red"}]]),
        ({1: Decimal(2)}, {"1": "2"}),
        (None, None),
    ],
)
def test_each_type_has_one_spelling(value: object, told: object) -> None:
    assert plain(value) == told


def test_a_set_comes_in_the_same_order_each_time() -> None:
    assert plain({"b", "a", "c"}) == ["a", "b", "c"]


def test_json_is_one_line_on_a_pipe_and_keeps_other_scripts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output(environ={}).item({"name": "Grüße, 世界"}, Shape(as_json=True), str)
    assert capsys.readouterr().out == '{"name": "Grüße, 世界"}\n'


def test_fields_choose_and_order_columns_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, Shape(fields=("path", "name"))).startswith(
        "path\tname\n/srv/pay\tpayments\n"
    )
    chosen = json.loads(printed(capsys, Shape(True, ("path", "name"))))
    assert [list(row) for row in chosen] == [["path", "name"]] * 2


@pytest.mark.parametrize("shape", [Shape(True, ("nam",)), Shape(False, ("nam",))])
def test_an_unknown_field_is_a_usage_error(
    shape: Shape, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="no field 'nam'") as caught:
        printed(capsys, shape)
    assert caught.value.hint == "fields: name"
    assert capsys.readouterr().out == ""


def test_a_hopeless_field_is_answered_with_all_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        select({"name": 1, "cost": 2}, ["zzz"])
    assert caught.value.hint == "fields: cost, name"


@pytest.mark.parametrize(("shape", "out"), [(Shape(True), "[]\n"), (Shape(), "name\n")])
def test_an_empty_list_is_no_failure(
    shape: Shape, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Output(environ={}).rows([], ("name",), shape)
    assert capsys.readouterr().out == out


def test_an_item_is_words_for_a_person_and_json_when_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def never() -> str:
        raise AssertionError("the words are not needed")

    output = Output(environ={})
    output.item({"a": 1}, Shape(), lambda: "a is one")
    output.item({"a": 1, "b": 2}, Shape(fields=("b",)), never)
    assert capsys.readouterr().out == 'a is one\n{"b": 2}\n'


def test_words_go_to_stderr_and_not_at_all_when_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Output().say("one")
    Output(quiet=True).say("two")
    Output().detail("three")
    Output(verbose=True).detail("four")
    streams = capsys.readouterr()
    assert (streams.out, streams.err) == ("", "one\nfour\n")


@given(
    st.dictionaries(
        st.text(),
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4),
    )
)
def test_what_json_can_hold_is_left_as_it_is(value: dict[str, Any]) -> None:
    assert plain(value) == value
