"""The doctor: what is amiss is found, with the command that mends it, and nothing else is said."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from idp.config import Platform
from idp.context import Context
from idp.doctor import Check, World, examine
from idp.errors import RemoteFailed
from idp.forge.place import Place

from ..service.stories import Template, git, idp
from .standin import StandIn

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "doctor.schema.json"


@pytest.fixture(autouse=True)
def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip ask no package index, and nobody the world: only what is on this machine answers."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")


def doctor(*words: str | Path) -> tuple[int, dict[str, Check]]:
    run = idp(*words, "doctor", "--json", "--quiet")
    told = json.loads(run.out)
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    assert run.err == ""
    return run.code, {row["name"]: Check(**row) for row in told}


def amiss(found: Mapping[str, Check]) -> dict[str, str]:
    """Return the checks that are no good, leaving out what this machine may lack."""
    about = {name: check.state for name, check in found.items()}
    may = {"make", "container engine"}
    return {n: s for n, s in about.items() if s in ("warning", "problem") and n not in may}


def platform(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "platform.yaml"
    path.write_text(f"version: 1\n{text}")
    return path


def test_all_is_well(forge: StandIn) -> None:
    code, found = doctor()
    assert (code, amiss(found)) == (0, {})
    assert found["forge"].found == f"{forge.host} (github)"
    assert found["login"].found == f"pat at {forge.host}, from GH_ENTERPRISE_TOKEN"
    assert found["allowed"].found == "create-service --push, update-service --pr"
    assert [n for n, c in found.items() if c.state == "ok"][:3] == ["git", "git identity", "python"]
    assert forge.token not in json.dumps([check.found for check in found.values()])


def test_it_says_so_in_words_too(forge: StandIn) -> None:
    run = idp("doctor")
    assert run.out.splitlines()[0].split("\t") == ["state", "name", "found", "mend"]
    assert run.err.strip() in ("all is well", "1 warning", "2 warnings")


def test_a_person_gets_each_mend_in_one_piece(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".gitconfig").write_text("")
    monkeypatch.setenv("FORCE_TTY", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    lines = idp("doctor").out.splitlines()
    at = lines.index("warning  git identity: not set: user.name, user.email")
    name, email = "user.name 'Ada Lovelace'", "user.email ada@example.com"
    assert lines[at + 1] == (
        f"         mend: git config --global {name} && git config --global {email}"
    )


def test_offline_without_a_platform_file_nothing_is_a_problem() -> None:
    code, found = doctor()
    assert (code, amiss(found)) == (0, {})
    assert found["forge"].state == found["login"].state == "skipped"
    assert found["template python-api"].state == "ok"


def test_a_forge_that_the_platform_names_and_nobody_reaches_is_a_problem(tmp_path: Path) -> None:
    named = platform(tmp_path, "forge: {url: 'https://127.0.0.1:1'}\n")
    code, found = doctor("--platform", named)
    assert (code, amiss(found)) == (1, {"forge": "problem"})
    assert "127.0.0.1:1" in found["forge"].found


def test_not_being_logged_in_is_a_problem_with_its_mend(
    forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    code, found = doctor()
    assert (code, amiss(found)) == (1, {"login": "problem"})
    assert found["login"].mend == f"idp auth login {forge.host}"


def test_a_token_that_may_too_little_is_a_warning(forge: StandIn) -> None:
    forge.scopes = "repo"
    code, found = doctor()
    assert (code, amiss(found)) == (0, {"allowed": "warning"})
    assert "update-service --pr needs workflow" in found["allowed"].found
    assert found["allowed"].mend.startswith("unset GH_ENTERPRISE_TOKEN && idp auth login")


def test_a_token_whose_scopes_are_not_told_is_believed(forge: StandIn) -> None:
    forge.scopes = None
    code, found = doctor()
    assert (code, found["allowed"].state) == (0, "ok")


def test_every_mistake_of_the_platform_file_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    named = platform(tmp_path, "nmae: acme\nforge: {kind: gitub}\n")
    code, found = doctor("--platform", named)
    assert (code, amiss(found)) == (1, {"platform file": "problem"})
    told = found["platform file"].found
    assert "nmae: unknown key" in told
    assert "forge.kind" in told
    assert found["forge"].state == found["templates"].state == "skipped"
    assert found["git"].state == "ok"


def test_a_platform_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    code, found = doctor("--platform", tmp_path / "none.yaml")
    assert (code, amiss(found)) == (1, {"platform file": "problem"})


def test_a_platform_file_at_a_server_that_is_gone_is_a_problem() -> None:
    code, found = doctor("--platform", "https://127.0.0.1:1/acme/platform.git")
    assert (code, amiss(found)) == (1, {"platform file": "problem"})
    assert found["platform file"].found.startswith("cannot reach https://127.0.0.1:1/")


def test_a_cache_that_cannot_be_written_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    code, found = doctor()
    assert (code, found["cache"].state) == (1, "problem")
    assert found["cache"].mend == "set XDG_CACHE_HOME to a folder of yours"


def test_a_malformed_netrc_is_told_without_its_words(home: Path) -> None:
    (home / ".netrc").write_text("machine github.com pasword ghp_secret\n")
    code, found = doctor()
    assert (code, amiss(found)) == (1, {"netrc": "problem"})
    assert found["netrc"].found == f"{home}/.netrc:1: not as netrc is written"
    assert "ghp_secret" not in str(found)


def test_a_netrc_that_others_may_read_is_a_warning(home: Path) -> None:
    path = home / ".netrc"
    path.write_text("machine git.acme.com login me password ghp_secret\n")
    path.chmod(0o644)
    code, found = doctor()
    assert (code, amiss(found)) == (0, {"netrc": "warning"})
    assert found["netrc"].mend == f"chmod 600 {path}"
    path.chmod(0o600)
    assert doctor()[1]["netrc"].found == f"{path} knows git.acme.com"


def test_stored_logins_that_others_may_read_are_a_warning(home: Path) -> None:
    path = home / "config" / "idp" / "tokens.json"
    path.parent.mkdir(parents=True)
    entry = {"kind": "gitlab", "login": "pat", "token": "glpat-secret"}
    path.write_text(json.dumps({"version": 1, "hosts": {"gitlab.com": entry}}))
    path.chmod(0o644)
    assert doctor()[1]["stored logins"].mend == f"chmod 600 {path}"
    path.chmod(0o600)
    assert doctor()[1]["stored logins"].found == "gitlab.com"


def test_without_a_git_identity_both_commands_are_told(home: Path) -> None:
    (home / ".gitconfig").write_text("")
    code, found = doctor()
    assert (code, amiss(found)) == (0, {"git identity": "warning"})
    mend = found["git identity"].mend
    assert "git config --global user.name" in mend
    assert "git config --global user.email" in mend


def test_tools_that_are_missing_are_warnings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    code, found = doctor()
    assert code == 0
    assert found["make"].state == found["container engine"].state == "warning"
    assert "make" in found["make"].mend


def test_a_git_that_is_too_old_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    told = '[ "$1" = --version ] && echo "git version 2.30.2" && exit'
    old.write_text(f'#!/bin/sh\n{told}\nexec {shutil.which("git")} "$@"\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    code, found = doctor()
    assert (code, found["git"].found) == (1, "2.30.2; idp needs 2.38")


def test_a_service_behind_its_template_is_told(tmp_path: Path) -> None:
    template = Template(tmp_path / "golden")
    template.release("v1.0.0", {"README.md": "one\n"})
    made = idp(
        *("create-service", "pay", "--template", template.at("v1.0.0")),
        *("--dest", tmp_path / "pay", "--defaults"),
    )
    assert made.code == 0, made.err
    assert doctor("-C", tmp_path / "pay")[1]["service"].state == "ok"
    template.release("v1.1.0", {"README.md": "two\n"})
    code, found = doctor("-C", tmp_path / "pay")
    assert (code, found["service"].state) == (0, "warning")
    assert "on v1.0.0; the newest release of" in found["service"].found
    assert found["service"].mend == "idp update-service --dry-run"


def test_templates_on_a_server_are_asked_for_their_releases_and_each_server_once(
    forge: StandIn, tmp_path: Path, home: Path
) -> None:
    golden = Template(tmp_path / "golden")
    golden.commit({"api/copier.yml": "{}", "job/copier.yml": "{}"})
    for tag in ("api/v1.0.0", "api/v1.2.0", "job-v0.3.0", "job-v0.4.0-rc.1"):
        golden.release(tag, {"log": tag})
    git(golden.path, "push", "--quiet", "--tags", str(forge.add_repo("acme/golden").git_dir))
    helper = f'"!f() {{ echo username=x; echo password={forge.token}; }}; f"'
    with (home / ".gitconfig").open("a") as config:
        config.write(f'[credential "{forge.url}"]\n    helper = {helper}\n')
    url = forge.git_url("acme/golden")
    named = platform(
        tmp_path,
        f"forge: {{url: '{forge.url}'}}\ntemplates:\n"
        f"  api: {{source: '{url}#api'}}\n"
        f"  job: {{source: '{url}#job'}}\n"
        f"  gone: {{source: '{forge.git_url('acme/gone')}'}}\n",
    )
    code, found = doctor("--platform", named)
    assert (code, amiss(found)) == (1, {"template gone": "problem"})
    assert found["template api"].found == "newest release v1.2.0"
    assert found["template job"].found == "newest release v0.3.0"
    asked = [r.path for r in forge.requests if r.path.startswith("/acme/golden.git/info/refs")]
    assert len(asked) == 2  # the first one is told to log in


class Later:
    """A clock that is ahead."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=5)

    def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def world(tmp_path: Path, host: str) -> World:
    idp = Context()
    return World(
        environ=os.environ,
        clock=Later(),
        folder=tmp_path,
        shelf=lambda: idp.shelf,
        cache=lambda: idp.cache,
        configured=lambda: "here",
        platform=lambda: idp.platform,
        forge=lambda: Place(host, "github"),
        template=idp.template,
        service=lambda: None,
    )


def test_a_clock_that_goes_wrong_is_told(forge: StandIn, tmp_path: Path) -> None:
    found = {check.name: check for check in examine(world(tmp_path, forge.host))}
    assert found["clock"].state == "warning"
    assert found["clock"].found.endswith(f" s away from that of {forge.host}")
    assert abs(float(found["clock"].found.split()[0]) - 300) < 30


def test_without_a_platform_file_not_being_logged_in_is_a_warning(
    forge: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IDP_PLATFORM")
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    found = {check.name: check for check in examine(world(tmp_path, forge.host))}
    assert (found["forge"].state, found["login"].state) == ("ok", "warning")


def test_a_newer_idp_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "idp_toolchain-99.1.0-py3-none-any.whl").write_bytes(b"")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    code, found = doctor()
    assert (code, found["idp"].state) == (0, "warning")
    assert found["idp"].found.endswith("; 99.1.0 is out")
    assert found["idp"].mend == "pip install --upgrade idp-toolchain"


def test_what_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    answered = threading.Event()

    def late() -> Place:
        assert answered.wait(60)
        return Place("github.com", "github")

    found = examine(replace(world(tmp_path, ""), forge=late), patience=0.5)
    answered.set()
    [forge] = [check for check in found if check.name == "forge"]
    assert (forge.state, forge.found) == ("problem", "no answer in time")


def test_a_forge_is_not_asked_for_by_a_platform_file_that_cannot_be_read(tmp_path: Path) -> None:
    def gone() -> Platform:
        raise RemoteFailed("gone")

    def fetched_all_the_same() -> Place:
        raise AssertionError("git would be waited for")

    there = replace(world(tmp_path, ""), platform=gone, forge=fetched_all_the_same)
    [forge] = [check for check in examine(there) if check.name == "forge"]
    assert forge.state == "skipped"
