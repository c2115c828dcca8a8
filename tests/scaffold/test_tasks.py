"""A template's own commands: when they run, what they see, and what they do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from idp.errors import InvalidInput
from idp.proc import CommandFailed
from idp.scaffold import config, tasks
from idp.scaffold.config import Command, Stage

from ..service.stories import build_tree


@pytest.fixture
def scene(tmp_path: Path) -> tasks.Scene:
    return make_scene(tmp_path)


def make_scene(
    tmp_path: Path, copier_yml: str = "name: pay\n", trusted: bool = True
) -> tasks.Scene:
    build_tree(tmp_path / "tree", {"copier.yml": copier_yml})
    for name in ("pay", "empty-home"):
        (tmp_path / name).mkdir()
    read = config.read(tmp_path / "tree")
    answers = {"name": "pay", "public": False}
    home = tmp_path / "empty-home"
    return tasks.Scene(read, tmp_path / "tree", tmp_path / "pay", home, answers, "update", trusted)


def run(scene: tasks.Scene, *commands: Command, **variables: str) -> None:
    tasks.run_all(scene, [(command, {"stage": "task", **variables}) for command in commands])


def out(scene: tasks.Scene, name: str = "out") -> str:
    return (scene.folder / name).read_text()


def test_a_command_sees_nothing_of_the_users_environment(
    scene: tasks.Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "GIT_DIR", "SSH_AUTH_SOCK", "IDP_PLATFORM", "PYTHONPATH"):
        monkeypatch.setenv(name, "hunter2")
    run(scene, Command("env > out"))
    seen = dict(line.split("=", 1) for line in out(scene).splitlines())
    assert "hunter2" not in out(scene)
    assert seen["HOME"] == str(scene.home)
    assert seen["GIT_AUTHOR_NAME"] == "idp"
    assert seen["STAGE"] == "task"
    assert seen["COPIER_OPERATION"] == "update"
    allowed = {*tasks.KEPT, "HOME", "STAGE", "COPIER_OPERATION", "PWD", "SHLVL", "_", "OLDPWD"}
    assert {name for name in seen if not name.startswith("GIT_")} <= allowed


def test_git_inside_a_command_reads_no_configuration_of_the_user(
    scene: tasks.Scene, home: Path
) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write("[my]\n secret = hunter2\n")
    run(scene, Command("git config --get my.secret > out || true"))
    assert out(scene) == ""


def test_a_command_out_of_time_is_stopped_and_its_output_told(
    scene: tasks.Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "SECONDS", 1.0)
    with pytest.raises(CommandFailed) as caught:
        run(scene, Command("echo so far; sleep 600"), Command("touch never"))
    assert caught.value.details == ("so far", "stopped after 1 s")
    assert not (scene.folder / "never").exists()


def test_the_first_failure_is_the_last_command(scene: tasks.Scene) -> None:
    with pytest.raises(CommandFailed, match="exited 3") as caught:
        run(scene, Command("echo one > out"), Command("echo oh; exit 3"), Command("touch never"))
    assert caught.value.details == ("oh",)
    assert [p.name for p in scene.folder.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("when", "runs"),
    [
        (True, True),
        (False, False),
        ("{{ public }}", False),
        ("{{ not public }}", True),
        ("{{ name == 'pay' }}", True),
        ("{{ _copier_operation == 'copy' }}", False),
        ("{{ _copier_phase == 'tasks' }}", True),
        ("", False),
        ("no", False),
    ],
)
def test_a_command_runs_when_its_template_says(
    when: str | bool, runs: bool, scene: tasks.Scene
) -> None:
    run(scene, Command("touch out", when=when))
    assert (scene.folder / "out").exists() == runs


def test_a_command_is_rendered_and_runs_in_its_folder(scene: tasks.Scene) -> None:
    (scene.folder / "sub").mkdir()
    run(scene, Command("echo {{ name }} {{ _folder_name }} > out", folder="{{ 'sub' }}"))
    assert out(scene, "sub/out") == "pay pay\n"


def test_a_list_of_words_needs_no_shell(scene: tasks.Scene) -> None:
    run(scene, Command(("touch", "a b; {{ name }} $HOME")))
    assert [p.name for p in scene.folder.iterdir()] == ["a b; pay $HOME"]


@pytest.mark.parametrize("text", ["{{ 1 +", "{{ ''.__class__.__mro__ }}", "{{ nope() }}"])
def test_an_expression_that_cannot_be_is_the_templates_fault(text: str, scene: tasks.Scene) -> None:
    with pytest.raises(InvalidInput, match=r"copier\.yml of the template"):
        scene.expand(text)


def test_an_extension_is_loaded_for_a_trusted_template_only(tmp_path: Path) -> None:
    text = "_jinja_extensions: [jinja2.ext.do]\n"
    trusted = make_scene(tmp_path, text)
    assert trusted.expand("{% do 1 %}x") == "x"
    untrusted = tasks.Scene(**{**vars(trusted), "trusted": False})
    with pytest.raises(InvalidInput):
        untrusted.expand("{% do 1 %}x")


MIGRATIONS = """\
_migrations:
  - version: v2.0.0
    command: two
  - version: v2.0.0
    command: [two, before]
    when: "{{ _stage == 'before' }}"
  - version: v3.0.0
    before: [legacy before]
    after: [[legacy, after], "legacy again"]
  - command: always
    working_directory: sub
  - every time
_envops: {}
"""


def between(old: str, new: str, stage: Stage, scene: tasks.Scene) -> list[Any]:
    """Return the words of the migrations that would run."""
    chosen = config.migrations(scene.config, stage, old, new)
    return [command.words for command, told in chosen if runs(scene, command, told)]


def runs(scene: tasks.Scene, command: Command, told: Mapping[str, str]) -> bool:
    private = {f"_{name}": value for name, value in told.items()}
    return scene.expand(str(command.when), **private) in ("True", "true")


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("v1.0.0", "v1.5.0", [], ["always", "every time"]),
        ("v1.0.0", "v2.0.0", [("two", "before")], ["two", "always", "every time"]),
        ("v2.0.0", "v2.1.0", [], ["always", "every time"]),
        (
            "v2.0.0",
            "v3.0.0",
            ["legacy before"],
            [("legacy", "after"), "legacy again", "always", "every time"],
        ),
        (
            "v1.0.0",
            "v9",
            [("two", "before"), "legacy before"],
            ["two", ("legacy", "after"), "legacy again", "always", "every time"],
        ),
        ("v3.0.0", "v1.0.0", [], ["always", "every time"]),
        ("v2.0.0-3-gabc1234", "v2.1.0", [], ["always", "every time"]),
        ("v2.0.0rc1", "v2.0.0", [("two", "before")], ["two", "always", "every time"]),
    ],
)
def test_the_migrations_between_two_releases(
    old: str, new: str, before: list[Any], after: list[Any], tmp_path: Path
) -> None:
    scene = make_scene(tmp_path, MIGRATIONS)
    assert between(old, new, "before", scene) == before
    assert between(old, new, "after", scene) == after


def test_a_migration_is_told_what_it_leads_from_and_to(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, "_migrations: [{version: v2.0.0, command: env > out}]\n")
    tasks.run_all(scene, config.migrations(scene.config, "after", "v1.0.0", "v3.0.0rc1"))
    lines = out(scene).splitlines()
    told = {
        "STAGE=after",
        "VERSION_FROM=v1.0.0",
        "VERSION_TO=v3.0.0rc1",
        "VERSION_CURRENT=v2.0.0",
        "VERSION_PEP440_FROM=1.0.0",
        "VERSION_PEP440_TO=3.0.0rc1",
        "VERSION_PEP440_CURRENT=2.0.0",
    }
    assert told <= set(lines)


def test_a_migration_for_no_version_is_the_templates_fault(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, "_migrations: [{version: soon, command: x}]\n")
    with pytest.raises(InvalidInput, match="'soon' is no version"):
        config.migrations(scene.config, "after", "v1.0.0", "v2.0.0")


def test_patterns_are_rendered_and_may_come_to_several_lines(scene: tasks.Scene) -> None:
    lines = ["*.log", "{% if name == 'pay' %}a\nb{% endif %}", "{% if public %}never{% endif %}"]
    assert scene.patterns(lines) == ["*.log", "a", "b"]
