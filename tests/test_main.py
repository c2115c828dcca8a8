"""The way in: flags anywhere, errors as sentences and exit codes, pipes and signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from idp import errors
from idp.__main__ import hoisted
from idp.cli import COMMANDS

from .service.stories import Run, Template, idp, idp_process

FLAGS = [["-q"], ["--quiet"], ["-v"], ["--debug"], ["--no-input"], ["--yes"], ["-y"], ["-qv"]]
FLAGS += [["-C", "some/folder"], ["-Csome/folder"], ["--platform", "x.yaml"], ["--platform=x.yaml"]]
CALLS = [
    ["template", "list", "--json"],
    ["create-service", "pay", "--type", "python-api", "--data", "owner=a b", "--defaults"],
    ["update-service", ".", "--to", "v2", "--dry-run"],
    ["template", "show", "--", "-q"],
]

Fail = Callable[[Exception], Run]


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """Run a command that does nothing but fail with an error."""

    def fail(error: BaseException, *flags: str) -> Run:
        app = typer.Typer(add_completion=False)

        @app.command()
        def boom(as_json: bool = typer.Option(False, "--json")) -> None:
            raise error

        module = ModuleType("idp.cli.boom")
        vars(module)["app"] = app
        monkeypatch.setitem(COMMANDS, "boom", "Fail.")
        monkeypatch.setitem(sys.modules, "idp.cli.boom", module)
        return idp("boom", *flags)

    return fail


def every_error() -> list[type[errors.IdpError]]:
    found, left = [], [errors.IdpError]
    while left:
        kind = left.pop()
        found.append(kind)
        left += [k for k in kind.__subclasses__() if k.__module__ == "idp.errors"]
    return sorted(found, key=lambda kind: kind.__name__)


@given(st.sampled_from(CALLS), st.lists(st.sampled_from(FLAGS), max_size=4), st.data())
def test_global_flags_mean_the_same_wherever_they_stand(
    call: list[str], flags: list[list[str]], data: st.DataObject
) -> None:
    end = call.index("--") if "--" in call else len(call)
    places = sorted(data.draw(st.integers(0, end)) for _ in flags)
    argv = list(call)
    for place, flag in reversed(list(zip(places, flags, strict=True))):
        argv[place:place] = flag
    in_front = [word for flag in flags for word in flag]
    assert hoisted(argv) == hoisted([*in_front, *call]) == [*in_front, *call]


def test_what_stands_behind_two_dashes_is_no_flag() -> None:
    words = ["template", "show", "--", "-q", "-C"]
    assert hoisted(words) == words


def test_an_option_without_its_value_stays_for_typer_to_refuse() -> None:
    assert hoisted(["template", "list", "-C"]) == ["-C", "template", "list"]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["--check"], ["--check="]),
        (["--check", "--json"], ["--check=", "--json"]),
        (["--check", "-q"], ["-q", "--check="]),
        (["--check", "make test"], ["--check", "make test"]),
        (["--check=make test"], ["--check=make test"]),
    ],
)
def test_check_may_be_given_without_a_command(words: list[str], meant: list[str]) -> None:
    assert hoisted(words) == meant


@pytest.mark.parametrize(
    "spelling", ["./golden", "./golden@v1", "../work/golden", "golden/../golden"]
)
def test_a_folder_to_work_in_may_stand_anywhere(spelling: str, tmp_path: Path) -> None:
    Template(tmp_path / "work" / "golden").release("v1")
    place = spelling if spelling.startswith(".") else f"./{spelling}"
    folder = tmp_path / "work"
    shown = [
        idp("-C", folder, "template", "show", place, "--json"),
        idp("template", "-C", folder, "show", place, "--json"),
        idp("template", "show", place, "--json", f"-C{folder}"),
    ]
    assert [run.code for run in shown] == [0, 0, 0], shown[0].err
    assert {run.json["template"] for run in shown} == {str(folder / "golden")}


def test_every_path_is_taken_from_the_folder_to_work_in(tmp_path: Path) -> None:
    template = Template(tmp_path / "golden")
    template.release("v1")
    made = idp("-C", tmp_path, "create-service", "pay", "--template", "./golden", "--defaults")
    assert made.code == 0, made.err
    template.path.rename(tmp_path / "moved")
    run = idp("-C", tmp_path, "update-service", "pay", "--source", "./moved", "--status", "--json")
    assert run.code == 0, run.err
    assert run.json["template"] == str(tmp_path / "moved")


@pytest.mark.parametrize("kind", every_error())
def test_each_kind_of_error_has_its_exit_code(
    kind: type[errors.IdpError], fail: Callable[..., Run]
) -> None:
    run = fail(kind("the disk is full", hint="run `df`", details=("here", "there")))
    assert run.code == kind.exit_code
    assert run.out == ""
    assert run.err == "error: the disk is full\n  here\n  there\nhint: run `df`\n"


@pytest.mark.parametrize("kind", every_error())
def test_with_json_an_error_is_one_line_of_json_on_stderr(
    kind: type[errors.IdpError], fail: Callable[..., Run]
) -> None:
    run = fail(kind("café is “full”", hint="h", details=("d",)), "--json")
    assert run.code == kind.exit_code
    assert (run.out, run.err.count("\n")) == ("", 1)
    assert json.loads(run.err) == {
        "code": kind.code,
        "message": "café is “full”",
        "hint": "h",
        "retryable": kind.retryable,
        "details": ["d"],
    }


def test_the_error_tree_in_the_docstring_is_the_real_one() -> None:
    drawn = re.findall(r"^\W*([A-Z]\w+) +(\d+)  ", errors.__doc__ or "", re.M)
    assert dict(drawn) == {kind.__name__: str(kind.exit_code) for kind in every_error()}


def test_a_fault_in_idp_is_exit_1_with_a_hint_and_no_traceback(fail: Callable[..., Run]) -> None:
    run = fail(ZeroDivisionError("division by zero"))
    assert run.code == 1
    assert run.err.startswith("error: a fault in idp: ZeroDivisionError: division by zero\n")
    assert "hint: run it with --debug" in run.err
    assert "Traceback" not in run.err


def test_a_fault_in_idp_is_json_too(fail: Callable[..., Run]) -> None:
    assert fail(KeyError("name"), "--json").error["code"] == "unexpected"


def test_debug_shows_the_traceback_down_to_the_cause(tmp_path: Path) -> None:
    code = (
        "import sys, idp.releases\n"
        "def broken(*_): return 1 / 0\n"
        "idp.releases.Shelf.origin = broken\n"
        "from idp.__main__ import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    words = [sys.executable, "-c", code, "template", "list"]
    plain = subprocess.run(words, capture_output=True, text=True, check=False)
    debug = subprocess.run([*words, "--debug"], capture_output=True, text=True, check=False)
    assert (plain.returncode, debug.returncode) == (1, 1)
    assert "Traceback" not in plain.stderr
    assert "Traceback" in debug.stderr
    assert "in broken" in debug.stderr


def test_an_error_of_the_system_is_told_with_its_file(fail: Callable[..., Run]) -> None:
    run = fail(PermissionError(13, "Permission denied", "/etc/shadow"))
    assert (run.code, run.err) == (1, "error: /etc/shadow: Permission denied\n")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), typer.Abort()])
def test_an_interruption_is_130_and_says_so(stop: BaseException, fail: Callable[..., Run]) -> None:
    run = fail(stop)
    assert (run.code, run.err) == (130, "error: interrupted\n")
    assert fail(stop, "--json").error["code"] == "interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_with_130_and_leaves_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    pipe = tmp_path / "answers.yml"
    os.mkfifo(pipe)
    process = idp_process(
        "create-service", "pay", "--dest", tmp_path / "pay", "--data-file", pipe, "--json"
    )
    with pipe.open("wb"):  # opens when idp has begun to read its answers
        os.kill(process.pid, number)
        out, err = process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert json.loads(err)["code"] == "interrupted"
    assert not (tmp_path / "pay").exists()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["templte", "list"], "Did you mean 'template'?"),
        (["template", "lst"], "Did you mean 'list'?"),
        (["template", "list", "--jsn"], "--json"),
        (["create-service", "pay", "--type", "pyton-api"], "did you mean python-api?"),
        (["template", "list", "--fields", "nam"], "fields: name"),
    ],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(words: list[str], hint: str) -> None:
    run = idp(*words)
    assert run.code in (2, 3)
    assert hint in run.err


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["template", "list", "--no-such-option"],
        ["template", "show"],
        ["template", "list", "superfluous"],
        ["create-service", "pay", "--type"],
        ["template", "list", "-C"],
        ["create-service", "pay", "--type", "a", "--template", "b"],
    ],
)
def test_a_wrong_call_is_2_with_the_help_to_ask_for(words: list[str]) -> None:
    run = idp(*words)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("error: ")
    assert "hint: " in run.err


@pytest.mark.parametrize("words", [[], ["template"], ["config"]])
def test_a_group_alone_shows_its_help_as_help(words: list[str]) -> None:
    run = idp(*words)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("Usage: idp")


def test_a_usage_error_is_json_with_json() -> None:
    error = idp("template", "lst", "--json").error
    assert error["code"] == "usage"
    assert error["hint"] == "idp template --help"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words", [["template", "list"], ["--help"], ["template", "show", "python-api", "--json"]]
)
def test_a_reader_that_has_gone_is_no_error(words: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "idp", *words],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    os.close(writing)
    assert (process.communicate()[1], process.returncode) == (b"", 0)


def test_json_and_fields_go_together() -> None:
    run = idp("template", "list", "--json", "--fields", "name, source")
    assert run.code == 0
    assert json.loads(run.out) == [
        {"name": "node-ts-api", "source": "idp:node-ts-api"},
        {"name": "python-api", "source": "idp:python-api"},
    ]


def test_quiet_keeps_data_and_errors(tmp_path: Path) -> None:
    template = Template(tmp_path / "golden")
    template.write({"copier.yml": "_tasks: [echo hi]\n"})
    template.release("v1")
    words = ["create-service", "pay", "--template", template.at("v1"), "--defaults", "--dry-run"]
    assert "without its tasks" in idp(*words).err
    quiet = idp(*words, "--quiet")
    assert (quiet.code, quiet.err) == (0, "")
    assert quiet.out


def test_the_module_and_the_script_are_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("idp")
    for words in (["--version"], ["no-such-command"]):
        runs = [
            subprocess.run([*program, *words], capture_output=True, text=True, check=False)
            for program in ([str(script)], [sys.executable, "-m", "idp"])
        ]
        assert runs[0].returncode == runs[1].returncode
        assert (runs[0].stdout, runs[0].stderr) == (runs[1].stdout, runs[1].stderr)
