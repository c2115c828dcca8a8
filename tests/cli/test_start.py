"""Starting: nothing heavy is loaded, every command is there, and its help can be trusted."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]
from typer.main import get_command

from idp.__main__ import hoisted
from idp.cli import COMMANDS, app
from idp.cli.lazy import load

from ..service.stories import idp

HEAVY = {
    "rich",
    "pydantic",
    "httpx",
    "yaml",
    "git",
    "copier",
    "sqlalchemy",
    "jinja2",
    "questionary",
}


def commands() -> dict[str, Any]:
    """Return every command and group that is declared, by its words."""
    found: dict[str, Any] = {"": get_command(app)}
    for name in COMMANDS:
        found |= dict(below(name, load("idp.cli", name)))
    for noun in COMMANDS:
        package = f"idp.cli.{noun.replace('-', '_')}"
        for name in getattr(import_module(package), "VERBS", ()):
            verb = load(package, name)
            found[noun].add_command(verb, name)
            found |= dict(below(f"{noun} {name}", verb))
    return found


def below(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, part in getattr(command, "commands", {}).items():
        yield from below(f"{path} {name}", part)


def examples(command: Any) -> list[str]:
    lines = (command.epilog or "").splitlines()
    return [line.strip() for line in lines if line.startswith("  idp ")]


EVERY = commands()
EXAMPLES = sorted({line for command in EVERY.values() for line in examples(command)})


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["-h"]])
def test_a_plain_start_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from idp.__main__ import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(*sys.modules, file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
    )
    assert run.stdout
    loaded = {name.split(".")[0] for name in run.stderr.split()}
    assert HEAVY & loaded == set()
    ours = re.compile(r"idp\.(cli\.(?!lazy)|config|service)")
    assert not {name for name in run.stderr.split() if ours.match(name)}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_declaring_a_command_loads_nothing_heavy(name: str) -> None:
    """Pydantic is let through: Typer itself loads it to read a command's types."""
    code = "import sys; from idp.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    words = [sys.executable, "-c", code, name, "--help"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in run.stdout.splitlines()[-1].split()}
    assert HEAVY & loaded <= {"pydantic"}


def test_the_help_of_idp_lists_every_command() -> None:
    out = idp("--help").out
    for name in COMMANDS:
        assert re.search(rf"^  {name} ", out, re.M), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    own = (EVERY[name].help or "").split("\n\n")[0].replace("\n", " ")
    listed, told = words_of(COMMANDS[name]), words_of(own)
    assert listed[0] == told[0], f"{own!r} or {COMMANDS[name]!r}?"
    assert set(listed) <= set(told), f"{own!r} or {COMMANDS[name]!r}?"


def words_of(sentence: str) -> list[str]:
    return re.findall(r"[\w-]+", sentence.lower())


@pytest.mark.parametrize("path", sorted(EVERY))
def test_help_is_as_it_was(path: str, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed on purpose? `pytest tests/cli --snapshot-update`, and read the difference."""
    monkeypatch.setenv("COLUMNS", "80")
    run = idp(*path.split(), "--help")
    assert (run.code, run.err) == (0, "")
    assert max(map(len, run.out.splitlines())) <= 99  # examples are not folded
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots" / "help"
    snapshot.assert_match(run.out, f"{path.replace(' ', '_') or 'idp'}.txt")


@pytest.mark.parametrize("path", sorted(EVERY))
def test_every_help_has_examples_of_that_command(path: str) -> None:
    lines = examples(EVERY[path])
    assert lines, f"idp {path} --help shows no example"
    assert [line for line in lines if f"idp {path}".strip() in without_flags(line)]


def without_flags(example: str) -> str:
    """Return an example with the global flags before the command taken out."""
    return re.sub(r"^idp (--platform \S+|-C \S+|-\S+)* ?", "idp ", example)


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_call_that_idp_takes(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parse it as idp does, with the command's work taken out: types, choices and names hold."""
    ran = []
    for path, command in EVERY.items():
        works = getattr(command, "invoke_without_command", False)
        if path and (works or not getattr(command, "commands", None)):
            monkeypatch.setattr(
                command, "callback", lambda *_, path=path, **given: ran.append((path, given))
            )
    words = hoisted(list(takewhile(lambda word: word not in ("|", ">"), shlex.split(example)))[1:])
    group = get_command(app)
    for name in COMMANDS:
        group.add_command(EVERY[name], name)  # type: ignore[attr-defined]
    for lazy in (group, *(EVERY[name] for name in COMMANDS if hasattr(EVERY[name], "commands"))):
        monkeypatch.setattr(type(lazy), "resolve_command", typer.core.TyperGroup.resolve_command)
    group(words, prog_name="idp", standalone_mode=False)
    called = [path for path, _ in ran]  # `idp deploy` is run before its own `idp deploy status`
    assert len(called) == 1 or called[1].startswith(f"{called[0]} ")


def test_an_example_that_is_wrong_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exception, match="No such option: --tpye"):
        test_every_example_is_a_call_that_idp_takes(
            "idp create-service pay --tpye python-api", monkeypatch
        )


@pytest.mark.parametrize("path", sorted(EVERY))
def test_every_option_says_what_it_is_for(path: str) -> None:
    silent = [p.name for p in EVERY[path].params if not getattr(p, "help", None)]
    assert silent in ([], ["name"] if path == "" else [])


TELLING = {p for p, c in EVERY.items() if not hasattr(c, "commands")} - {
    *("secret exec", "env exec", "ledger grants", "ledger migrate")
}
"""All but what runs a program, prints SQL, or only says what it does."""


@pytest.mark.parametrize("path", sorted(TELLING))
def test_every_command_prints_json(path: str) -> None:
    assert "as_json" in {p.name for p in EVERY[path].params}


COMPLETIONS = [
    ("idp temp", {"template"}),
    ("idp ", set(COMMANDS)),
    ("idp template ", {"list", "show", "release", "verify"}),
    ("idp create-service --type ", {"node-ts-api", "python-api"}),
    ("idp create-service --type py", {"python-api"}),
    ("idp create-service pay --ty", {"--type"}),
    ("idp template show py", {"python-api"}),
    ("idp update-service --dr", {"--dry-run"}),
]


def completed(shell: str, line: str) -> str:
    """Ask idp as that shell's completion function does."""
    words = line.split()
    asked = {
        "bash": {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - (line[-1] != " "))},
        "zsh": {"_TYPER_COMPLETE_ARGS": line},
        "fish": {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    env = os.environ | asked | {"_IDP_COMPLETE": f"complete_{shell}"}
    run = subprocess.run(
        [sys.executable, "-m", "idp"], env=env, capture_output=True, text=True, check=False
    )
    assert run.stderr == ""
    return run.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("line", "offered"), COMPLETIONS)
def test_a_shell_completes_names_and_values(shell: str, line: str, offered: set[str]) -> None:
    out = completed(shell, line)
    if shell == "zsh":
        assert set(re.findall(r'"([^":]+)(?:":"[^"]*)?"', out)) == offered
        return
    assert {row.split("\t")[0] for row in out.splitlines()} == offered


def script(shell: str) -> str:
    """Return what `idp --show-completion` prints in that shell."""
    env = os.environ | {"_IDP_COMPLETE": f"source_{shell}"}
    words = [sys.executable, "-m", "idp"]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_asks_idp(shell: str) -> None:
    assert f"complete_{shell}" in script(shell)


def test_bash_itself_completes_with_that_script() -> None:
    """The whole way: the script is sourced, and the function fills in COMPREPLY."""
    asks = (
        f"{script('bash')}\nPATH={Path(sys.executable).parent}:$PATH\n"
        "COMP_WORDS=(idp create-service --type py); COMP_CWORD=3\n"
        '_idp_completion idp; echo "${COMPREPLY[@]}"\n'
    )
    run = subprocess.run(["bash", "-c", asks], capture_output=True, text=True, check=True)
    assert run.stdout == "python-api\n"
