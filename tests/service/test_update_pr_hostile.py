"""`idp update-service --pr` where a clone, a repository or a template is odd, or hostile."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ..forge.standin import How, StandIn
from .conftest import Create
from .stories import (
    Files,
    Link,
    Script,
    Template,
    build_tree,
    commit_all,
    git,
    idp,
    idp_process,
    numbered,
    settings,
)
from .test_update_pr import BRANCH, NAME, OURS, THEIRS, Host, Hosted, host, pay, slip_in

__all__ = ["host", "pay"]

Differ = Callable[[Files, Files, Files], Hosted]

BENDING = """
submodule.recurse=true push.recurseSubmodules=on-demand push.followTags=true push.default=nothing
push.gpgSign=if-asked fetch.prune=true fetch.parallel=0 core.autocrlf=true core.bare=true
log.showSignature=true color.ui=always merge.renames=false merge.conflictStyle=merge
feature.manyFiles=true index.sparse=true
"""
"""What changes how a plain fetch, merge, log or push goes."""

AUTHOR = {
    f"GIT_{role}_{part}": "anyone" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")
}


@pytest.fixture
def differing(template: Template, create: Create, host: Host) -> Differ:
    """Return a hosted service that differs from 1.0.0, where 1.1.0 differs otherwise."""

    def differing(first: Files, theirs: Files, ours: Files) -> Hosted:
        template.write({"copier.yml": settings(preserve_symlinks=True)})
        template.release("1.0.0", first)
        template.release("1.1.0", theirs)
        service = create("1.0.0")
        service.commit(ours)
        return host(service)

    return differing


# --- the clone we stand in, and git's settings -------------------------------------------------


def partial(pay: Hosted, path: Path) -> Path:
    """Return a clone without the contents of files, as CI makes them to be quick."""
    git(pay.git_dir, "config", "uploadpack.allowFilter", "true")
    url = f"file://{pay.git_dir}"
    git(path.parent, "clone", "--quiet", "--filter=blob:none", "--no-checkout", url, str(path))
    git(path, "remote", "set-url", "origin", pay.forge.git_url(NAME))
    return path


def test_a_partial_clone_will_do(pay: Hosted, tmp_path: Path) -> None:
    run = idp("update-service", partial(pay, tmp_path / "ci"), "--pr", "--yes", "--json")
    assert run.code == 0, run.everything
    assert pay.read("app.py") == numbered(changed=THEIRS | {11: "ours"})


def test_a_folder_that_is_in_git_without_a_commit_will_do(pay: Hosted, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    git(tmp_path, "init", "--quiet", str(empty))
    git(empty, "remote", "add", "origin", pay.forge.git_url(NAME))
    run = idp("update-service", empty, "--pr", "--yes", "--json")
    assert run.code == 0, run.everything


def test_what_a_user_has_told_git_bends_nothing(pay: Hosted, tmp_path: Path) -> None:
    module = tmp_path / "module"
    module.mkdir()
    git(module, "init", "--quiet")
    commit_all(module, "a module")
    pay.service.git("submodule", "--quiet", "add", str(module), "vendored")
    pay.push_main({})
    home = Path(os.environ["HOME"]) / ".gitconfig"
    for setting in BENDING.split():
        git(module, "config", "--file", str(home), *setting.split("="))
    assert pay.propose().code == 0
    assert pay.read("app.py") == numbered(changed=THEIRS | {11: "ours"})
    assert pay.propose().json["status"] == "unchanged"


def test_a_hostile_repository_runs_nothing(pay: Hosted, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    touch = f"touch {seen}"
    evil = "* filter=evil merge=evil diff=evil\n"
    pay.push_main({".gitattributes": evil, ".gitmodules": '[submodule "a"]\n\turl = -u./x\n'})
    build_tree(pay.service.path / ".git/hooks", {
        name: Script(f"#!/bin/sh\n{touch}\n")
        for name in ("pre-push", "reference-transaction", "post-checkout", "post-index-change")
    })  # fmt: skip
    for key in (
        "core.fsmonitor",
        "core.sshCommand",
        "core.askPass",
        "core.pager",
        "credential.helper",
        "filter.evil.clean",
        "filter.evil.smudge",
        "merge.evil.driver",
        "diff.external",
        "uploadpack.packObjectsHook",
        "gpg.program",
        "trailer.evil.command",
    ):
        pay.service.git("config", key, f"!{touch}" if key == "credential.helper" else touch)
    pay.service.git("config", "core.hooksPath", ".git/hooks")
    pay.service.git("config", "core.attributesFile", str(pay.service.path / ".gitattributes"))
    run = pay.propose("--check", "true")
    assert run.code == 0, run.everything
    assert not seen.exists()


@pytest.mark.parametrize("name", ["..", ".git.git", "."])
def test_a_remotes_name_cannot_choose_a_folder(pay: Hosted, name: str) -> None:
    pay.service.git("remote", "set-url", "origin", f"{pay.forge.url}/acme/{name}")
    pay.service.git("update-ref", "refs/remotes/origin/main", "HEAD")
    run = pay.propose("--dry-run")
    assert run.code == 0, run.everything
    work = Path(os.environ["XDG_CACHE_HOME"]) / "idp" / "work"
    assert list(work.iterdir()) == []


# --- what stands on the forge ------------------------------------------------------------------


def test_a_branch_in_the_way_of_ours_is_named(pay: Hosted) -> None:
    git(pay.git_dir, "branch", "idp", "main")
    run = pay.propose()
    assert run.code == 5
    assert "a branch has the name of a folder" in run.error["message"]


def test_our_own_branch_is_no_base(pay: Hosted, template: Template) -> None:
    """CI that runs for each branch, with `--base $BRANCH`, comes to ours as well."""
    pay.propose()
    tip = pay.tip()
    template.release("1.2.0", {"newer": "3\n"})
    run = pay.propose("--base", BRANCH)
    assert (run.code, run.error["code"]) == (3, "invalid")
    assert pay.tip() == tip


def test_a_base_whose_history_was_replaced_leaves_our_branch_alone(
    pay: Hosted, template: Template
) -> None:
    pay.propose()
    tip = pay.tip()
    fresh = git(pay.git_dir, "commit-tree", "main^{tree}", "-m", "anew", **AUTHOR).strip()
    git(pay.git_dir, "update-ref", "refs/heads/main", fresh)
    template.release("1.2.0", {"newer": "3\n"})
    run = pay.propose()
    assert (run.code, run.json["status"]) == (0, "left-alone"), run.everything
    assert pay.tip() == tip


def test_a_base_replaced_while_we_fetch_it_is_taken_as_it_is_now(
    pay: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit that was listed is gone when the branch is fetched."""
    amended = git(pay.git_dir, "commit-tree", "main^{tree}", "-p", "main~1", "-m", "amended",
                  **AUTHOR).strip()  # fmt: skip
    replace = f"git -C '{pay.git_dir}' update-ref refs/heads/main {amended}"
    slip_in(tmp_path, monkeypatch, replace, before="fetch")
    run = pay.propose()
    assert run.code == 0, run.everything
    assert git(pay.git_dir, "rev-parse", f"{BRANCH}^").strip() == amended


def test_two_at_once_open_one(pay: Hosted) -> None:
    runs = [idp_process("update-service", pay.service.path, "--pr", "--yes") for _ in range(2)]
    said = [run.communicate() for run in runs]
    assert {run.returncode for run in runs} <= {0, 5}, said
    assert len(pay.forge.pulls) == 1
    assert pay.propose().json["status"] == "unchanged"


@pytest.mark.parametrize("method, how", [("GET", "reset"), ("GET", 502), ("POST", "reset")])
def test_a_connection_that_breaks_once_is_made_anew(
    pay: Hosted, method: str, how: How | int
) -> None:
    pay.forge.fail(method, "git-upload-pack", how)
    run = pay.propose()
    assert (run.code, run.json["status"]) == (0, "opened"), run.everything


def test_a_server_that_stays_away_is_told(pay: Hosted) -> None:
    pay.forge.fail("GET", "git-upload-pack", "reset", times=99)
    run = pay.propose()
    assert (run.code, run.error["retryable"]) == (6, True)
    assert (pay.tip(), pay.forge.pulls) == ("", [])


# --- what a template says ----------------------------------------------------------------------


def test_no_check_and_no_task_sees_a_token(
    template: Template, create: Create, host: Host, forge: StandIn
) -> None:
    """A check runs what the template has just changed, and so does a task."""
    template.release("1.0.0", {"a": "1\n"})
    template.release("1.1.0", {"a": "2\n", "copier.yml": settings(tasks=["env > seen"])})
    hosted = host(create("1.0.0", "--trust"))
    run = hosted.propose("--trust", "--check", "env > checked && ! grep -q ghp_ checked")
    assert run.code == 0, run.everything
    assert "PATH=" in hosted.read("seen")
    assert forge.token not in hosted.read("seen")


def test_a_check_sees_the_rest_of_the_environment(
    pay: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_SETTING", "1")
    assert pay.propose("--check", 'test "$TEAM_SETTING" = 1').code == 0


def test_commands_as_long_as_a_book_fit_a_forge(
    template: Template, create: Create, host: Host
) -> None:
    template.release("1.0.0", {"a": "1\n"})
    tasks = [f"echo {number} {'x' * 900}" for number in range(100)]
    template.release("1.1.0", {"a": "2\n", "copier.yml": settings(tasks=tasks)})
    hosted = host(create("1.0.0"))
    assert hosted.propose().code == 0
    assert len(hosted.pull.body.encode()) < 65_536
    assert "| updated | `a` |" in hosted.pull.body


# --- conflicts of each kind --------------------------------------------------------------------


def test_marks_are_seen_between_dos_line_ends(differing: Differ) -> None:
    ours = numbered(changed=OURS).replace("\n", "\r\n")
    hosted = differing(
        {"app.py": numbered()}, {"app.py": numbered(changed=THEIRS)}, {"app.py": ours}
    )
    assert hosted.propose().code == 7
    assert "`app.py`: you and template 1.1.0 changed the same lines: marked" in hosted.pull.body


def test_a_file_that_both_moved_is_told_as_such(differing: Differ) -> None:
    hosted = differing(
        {"app.py": numbered()},
        {"app.py": None, "theirs.py": numbered()},
        {"app.py": None, "ours.py": numbered()},
    )
    assert hosted.propose().code == 7
    body = hosted.pull.body
    assert "`app.py`: you moved it to one place, template 1.1.0 to another" in body
    assert "`ours.py`: yours: template 1.1.0 has it elsewhere" in body
    assert "`theirs.py`: of template 1.1.0: you have it elsewhere" in body
    assert (hosted.read("ours.py"), hosted.read("theirs.py")) == (numbered(), numbered())


def test_a_file_where_the_template_has_a_link_lies_beside_it(differing: Differ) -> None:
    hosted = differing(
        {"x": numbered()}, {"x": Link("elsewhere")}, {"x": numbered(changed={3: "ours"})}
    )
    assert hosted.propose().code == 7
    assert hosted.read("x") == "elsewhere"
    assert hosted.read("x~yours") == numbered(changed={3: "ours"})
    assert "`x~yours`: you changed it, template 1.1.0 deletes or moves it" in hosted.pull.body


def test_conflicts_with_long_names_fit_a_forge(differing: Differ) -> None:
    names = [f"{'a-folder/' * 90}{number}" for number in range(50)]
    sides = [dict.fromkeys(names, f"{side}\n") for side in ("first", "theirs", "ours")]
    hosted = differing(*sides)
    assert hosted.propose().code == 7
    assert len(hosted.pull.body.encode()) < 65_536
    assert "51 files" in hosted.pull.body
    assert "more: `git grep" in hosted.pull.body


def test_a_name_of_two_lines_stands_in_one(differing: Differ) -> None:
    name = "line\n- [x] `done`|\x1b[31m"
    hosted = differing({name: "1\n"}, {name: "2\n"}, {name: "3\n"})
    assert hosted.propose().code == 7
    assert "\n- [x]" not in hosted.pull.body
    said = idp("update-service", hosted.service.path, "--pr", "--yes").out
    assert "\x1b" not in said
    assert "line\n" not in said
