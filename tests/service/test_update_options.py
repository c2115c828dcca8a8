"""The options of `idp update-service`, each told by what it leaves behind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from .conftest import Create
from .stories import ANSWERS, Service, Template, git, idp, leftovers, numbered, settings

TOP, BOTTOM = {2: "the template's"}, {11: "ours"}


@pytest.fixture
def pay(template: Template, create: Create) -> Service:
    """A service on v1 with an edit of its own, and a v2 that merges."""
    template.release("v1", {"app.py": numbered(), "gone": "1\n", "b": "1\n"})
    template.release("v2", {"app.py": numbered(changed=TOP), "gone": None, "new": "2\n"})
    service = create()
    service.commit({"app.py": numbered(changed=BOTTOM)})
    return service


@pytest.fixture
def clashing(template: Template, create: Create) -> Service:
    """A service on v1 with an edit of its own, and a v2 that clashes with it."""
    template.release("v1", {"app.py": numbered(), "b": "1\n"})
    template.release("v2", {"app.py": numbered(changed={5: "theirs"}), "b": "2\n"})
    service = create()
    service.commit({"app.py": numbered(changed={5: "ours"})})
    return service


# --- --dry-run ---------------------------------------------------------------------------------


def test_a_dry_run_tells_all_and_changes_nothing(pay: Service) -> None:
    with pay.untouched():
        dry = pay.update("v2", "--dry-run")
    real = pay.update("v2")
    assert dry.code == real.code == 0
    for key in ("from", "to", "status", "files"):
        assert dry.json[key] == real.json[key]


def test_a_dry_run_shows_the_difference(pay: Service) -> None:
    with pay.untouched():
        run = idp("update-service", pay.path, "--to", "v2", "--dry-run")
    assert run.code == 0
    assert "+the template's" in run.everything
    assert "-line 2" in run.everything
    assert "ours" not in [line[1:] for line in run.everything.splitlines() if line[:1] in "+-"]


def test_a_dry_run_of_a_conflict_ends_in_seven(clashing: Service) -> None:
    with clashing.untouched():
        dry = clashing.update("v2", "--dry-run")
    assert (dry.code, dry.json["status"], dry.outcomes["app.py"]) == (7, "conflicts", "conflict")
    assert clashing.update("v2").outcomes == dry.outcomes


def test_a_dry_run_of_what_is_refused_is_refused(pay: Service) -> None:
    pay.write({"app.py": "not committed\n"})
    with pay.untouched():
        assert pay.update("v2", "--dry-run").code == pay.update("v2").code == 5


def test_a_dry_run_of_what_fails_fails(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": settings(migrations=["exit 1"])})
    pay = create("v1", "--trust")
    with pay.untouched():
        codes = [pay.update("v2", "--trust", *more).code for more in ((), ("--dry-run",))]
    assert codes == [6, 6]


def test_a_dry_run_when_up_to_date(pay: Service) -> None:
    with pay.untouched():
        run = pay.update("v1", "--dry-run")
    assert (run.code, run.json["status"]) == (0, "up-to-date")


def test_up_to_date_with_nothing_cached(pay: Service, home: Path) -> None:
    """Both sides are then one render: two processes must not make it in one folder."""
    shutil.rmtree(home / "cache")
    with pay.untouched():
        run = pay.update("v1")
    assert (run.code, run.json["status"]) == (0, "up-to-date")


# --- --commit ----------------------------------------------------------------------------------


def test_commit_makes_one_commit_of_the_update(pay: Service) -> None:
    head = pay.head
    assert pay.update("v2", "--commit").code == 0
    assert pay.git("rev-parse", "HEAD~1").strip() == head
    assert pay.git("rev-list", "--count", f"{head}..HEAD").strip() == "1"
    assert pay.status() == {}
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)
    assert "v2" in pay.git("log", "-1", "--format=%B")
    assert pay.git("log", "-1", "--format=%an <%ae>").strip() == "Pat Tester <pat@example.com>"
    assert pay.git("symbolic-ref", "HEAD").strip() == "refs/heads/main"


def test_commit_does_not_sweep_in_what_is_staged(pay: Service) -> None:
    pay.write({"b": "staged\n", "staged new": "x\n", "untracked": "x\n"})
    pay.git("add", "b", "staged new")
    assert pay.update("v2", "--commit").code == 0
    names = pay.git("show", "--name-only", "--format=", "HEAD").split("\n")
    assert set(filter(None, names)) == {ANSWERS, "app.py", "gone", "new"}
    assert pay.status() == {"b": "M ", "staged new": "A ", "untracked": "??"}
    assert pay.read("b") == "staged\n"


def test_commit_commits_nothing_while_conflicts_stand(clashing: Service) -> None:
    head = clashing.head
    assert clashing.update("v2", "--commit").code == 7
    assert clashing.head == head


def test_commit_of_nothing_new_is_no_commit(pay: Service) -> None:
    with pay.untouched():
        assert pay.update("v1", "--commit").code == 0


def test_commit_of_a_sub_folder_leaves_the_rest(pay: Service) -> None:
    mono = pay
    files = {f"svc/{name}": mono.read(name) for name in mono.tracked()}
    mono.commit(files)
    mono.write({"b": "staged\n"})
    mono.git("add", "b")
    service = Service(mono.path / "svc", mono.path)
    assert service.update("v2", "--commit").code == 0
    names = mono.git("show", "--name-only", "--format=", "HEAD").split()
    assert names
    assert all(name.startswith("svc/") for name in names)
    assert mono.status() == {"b": "M "}


def test_commit_runs_no_hook_of_ours_into_a_wall(pay: Service) -> None:
    hook = pay.path / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    hook.chmod(0o755)
    before = pay.fingerprint()
    run = pay.update("v2", "--commit")
    if run.code:
        assert pay.fingerprint() == before
    else:
        assert pay.status() == {}


# --- --branch ----------------------------------------------------------------------------------


def test_branch_holds_the_update_and_nothing_else_moves(pay: Service) -> None:
    pay.write({"b": "staged\n", "untracked": "x\n"})
    pay.git("add", "b")
    before = pay.fingerprint()
    assert pay.update("v2", "--branch", "idp/update-v2").code == 0
    after = pay.fingerprint()
    tip = after.pop("ref refs/heads/idp/update-v2")
    assert after == before
    assert pay.git("rev-parse", f"{tip}~1").strip() == pay.head
    assert pay.git("show", f"{tip}:app.py") == numbered(changed=TOP | BOTTOM)
    assert pay.git("show", f"{tip}:b") == "1\n"
    names = pay.git("diff", "--name-only", "HEAD", tip).split()
    assert set(names) == {ANSWERS, "app.py", "gone", "new"}


def test_branch_needs_no_clean_work_tree(pay: Service) -> None:
    pay.write({"app.py": "not committed\n", "new": "untracked\n"})
    assert pay.update("v2", "--branch", "later").code == 0
    assert pay.git("show", "later:app.py") == numbered(changed=TOP | BOTTOM)
    assert (pay.read("app.py"), pay.read("new")) == ("not committed\n", "untracked\n")


@pytest.mark.parametrize("name", ["main", "taken"])
def test_branch_overwrites_no_branch(pay: Service, name: str) -> None:
    pay.git("branch", "taken")
    with pay.untouched():
        assert pay.update("v2", "--branch", name).code in (3, 5)


@pytest.mark.parametrize("name", ["a..b", "-d", "a b", "HEAD", "x.lock", "@{-1}"])
def test_branch_takes_no_name_git_does_not(pay: Service, name: str) -> None:
    with pay.untouched():
        assert pay.update("v2", f"--branch={name}").code in (2, 3)


def test_branch_with_conflicts_touches_nothing_here(clashing: Service) -> None:
    before = clashing.fingerprint()
    assert clashing.update("v2", "--branch", "later").code == 7
    after = clashing.fingerprint()
    after.pop("ref refs/heads/later", None)
    assert after == before


def test_branch_and_commit_exclude_each_other(pay: Service) -> None:
    with pay.untouched():
        assert pay.update("v2", "--branch", "later", "--commit").code == 2


def test_branch_when_up_to_date_makes_none(pay: Service) -> None:
    with pay.untouched():
        assert pay.update("v1", "--branch", "later").code == 0


# --- --restore ---------------------------------------------------------------------------------


def test_restore_brings_back_what_we_deleted(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n", "d/c": "1\n"})
    template.release("v2", {"a": "2\n", "b": "2\n"})
    pay = create()
    pay.commit({"a": None, "b": None, "d/c": None})
    run = pay.update("v2", "--restore", "a", "--restore", "d/c")
    assert run.code == 0
    assert (pay.read("a"), pay.read("d/c"), pay.has("b")) == ("2\n", "1\n", False)
    assert run.outcomes["b"] == "kept"
    assert run.outcomes["a"] in ("added", "updated")


def test_restore_of_what_the_template_has_not_is_told(pay: Service) -> None:
    with pay.untouched():
        run = pay.update("v2", "--restore", "never-there")
    assert run.code in (2, 3)
    assert "never-there" in run.error["message"]


def test_restore_on_the_same_release(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    pay = create()
    pay.commit({"a": None})
    assert pay.update("v1", "--restore", "a").code == 0
    assert pay.read("a") == "1\n"


def test_restore_does_not_overwrite_what_lies_there(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    pay.commit({"a": None})
    pay.write({"a": "untracked\n"})
    with pay.untouched():
        assert pay.update("v2", "--restore", "a").code == 5


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", ".git/config"])
def test_restore_takes_no_path_out_of_the_service(pay: Service, path: str) -> None:
    with pay.untouched():
        assert pay.update("v2", "--restore", path).code in (2, 3, 5)


# --- --check -----------------------------------------------------------------------------------


def test_check_sees_the_merged_tree(pay: Service) -> None:
    command = 'test -f new && test ! -f gone && grep -q "template\'s" app.py && grep ours app.py'
    assert pay.update("v2", "--check", command).code == 0
    assert pay.has("new")


def test_a_failing_check_keeps_the_update_out(pay: Service) -> None:
    with pay.untouched():
        run = pay.update("v2", "--check", "echo the tests said no; exit 3")
    assert run.code not in (0, 1, 7)
    assert "the tests said no" in run.everything
    assert leftovers(pay.repo) == []


def test_force_applies_in_spite_of_the_check(pay: Service) -> None:
    assert pay.update("v2", "--check", "false", "--force").code == 0
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)


def test_a_check_leaves_nothing_of_its_own(pay: Service) -> None:
    assert pay.update("v2", "--check", "touch litter; echo x > app.py; rm -rf b").code == 0
    assert not pay.has("litter")
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)
    assert pay.read("b") == "1\n"


def test_a_check_in_a_dry_run_ends_the_same(pay: Service) -> None:
    with pay.untouched():
        codes = [pay.update("v2", "--check", "false", *o).code for o in ((), ("--dry-run",))]
    assert codes[0] == codes[1] != 0


# --- --status and --heal -----------------------------------------------------------------------


def test_status_tells_releases_and_drift(template: Template, create: Create) -> None:
    for n in range(1, 4):
        template.release(f"v{n}", {"a": f"{n}\n", "b": "1\n", "c": "1\n"})
    pay = create("v1")
    pay.commit({"b": "drifted\n", "c": None, "ours": "ours\n"})
    with pay.untouched():
        run = pay.update("", "--status")
    assert run.code == 0
    text = json.dumps(run.json)
    assert all(f'"v{n}"' in text for n in range(1, 4))
    assert '"b"' in text
    assert '"c"' in text
    assert '"ours"' not in text


def test_status_of_a_fresh_service_shows_no_drift(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n", ".gitignore": "*.local\n", "x.local": "1\n"})
    pay = create()
    with pay.untouched():
        run = pay.update("", "--status")
    assert run.code == 0
    assert '"a"' not in run.out


def test_heal_brings_one_file_back(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(), "b": numbered(), "c": "1\n"})
    pay = create()
    pay.commit({"a": numbered(4), "b": numbered(4), "c": None})
    assert pay.update("", "--heal", "a").code in (0, 7)
    assert pay.read("b") == numbered(4)
    assert not pay.has("c")
    assert "b" not in pay.status()


def test_heal_brings_a_deleted_file_back(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n", "c": "1\n"})
    pay = create()
    pay.commit({"a": None})
    assert pay.update("", "--heal", "a").code == 0
    assert pay.read("a") == "1\n"


def test_heal_overwrites_no_work_in_progress(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    pay = create()
    pay.commit({"a": "drifted\n"})
    pay.write({"a": "not committed\n"})
    with pay.untouched():
        assert pay.update("", "--heal", "a").code == 5


def test_heal_of_what_the_template_has_not_is_told(pay: Service) -> None:
    with pay.untouched():
        assert pay.update("", "--heal", "never-there").code in (2, 3)


# --- --abort -----------------------------------------------------------------------------------


def test_abort_of_nothing_changes_nothing(pay: Service) -> None:
    pay.write({"app.py": "not committed\n", "untracked": "x\n"})
    with pay.untouched():
        assert pay.update("", "--abort").code in (0, 3, 5)


def test_abort_after_conflicts_brings_the_old_back_or_leaves_all(clashing: Service) -> None:
    clashing.write({"untracked": "x\n"})
    old = clashing.fingerprint()
    assert clashing.update("v2").code == 7
    conflicted = clashing.fingerprint()
    code = clashing.update("", "--abort").code
    assert code in (0, 3, 5)
    assert clashing.fingerprint() == (conflicted if code else old)


def test_abort_does_not_throw_away_later_work(clashing: Service) -> None:
    assert clashing.update("v2").code == 7
    clashing.write({"app.py": "resolved with care\n", "b": "edited since\n"})
    clashing.git("add", "app.py")
    run = clashing.update("", "--abort")
    everything = [path.read_bytes() for path in clashing.path.rglob("*") if path.is_file()]
    assert b"resolved with care\n" in everything
    assert b"edited since\n" in everything
    if clashing.read("b") != "edited since\n":
        assert str(clashing.path / ".git") in run.everything, "it must say where they are kept"


def test_abort_after_the_update_was_committed_leaves_it(pay: Service) -> None:
    assert pay.update("v2").code == 0
    pay.commit(message="take v2")
    with pay.untouched():
        assert pay.update("", "--abort").code in (0, 3, 5)


# --- the rest ----------------------------------------------------------------------------------


def test_without_json_it_is_for_people(clashing: Service) -> None:
    run = idp("update-service", clashing.path, "--to", "v2")
    assert run.code == 7
    assert "app.py" in run.everything
    assert "conflict" in run.everything.lower()


@pytest.mark.parametrize("option", ["--no-such-option", "--data", "--data=nonsense"])
def test_a_call_that_is_off_is_told(pay: Service, option: str) -> None:
    with pay.untouched():
        run = pay.update("v2", option)
    assert run.code in (2, 3)


def test_an_answer_nobody_asked_for_is_told(pay: Service) -> None:
    run = pay.update("v2", "--data", "no_such_question=1")
    assert run.code in (0, 2, 3)
    assert "no_such_question" in run.everything
    assert "no_such_question" not in pay.answers


@pytest.mark.parametrize("key", ["_commit=v9", "_src_path=/tmp"])
def test_what_idp_records_is_no_answer(pay: Service, key: str) -> None:
    with pay.untouched():
        assert pay.update("v2", "--data", key).code in (2, 3)


def test_errors_in_json_are_one_object(pay: Service) -> None:
    run = pay.update("v99")
    assert run.out == ""
    error = json.loads(run.err)
    assert error["message"]
    assert isinstance(error["retryable"], bool)


def test_results_in_json_are_one_object_and_nothing_else(pay: Service) -> None:
    run = pay.update("v2")
    assert json.loads(run.out)["status"] == "updated"
    paths = [entry["path"] for entry in run.json["files"]]
    assert paths == sorted(paths)


def test_quiet_says_nothing_but_the_data(pay: Service) -> None:
    run = idp("--quiet", "update-service", pay.path, "--to", "v2", "--json")
    assert run.code == 0
    assert (run.err, run.json["status"]) == ("", "updated")


def test_dash_c_names_the_folder(pay: Service) -> None:
    assert idp("-C", pay.path, "update-service", "--to", "v2", "--json").code == 0
    assert pay.has("new")


def test_source_is_tried_before_it_is_written_down(
    pay: Service, template: Template, tmp_path: Path
) -> None:
    with pay.untouched():
        assert pay.update("v2", "--source", tmp_path / "nowhere").code in (3, 6)
    git(tmp_path, "clone", "--quiet", str(template.path), "fork")
    assert pay.update("v2", "--source", tmp_path / "fork").code == 0
    assert pay.answers["_src_path"] == str(tmp_path / "fork")
