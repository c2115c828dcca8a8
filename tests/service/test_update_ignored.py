"""Files that a template makes and its own .gitignore keeps out of commits: local, but not lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Create
from .stories import (
    ANSWERS,
    Link,
    Script,
    Service,
    Template,
    build_tree,
    commit_all,
    files_below,
    git,
    idp,
    leftovers,
)


@pytest.fixture
def pay(template: Template, create: Create) -> Service:
    """A service on v1 with local files, and a v2 that changes, drops and adds some."""
    ignored = "*.local\ncache/\n"
    template.release(
        "v1", {".gitignore": ignored, "a.local": "1\n", "gone.local": "1\n", "b": "1\n"}
    )
    template.release(
        "v2",
        {
            "a.local": "2\n",
            "gone.local": None,
            "new.local": Script("2\n"),
            "cache/x": "2\n",
            "b": "2\n",
        },
    )
    return create()


def local(pay: Service) -> set[str]:
    return {name for name in files_below(pay.path) if name not in pay.tracked()}


def test_a_local_file_follows_the_template_while_it_is_as_it_was_made(pay: Service) -> None:
    assert pay.update("v2").code == 0
    assert pay.read("a.local") == "2\n"
    assert pay.tracked() == [ANSWERS, ".gitignore", "b"]
    assert pay.status() == {ANSWERS: "M ", "b": "M "}


def test_a_local_file_of_ours_stays(pay: Service) -> None:
    mine = dict.fromkeys(("a.local", "gone.local", "new.local", "cache/x"), "mine\n")
    pay.write(mine)
    before = pay.fingerprint()
    run = pay.update("v2")
    assert {pay.read(name) for name in mine} == {"mine\n"}
    if run.code:
        assert run.code == 5
        assert pay.fingerprint() == before
    else:
        assert pay.read("b") == "2\n"


def test_a_local_file_we_deleted_breaks_nothing(pay: Service) -> None:
    pay.write({"a.local": None, "gone.local": None})
    assert pay.update("v2").code == 0
    assert pay.read("b") == "2\n"
    assert not pay.has("gone.local")


def test_abort_brings_local_files_back_too(pay: Service) -> None:
    pay.write({"mine.local": "mine\n"})
    old = pay.fingerprint()
    assert pay.update("v2").code == 0
    assert pay.update("", "--abort").code == 0
    assert pay.fingerprint() == old


def test_a_dry_run_and_a_branch_leave_local_files(pay: Service) -> None:
    before = files_below(pay.path)
    assert pay.update("v2", "--dry-run").code == 0
    assert pay.update("v2", "--branch", "later").code == 0
    assert files_below(pay.path) == before
    assert pay.git("ls-tree", "-r", "--name-only", "later").split() == pay.tracked()


def test_a_commit_holds_no_local_file(pay: Service) -> None:
    assert pay.update("v2", "--commit").code == 0
    assert pay.git("ls-tree", "-r", "--name-only", "HEAD").split() == pay.tracked()
    assert pay.tracked() == [ANSWERS, ".gitignore", "b"]
    assert pay.status() == {}


def test_the_same_update_again_leaves_local_files(pay: Service) -> None:
    assert pay.update("v2").code == 0
    pay.write({"a.local": "edited since\n"})
    with pay.untouched():
        assert pay.update("v2").code == 0


def test_local_files_after_several_updates(template: Template, pay: Service) -> None:
    template.release("v3", {"a.local": "3\n", "b": "3\n"})
    assert pay.update("v2", "--commit").code == 0
    pay.write({"a.local": "edited\n"})
    run = pay.update("v3", "--commit")
    assert run.code in (0, 5)
    assert pay.read("a.local") == "edited\n"


def test_a_local_file_we_committed_by_force_is_merged_like_any(
    template: Template, pay: Service
) -> None:
    pay.write({"a.local": "ours\n"})
    pay.git("add", "--force", "a.local")
    pay.git("commit", "--quiet", "-m", "we want it")
    run = pay.update("v2")
    assert run.code == 7
    assert pay.index_stages()["a.local"][2] == "ours\n"


@pytest.mark.parametrize("where", ["cache", "a.local"])
def test_nothing_local_is_written_through_a_link(pay: Service, tmp_path: Path, where: str) -> None:
    build_tree(tmp_path / "elsewhere", {"x": "mine\n"})
    target = tmp_path / "elsewhere"
    pay.write({where: Link(str(target if where == "cache" else target / "x"))})
    pay.update("v2")
    assert files_below(target).keys() == {"x"}
    assert (target / "x").read_text() == "mine\n"
    assert (pay.path / where).is_symlink()


def test_a_folder_where_a_local_file_shall_be(pay: Service) -> None:
    pay.write({"new.local/mine": "mine\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert pay.read("new.local/mine") == "mine\n"
    if run.code:
        assert run.code == 5
        assert pay.fingerprint() == before


def test_local_files_of_a_conflicting_update(template: Template, create: Create) -> None:
    template.release("v1", {".gitignore": "*.local\n", "a.local": "1\n", "b": "1\n"})
    template.release("v2", {"a.local": "2\n", "b": "2\n"})
    pay = create()
    pay.commit({"b": "ours\n"})
    pay.write({"a.local": "mine\n"})
    assert pay.update("v2").code in (5, 7)
    assert pay.read("a.local") == "mine\n"


def test_the_ignore_file_changes_sides(template: Template, create: Create) -> None:
    template.release("v1", {".gitignore": "one\n", "one": "1\n", "two": "1\n"})
    template.release("v2", {".gitignore": "two\n", "one": "2\n", "two": "2\n"})
    pay = create()
    assert pay.tracked() == [ANSWERS, ".gitignore", "two"]
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (0, 5, 7)
    if run.code == 5:
        assert pay.fingerprint() == before
    else:
        assert pay.read("one") in ("1\n", "2\n")
        assert pay.read("two") in ("1\n", "2\n")
    assert "two" in pay.tracked()


def test_the_ignore_file_changes_sides_over_work_of_ours(
    template: Template, create: Create
) -> None:
    template.release("v1", {".gitignore": "one\n", "one": "1\n"})
    template.release("v2", {".gitignore": "", "one": "2\n"})
    pay = create()
    pay.write({"one": "PASSWORD=mine\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert pay.read("one") == "PASSWORD=mine\n"
    if run.code:
        assert (run.code, pay.fingerprint()) == (5, before)


def test_local_files_into_a_repository_and_on(template: Template, tmp_path: Path) -> None:
    template.release("v1", {".gitignore": "*.local\n", "a.local": "1\n", "b": "1\n"})
    template.release("v2", {"a.local": "2\n", "b": "2\n"})
    build_tree(tmp_path / "mono", {"x": "1\n"})
    git(tmp_path / "mono", "init", "--quiet")
    commit_all(tmp_path / "mono", "theirs")
    run = idp(
        *("create-service", "pay", "--template", template.at("v1")),
        *("--into", tmp_path / "mono", "--defaults", "--json"),
    )
    assert run.code == 0, run.everything
    pay = Service(tmp_path / "mono/pay", tmp_path / "mono")
    assert pay.read("a.local") == "1\n"
    pay.commit()
    assert "pay/a.local" not in pay.tracked()
    assert pay.update("v2").code == 0
    assert (pay.read("a.local"), pay.read("b")) == ("2\n", "2\n")
    assert "pay/a.local" not in pay.tracked()


def test_nothing_is_left_behind(pay: Service) -> None:
    assert pay.update("v2").code == 0
    assert leftovers(pay.repo) == []
    assert local(pay) <= {"a.local", "gone.local", "new.local", "cache/x"}
