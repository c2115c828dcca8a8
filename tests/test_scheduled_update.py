"""The update on a schedule, from the steps of CI to the pull request on a forge of our own."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from .forge.conftest import forge, forge_keys  # noqa: F401
from .forge.standin import StandIn
from .service.stories import Service, commit_all, git, idp
from .test_action import Done, Runner, runner  # noqa: F401

HELPER = '!f() { echo username=pat; echo "password=$GH_ENTERPRISE_TOKEN"; }; f'


@pytest.fixture
def platform(forge: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:  # noqa: F811
    """A platform repository on the forge, private, with a release of its template."""
    folder = tmp_path / "platform"
    made = idp(
        "platform", "init", folder, "--owner", "acme", "--team", "platform", "--url", forge.url
    )
    assert made.code == 0, made.everything
    repo = forge.add_repo("acme/platform")
    git(folder, "remote", "add", "origin", str(repo.git_dir))
    monkeypatch.setenv("IDP_PLATFORM", f"{forge.git_url('acme/platform')}@main")
    # How an engineer's machine reads what is private: by git's own helper.
    home = Path(os.environ["HOME"]) / ".gitconfig"
    git(folder, "config", "--file", str(home), f"credential.{forge.url}.helper", HELPER)
    platform = Service(folder)
    release(platform, "v1.0.0")
    return platform


def release(platform: Service, version: str) -> None:
    platform.git("tag", "--annotate", f"example/{version}", "-m", version)
    platform.git("push", "--quiet", "origin", "main", "--tags")


@pytest.fixture
def pay(platform: Service, tmp_path: Path) -> Service:
    """A service on the forge, made from the platform's own template."""
    made = idp("create-service", "pay", "--type", "example", "--owner", "payments", "--defaults",
               "--dest", tmp_path / "pay", "--push", "--yes")  # fmt: skip
    assert made.code == 0, made.everything
    return Service(tmp_path / "pay")


@pytest.fixture
def in_ci(runner: Runner, forge: StandIn, monkeypatch: pytest.MonkeyPatch) -> Runner:  # noqa: F811
    """A runner of that forge: it knows of nobody but the job's token."""
    for name in ("GH_HOST", "GH_ENTERPRISE_TOKEN", "IDP_PLATFORM"):
        monkeypatch.delenv(name)
    home = runner.temp / "home"
    home.mkdir()
    for name, value in {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": forge.url,
        "RUNNER_TEMP": str(runner.temp),
        "GIT_CONFIG_GLOBAL": str(runner.temp / "idp.gitconfig"),
    }.items():
        monkeypatch.setenv(name, value)
    return runner


def scheduled(platform: Service, pay: Service, token: str) -> Done:
    """Run the last step of the platform's workflow in a clone of the service."""
    workflow = yaml.safe_load(platform.read(".github/workflows/update-service.yml"))
    step = workflow["jobs"]["update"]["steps"][-1]
    env = {name: value for name, value in step["env"].items() if "${{" not in value}
    assert set(step["env"]) - set(env) == {"GITHUB_TOKEN", "GIT_CONFIG_GLOBAL", "SERVICE"}
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]], cwd=pay.path, text=True, check=False,
        env=os.environ | env | {"GITHUB_TOKEN": token, "SERVICE": "."},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, {})


def news(platform: Service) -> None:
    """Release a template that changes the first line of the README and adds a file."""
    base = "templates/example/template"
    readme = platform.read(f"{base}/README.md.jinja").replace("# {{ name }}", "# The {{ name }}")
    platform.write({f"{base}/README.md.jinja": readme, f"{base}/NEWS.md": "New.\n"})
    commit_all(platform.repo, "feat: news")
    release(platform, "v1.1.0")


def test_the_workflow_opens_the_pull_request_once(
    platform: Service,
    pay: Service,
    in_ci: Runner,
    forge: StandIn,  # noqa: F811
) -> None:
    quiet = scheduled(platform, pay, forge.token)
    assert quiet.code == 0, quiet.log
    assert forge.pulls == []
    news(platform)
    for _ in range(2):
        done = scheduled(platform, pay, forge.token)
        assert done.code == 0, done.log
        assert forge.token not in done.log
    [pull] = forge.pulls
    assert (pull.base, pull.draft) == ("main", False)
    assert git(pull.repo.git_dir, "show", f"{pull.branch}:NEWS.md") == "New.\n"
    assert pay.status() == {}


def test_conflicts_are_a_draft_and_no_failure(
    platform: Service,
    pay: Service,
    in_ci: Runner,
    forge: StandIn,  # noqa: F811
) -> None:
    pay.commit({"README.md": "# Our pay\n"})
    git(pay.path, "push", "--quiet", str(forge.repos["acme/pay"].git_dir), "main")
    news(platform)
    done = scheduled(platform, pay, forge.token)
    assert done.code == 0, done.log
    assert "::notice::conflicts" in done.log
    assert [pull.draft for pull in forge.pulls] == [True]


def test_a_token_that_may_not_is_a_failure(
    platform: Service,
    pay: Service,
    in_ci: Runner,
    forge: StandIn,  # noqa: F811
) -> None:
    assert scheduled(platform, pay, "ghs_of_somebody_else").code == 4
    assert forge.pulls == []


def test_the_action_opens_the_same_pull_request(
    platform: Service,
    pay: Service,
    in_ci: Runner,
    forge: StandIn,  # noqa: F811
) -> None:
    news(platform)
    done = in_ci.idp(
        pay.path,
        f"--platform {forge.git_url('acme/platform')}@main "
        "update-service --pr --yes --defaults --json",
        token=forge.token,
    )
    assert done.code == 0, done.log
    assert re.search(r'"status": ?"opened"', done.outputs["json"])
    assert len(forge.pulls) == 1
    files = (path for path in in_ci.temp.rglob("*") if path.is_file())
    assert [path for path in files if forge.token.encode() in path.read_bytes()] == []
