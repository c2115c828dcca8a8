"""Whatever state the repository is in: its own work survives, or nothing is changed and it says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Create
from .stories import (
    ANSWERS,
    Content,
    Files,
    Link,
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
    leftovers,
    numbered,
    settings,
)

TOP, BOTTOM = {2: "the template's"}, {11: "ours"}


@pytest.fixture
def pay(template: Template, create: Create) -> Service:
    """A service on v1, and a v2 that changes, adds, deletes and renames."""
    template.release(
        "v1",
        {
            "changed": numbered(),
            "gone": "1\n",
            "old name": numbered(30, {1: "a file of its own"}),
            "same": numbered(),
            "also same": numbered(),
        },
    )
    template.release(
        "v2",
        {
            "changed": numbered(changed=TOP),
            "gone": None,
            "old name": None,
            "new name": numbered(30, {1: "a file of its own"}),
            "added/file": "2\n",
        },
    )
    return create("v1")


def refuses(pay: Service, *paths: str, codes: tuple[int, ...] = (5,)) -> None:
    """Hold that the update is refused, names the paths and changes nothing."""
    with pay.untouched():
        run = pay.update("v2")
    assert run.code in codes, run.everything
    assert run.error["message"]
    for path in paths:
        assert path in run.err
    assert leftovers(pay.repo) == []


def is_v2(pay: Service) -> None:
    assert pay.read("changed") == numbered(changed=TOP)
    assert (pay.has("gone"), pay.has("old name")) == (False, False)
    assert pay.read("added/file") == "2\n"
    assert pay.answers["_commit"] == "v2"


# --- work in progress --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("changed", "not committed\n"),
        ("gone", "not committed\n"),
        ("old name", "not committed\n"),
        ("new name", "untracked\n"),
        ("added/file", "untracked\n"),
        ("added", "untracked, in the way\n"),
        ("added/file/deeper", "untracked, in the way\n"),
        ("added/file", Link("../same")),
        ("changed", Script(numbered())),
        (ANSWERS, "name: not committed\n"),
    ],
)
@pytest.mark.parametrize("staged", [False, True])
def test_work_in_progress_in_the_way_is_refused_by_name(
    pay: Service, path: str, content: Content, staged: bool
) -> None:
    pay.write({path: content})
    if staged:
        pay.git("add", "--all")
    refuses(pay, path.split("/")[0])


def test_staged_work_that_the_work_tree_no_longer_shows_is_refused(pay: Service) -> None:
    pay.write({"changed": "staged\n"})
    pay.git("add", "changed")
    pay.write({"changed": numbered()})
    refuses(pay, "changed")


def test_everything_in_the_way_is_named_at_once(pay: Service) -> None:
    pay.write({"changed": "mine\n", "added/file": "mine\n"})
    refuses(pay, "changed", "added/file")


@pytest.mark.parametrize("staged", [False, True])
def test_a_file_that_is_already_what_it_shall_be_is_not_in_the_way(
    pay: Service, staged: bool
) -> None:
    pay.write({"added/file": "2\n"})
    if staged:
        pay.git("add", "added/file")
    assert pay.update("v2").code == 0
    is_v2(pay)


def test_work_elsewhere_survives_to_the_letter(pay: Service) -> None:
    pay.commit({"ours": "1\n", "ours too": "1\n", "ours three": "1\n", "ours four": "1\n"})
    pay.write({"same": "staged\n", "ours": "staged\n", "staged new": "new\n"})
    pay.git("add", "same", "ours", "staged new")
    pay.git("rm", "--quiet", "--cached", "ours four")
    pay.write({"ours": "staged, then edited\n", "also same": "edited\n"})
    pay.write({"ours too": None, "ours three": Script("1\n"), "untracked/deep": "new\n"})
    pay.write({"meant": "to be added\n"})
    pay.git("add", "--intent-to-add", "meant")
    status = pay.status()
    blobs = {name: pay.staged(name) for name in ("same", "ours", "staged new", "meant")}
    files = files_below(pay.path)
    assert pay.update("v2").code == 0
    is_v2(pay)
    touched = {"changed", "gone", "old name", "new name", "added/file", ANSWERS}
    assert {p: s for p, s in pay.status().items() if p not in touched} == status
    assert {name: pay.staged(name) for name in blobs} == blobs
    now = files_below(pay.path)
    assert {p: m for p, m in now.items() if p not in touched} == {
        p: m for p, m in files.items() if p not in touched
    }


def test_work_elsewhere_survives_conflicts(pay: Service) -> None:
    pay.commit({"changed": numbered(changed={2: "ours"})})
    pay.write({"same": "staged\n", "also same": "edited\n", "notes": "untracked\n"})
    pay.git("add", "same")
    assert pay.update("v2").code == 7
    status = pay.status()
    assert (status["same"], status["also same"], status["notes"]) == ("M ", " M", "??")
    assert pay.staged("same") == "staged\n"


def test_a_stash_is_left_alone(pay: Service) -> None:
    pay.write({"changed": "stashed\n"})
    pay.git("stash", "--quiet")
    stash = pay.git("rev-parse", "stash@{0}")
    assert pay.update("v2").code == 0
    assert pay.git("rev-parse", "stash@{0}") == stash
    assert pay.git("stash", "list").count("\n") == 1


@pytest.mark.parametrize("bit", ["--assume-unchanged", "--skip-worktree"])
def test_an_edit_git_was_told_not_to_see_is_not_lost(pay: Service, bit: str) -> None:
    pay.git("update-index", bit, "changed")
    pay.write({"changed": "PASSWORD=mine\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert pay.read("changed") == "PASSWORD=mine\n"
    if run.code:
        assert run.code == 5
        assert pay.fingerprint() == before


@pytest.mark.parametrize("bit", ["--assume-unchanged", "--skip-worktree"])
def test_an_edit_git_was_told_not_to_see_elsewhere_stays_unseen(pay: Service, bit: str) -> None:
    pay.git("update-index", bit, "same")
    pay.write({"same": "PASSWORD=mine\n"})
    assert pay.update("v2").code == 0
    assert pay.read("same") == "PASSWORD=mine\n"
    assert "same" not in pay.status()


def test_touched_but_unchanged_files_are_no_obstacle(pay: Service) -> None:
    for name in ("changed", "gone", "same"):
        text = pay.read(name)
        pay.write({name: text})
        os.utime(pay.path / name, (1_700_000_000, 1_700_000_000))
    assert pay.update("v2").code == 0
    is_v2(pay)
    assert "same" not in pay.status()


def test_a_copied_repository_is_no_obstacle(pay: Service, tmp_path: Path) -> None:
    copy = pay.copy(tmp_path / "copy")
    assert copy.update("v2").code == 0
    is_v2(copy)
    assert set(copy.status()) == {
        ANSWERS,
        "changed",
        "gone",
        "old name",
        "new name",
        "added/file",
    }


# --- in the middle of something ----------------------------------------------------------------


def diverge(pay: Service) -> None:
    """Make branch `side` with a change that clashes with main's."""
    pay.git("checkout", "--quiet", "-b", "side")
    pay.commit({"same": numbered(changed={5: "side"})})
    pay.git("checkout", "--quiet", "main")
    pay.commit({"same": numbered(changed={5: "main"})})


def attempt(pay: Service, *command: str) -> None:
    """Run a git command that stops half way."""
    with pytest.raises(AssertionError, match="failed"):
        pay.git(*command)


@pytest.mark.parametrize(
    "command",
    [("merge", "side"), ("rebase", "side"), ("cherry-pick", "side"), ("revert", "HEAD~1")],
)
def test_in_the_middle_of_something_it_refuses(pay: Service, command: tuple[str, ...]) -> None:
    if command[0] == "revert":
        pay.commit({"same": numbered(changed={5: "one"})})
        pay.commit({"same": numbered(changed={5: "two"})})
    else:
        diverge(pay)
    attempt(pay, *command)
    refuses(pay, codes=(3, 5))


def test_in_a_merge_without_conflicts_it_refuses(pay: Service) -> None:
    pay.git("checkout", "--quiet", "-b", "side")
    pay.commit({"side": "1\n"})
    pay.git("checkout", "--quiet", "main")
    pay.commit({"main": "1\n"})
    pay.git("merge", "--quiet", "--no-commit", "side")
    refuses(pay, codes=(3, 5))


def test_in_a_resolved_merge_it_refuses(pay: Service) -> None:
    diverge(pay)
    attempt(pay, "merge", "side")
    pay.write({"same": "resolved\n"})
    pay.git("add", "same")
    refuses(pay, codes=(3, 5))


def test_in_a_stopped_interactive_rebase_it_refuses(pay: Service) -> None:
    pay.commit({"ours": "1\n"})
    editor = "sed -i s/^pick/edit/"
    pay.git("-c", f"sequence.editor={editor}", "rebase", "--quiet", "--interactive", "HEAD~1")
    refuses(pay, codes=(3, 5))


def unmerged(pay: Service, path: str) -> None:
    """Leave a path unmerged without any operation being under way."""
    pay.write({path: numbered(changed={5: "stash me"})})
    pay.git("stash", "--quiet")
    pay.commit({path: numbered(changed={5: "again"})})
    attempt(pay, "stash", "pop")


def test_an_unmerged_path_in_the_way_is_refused(pay: Service) -> None:
    unmerged(pay, "changed")
    refuses(pay, "changed", codes=(3, 5))


def test_an_unmerged_path_elsewhere_stays_unmerged(pay: Service) -> None:
    unmerged(pay, "same")
    before, stages = pay.fingerprint(), pay.index_stages()
    if pay.update("v2").code:
        assert pay.fingerprint() == before
    else:
        is_v2(pay)
        assert pay.index_stages() == stages


def test_on_a_detached_head_it_refuses(pay: Service) -> None:
    pay.git("checkout", "--quiet", "--detach")
    refuses(pay, codes=(3, 5))


def test_a_locked_index_is_somebody_elses(pay: Service) -> None:
    (pay.path / ".git/index.lock").touch()
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (5, 6)
    assert pay.fingerprint() == before
    assert (pay.path / ".git/index.lock").exists()
    (pay.path / ".git/index.lock").unlink()
    assert pay.update("v2").code == 0
    is_v2(pay)


def test_two_updates_at_once_end_as_one(pay: Service) -> None:
    runs = [idp_process("update-service", pay.path, "--to", "v2", "--json") for _ in range(3)]
    codes = sorted((run.communicate(), run.returncode)[1] for run in runs)
    assert codes[0] == 0
    assert set(codes) <= {0, 5, 6}
    is_v2(pay)
    assert set(pay.status().values()) == {"M ", "D ", "A "}
    assert leftovers(pay.repo) == []


# --- what is not there or damaged --------------------------------------------------------------


def test_a_shallow_clone_without_the_history_needed_says_so(pay: Service, tmp_path: Path) -> None:
    pay.commit({"ours": "1\n"})
    pay.commit({ANSWERS: pay.read(ANSWERS).replace("pay", "bill")}, "another answer")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{pay.path}", "shallow")
    shallow = Service(tmp_path / "shallow")
    with shallow.untouched():
        run = shallow.update("v2")
    assert run.code in (3, 5)
    assert "shallow" in run.error["message"] + run.error["hint"]


def test_a_deep_enough_clone_is_as_good_as_any(pay: Service, tmp_path: Path) -> None:
    pay.commit({ANSWERS: pay.read(ANSWERS) + "# a comment\n"})
    pay.commit({"ours": "1\n"})
    git(tmp_path, "clone", "--quiet", "--depth", "50", f"file://{pay.path}", "deep")
    deep = Service(tmp_path / "deep")
    assert deep.update("v2").code == 0
    is_v2(deep)


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{{{ no yaml\n",
        "- a\n- list\n",
        "just text\n",
        "_commit: v1\n",
        "_src_path: {src}\n",
        "_commit: v99\n_src_path: {src}\nname: pay\n",
        "_commit: [1]\n_src_path: {src}\nname: pay\n",
        "_commit: v1\n_src_path: --upload-pack=x\nname: pay\n",
        "_commit: --help\n_src_path: {src}\nname: pay\n",
        "<<<<<<< ours\n_commit: v1\n=======\n_commit: v2\n>>>>>>> theirs\n_src_path: {src}\n",
        "!!python/object/apply:os.system ['touch pwned']\n",
        "\x00\x01\x02",
    ],
)
def test_damaged_answers_are_told_and_nothing_is_changed(
    pay: Service, template: Template, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay.commit({ANSWERS: damage.replace("{src}", str(template.path))}, "damage")
    monkeypatch.chdir(pay.path)
    with pay.untouched():
        run = pay.update("v2")
    assert run.code in (3, 5), run.everything
    assert run.error["message"]
    assert not pay.has("pwned")


def test_missing_answers_are_told(pay: Service) -> None:
    pay.commit({ANSWERS: None})
    refuses(pay, ANSWERS, codes=(3,))


def test_answers_deleted_but_not_committed_are_told(pay: Service) -> None:
    (pay.path / ANSWERS).unlink()
    refuses(pay, ANSWERS, codes=(3, 5))


def test_answers_that_were_never_committed_are_told(
    template: Template, pay: Service, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", "fresh")
    fresh = Service(tmp_path / "fresh")
    fresh.commit({"changed": numbered()})
    fresh.write({ANSWERS: pay.read(ANSWERS)})
    refuses(fresh, codes=(3, 5))


@pytest.mark.parametrize("version", ["v99", " ", "--help", "-x", "v2; touch x", "../v2", "v1..v2"])
def test_a_release_that_is_not_there_is_told(pay: Service, version: str) -> None:
    with pay.untouched():
        run = idp("update-service", pay.path, f"--to={version}", "--json")
    assert run.code in (2, 3)
    assert run.error["message"]


def test_what_is_no_repository_is_told(pay: Service, tmp_path: Path) -> None:
    build_tree(tmp_path / "plain", {ANSWERS: pay.read(ANSWERS), "changed": numbered()})
    before = files_below(tmp_path / "plain")
    run = Service(tmp_path / "plain").update("v2")
    assert run.code in (3, 5)
    assert "git" in run.error["message"]
    assert files_below(tmp_path / "plain") == before


def test_a_repository_without_a_commit_is_told(pay: Service, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    empty = Service(tmp_path / "empty")
    empty.write({ANSWERS: pay.read(ANSWERS), "changed": numbered()})
    refuses(empty, codes=(3, 5))


def test_a_bare_repository_is_told(pay: Service, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(pay.path), "bare")
    run = Service(tmp_path / "bare").update("v2")
    assert run.code in (3, 5)


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    run = Service(tmp_path / "nowhere").update("v2")
    assert run.code in (2, 3)
    assert "nowhere" in run.error["message"]


def test_a_damaged_repository_is_told(pay: Service) -> None:
    blob = pay.git("rev-parse", "HEAD:changed").strip()
    (pay.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    files = files_below(pay.path)
    if pay.update("v2").code:
        assert files_below(pay.path) == files
    else:
        is_v2(pay)
    assert leftovers(pay.repo) == []


# --- other shapes of repositories --------------------------------------------------------------


@pytest.fixture
def nested(pay: Service, tmp_path: Path) -> Service:
    """The same service in a sub-folder of a repository that has a life of its own."""
    mono = tmp_path / "mono"
    build_tree(mono, {"changed": "of the whole\n", "gone": "of the whole\n", "other/a": "1\n"})
    for path in pay.tracked():
        build_tree(mono / "team/pay", {path: pay.read(path)})
    git(mono, "init", "--quiet")
    commit_all(mono, "a repository of many")
    return Service(mono / "team/pay", mono)


def test_a_service_in_a_sub_folder_is_updated_there(nested: Service) -> None:
    nested.commit({"same": numbered(changed=BOTTOM)})
    run = nested.update("v2")
    assert run.code == 0
    is_v2(nested)
    assert all(path.startswith("team/pay/") for path in nested.status())
    assert (nested.repo / "changed").read_text() == "of the whole\n"
    assert (nested.repo / "gone").exists()
    assert {p.removeprefix("team/pay/") for p in run.outcomes} >= {"changed", "added/file"}


def test_a_conflict_in_a_sub_folder_has_its_full_path(nested: Service) -> None:
    nested.commit({"changed": numbered(changed={2: "ours"})})
    assert nested.update("v2").code == 7
    assert set(nested.index_stages()) == {"team/pay/changed"}


def test_work_in_progress_outside_the_sub_folder_survives(nested: Service) -> None:
    build_tree(nested.repo, {"changed": "staged\n", "gone": None, "new": "untracked\n"})
    nested.git("add", "changed")
    build_tree(nested.repo, {"changed": "staged, then edited\n"})
    assert nested.update("v2").code == 0
    outside = {p: s for p, s in nested.status().items() if not p.startswith("team/")}
    assert outside == {"changed": "MM", "gone": " D", "new": "??"}
    assert nested.git("show", ":changed") == "staged\n"


def test_work_in_progress_inside_the_sub_folder_is_refused(nested: Service) -> None:
    nested.write({"changed": "mine\n"})
    refuses(nested, "changed")


def test_a_file_outside_is_not_taken_for_a_renamed_one(nested: Service) -> None:
    build_tree(nested.repo, {"other/moved": numbered()})
    nested.commit({"changed": None})
    assert nested.update("v2").code == 0
    assert (nested.repo / "other/moved").read_text() == numbered()
    assert not nested.has("changed")


def test_a_sub_folder_by_a_relative_path(nested: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(nested.repo)
    assert idp("update-service", "team/pay", "--to", "v2", "--json").code == 0
    is_v2(nested)


def test_by_a_path_through_a_link(pay: Service, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(pay.path)
    assert Service(tmp_path / "link").update("v2").code == 0
    is_v2(pay)


def test_a_linked_work_tree_is_updated_alone(pay: Service, tmp_path: Path) -> None:
    pay.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    main = {k: v for k, v in fingerprint(pay.path).items() if k.split()[0] in ("file", "index")}
    side = Service(tmp_path / "side")
    assert side.update("v2").code == 0
    is_v2(side)
    now = {k: v for k, v in fingerprint(pay.path).items() if k.split()[0] in ("file", "index")}
    assert now == main
    assert pay.git("worktree", "list").count("\n") == 2


def test_a_git_folder_kept_elsewhere(pay: Service, tmp_path: Path) -> None:
    pay.git("init", "--quiet", "--separate-git-dir", str(tmp_path / "elsewhere.git"))
    assert pay.update("v2").code == 0
    is_v2(pay)


def test_a_service_that_is_a_submodule(pay: Service, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "outer")
    git(tmp_path / "outer", "submodule", "--quiet", "add", str(pay.path), "sub")
    commit_all(tmp_path / "outer", "a submodule")
    sub = Service(tmp_path / "outer/sub")
    assert sub.update("v2").code == 0
    is_v2(sub)


def test_a_submodule_in_the_service_is_left_alone(pay: Service, tmp_path: Path) -> None:
    build_tree(tmp_path / "lib", {"lib": "1\n"})
    git(tmp_path / "lib", "init", "--quiet")
    commit_all(tmp_path / "lib", "a library")
    pay.git("submodule", "--quiet", "add", str(tmp_path / "lib"), "lib")
    pay.commit()
    build_tree(pay.path / "lib", {"lib": "edited\n", "new": "untracked\n"})
    assert pay.update("v2").code == 0
    is_v2(pay)
    assert (pay.path / "lib/lib").read_text() == "edited\n"
    assert (pay.path / "lib/new").exists()
    assert pay.git("ls-files", "--stage", "lib").startswith("160000")


def test_another_repository_inside_is_left_alone(pay: Service) -> None:
    build_tree(pay.path / "vendor/x", {"a": "1\n"})
    git(pay.path / "vendor/x", "init", "--quiet")
    commit_all(pay.path / "vendor/x", "vendored")
    was = fingerprint(pay.path / "vendor/x")
    assert pay.update("v2").code == 0
    is_v2(pay)
    assert fingerprint(pay.path / "vendor/x") == was


@pytest.mark.parametrize(
    "command",
    [
        ("update-index", "--index-version", "4"),
        ("update-index", "--split-index"),
        ("update-index", "--untracked-cache"),
        ("pack-refs", "--all"),
        ("gc", "--quiet"),
        ("config", "core.fsmonitor", "true"),
        ("config", "core.sparseCheckout", "true"),
        ("config", "extensions.worktreeConfig", "true"),
        ("config", "core.ignoreCase", "true"),
        ("config", "core.symlinks", "false"),
        ("config", "core.precomposeUnicode", "true"),
        ("config", "core.sharedRepository", "group"),
        ("config", "merge.directoryRenames", "true"),
        ("config", "diff.renames", "false"),
        ("config", "status.showUntrackedFiles", "no"),
        ("config", "core.bigFileThreshold", "1"),
        ("config", "merge.renormalize", "true"),
    ],
)
def test_repositories_are_set_up_in_many_ways(pay: Service, command: tuple[str, ...]) -> None:
    pay.commit({"old name": numbered(30, {1: "a file of its own", 20: "ours"})})
    pay.git(*command)
    assert pay.update("v2").code == 0
    is_v2(pay)
    assert pay.read("new name") == numbered(30, {1: "a file of its own", 20: "ours"})
    pay.git("fsck", "--strict")


def test_a_repository_of_sha256_is_updated_or_told(
    template: Template, pay: Service, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "new")
    new = Service(tmp_path / "new")
    for path in pay.tracked():
        new.write({path: pay.read(path)})
    new.commit()
    before = new.fingerprint()
    if code := new.update("v2").code:
        assert code in (3, 5)
        assert new.fingerprint() == before
    else:
        is_v2(new)


def test_a_sparse_checkout_is_updated_or_told(pay: Service) -> None:
    pay.commit({"ours/big": "1\n", "ours/deep/big": "1\n"})
    pay.git("sparse-checkout", "set", "--no-cone", "/*", "!/ours/")
    before = pay.fingerprint()
    if code := pay.update("v2").code:
        assert code in (3, 5)
        assert pay.fingerprint() == before
    else:
        is_v2(pay)
        assert not [path for path in pay.status() if path.startswith("ours")]
        assert "ours/big" in pay.tracked()


def test_hooks_of_the_service_are_no_obstacle(pay: Service, tmp_path: Path) -> None:
    first = ["pre-commit", "post-checkout", "post-index-change", "reference-transaction"]
    names = [*first, "commit-msg", "pre-merge-commit", "post-merge", "post-commit"]
    hook = Script(f"#!/bin/sh\ntouch '{tmp_path}'/ran-$(basename $0)\nexit 1\n")
    build_tree(pay.path / ".git/hooks", dict.fromkeys(names, hook))
    assert pay.update("v2").code == 0
    is_v2(pay)


def test_hooks_committed_with_the_service_are_no_obstacle(pay: Service) -> None:
    pay.commit({"hooks/post-checkout": Script("#!/bin/sh\nrm -rf . ; exit 1\n")})
    pay.git("config", "core.hooksPath", "hooks")
    assert pay.update("v2").code == 0
    is_v2(pay)


# --- filters and attributes --------------------------------------------------------------------


def test_a_filter_of_ours_is_applied_to_what_is_written(pay: Service) -> None:
    pay.git("config", "filter.secret.clean", "sed s/hunter2/PLACEHOLDER/")
    pay.git("config", "filter.secret.smudge", "sed s/PLACEHOLDER/hunter2/")
    pay.commit({".gitattributes": "changed filter=secret\n"})
    pay.commit({"changed": numbered(changed={11: "password hunter2"})})
    assert pay.staged("changed") == numbered(changed={11: "password PLACEHOLDER"})
    assert pay.update("v2").code == 0
    assert pay.read("changed") == numbered(changed={**TOP, 11: "password hunter2"})
    assert pay.staged("changed") == numbered(changed={**TOP, 11: "password PLACEHOLDER"})
    assert pay.status()["changed"] == "M "


def test_ident_and_encodings_do_not_make_a_file_dirty(template: Template, create: Create) -> None:
    attributes = {".gitattributes": "*.c ident\n*.u16 working-tree-encoding=UTF-16LE eol=lf\n"}
    text = numbered().encode("utf-16-le")
    template.release("v1", {**attributes, "a.c": "$Id$\n" + numbered(), "a.u16": text})
    template.release("v2", {"a.c": "$Id$\n" + numbered(changed=TOP)})
    pay = create()
    assert pay.status() == {}
    pay.commit({"a.c": pay.read("a.c").replace("line 11", "ours")})
    assert pay.update("v2").code == 0
    lines = pay.read("a.c").splitlines()
    assert ("the template's" in lines, "ours" in lines) == (True, True)
    assert pay.status() == {ANSWERS: "M ", "a.c": "M "}
    assert (pay.path / "a.u16").read_bytes() == text


# --- a hostile surrounding ---------------------------------------------------------------------

HOSTILE: dict[str, dict[str, str]] = {
    "hooks": {"core.hooksPath": "~/hooks"},
    "whitespace": {"apply.whitespace": "fix", "core.whitespace": "trailing-space,tab-in-indent"},
    "names": {"core.quotePath": "false"},
    "signing": {"commit.gpgsign": "true", "tag.gpgsign": "true", "gpg.program": "/bin/false"},
    "crlf": {"core.autocrlf": "true"},
    "crlf in": {"core.autocrlf": "input", "core.safecrlf": "true"},
    "eol": {"core.eol": "crlf"},
    "no renames": {"merge.renames": "false", "diff.renames": "false"},
    "folder renames": {"merge.directoryRenames": "true"},
    "rename limit": {"merge.renameLimit": "1", "diff.renameLimit": "1"},
    "diff": {
        "diff.noprefix": "true",
        "diff.external": "/bin/false",
        "diff.algorithm": "minimal",
        "diff.context": "0",
        "diff.mnemonicPrefix": "true",
        "diff.ignoreSubmodules": "all",
        "color.ui": "always",
        "core.pager": "/bin/false",
    },
    "style": {"merge.conflictStyle": "merge"},
    "file mode": {"core.fileMode": "false"},
    "ignores": {"core.excludesFile": "~/ignore"},
    "attributes": {"core.attributesFile": "~/attributes", "diff.broken.command": "false"},
    "templates": {"init.templateDir": "~/skeleton"},
    "status": {
        "status.showUntrackedFiles": "no",
        "status.branch": "true",
        "status.short": "true",
        "status.relativePaths": "false",
    },
    "fsck": {"transfer.fsckObjects": "true", "core.fsyncMethod": "batch"},
    "objects": {"init.defaultObjectFormat": "sha256", "init.defaultBranch": "trunk"},
    "sparse": {"core.sparseCheckout": "true", "clone.defaultRemoteName": "up"},
    "safe": {"safe.bareRepository": "explicit"},
    "ff": {"merge.ff": "only", "pull.rebase": "true", "rebase.autoStash": "true"},
    "merge": {"merge.verbosity": "5", "merge.tool": "broken", "mergetool.broken.cmd": "false"},
    "alias": {"alias.status": "!false", "alias.merge-tree": "!false", "help.autoCorrect": "1"},
    "url": {"url.https://nowhere.test/.insteadOf": "/"},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_users_own_git_settings_do_not_change_an_update(
    template: Template, create: Create, home: Path, kind: str
) -> None:
    trailing = {5: "trailing   ", 6: "  \tmixed "}
    template.release("v1", {"ünï.txt": numbered(changed=trailing), "old": numbered(40)})
    template.release(
        "v2",
        {
            "ünï.txt": numbered(changed={**trailing, **TOP}),
            "old": None,
            "new": numbered(40, TOP),
            "dos.txt": "a\r\n",
            "run.sh": Script("#!/bin/sh\n"),
            "pure.md": "a\n",
        },
    )
    pay = create()
    pay.commit({"ünï.txt": numbered(changed={**trailing, **BOTTOM})})
    pay.commit({"old": numbered(40, {30: "ours"})})
    hook = Script("#!/bin/sh\nexit 1\n")
    names = ("pre-commit", "post-checkout", "reference-transaction", "post-index-change")
    build_tree(home / "hooks", dict.fromkeys(names, hook))
    build_tree(home / "skeleton/hooks", dict.fromkeys(names, hook))
    build_tree(home, {"ignore": "*\n", "attributes": "* diff=broken\n"})
    for key, value in HOSTILE[kind].items():
        git(home, "config", "--file", str(home / ".gitconfig"), key, value)
    run = pay.update("v2")
    assert run.code == 0, run.everything
    assert pay.staged("ünï.txt") == numbered(changed={**trailing, **TOP, **BOTTOM})
    assert pay.staged("new") == numbered(40, {**TOP, 30: "ours"})
    assert (pay.staged("dos.txt"), pay.staged("pure.md")) == ("a\r\n", "a\n")
    assert pay.staged_mode("run.sh") == "100755"
    if "crlf" not in kind and kind != "eol":
        assert pay.read("ünï.txt") == numbered(changed={**trailing, **TOP, **BOTTOM})
        assert pay.read("dos.txt") == "a\r\n"
    plain = ("-c", "color.ui=never")
    theirs = {"GIT_CONFIG_COUNT": "0", "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    as_the_user = git(pay.path, "-c", "core.hooksPath=/dev/null", *plain, "status", "-s", **theirs)
    letters = {line[:2] for line in as_the_user.splitlines() if not line.startswith("#")}
    assert letters <= {"M ", "A ", "D ", "R "}


def other_repository(tmp_path: Path) -> Path:
    other = tmp_path / "other"
    build_tree(other, {"mine": "mine\n"})
    git(other, "init", "--quiet")
    commit_all(other, "mine")
    return other


def foreign(tmp_path: Path) -> dict[str, Callable[[], dict[str, str]]]:
    other = str(tmp_path / "other")
    return {
        "dir": lambda: {"GIT_DIR": f"{other}/.git", "GIT_WORK_TREE": other},
        "index": lambda: {"GIT_INDEX_FILE": f"{other}/.git/index"},
        "objects": lambda: {"GIT_OBJECT_DIRECTORY": f"{other}/.git/objects"},
        "alternates": lambda: {"GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere"},
        "prefix": lambda: {"GIT_PREFIX": "sub/", "GIT_LITERAL_PATHSPECS": "1"},
        "config": lambda: {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.bare",
            "GIT_CONFIG_VALUE_0": "true",
        },
        "namespace": lambda: {"GIT_NAMESPACE": "x", "GIT_CEILING_DIRECTORIES": "/"},
        "external diff": lambda: {"GIT_EXTERNAL_DIFF": "/bin/false", "GIT_PAGER": "/bin/false"},
        "glob": lambda: {"GIT_ICASE_PATHSPECS": "1"},
        "attributes": lambda: {"GIT_ATTR_SOURCE": "HEAD", "GIT_DEFAULT_HASH": "sha256"},
        "trace": lambda: {"GIT_TRACE": "1", "GIT_TRACE2": "1"},
        "language": lambda: {"LANG": "de_DE.UTF-8", "LC_ALL": "C", "LANGUAGE": "de"},
    }


@pytest.mark.parametrize("kind", sorted(foreign(Path())))
def test_git_variables_around_it_do_not_mislead_it(
    pay: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    other = other_repository(tmp_path)
    was = fingerprint(other)
    for name, value in foreign(tmp_path)[kind]().items():
        monkeypatch.setenv(name, value)
    assert pay.update("v2").code == 0
    is_v2(pay)
    assert fingerprint(other) == was


def test_run_from_a_hook_of_the_service(pay: Service) -> None:
    command = f"{sys.executable} -m idp update-service . --to v2"
    build_tree(pay.path / ".git/hooks", {"post-commit": Script(f"#!/bin/sh\n{command}\n")})
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(
        ["git", "-C", pay.path, "commit", "--allow-empty", "-qm", "go"],
        env=env,
        check=True,
        capture_output=True,
    )
    is_v2(pay)


def test_a_service_of_another_user_is_told(pay: Service) -> None:
    if os.getuid():
        pytest.skip("only root can give a folder away")
    for path in [pay.path, *pay.path.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    run = pay.update("v2")
    assert run.code in (0, 3, 4, 5)
    if run.code:
        assert run.error["message"]


def test_the_files_written_have_the_owners_usual_rights(pay: Service) -> None:
    mask = os.umask(0o022)
    os.umask(mask)
    assert pay.update("v2").code == 0
    for name in ("changed", "added/file", "new name", ANSWERS):
        assert (pay.path / name).stat().st_mode & 0o777 == 0o666 & ~mask


def test_everything_unusual_at_once(template: Template, create: Create) -> None:
    files: Files = {
        "copier.yml": settings(preserve_symlinks=True),
        "text": numbered(30),
        "run.sh": Script(numbered(30)),
        "link": Link("text"),
        "blob": bytes(range(256)),
        "sp ace/ünï": numbered(30),
        "gone": "1\n",
    }
    template.release("v1", files)
    template.release(
        "v2",
        {
            "text": None,
            "moved/text": numbered(30, TOP),
            "run.sh": numbered(30, TOP),
            "link": Link("moved/text"),
            "blob": bytes(range(255)),
            "sp ace/ünï": numbered(30, TOP),
            "gone": None,
            "new": Script("2\n"),
        },
    )
    pay = create()
    pay.commit({"text": numbered(30, {20: "ours"}), "run.sh": Script(numbered(30, {20: "ours"}))})
    pay.commit({"sp ace/ünï": numbered(30, {20: "ours"})})
    pay.write({"wip": "untracked\n"})
    assert pay.update("v2").code == 0
    both = numbered(30, {**TOP, 20: "ours"})
    assert [pay.read(n) for n in ("moved/text", "run.sh", "sp ace/ünï", "link")] == [both] * 4
    assert pay.staged_mode("run.sh") == "100644"
    assert (pay.path / "blob").read_bytes() == bytes(range(255))
    assert pay.status()["wip"] == "??"
    assert leftovers(pay.repo) == []
