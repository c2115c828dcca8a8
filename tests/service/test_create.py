"""`idp create-service`: a git repository with one commit, or nothing at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import yaml

from .conftest import Create
from .stories import (
    ANSWERS,
    ANSWERS_TEMPLATE,
    Link,
    Run,
    Script,
    Service,
    Template,
    build_tree,
    commit_all,
    files_below,
    fingerprint,
    git,
    idp,
    idp_process,
    settings,
)


def create_at(dest: Path, template: str, *options: str | Path, name: str = "pay") -> Run:
    return idp(
        "create-service",
        name,
        *("--template", template, "--dest", dest, "--defaults", "--json"),
        *options,
    )


def nothing_at(dest: Path) -> bool:
    """Tell whether dest, and anything beside it that idp could have made, is not there."""
    beside = list(dest.parent.iterdir()) if dest.parent.exists() else []
    return not os.path.lexists(dest) and not [path for path in beside if "idp" in path.name]


# --- what comes out ----------------------------------------------------------------------------


def test_a_service_is_a_repository_with_one_commit(template: Template, create: Create) -> None:
    template.release("v1", {"README.md.jinja": "# {{ name }}\n", "src/app.py": "print()\n"})
    pay = create()
    assert pay.read("README.md") == "# pay\n"
    assert pay.tracked() == [ANSWERS, "README.md", "src/app.py"]
    assert pay.git("rev-list", "--count", "--all").strip() == "1"
    assert pay.git("symbolic-ref", "HEAD").strip() == "refs/heads/main"
    assert pay.status() == {}


def test_the_answer_says_what_was_made(template: Template, tmp_path: Path) -> None:
    commit = template.release("v1", {"README.md": "hello\n"})
    run = create_at(tmp_path / "pay", template.at("v1"))
    made = run.json
    assert (made["name"], made["version"]) == ("pay", "v1")
    assert Path(made["path"]) == tmp_path / "pay"
    assert made["template"] == str(template.path)
    assert made["commit"] in (commit, git(tmp_path / "pay", "rev-parse", "HEAD").strip())
    assert set(made["files"]) == {ANSWERS, "README.md"}


def test_the_answers_record_template_release_and_answers(
    template: Template, create: Create
) -> None:
    questions = "name: {type: str}\nport: {type: int, default: 80}\npublic: {type: bool}\n"
    template.release("v1", {"copier.yml": questions})
    pay = create("v1", "--data", "port=8080", "--data", "public=true")
    assert pay.answers == {
        "_commit": "v1",
        "_src_path": str(template.path),
        "name": "pay",
        "port": 8080,
        "public": True,
    }


@pytest.mark.parametrize("question", ["name", "service_name", "project_name"])
def test_the_name_answers_the_question_for_it(
    template: Template, create: Create, question: str
) -> None:
    template.release(
        "v1", {"copier.yml": f"{question}: {{type: str}}\n", "who.jinja": f"{{{{ {question} }}}}\n"}
    )
    pay = create()
    assert pay.read("who") == "pay\n"
    assert pay.answers[question] == "pay"


def test_a_template_that_asks_no_name_gets_none(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": "team: {type: str, default: core}\n", "a": "a\n"})
    assert create().answers == {"_commit": "v1", "_src_path": str(template.path), "team": "core"}


def test_name_wins_over_service_name(template: Template, create: Create) -> None:
    questions = "name: {type: str}\nservice_name: {type: str, default: other}\n"
    template.release("v1", {"copier.yml": questions})
    assert create().answers["name"] == "pay"


def test_a_template_without_an_answers_file_gets_one(template: Template, create: Create) -> None:
    template.release("v1", {ANSWERS_TEMPLATE: None, "a.txt": "one\n"})
    template.release("v2", {"a.txt": "two\n"})
    pay = create()
    assert pay.answers == {"_commit": "v1", "_src_path": str(template.path), "name": "pay"}
    assert ANSWERS in pay.tracked()
    assert pay.update("v2").code == 0
    assert (pay.read("a.txt"), pay.answers["_commit"]) == ("two\n", "v2")


def test_answers_may_come_from_a_file(template: Template, create: Create, tmp_path: Path) -> None:
    template.release("v1", {"copier.yml": "name: {type: str}\nnotes: {type: yaml}\n"})
    given = tmp_path / "answers.yml"
    given.write_text("notes:\n- one\n- two: 3\n")
    assert create("v1", "--data-file", given).answers["notes"] == ["one", {"two": 3}]


def test_an_answer_may_hold_anything(template: Template, create: Create) -> None:
    template.release(
        "v1",
        {"copier.yml": "name: {type: str}\nabout: {type: str}\n", "a.jinja": "{{ about }}\n"},
    )
    about = 'ärger: "it\'s" = {{ name }} #1\n- second line'
    pay = create("v1", "--data", f"about={about}")
    assert pay.answers["about"] == about
    assert pay.read("a") == about + "\n"


def test_ignored_files_are_there_but_not_committed(template: Template, create: Create) -> None:
    template.release("v1", {".gitignore": "*.local\n", "env.local": "X=1\n", "a": "a\n"})
    pay = create()
    assert pay.read("env.local") == "X=1\n"
    assert pay.tracked() == [ANSWERS, ".gitignore", "a"]
    assert pay.status() == {}


def test_my_own_ignore_rules_do_not_thin_out_a_service(
    template: Template, create: Create, home: Path
) -> None:
    (home / "ignore").write_text("*.md\n.vscode\n")
    git(home, "config", "--file", str(home / ".gitconfig"), "core.excludesFile", "~/ignore")
    template.release("v1", {"README.md": "hello\n", ".vscode/settings.json": "{}\n"})
    assert create().tracked() == [ANSWERS, ".vscode/settings.json", "README.md"]


def test_modes_links_and_bytes_arrive_as_they_are(template: Template, create: Create) -> None:
    blob = bytes(range(256)) * 9
    template.release(
        "v1",
        {
            "copier.yml": settings(preserve_symlinks=True),
            "run.sh": Script("#!/bin/sh\n"),
            "latest": Link("run.sh"),
            "dangling": Link("not/there"),
            "logo.png": blob,
            "dos.txt": "a\r\nb\r\n",
            "empty": "",
            "no-newline": "end",
        },
    )
    pay = create()
    assert (pay.path / "run.sh").stat().st_mode & stat.S_IXUSR
    assert (pay.path / "latest").readlink() == Path("run.sh")
    assert (pay.path / "dangling").readlink() == Path("not/there")
    assert (pay.path / "logo.png").read_bytes() == blob
    assert (pay.read("dos.txt"), pay.read("empty"), pay.read("no-newline")) == (
        "a\r\nb\r\n",
        "",
        "end",
    )
    assert pay.staged_mode("run.sh") == "100755"
    assert pay.staged_mode("latest") == "120000"
    assert pay.status() == {}


ODD_NAMES = (
    "spa ces.txt",
    " leading",
    "trailing ",
    "-leading-dash",
    "--help",
    "-rf/x",
    "quo'te\"s`.txt",
    "üñï/çødé-日本.txt",
    "new\nline",
    "tab\there",
    "back\\slash",
    "star*[x]?",
    "!bang",
    "#hash",
    ":(top)magic",
    "~tilde.txt",
    "$HOME",
    "@{upstream}",
)


def test_odd_file_names_arrive(template: Template, create: Create) -> None:
    template.release(
        "v1",
        {"copier.yml": settings(exclude=["copier.yml"]), **dict.fromkeys(ODD_NAMES, "x\n")},
    )
    pay = create()
    assert pay.tracked() == sorted([ANSWERS, *ODD_NAMES])
    assert {pay.read(name) for name in ODD_NAMES} == {"x\n"}


def test_secret_answers_are_not_written_down(template: Template, create: Create) -> None:
    template.release(
        "v1",
        {
            "copier.yml": "name: {type: str}\ntoken: {type: str, secret: true, default: none}\n",
            ".gitignore": ".env\n",
            ".env.jinja": "TOKEN={{ token }}\n",
        },
    )
    pay = create("v1", "--data", "token=hunter2")
    assert pay.read(".env") == "TOKEN=hunter2\n"
    assert "token" not in pay.answers
    assert "hunter2" not in pay.git("log", "--all", "-p")


def test_export_attributes_do_not_change_what_a_template_says(
    template: Template, create: Create
) -> None:
    template.release(
        "v1",
        {
            ".gitattributes": "hidden export-ignore\nstamped export-subst\n",
            "hidden": "here\n",
            "stamped": "$Format:%H$\n",
        },
    )
    pay = create()
    assert (pay.read("hidden"), pay.read("stamped")) == ("here\n", "$Format:%H$\n")


def test_a_template_may_live_in_a_folder_of_its_repository(
    template: Template, create: Create
) -> None:
    template.release(
        "v1", {"copier.yml": settings(subdirectory="tpl"), "tpl/a": "a\n", "outside": "no\n"}
    )
    pay = create()
    assert pay.has("a")
    assert not pay.has("outside")


# --- which release -----------------------------------------------------------------------------


def test_the_release_is_taken_not_what_lies_about(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": "one\n"})
    template.release("v2", {"a.txt": "two\n"})
    template.write({"a.txt": "not committed\n", "new.txt": "not committed\n"})
    pay = create("v1")
    assert pay.read("a.txt") == "one\n"
    assert not pay.has("new.txt")


def test_without_a_version_the_newest_release_is_taken(template: Template, tmp_path: Path) -> None:
    for tag in ("v1.9.0", "v1.10.0", "v2.0.0rc1"):
        template.release(tag, {"a.txt": f"{tag}\n"})
    template.commit({"a.txt": "not released\n"})
    run = create_at(tmp_path / "pay", template.url)
    assert (run.code, run.json["version"]) == (0, "v1.10.0")
    assert (tmp_path / "pay/a.txt").read_text() == "v1.10.0\n"


def test_a_path_with_an_at_sign_is_a_path(tmp_path: Path) -> None:
    template = Template(tmp_path / "tem@plate")
    template.release("v1", {"a.txt": "one\n"})
    for number, source in enumerate([template.at("v1"), template.url]):
        run = create_at(tmp_path / f"pay-{number}", source)
        assert (run.code, run.json["version"]) == (0, "v1"), run.everything


def test_a_relative_template_is_recorded_so_that_it_is_found_from_anywhere(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    monkeypatch.chdir(tmp_path)
    assert create_at(Path("made/pay"), "./template@v1").code == 0
    pay = Service(tmp_path / "made/pay")
    assert pay.answers["_src_path"] == str(template.path)
    template.release("v2", {"a.txt": "two\n"})
    monkeypatch.chdir("/")
    assert pay.update("v2").code == 0
    assert pay.read("a.txt") == "two\n"


@pytest.mark.parametrize("source", ["{tmp}/nowhere@v1", "{template}@v9", "{tmp}/home@v1"])
def test_what_is_not_there_is_named(template: Template, tmp_path: Path, source: str) -> None:
    template.release("v1", {"a.txt": "one\n"})
    wanted = source.format(tmp=tmp_path, template=template.path)
    run = create_at(tmp_path / "services/pay", wanted)
    assert run.code == 3
    assert wanted.rpartition("@")[2 if "v9" in wanted else 0] in run.error["message"]
    assert nothing_at(tmp_path / "services/pay")


@pytest.mark.parametrize(
    "source",
    [
        "--upload-pack=touch pwned@v1",
        "ext::sh -c 'touch pwned'@v1",
        "http://127.0.0.1:1/x.git@v1",
        "git://127.0.0.1/x.git@v1",
    ],
)
def test_only_https_ssh_and_paths_are_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GIT_ALLOW_PROTOCOL")
    run = create_at(tmp_path / "services/pay", source)
    assert run.code in (2, 3, 4, 5)
    assert nothing_at(tmp_path / "services/pay")
    assert not (tmp_path / "pwned").exists()


def test_the_folder_we_stand_in_stays_under_our_feet(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    (tmp_path / "pay").mkdir()
    monkeypatch.chdir(tmp_path / "pay")

    assert create_at(Path(), template.at("v1")).code == 0

    assert Path("a.txt").read_text() == "one\n"
    assert git(Path(), "rev-list", "--count", "HEAD").strip() == "1"
    assert Service(Path.cwd()).status() == {}
    assert nothing_at(tmp_path / "other")


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "../evil", "a/b", ".", "..", ".git", "with space", "x" * 64, "-rf", "a\nb", "ü"]
)
def test_names_no_catalog_takes_are_refused(template: Template, tmp_path: Path, name: str) -> None:
    template.release("v1", {"a.txt": "one\n"})
    dest = tmp_path / "services" / "here"
    run = create_at(dest, template.at("v1"), name=name)
    assert run.code in (2, 3)
    assert nothing_at(dest)


def test_a_folder_with_something_in_it_is_left_alone(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    build_tree(tmp_path / "pay", {"a.txt": "mine\n"})
    before = files_below(tmp_path / "pay")
    assert create_at(tmp_path / "pay", template.at("v1")).code in (3, 5)
    assert files_below(tmp_path / "pay") == before


@pytest.mark.parametrize("thing", ["file", "dangling link"])
def test_a_thing_that_stands_there_is_left_alone(
    template: Template, tmp_path: Path, thing: str
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    build_tree(tmp_path, {"pay": "mine\n" if thing == "file" else Link("nowhere")})
    assert create_at(tmp_path / "pay", template.at("v1")).code in (3, 5)
    assert not (tmp_path / "nowhere").exists()
    assert (tmp_path / "pay").is_file() or (tmp_path / "pay").is_symlink()


def test_making_it_twice_leaves_the_first(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": "one\n"})
    pay = create()
    pay.write({"a.txt": "mine\n"})
    with pay.untouched():
        assert create_at(pay.path, template.at("v1")).code in (3, 5)


def test_a_missing_answer_names_the_flag(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"copier.yml": "name: {type: str}\nteam: {type: str}\n"})
    run = idp(
        *("create-service", "pay", "--template", template.at("v1")),
        *("--dest", tmp_path / "services/pay", "--json"),
    )
    assert run.code in (2, 3)
    assert "team" in run.error["message"] + run.error["hint"]
    assert "--data" in run.error["message"] + run.error["hint"]
    assert nothing_at(tmp_path / "services/pay")


def test_a_question_without_a_default_fails_under_defaults(
    template: Template, tmp_path: Path
) -> None:
    template.release("v1", {"copier.yml": "name: {type: str}\nport: {type: int}\n"})
    run = create_at(tmp_path / "services/pay", template.at("v1"))
    assert run.code in (2, 3)
    assert "port" in run.error["message"] + run.error["hint"]
    assert nothing_at(tmp_path / "services/pay")


@pytest.mark.parametrize("given", ["port=many", "size=huge", "code=abc", "nonsense"])
def test_an_answer_that_cannot_be_is_refused(
    template: Template, tmp_path: Path, given: str
) -> None:
    template.release(
        "v1",
        {
            "copier.yml": (
                "name: {type: str}\n"
                "port: {type: int, default: 1}\n"
                "size: {type: str, default: small, choices: [small, big]}\n"
                "code: {type: str, default: x1, validator: "
                "\"{% if code == 'abc' %}not that one{% endif %}\"}\n"
            )
        },
    )
    run = create_at(tmp_path / "services/pay", template.at("v1"), "--data", given)
    assert run.code in (2, 3)
    assert given.split("=")[0] in run.error["message"]
    assert nothing_at(tmp_path / "services/pay")


@pytest.mark.parametrize(
    "files",
    [
        {"copier.yml": "name: [\n"},
        {"a.txt.jinja": "{% if %}\n"},
        {"a.txt.jinja": "{{ 1 / 0 }}\n"},
        {"a.txt.jinja": "{{ nobody.set.this }}\n"},
        {"copier.yml": settings(min_copier_version="99.0.0")},
    ],
)
def test_a_broken_template_leaves_nothing(
    template: Template, tmp_path: Path, files: dict[str, str]
) -> None:
    template.release("v1", files)
    run = create_at(tmp_path / "services/pay", template.at("v1"))
    assert run.code in (3, 5, 6)
    assert run.error["message"]
    assert nothing_at(tmp_path / "services/pay")


@pytest.mark.parametrize("where", ["../../outside.txt", "/{tmp}/outside.txt", "a/../../b.txt"])
def test_a_template_cannot_write_outside(template: Template, tmp_path: Path, where: str) -> None:
    template.release(
        "v1",
        {"copier.yml": "name: {type: str}\nwhere: {type: str}\n", "{{ where }}": "got out\n"},
    )
    where = where.format(tmp=str(tmp_path).lstrip("/"))
    run = create_at(tmp_path / "services/deep/pay", template.at("v1"), "--data", f"where={where}")
    assert run.code in (3, 5)
    assert not list(tmp_path.rglob("outside.txt"))
    assert nothing_at(tmp_path / "services/deep/pay")


PLANTED = "#!/bin/sh\ntouch {marker}\n"


@pytest.mark.parametrize(
    "hook", ["post-commit", "pre-commit", "post-checkout", "post-index-change"]
)
def test_a_template_cannot_plant_a_hook(template: Template, tmp_path: Path, hook: str) -> None:
    marker = tmp_path / "pwned"
    template.release(
        "v1",
        {
            "copier.yml": settings(exclude=["copier.yml"]) + "dot: {type: str, default: .git}\n",
            "{{ dot }}/hooks/" + hook: Script(PLANTED.format(marker=marker)),
            "{{ dot }}/config": f"[core]\n\tfsmonitor = touch {marker}\n",
        },
    )
    create_at(tmp_path / "pay", template.at("v1"))
    assert not marker.exists()
    assert not (tmp_path / "pay/.git/hooks" / hook).exists()


# --- trust -------------------------------------------------------------------------------------

WITH_TASK = settings(tasks=["echo done > made.txt"])


def test_tasks_of_an_untrusted_template_are_left_out_and_named(
    template: Template, tmp_path: Path
) -> None:
    template.release("v1", {"copier.yml": WITH_TASK, "a.txt": "one\n"})
    run = create_at(tmp_path / "pay", template.at("v1"))
    assert run.code == 0
    assert not (tmp_path / "pay/made.txt").exists()
    assert "task" in run.everything


def test_tasks_of_a_trusted_template_are_part_of_the_commit(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": WITH_TASK, "a.txt": "one\n"})
    pay = create("v1", "--trust")
    assert pay.read("made.txt") == "done\n"
    assert "made.txt" in pay.tracked()
    assert pay.status() == {}


def test_a_failing_task_leaves_nothing_and_shows_what_it_said(
    template: Template, tmp_path: Path
) -> None:
    tasks = ["echo half > half.txt", "echo what went wrong >&2; exit 7"]
    template.release("v1", {"copier.yml": settings(tasks=tasks)})
    run = create_at(tmp_path / "services/pay", template.at("v1"), "--trust")
    assert run.code == 6
    assert "what went wrong" in run.everything
    assert nothing_at(tmp_path / "services/pay")


def test_a_task_sees_no_credentials(
    template: Template, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("GITHUB_TOKEN", "hunter2")
    template.release("v1", {"copier.yml": settings(tasks=["env > env.txt"])})
    assert "hunter2" not in create("v1", "--trust").read("env.txt")


def test_extensions_of_an_untrusted_template_are_not_loaded(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_tree(
        tmp_path / "lib",
        {
            "planted.py": (
                "from pathlib import Path\n"
                "from jinja2.ext import Extension\n"
                f"Path({str(tmp_path / 'pwned')!r}).touch()\n"
                "class Planted(Extension): pass\n"
            )
        },
    )
    monkeypatch.syspath_prepend(tmp_path / "lib")
    template.release("v1", {"copier.yml": settings(jinja_extensions=["planted.Planted"])})
    run = create_at(tmp_path / "pay", template.at("v1"))
    assert run.code == 0
    assert "extension" in run.everything
    assert not (tmp_path / "pwned").exists()


# --- beside what is there ----------------------------------------------------------------------


def test_into_a_repository_touches_nothing_of_it(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n", "run.sh": Script("#!/bin/sh\n")})
    repo = tmp_path / "mono"
    build_tree(repo, {"a.txt": "theirs\n", "b.txt": "theirs\n"})
    git(repo, "init", "--quiet")
    commit_all(repo, "theirs")
    build_tree(repo, {"a.txt": "staged\n", "b.txt": "not staged\n", "c.txt": "untracked\n"})
    git(repo, "add", "a.txt")
    before = fingerprint(repo)
    run = idp(
        *("create-service", "pay", "--template", template.at("v1"), "--into", repo),
        *("--defaults", "--json"),
    )
    assert run.code == 0, run.everything
    after = fingerprint(repo)
    assert after.pop("status") != before.pop("status")
    assert {key: mark for key, mark in after.items() if "pay/" not in key} == before
    assert (repo / "pay/a.txt").read_text() == "one\n"
    assert not (repo / "pay/.git").exists()
    assert Path(run.json["path"]) == repo / "pay"


@pytest.mark.parametrize("there", [{"mono/pay/a.txt": "mine\n"}, {"mono/pay": "a file\n"}])
def test_into_never_overwrites(template: Template, tmp_path: Path, there: dict[str, str]) -> None:
    template.release("v1", {"a.txt": "one\n"})
    build_tree(tmp_path, there)
    git(tmp_path / "mono", "init", "--quiet")
    before = fingerprint(tmp_path / "mono")
    run = idp(
        *("create-service", "pay", "--template", template.at("v1"), "--into", tmp_path / "mono"),
        *("--defaults", "--json"),
    )
    assert run.code in (3, 5)
    assert fingerprint(tmp_path / "mono") == before


def test_into_something_that_is_no_repository_is_refused(
    template: Template, tmp_path: Path
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    (tmp_path / "plain").mkdir()
    run = idp(
        *("create-service", "pay", "--template", template.at("v1"), "--into", tmp_path / "plain"),
        *("--defaults", "--json"),
    )
    assert run.code in (2, 3, 5)
    assert list((tmp_path / "plain").iterdir()) == []


def test_into_a_folder_of_a_repository(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    build_tree(tmp_path / "mono", {"services/other/a": "1\n"})
    git(tmp_path / "mono", "init", "--quiet")
    commit_all(tmp_path / "mono", "theirs")
    into = tmp_path / "mono/services"
    run = idp(
        *("create-service", "pay", "--template", template.at("v1"), "--into", into),
        *("--defaults", "--json"),
    )
    assert run.code == 0, run.everything
    assert (into / "pay/a.txt").read_text() == "one\n"
    assert not (tmp_path / "mono/pay").exists()


def test_a_remote_gets_the_first_commit(template: Template, create: Create, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    pay = create("v1", "--remote", tmp_path / "remote.git", "--yes")
    assert git(tmp_path / "remote.git", "rev-parse", "main").strip() == pay.head
    assert pay.git("remote", "get-url", "origin").strip() == str(tmp_path / "remote.git")


def test_a_remote_is_not_written_to_unasked(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    remote = ("--remote", tmp_path / "remote.git")
    run = create_at(tmp_path / "services/pay", template.at("v1"), *remote)
    assert run.code in (2, 130)
    assert "--yes" in run.error["hint"]
    assert nothing_at(tmp_path / "services/pay")
    assert git(tmp_path / "remote.git", "for-each-ref") == ""


def test_a_remote_that_cannot_be_reached_is_told(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    run = create_at(
        tmp_path / "services/pay", template.at("v1"), "--yes", "--remote", tmp_path / "nowhere.git"
    )
    assert run.code in (3, 6)
    assert "nowhere.git" in run.everything
    assert nothing_at(tmp_path / "services/pay")


def test_a_remote_that_holds_something_is_not_overwritten(
    template: Template, tmp_path: Path
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    build_tree(tmp_path / "theirs", {"mine": "mine\n"})
    git(tmp_path / "theirs", "init", "--quiet")
    head = commit_all(tmp_path / "theirs", "mine")
    git(tmp_path, "clone", "--quiet", "--bare", "theirs", "remote.git")
    run = create_at(
        tmp_path / "services/pay", template.at("v1"), "--yes", "--remote", tmp_path / "remote.git"
    )
    assert run.code in (3, 5, 6)
    assert git(tmp_path / "remote.git", "rev-parse", "main").strip() == head


@pytest.mark.parametrize("is_there", [False, True])
def test_two_creates_at_once_make_one(template: Template, tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "services/pay").mkdir(parents=True)
    template.release("v1", {f"f{n}": "1\n" for n in range(50)})
    call = ("create-service", "pay", "--template", template.at("v1"), "--defaults", "--json")
    runs = [idp_process(*call, "--dest", tmp_path / "services/pay") for _ in range(3)]
    codes = sorted((run.communicate(), run.returncode)[1] for run in runs)
    assert codes[0] == 0
    assert set(codes[1:]) <= {3, 5}
    assert [path.name for path in (tmp_path / "services").iterdir()] == ["pay"]
    assert git(tmp_path / "services/pay", "rev-list", "--count", "HEAD").strip() == "1"
    assert git(tmp_path / "services/pay", "status", "--porcelain") == ""


def test_many_creates_in_one_folder_at_once(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt.jinja": "{{ name }}\n"})
    names = [f"pay-{n}" for n in range(12)]
    call = ("--template", template.at("v1"), "--defaults", "--json")
    runs = [
        idp_process("create-service", name, *call, "--dest", tmp_path / "services" / name)
        for name in names
    ]
    for run in runs:
        _, err = run.communicate()
        assert run.returncode == 0, err.decode()
    made = {path.name: (path / "a.txt").read_text() for path in (tmp_path / "services").iterdir()}
    assert made == {name: f"{name}\n" for name in names}


@pytest.mark.parametrize("content", ["- a\n- list\n", "{{{\n", "just text\n", None])
def test_a_file_of_answers_that_is_none_is_told(
    template: Template, tmp_path: Path, content: str | None
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    build_tree(tmp_path, {"answers.yml": content})
    given = ("--data-file", tmp_path / "answers.yml")
    run = create_at(tmp_path / "services/pay", template.at("v1"), *given)
    assert run.code in (2, 3)
    assert "answers.yml" in run.error["message"]
    assert nothing_at(tmp_path / "services/pay")


def test_a_dry_run_shows_the_files_and_writes_nothing(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"src/app.py": "print()\n"})
    run = create_at(tmp_path / "services/pay", template.at("v1"), "--dry-run")
    assert run.code == 0
    assert "src/app.py" in run.out
    assert nothing_at(tmp_path / "services/pay")


def test_a_dry_run_ends_as_the_real_run_would(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt.jinja": "{{ 1 / 0 }}\n"})
    codes = [
        create_at(tmp_path / "other", template.at("v1"), *options).code
        for options in ([], ["--dry-run"])
    ]
    assert codes[0] == codes[1] != 0


# --- a hostile surrounding ---------------------------------------------------------------------

FAILING_HOOK = "#!/bin/sh\necho hook >&2\nexit 1\n"


def test_the_users_own_git_settings_do_not_break_it(
    template: Template, create: Create, home: Path
) -> None:
    hooks = ("pre-commit", "commit-msg", "prepare-commit-msg", "post-checkout")
    build_tree(home, {f"hooks/{hook}": Script(FAILING_HOOK) for hook in hooks})
    build_tree(home, {"skeleton/hooks/reference-transaction": Script(FAILING_HOOK)})
    for key, value in {
        "core.hooksPath": "~/hooks",
        "commit.gpgsign": "true",
        "gpg.program": "/bin/false",
        "commit.template": "/nowhere",
        "core.autocrlf": "true",
        "core.quotePath": "false",
        "core.fileMode": "false",
        "init.templateDir": "~/skeleton",
        "init.defaultBranch": "trunk",
        "core.editor": "/bin/false",
    }.items():
        git(home, "config", "--file", str(home / ".gitconfig"), key, value)
    template.release("v1", {"ü.txt": "a\nb\n", "run.sh": Script("#!/bin/sh\n")})
    pay = create()
    assert pay.git("symbolic-ref", "HEAD").strip() == "refs/heads/main"
    assert pay.read("ü.txt") == pay.staged("ü.txt") == "a\nb\n"
    assert pay.staged_mode("run.sh") == "100755"


def test_git_variables_of_a_surrounding_hook_do_not_mislead_it(
    template: Template, create: Create, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    other = tmp_path / "other"
    build_tree(other, {"mine.txt": "mine\n"})
    git(other, "init", "--quiet")
    commit_all(other, "mine")
    before = fingerprint(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    pay = create()
    assert pay.tracked() == [ANSWERS, "a.txt"]
    assert fingerprint(other) == before


def test_without_an_identity_it_works_or_says_what_is_missing(
    template: Template, tmp_path: Path, home: Path
) -> None:
    template.release("v1", {"a.txt": "one\n"})
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    run = create_at(tmp_path / "services/pay", template.at("v1"))
    if run.code:
        assert run.code == 3
        assert "user.email" in run.error["message"] + run.error["hint"]
        assert nothing_at(tmp_path / "services/pay")
    else:
        assert git(tmp_path / "services/pay", "rev-list", "--count", "HEAD").strip() == "1"


def test_inside_another_repository_it_is_still_its_own(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    outer = tmp_path / "outer"
    build_tree(outer, {"mine.txt": "mine\n"})
    git(outer, "init", "--quiet")
    commit_all(outer, "mine")
    head = git(outer, "rev-parse", "HEAD")
    assert create_at(outer / "pay", template.at("v1")).code == 0
    assert (outer / "pay/.git").is_dir()
    assert git(outer, "rev-parse", "HEAD") == head
    assert git(outer, "diff", "--cached", "--name-only") == ""


def test_a_path_with_odd_characters_is_fine(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"a.txt": "one\n"})
    template.release("v2", {"a.txt": "two\n"})
    dest = tmp_path / "my ser'vices ü" / "-pay [1]"
    assert create_at(dest, template.at("v1")).code == 0
    pay = Service(dest)
    assert pay.update("v2").code == 0
    assert pay.read("a.txt") == "two\n"


def test_the_answers_file_is_readable_yaml(template: Template, create: Create) -> None:
    template.release("v1", {ANSWERS_TEMPLATE: "{{ _copier_answers|to_json }}"})
    assert yaml.safe_load(create().read(ANSWERS))["_commit"] == "v1"


def test_an_answers_file_of_another_name_is_found_again(template: Template, tmp_path: Path) -> None:
    template.release("v1", {"copier.yml": settings(answers_file=".tpl.yml"), "a.txt": "one\n"})
    template.release("v2", {"a.txt": "two\n"})
    run = create_at(tmp_path / "pay", template.at("v1"))
    assert run.code == 0
    pay = Service(tmp_path / "pay")
    assert pay.update("v2").code == 0
    assert pay.read("a.txt") == "two\n"


def test_a_relative_remote_is_meant_from_where_we_stand(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.release("v1", {"a": "1\n"})
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    monkeypatch.chdir(tmp_path)
    made = ("create-service", "pay", "--template", template.path, "--defaults")
    run = idp(*made, "--remote", "./remote.git", "--yes", "--json")
    assert run.code == 0, run.err
    assert git(tmp_path / "remote.git", "rev-parse", "main").strip() == run.json["commit"]
