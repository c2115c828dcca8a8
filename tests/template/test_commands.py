"""`idp template`: listing, showing, releasing, and holding releases to what they were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from idp.template.release import HASHES

from ..service.stories import Run, Template, build_tree, difference, files_below, git, idp

CHANGELOG = "# Changes\n\n## 1.1.0\n- more\n\n## [1.0.0] - 2026-05-04\n- first\n\n## v2.0.0-rc.1\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of templates, none of them released."""
    files = {"copier.yml": "name: {type: str}\n", "CHANGELOG.md": CHANGELOG, "a.txt": "1\n"}
    files |= {"__pycache__/x.pyc": "x", "sub/releases/kept.txt": "kept\n"}
    build_tree(tmp_path / "templates" / "api", files)
    return tmp_path / "templates"


def release(root: Path, version: str, *flags: str) -> Run:
    return idp("template", "release", root / "api", version, "--json", *flags)


def altered(root: Path) -> list[str]:
    run = idp("template", "verify", root, "--json")
    wrong: list[str] = run.json["altered"]
    assert run.code == (3 if wrong else 0)
    return wrong


def test_a_release_is_a_copy_with_its_hash_listed(root: Path) -> None:
    run = release(root, "1.0.0")
    assert run.code == 0, run.err
    made = root / "api" / "releases" / "1.0.0"
    assert (run.json["name"], run.json["version"], run.json["place"]) == ("api", "1.0.0", str(made))
    assert sorted(files_below(made)) == [
        "CHANGELOG.md",
        "a.txt",
        "copier.yml",
        "sub/releases/kept.txt",
    ]
    assert (root / HASHES).read_text() == f"{run.json['digest']}  api/releases/1.0.0\n"
    assert altered(root) == []


def test_releases_follow_one_another(root: Path) -> None:
    assert release(root, "1.0.0").code == 0
    build_tree(root / "api", {"a.txt": "2\n"})
    assert release(root, "1.1.0").code == 0
    shown = idp("template", "show", root / "api", "--json").json
    assert (shown["version"], shown["releases"]) == ("1.1.0", ["1.1.0", "1.0.0"])
    assert (root / "api" / "releases" / "1.0.0" / "a.txt").read_text() == "1\n"
    assert len((root / HASHES).read_text().splitlines()) == 2


def test_a_dry_run_tells_the_same_and_writes_nothing(root: Path) -> None:
    before = files_below(root)
    dry = release(root, "1.0.0", "--dry-run")
    assert difference(before, files_below(root)) == []
    assert dry.json == release(root, "1.0.0").json
    assert "would be released" in idp("template", "release", root / "api", "1.1.0", "--dry-run").out


@pytest.mark.parametrize(
    "version", ["1", "1.0", "v1.0.0", "01.0.0", "1.0.0+build", "latest", "../x"]
)
def test_a_version_is_a_semantic_version(version: str, root: Path) -> None:
    run = release(root, version)
    assert (run.code, run.error["code"]) == (3, "invalid")
    assert not (root / "api" / "releases").exists()


def test_a_changelog_names_the_release(root: Path) -> None:
    run = release(root, "3.0.0")
    assert (run.code, run.error["hint"]) == (3, "add `## 3.0.0`")
    (root / "api" / "CHANGELOG.md").unlink()
    assert release(root, "1.0.0").error["code"] == "not_found"
    assert not (root / HASHES).exists()


def test_a_longer_version_in_the_changelog_is_another(root: Path) -> None:
    build_tree(root / "api", {"CHANGELOG.md": "## 1.0.01\n\n## 11.0.0\n\n## 1.0.0-rc.1\n"})
    assert release(root, "1.0.0").code == 3


@pytest.mark.parametrize("first", [["1.0.0"], ["1.0.0", "1.1.0"]])
def test_a_release_cannot_be_made_again_nor_an_older_one(first: list[str], root: Path) -> None:
    for version in first:
        assert release(root, version).code == 0
    before = files_below(root)
    run = release(root, "1.0.0")
    assert (run.code, run.error["code"]) == (5, "refused")
    assert difference(before, files_below(root)) == []


def test_what_is_no_template_is_not_released(tmp_path: Path) -> None:
    build_tree(tmp_path / "x", {"CHANGELOG.md": CHANGELOG})
    run = idp("template", "release", tmp_path / "x", "1.0.0")
    assert (run.code, "no copier.yml" in run.err) == (3, True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"api/releases/1.0.0/a.txt": "evil\n"}, "differs from what was released"),
        ({"api/releases/1.0.0/new.txt": "x"}, "differs from what was released"),
        ({"api/releases/1.0.0/a.txt": None}, "differs from what was released"),
        ({"api/releases/9.0.0/copier.yml": "x: 1\n"}, "not listed in releases.sha256"),
    ],
)
def test_a_release_that_was_tampered_with_is_found(
    change: Mapping[str, str | None], told: str, root: Path
) -> None:
    release(root, "1.0.0")
    build_tree(root, change)
    [wrong] = altered(root)
    assert told in wrong
    text = idp("template", "verify", root)
    assert (text.code, text.out) == (3, f"{wrong}\n")


def test_an_executable_bit_counts_and_bytecode_does_not(root: Path) -> None:
    release(root, "1.0.0")
    made = root / "api" / "releases" / "1.0.0"
    build_tree(made, {"__pycache__/a.pyc": b"x", "sub/__pycache__/b.pyc": b"x"})
    assert altered(root) == []
    (made / "a.txt").chmod(0o755)
    assert len(altered(root)) == 1


def test_a_release_that_is_gone_is_found(root: Path) -> None:
    release(root, "1.0.0")
    (root / "api" / "releases" / "1.0.0").rename(root / "elsewhere")
    assert altered(root) == ["api/releases/1.0.0: is gone"]


def test_a_folder_without_a_list_is_told(tmp_path: Path) -> None:
    run = idp("template", "verify", tmp_path)
    assert run.code in (1, 3)
    assert HASHES in run.err


@pytest.fixture
def repository(tmp_path: Path) -> Template:
    template = Template(tmp_path / "golden")
    template.commit({"CHANGELOG.md": CHANGELOG})
    return template


def test_a_repository_is_released_by_a_tag(repository: Template) -> None:
    run = idp("template", "release", repository.path, "1.0.0", "--json")
    assert (run.code, run.json["place"]) == (0, "v1.0.0")
    assert git(repository.path, "cat-file", "-t", "v1.0.0") == "tag\n"
    assert git(repository.path, "rev-parse", "v1.0.0^{}") == git(
        repository.path, "rev-parse", "HEAD"
    )
    again = idp("template", "release", repository.path, "1.0.0")
    assert again.code == 5
    assert idp("template", "release", repository.path, "1.1.0").code == 0
    assert git(repository.path, "tag").split() == ["v1.0.0", "v1.1.0"]


def test_a_dry_run_makes_no_tag(repository: Template) -> None:
    run = idp("template", "release", repository.path, "1.0.0", "--dry-run")
    assert (run.code, "v1.0.0" in run.out) == (0, True)
    assert git(repository.path, "tag") == ""


def test_uncommitted_changes_are_not_released(repository: Template) -> None:
    repository.write({"a.txt": "work\n"})
    run = idp("template", "release", repository.path, "1.0.0", "--json")
    assert (run.code, run.error["hint"]) == (5, "commit them first")
    assert git(repository.path, "tag") == ""


def test_a_hook_of_the_user_does_not_run_for_a_tag(repository: Template, home: Path) -> None:
    (home / ".gitconfig").write_text("[user]\n useConfigOnly = true\n[tag]\n gpgSign = true\n")
    assert idp("template", "release", repository.path, "1.0.0").code == 0


def test_the_platform_lists_its_templates(tmp_path: Path, repository: Template) -> None:
    git(repository.path, "tag", "v1.4.0")
    platform = tmp_path / "idp-platform.yaml"
    platform.write_text(
        "version: 1\ntemplates:\n"
        "  api: {source: ./golden, description: An API, deprecated: use web}\n"
        "  built-in: {source: 'idp:python-api'}\n"
    )
    run = idp("template", "list", "--platform", platform, "--json")
    api, built_in = json.loads(run.out)
    assert api == {
        "name": "api",
        "newest": "v1.4.0",
        "description": "An API",
        "deprecated": "use web",
        "source": "./golden",
    }
    assert built_in["source"] == "idp:python-api"
    shown = idp("template", "show", "api", "--platform", platform, "--json").json
    assert (shown["deprecated"], shown["version"]) == ("use web", "v1.4.0")


def test_a_template_is_shown_with_its_questions(repository: Template) -> None:
    repository.release(
        "v1.0.0",
        {
            "copier.yml": (
                "_idp: {deprecated: soon gone}\n_tasks: [echo hi]\n"
                "name: {type: str, help: What is it called?}\n"
                "port: 8080\nkind: {choices: [a, b], default: a}\nslug: {when: false, default: x}\n"
            ).replace("What is it called?", "'What is it called?'"),
        },
    )
    run = idp("template", "show", repository.path, "--json")
    shown = run.json
    assert [q["name"] for q in shown["questions"]] == ["name", "port", "kind"]
    assert shown["questions"][1]["type"] == "int"
    assert shown["questions"][2]["choices"] == ["a", "b"]
    assert (shown["runs"], shown["trusted"]) == (["tasks"], False)
    assert (shown["deprecated"], shown["changelog"]) == ("soon gone", CHANGELOG)
    text = idp("template", "show", repository.path).out
    assert "runs tasks: only with --trust" in text
    assert "name: str  What is it called?" in text


@pytest.mark.parametrize("name", ["nope", "./nope", "idp:nope", "idp:python-api@9.9.9"])
def test_what_is_not_there_cannot_be_shown(name: str) -> None:
    assert idp("template", "show", name).code == 3
