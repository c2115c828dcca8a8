"""The GitHub Action and the GitLab component: their steps run in a shell as the forge runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from idp import __version__

from .templates.stories import ROOT, run, tool
from .templates.test_lint import PINS, USES

ACTION = ROOT / "action.yml"
COMPONENT = ROOT / "templates" / "idp.yml"
# From the actions' own repositories, each the newest tag there.
KNOWN = PINS | {
    "actions/create-github-app-token": ("1b10c78c7865c340bc4f6099eb2f838309f1e8c3", "v3.1.1")
}
TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"


def load(text: str) -> Any:
    return yaml.safe_load(text)


@dataclass(frozen=True)
class Done:
    """A step that ran: its exit code, its log and its outputs."""

    code: int
    log: str
    outputs: dict[str, str]


@dataclass(frozen=True)
class Runner:
    """Runs the action's steps in bash with the environment that GitHub gives them."""

    home: Path
    temp: Path

    def step(self, name: str, folder: Path, **inputs: str) -> Done:
        steps = {
            step.get("id", step["name"]): step for step in load(ACTION.read_text())["runs"]["steps"]
        }
        step = steps[name]
        script, output = self.temp / "step.sh", self.temp / "output"
        script.write_text(step["run"])
        output.write_text("")
        env = os.environ | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_SERVER_URL": os.environ.get("GITHUB_SERVER_URL", "https://github.com"),
            "RUNNER_TEMP": str(self.temp),
        }
        env |= {name: self.value(written, inputs) for name, written in step["env"].items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script],
            cwd=folder, env=env, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, outputs(output.read_text()))

    def value(self, written: str, inputs: dict[str, str]) -> str:
        """Fill in `${{ … }}` as the runner does: inputs with their defaults, and few more."""
        given = {name: str(about.get("default", "")) for name, about in
                 load(ACTION.read_text())["inputs"].items()} | inputs  # fmt: skip
        known = {f"inputs.{name}": text for name, text in given.items()}
        known |= {"github.token": TOKEN, "runner.temp": str(self.temp)}
        known |= {"steps.python.outputs.python-path": sys.executable}
        for _ in range(2):  # the default of an input may be an expression itself
            written = re.sub(r"\$\{\{ (\S+) \}\}", lambda found: known[found[1]], written)
        return written

    def idp(self, folder: Path, command: str, **inputs: str) -> Done:
        return self.step("run", folder, command=command, **inputs)


def outputs(text: str) -> dict[str, str]:
    """Read GITHUB_OUTPUT: `name=value` lines, and values between a mark."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, several, mark = line.partition("<<")
        if several:
            found[name] = "\n".join(iter(lambda: next(lines), mark))
        else:
            name, _, found[line.partition("=")[0]] = line.partition("=")
    return found


@pytest.fixture
def runner(home: Path, tmp_path: Path) -> Runner:
    """A runner on which the action's idp is the one that is tested here."""
    temp = tmp_path / "runner"
    (temp / "idp" / "bin").mkdir(parents=True)
    here = Path(sys.executable).parent
    for name in ("python", "idp"):
        script = temp / "idp" / "bin" / name
        script.write_text(f'#!/bin/sh\nexec "{here / name}" "$@"\n')
        script.chmod(0o755)
    return Runner(home, temp)


def test_what_a_command_prints_is_an_output(runner: Runner, tmp_path: Path) -> None:
    done = runner.idp(tmp_path, "template list --json")
    assert (done.code, done.outputs["exit-code"]) == (0, "0")
    assert "python-api" in {row["name"] for row in json.loads(done.outputs["json"])}


def test_words_are_taken_apart_as_a_shell_does_and_nothing_is_expanded(
    runner: Runner, tmp_path: Path
) -> None:
    done = runner.idp(
        tmp_path,
        "create-service pay --type python-api --owner payments --defaults\n"
        "--data 'description=Pays $(touch spoilt); `touch spoilt` \"now\"' --json",
    )
    assert done.code == 0, done.log
    assert "Pays $(touch spoilt)" in (tmp_path / "pay" / "catalog-info.yaml").read_text()
    assert not list(tmp_path.rglob("spoilt"))
    assert json.loads(done.outputs["json"])["name"] == "pay"


def test_an_exit_code_fails_the_step_unless_it_is_taken_for_good(
    runner: Runner, tmp_path: Path
) -> None:
    command = "template show nothing-of-the-kind"
    failed = runner.idp(tmp_path, command)
    assert (failed.code, failed.outputs) == (3, {"exit-code": "3"})
    assert "no template called" in failed.log
    taken = runner.idp(tmp_path, command, **{"ok-exit-codes": "0 3 7"})
    assert (taken.code, taken.outputs) == (0, {"exit-code": "3"})


def test_the_runner_takes_no_command_from_what_idp_prints(runner: Runner, tmp_path: Path) -> None:
    golden = tmp_path / "golden"
    golden.mkdir()
    (golden / "copier.yml").write_text("x: {help: '::error::taken in'}\n")
    log = runner.idp(tmp_path, "template show ./golden").log
    stopped, _, after = log.partition("::stop-commands::")
    mark = after.splitlines()[0]
    assert "taken in" not in stopped
    assert "taken in" in after.partition(f"::{mark}::")[0]


def test_git_has_the_token_and_no_file_has_it(runner: Runner, tmp_path: Path) -> None:
    runner.idp(tmp_path, "template list")
    asked = subprocess.run(
        ["git", "credential", "fill"],
        input="protocol=https\nhost=github.com\n\n",
        env=os.environ
        | {"GIT_CONFIG_GLOBAL": str(runner.temp / "idp.gitconfig"), "GITHUB_TOKEN": TOKEN},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"password={TOKEN}\n" in asked.stdout
    files = (path for path in tmp_path.rglob("*") if path.is_file())
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []


def test_the_person_that_the_runner_has_named_stays(runner: Runner, tmp_path: Path) -> None:
    done = runner.idp(tmp_path, "create-service pay --type python-api --owner core --defaults")
    assert done.code == 0, done.log
    log = run("git", "log", "--format=%an", cwd=tmp_path / "pay")
    assert log == "Pat Tester\n"


def test_without_a_person_commits_are_the_actions_own(
    runner: Runner, home: Path, tmp_path: Path
) -> None:
    (home / ".gitconfig").write_text("")
    done = runner.idp(tmp_path, "create-service pay --type python-api --owner core --defaults")
    assert done.code == 0, done.log
    assert run("git", "log", "--format=%an", cwd=tmp_path / "pay") == "github-actions[bot]\n"


def test_the_code_of_the_action_itself_is_what_is_installed(home: Path, tmp_path: Path) -> None:
    runner = Runner(home, tmp_path / "runner")
    runner.temp.mkdir()
    done = runner.step("Install idp", tmp_path)
    assert done.code == 0, done.log
    assert runner.idp(tmp_path, "--version").log.count(f"idp {__version__}\n") == 1
    assert runner.idp(tmp_path, "template verify templates --json -C " + str(ROOT)).code == 0


def test_a_version_is_a_release_and_no_option_of_pip(runner: Runner, tmp_path: Path) -> None:
    done = runner.step("Install idp", tmp_path, version="1.0 --index-url https://evil.example")
    assert done.code == 2
    assert "no release" in done.log


def test_no_input_reaches_the_text_of_a_script() -> None:
    for step in load(ACTION.read_text())["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("path", [ACTION, ROOT / "docs" / "ci.md"], ids=lambda p: p.name)
def test_actions_are_pinned_by_commits_that_exist(path: Path) -> None:
    calls = [
        line for line in path.read_text().splitlines() if re.match(r"\s*(- )?uses: \S+@", line)
    ]
    others = [line for line in calls if "OWNER/idp@" not in line and "acme/platform/" not in line]
    pinned = [USES.search(line) for line in others]
    assert pinned
    assert all(found and KNOWN[found[1]] == (found[2], found[3]) for found in pinned)


def test_the_action_is_what_its_readers_expect() -> None:
    schema = ("--builtin-schema", "vendor.github-actions")
    run(tool("check-jsonschema"), *schema, "action.yml", cwd=ROOT)
    run(tool("zizmor"), "--offline", "--no-progress", "--persona=pedantic", ACTION, cwd=ROOT)


def test_the_steps_are_good_shell(tmp_path: Path) -> None:
    for number, step in enumerate(load(ACTION.read_text())["runs"]["steps"]):
        if "run" in step:
            script = tmp_path / f"{number}.sh"
            script.write_text(step["run"])
            run(tool("shellcheck"), "--shell=bash", "--severity=warning", script, cwd=tmp_path)


def interpolated(text: str, **inputs: Any) -> Any:
    """Fill in a component's inputs as GitLab does: in values, once the YAML is read."""
    header, content = yaml.safe_load_all(text)
    given = {name: about.get("default") for name, about in header["spec"]["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    return filled(content, given)


def filled(node: Any, given: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        return {filled(key, given): filled(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(item, given) for item in node]
    if not isinstance(node, str):
        return node
    whole = re.fullmatch(r"\$\[\[ inputs\.(\S+) \]\]", node)
    if whole:
        return given[whole[1]]
    return re.sub(r"\$\[\[ inputs\.(\S+) \]\]", lambda found: str(given[found[1]]), node)


def test_the_component_is_gitlab_ci_by_its_published_schema(tmp_path: Path) -> None:
    made = interpolated(COMPONENT.read_text(), command="template list", job="golden path")
    assert list(made) == ["golden path"]
    (tmp_path / "ci.yml").write_text(yaml.safe_dump(made))
    schema = ("--builtin-schema", "vendor.gitlab-ci")
    run(tool("check-jsonschema"), *schema, tmp_path / "ci.yml", cwd=tmp_path)


def test_the_component_runs_this_release_unless_it_is_told_another() -> None:
    header, _ = yaml.safe_load_all(COMPONENT.read_text())
    assert header["spec"]["inputs"]["version"]["default"] == __version__


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("template list --fields name", 0, "python-api"),
        ("template show 'no such; touch spoilt'", 3, "no such; touch spoilt"),
    ],
)
def test_the_components_script_runs_the_command(
    command: str, code: int, said: str, runner: Runner, tmp_path: Path
) -> None:
    [job] = interpolated(COMPONENT.read_text(), command=command).values()
    variables = {k: v["value"] if isinstance(v, dict) else v for k, v in job["variables"].items()}
    # The venv of the job is at a fixed place; here it is the one of this test.
    script = "\n".join(job["script"]).replace("/tmp/idp", str(runner.temp / "idp"))
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, env=os.environ | variables,
        text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert (done.returncode, said in done.stdout) == (code, True), done.stdout
    assert not list(tmp_path.rglob("spoilt"))
