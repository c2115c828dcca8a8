"""`idp update-service` merges: what the template changed and what the team changed, both."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from .conftest import Create
from .stories import (
    ANSWERS,
    ANSWERS_TEMPLATE,
    Content,
    Files,
    Link,
    Script,
    Service,
    Template,
    commit_all,
    git,
    idp,
    leftovers,
    numbered,
    settings,
)

TOP, BOTTOM = {2: "the template's"}, {11: "ours"}


# --- clean merges ------------------------------------------------------------------------------


def test_edits_of_both_sides_end_up_in_one_file(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed=TOP)})
    pay = create()
    pay.commit({"app.py": numbered(changed=BOTTOM)})
    run = pay.update("v2")
    assert (run.code, run.json["status"]) == (0, "updated")
    assert (run.json["from"], run.json["to"]) == ("v1", "v2")
    assert run.outcomes["app.py"] == "merged"
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)


def test_the_result_is_staged_and_not_committed(template: Template, create: Create) -> None:
    template.release("v1", {"changed": "1\n", "gone": "1\n", "same": "1\n"})
    template.release("v2", {"changed": "2\n", "gone": None, "fresh/new": "2\n"})
    pay = create()
    head = pay.head
    run = pay.update("v2")
    assert run.code == 0
    assert pay.status() == {ANSWERS: "M ", "changed": "M ", "gone": "D ", "fresh/new": "A "}
    assert pay.head == head
    assert (pay.read("changed"), pay.read("fresh/new"), pay.has("gone")) == ("2\n", "2\n", False)
    assert pay.answers["_commit"] == "v2"
    outcomes = run.outcomes
    assert outcomes.pop(ANSWERS) in ("updated", "merged")
    assert outcomes == {"changed": "updated", "gone": "deleted", "fresh/new": "added"}
    assert leftovers(pay.repo) == []


def test_an_up_to_date_service_is_left_as_it_is(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    pay = create()
    with pay.untouched():
        run = pay.update("v1")
    assert (run.code, run.json["status"], run.json["files"]) == (0, "up-to-date", [])


def test_without_a_version_it_goes_to_the_newest(template: Template, create: Create) -> None:
    template.release("v1.2.0", {"a": "1\n"})
    template.release("v1.10.0", {"a": "2\n"})
    template.release("v2.0.0-rc.1", {"a": "3\n"})
    pay = create("v1.2.0")
    run = pay.update()
    assert (run.code, run.json["to"], pay.read("a")) == (0, "v1.10.0", "2\n")


def test_several_releases_at_once(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered(20), "short-lived": None})
    template.release("v2", {"app.py": numbered(20, {2: "two"}), "short-lived": "x\n"})
    template.release("v3", {"app.py": numbered(20, {2: "two", 8: "three"}), "short-lived": None})
    template.release("v4", {"app.py": numbered(20, {2: "four", 8: "three"}), "last": "4\n"})
    pay = create()
    pay.commit({"app.py": numbered(20, {14: "ours"})})
    assert pay.update("v4").code == 0
    assert pay.read("app.py") == numbered(20, {2: "four", 8: "three", 14: "ours"})
    assert (pay.has("last"), pay.has("short-lived")) == (True, False)


def test_one_release_after_the_other(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered(20)})
    template.release("v2", {"app.py": numbered(20, {2: "two"})})
    template.release("v3", {"app.py": numbered(20, {2: "three", 6: "three"})})
    pay = create()
    pay.commit({"app.py": numbered(20, {14: "ours"})})
    assert pay.update("v2").code == 0
    pay.commit(message="take v2")
    pay.commit({"app.py": numbered(20, {2: "two", 14: "ours", 18: "ours too"})})
    assert pay.update("v3").code == 0
    assert pay.read("app.py") == numbered(20, {2: "three", 6: "three", 14: "ours", 18: "ours too"})


def test_a_team_that_undid_the_templates_change_keeps_it_undone(
    template: Template, create: Create
) -> None:
    template.release("v1", {"app.py": numbered(20)})
    template.release("v2", {"app.py": numbered(20, {2: "two"})})
    template.release("v3", {"app.py": numbered(20, {2: "two", 14: "three"})})
    pay = create()
    pay.update("v2")
    pay.commit(message="take v2")
    pay.commit({"app.py": numbered(20)}, "no, thanks")
    assert pay.update("v3").code == 0
    assert pay.read("app.py") == numbered(20, {14: "three"})


def test_the_same_change_on_both_sides_is_no_conflict(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed=TOP), "new": "same\n"})
    pay = create()
    pay.commit({"app.py": numbered(changed=TOP), "new": "same\n"})
    assert pay.update("v2").code == 0
    assert pay.status() == {ANSWERS: "M "}


def test_the_same_update_twice_is_the_same_as_once(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered(), "gone": "x\n", "old name": numbered(30)})
    template.release(
        "v2",
        {
            "app.py": numbered(changed=TOP),
            "gone": None,
            "new": "2\n",
            "old name": None,
            "new name": numbered(30),
        },
    )
    pay = create()
    pay.commit({"app.py": numbered(changed=BOTTOM)})
    assert pay.update("v2").code == 0
    with pay.untouched():
        assert pay.update("v2").code == 0


def test_an_update_over_a_staged_update_loses_nothing(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed=TOP)})
    template.release("v3", {"app.py": numbered(changed={**TOP, 5: "three"})})
    pay = create()
    pay.commit({"app.py": numbered(changed=BOTTOM)})
    pay.update("v2")
    before = pay.fingerprint()
    run = pay.update("v3")
    if run.code:
        assert run.code in (3, 5)
        assert pay.fingerprint() == before
    else:
        assert pay.read("app.py") == numbered(changed={**TOP, **BOTTOM, 5: "three"})


def test_going_back_to_an_older_release(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered(), "old": "1\n"})
    template.release("v2", {"app.py": numbered(changed=TOP), "old": None, "new": "2\n"})
    pay = create("v2")
    pay.commit({"app.py": numbered(changed=TOP | BOTTOM)})
    assert pay.update("v1").code == 0
    assert pay.read("app.py") == numbered(changed=BOTTOM)
    assert (pay.read("old"), pay.has("new"), pay.answers["_commit"]) == ("1\n", False, "v1")


def test_from_a_tag_to_a_commit_without_one_and_on(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered(20)})
    between = template.commit({"app.py": numbered(20, {2: "between"})})
    template.release("v2", {"app.py": numbered(20, {2: "two"})})
    pay = create()
    pay.commit({"app.py": numbered(20, {14: "ours"})})
    assert pay.update(between).code == 0
    assert pay.read("app.py") == numbered(20, {2: "between", 14: "ours"})
    pay.commit(message="take it")
    with pay.untouched():
        assert pay.update(between).json["status"] == "up-to-date"
    assert pay.update("v2").code == 0
    assert pay.read("app.py") == numbered(20, {2: "two", 14: "ours"})


def test_repeated_blocks_keep_an_edit_where_it_was_made(template: Template, create: Create) -> None:
    def function(name: str, *more: str) -> str:
        body = [*["same()"] * 2, *more, *["same()"] * 2, "last()"]
        return f"def {name}():\n" + "".join(f"    {line}\n" for line in body) + "\n"

    template.release("v1", {"app.py": function("one") + function("two")})
    template.release("v2", {"app.py": function("zero") + function("one") + function("two")})
    pay = create()
    pay.commit({"app.py": function("one") + function("two", "ours()")})
    assert pay.update("v2").code == 0
    expected = function("zero") + function("one") + function("two", "ours()")
    assert pay.read("app.py") == expected


def test_a_file_that_is_not_utf8_merges(template: Template, create: Create) -> None:
    def text(**changed: str) -> bytes:
        lines = {f"l{n}": f"zeile {n} ä" for n in range(12)} | changed
        return "\n".join(lines.values()).encode("latin-1") + b"\n"

    template.release("v1", {"notes.txt": text()})
    template.release("v2", {"notes.txt": text(l1="neu ö")})
    pay = create()
    pay.commit({"notes.txt": text(l10="unser ü")})
    assert pay.update("v2").code == 0
    assert (pay.path / "notes.txt").read_bytes() == text(l1="neu ö", l10="unser ü")


def test_a_file_without_a_last_newline_merges(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered().rstrip()})
    template.release("v2", {"a": numbered(changed=TOP).rstrip()})
    pay = create()
    pay.commit({"a": numbered(changed={6: "ours"}).rstrip()})
    assert pay.update("v2").code == 0
    assert pay.read("a") == numbered(changed={**TOP, 6: "ours"}).rstrip()


def test_space_at_line_ends_stays(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(changed={5: "space   ", 6: "\ttab\t"})})
    template.release("v2", {"a": numbered(changed={5: "space   ", 6: "\ttab\t", 1: "new \t "})})
    pay = create()
    pay.commit({"a": numbered(changed={5: "space   ", 6: "\ttab\t", 12: "ours  "})})
    assert pay.update("v2").code == 0
    assert pay.read("a") == numbered(
        changed={5: "space   ", 6: "\ttab\t", 1: "new \t ", 12: "ours  "}
    )


# --- conflicts ---------------------------------------------------------------------------------


def test_a_conflict_is_a_real_one_and_the_rest_is_done(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered(), "other": "1\n"})
    template.release("v2", {"app.py": numbered(changed={5: "theirs"}), "other": "2\n"})
    pay = create()
    pay.commit({"app.py": numbered(changed={5: "ours"})})
    run = pay.update("v2")
    assert (run.code, run.json["status"]) == (7, "conflicts")
    assert run.outcomes["app.py"] == "conflict"
    assert run.outcomes["other"] == "updated"
    assert pay.index_stages() == {
        "app.py": {
            1: numbered(),
            2: numbered(changed={5: "ours"}),
            3: numbered(changed={5: "theirs"}),
        }
    }
    assert pay.status() == {"app.py": "UU", "other": "M ", ANSWERS: "M "}
    assert leftovers(pay.repo) == []


def test_a_conflict_shows_ours_base_and_theirs_with_their_names(
    template: Template, create: Create
) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed={5: "theirs"})})
    pay = create()
    pay.commit({"app.py": numbered(changed={5: "ours"})})
    pay.update("v2")
    lines = pay.read("app.py").splitlines()
    marks = [line for line in lines if line[:7] in {"<" * 7, "|" * 7, "=" * 7, ">" * 7}]
    assert [line[0] for line in marks] == ["<", "|", "=", ">"]
    between = lines[lines.index(marks[0]) : lines.index(marks[3]) + 1]
    assert between == [marks[0], "ours", marks[1], "line 5", marks[2], "theirs", marks[3]]
    assert "v1" in marks[1]
    assert "v2" in marks[3]
    assert all(len(mark) > 8 for mark in (marks[0], marks[1], marks[3]))


def test_zealous_markers_leave_out_what_both_sides_have(template: Template, create: Create) -> None:
    template.release("v1", {"a": "top\nold\nend\n"})
    template.release("v2", {"a": "top\nshared\ntheirs\nend\n"})
    pay = create()
    pay.commit({"a": "top\nshared\nours\nend\n"})
    assert pay.update("v2").code == 7
    before_markers = pay.read("a").split("<<<<<<<")[0]
    assert before_markers == "top\nshared\n"


def test_a_resolved_conflict_is_done_with(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed={5: "theirs"})})
    template.release("v3", {"app.py": numbered(changed={5: "theirs", 11: "three"})})
    pay = create()
    pay.commit({"app.py": numbered(changed={5: "ours"})})
    assert pay.update("v2").code == 7
    pay.commit({"app.py": numbered(changed={5: "both"})}, "resolve")
    with pay.untouched():
        assert pay.update("v2").json["status"] == "up-to-date"
    assert pay.update("v3").code == 0
    assert pay.read("app.py") == numbered(changed={5: "both", 11: "three"})


def test_an_update_over_open_conflicts_loses_nothing(template: Template, create: Create) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed={5: "theirs"})})
    pay = create()
    pay.commit({"app.py": numbered(changed={5: "ours"})})
    assert pay.update("v2").code == 7
    pay.write({"app.py": numbered(changed={5: "half resolved"})})
    with pay.untouched():
        assert pay.update("v2").code in (3, 5, 7)


def test_a_merge_tool_can_work_on_it(template: Template, create: Create, tmp_path: Path) -> None:
    template.release("v1", {"app.py": numbered()})
    template.release("v2", {"app.py": numbered(changed={5: "theirs"})})
    pay = create()
    pay.commit({"app.py": numbered(changed={5: "ours"})})
    pay.update("v2")
    tool = "mergetool.take.cmd=cat $BASE $LOCAL $REMOTE > $MERGED"
    pay.git("-c", tool, "-c", "mergetool.take.trustExitCode=true", "mergetool", "-t", "take")
    assert pay.index_stages() == {}
    assert pay.staged("app.py") == (
        numbered() + numbered(changed={5: "ours"}) + numbered(changed={5: "theirs"})
    )


CONFLICT_NAMES = ("spa ces", "qu`o\"te's", "m4â4ñ4a", "new\nline", "-dash", "d/ee/p", "{x}", "100%")


def test_conflicts_in_oddly_named_files(template: Template, create: Create) -> None:
    template.release("v1", dict.fromkeys(CONFLICT_NAMES, numbered()))
    template.release("v2", dict.fromkeys(CONFLICT_NAMES, numbered(changed={5: "theirs"})))
    pay = create()
    pay.commit(dict.fromkeys(CONFLICT_NAMES, numbered(changed={5: "ours"})))
    run = pay.update("v2")
    assert run.code == 7
    assert {path for path, what in run.outcomes.items() if what == "conflict"} == set(
        CONFLICT_NAMES
    )
    assert set(pay.index_stages()) == set(CONFLICT_NAMES)
    assert all("\n|||||||" in pay.read(name) for name in CONFLICT_NAMES)


def test_a_conflict_between_texts_in_many_scripts(template: Template, create: Create) -> None:
    template.release("v1", {"a": "grüße\n"})
    template.release("v2", {"a": "挨拶\n"})
    pay = create()
    pay.commit({"a": "привет 🎉\n"})
    assert pay.update("v2").code == 7
    assert pay.index_stages()["a"] == {1: "grüße\n", 2: "привет 🎉\n", 3: "挨拶\n"}
    assert {"grüße", "привет 🎉", "挨拶"} <= set(pay.read("a").splitlines())


def test_text_that_looks_like_markers_is_just_text(template: Template, create: Create) -> None:
    markers = "<<<<<<< not\n=======\n>>>>>>> a conflict\n"
    template.release("v1", {"a.md": numbered() + markers})
    template.release("v2", {"a.md": numbered(changed=TOP) + markers})
    pay = create()
    pay.commit({"a.md": numbered(changed=BOTTOM) + markers})
    assert pay.update("v2").code == 0
    assert pay.read("a.md") == numbered(changed=TOP | BOTTOM) + markers


def test_both_sides_add_a_file_differently(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {".ci.yml": "test:\n  script: ./test --slow\n"})
    pay = create()
    pay.commit({".ci.yml": "test:\n  script: ./test\npages: {}\n"})
    run = pay.update("v2")
    assert (run.code, run.outcomes[".ci.yml"]) == (7, "conflict")
    assert pay.index_stages()[".ci.yml"] == {
        2: "test:\n  script: ./test\npages: {}\n",
        3: "test:\n  script: ./test --slow\n",
    }
    assert {"  script: ./test", "pages: {}", "  script: ./test --slow"} <= set(
        pay.read(".ci.yml").splitlines()
    )


def test_the_template_deletes_what_the_team_edited(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(), "b": "1\n"})
    template.release("v2", {"a": None})
    pay = create()
    pay.commit({"a": numbered(changed={5: "ours"})})
    run = pay.update("v2")
    assert (run.code, run.outcomes["a"]) == (7, "conflict")
    assert pay.read("a") == numbered(changed={5: "ours"})
    assert pay.index_stages() == {"a": {1: numbered(), 2: numbered(changed={5: "ours"})}}


def test_the_template_empties_a_folder_and_our_files_in_it_stay(
    template: Template, create: Create
) -> None:
    template.release("v1", {"pkg/a": "1\n", "pkg/b": "1\n", "pkg/deep/c": "1\n"})
    template.release("v2", {"pkg/a": None, "pkg/b": None, "pkg/deep/c": None, "z": "1\n"})
    pay = create()
    pay.commit({"pkg/ours": "ours\n"})
    pay.write({"pkg/notes": "not committed\n"})
    assert pay.update("v2").code == 0
    assert sorted(path.name for path in (pay.path / "pkg").iterdir()) == ["notes", "ours"]


# --- renames -----------------------------------------------------------------------------------


def test_a_folder_the_template_renames_does_not_drag_ours_along(
    template: Template, create: Create
) -> None:
    old = {f"old/{n}": numbered(20, {1: f"file {n}"}) for n in range(4)}
    new = {f"new/{n}": numbered(20, {1: f"file {n}"}) for n in range(4)}
    template.release("v1", old)
    template.release("v2", {**dict.fromkeys(old), **new})
    pay = create()
    pay.commit({"old/ours": "ours\n", "old/2": numbered(20, {1: "file 2", 12: "ours"})})
    assert pay.update("v2").code == 0
    assert pay.read("old/ours") == "ours\n"
    assert pay.read("new/2") == numbered(20, {1: "file 2", 12: "ours"})
    assert pay.tracked() == sorted([ANSWERS, "old/ours", *new])


def test_a_folder_we_renamed_does_not_drag_the_templates_new_files_along(
    template: Template, create: Create
) -> None:
    template.release("v1", {f"old/{n}": numbered(20, {1: f"file {n}"}) for n in range(4)})
    template.release("v2", {"old/fresh": "2\n", "old/1": numbered(20, {1: "file 1", 9: "theirs"})})
    pay = create()
    pay.git("mv", "old", "ours")
    pay.commit()
    assert pay.update("v2").code == 0
    assert pay.read("ours/1") == numbered(20, {1: "file 1", 9: "theirs"})
    assert (pay.has("old/fresh"), pay.has("ours/fresh")) == (True, False)


def test_both_sides_rename_a_file_differently(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(20)})
    template.release("v2", {"a": None, "theirs": numbered(20, {3: "theirs"})})
    pay = create()
    pay.commit({"a": None, "ours": numbered(20, {15: "ours"})})
    run = pay.update("v2")
    assert run.code == 7
    stages = pay.index_stages()
    found = [text for stage in stages.values() for text in stage.values()]
    found += [pay.read(name) for name in ("ours", "theirs") if pay.has(name)]
    assert any("ours" in text for text in found)
    assert any("theirs" in text for text in found)
    assert pay.has("ours")
    assert "ours" in pay.read("ours").splitlines()


def test_the_template_renames_onto_a_file_of_ours(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(20)})
    template.release("v2", {"a": None, "b": numbered(20)})
    pay = create()
    pay.commit({"b": "quite another thing\n"})
    run = pay.update("v2")
    assert (run.code, run.outcomes["b"]) == (7, "conflict")
    assert "quite another thing" in pay.read("b")
    assert pay.index_stages()["b"][2] == "quite another thing\n"


def test_a_rename_in_letter_case_only(template: Template, create: Create) -> None:
    template.release("v1", {"Readme.md": numbered(20)})
    template.release("v2", {"Readme.md": None, "README.md": numbered(20, {2: "theirs"})})
    pay = create()
    pay.commit({"Readme.md": numbered(20, {15: "ours"})})
    assert pay.update("v2").code == 0
    assert pay.read("README.md") == numbered(20, {2: "theirs", 15: "ours"})
    assert not pay.has("Readme.md")


def test_two_files_swap_their_names(template: Template, create: Create) -> None:
    left, right = numbered(20, {1: "left"}), "".join(f"{n} right\n" for n in range(20))
    template.release("v1", {"a": left, "b": right})
    template.release("v2", {"a": right, "b": left})
    pay = create()
    pay.commit({"c": "ours\n"})
    assert pay.update("v2").code == 0
    assert (pay.read("a"), pay.read("b"), pay.read("c")) == (right, left, "ours\n")


# --- files and folders in each other's place ---------------------------------------------------


def test_the_template_puts_a_folder_where_we_have_a_file(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"docs/index.md": "theirs\n"})
    pay = create()
    pay.commit({"docs": "ours\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (5, 7)
    if run.code == 5:
        assert pay.fingerprint() == before
    found = [path for path in pay.path.iterdir() if path.is_file()]
    assert b"ours\n" in [path.read_bytes() for path in found]


def test_the_template_puts_a_file_where_we_have_a_folder(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"docs": "theirs\n"})
    pay = create()
    pay.commit({"docs/index.md": "ours\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (5, 7)
    if run.code == 5:
        assert pay.fingerprint() == before
    assert pay.read("docs/index.md") == "ours\n"


def test_the_template_turns_its_own_file_into_a_folder(template: Template, create: Create) -> None:
    template.release("v1", {"conf": "1\n", "dir/a": "1\n"})
    template.release("v2", {"conf": None, "dir/a": None})
    template.release("v3", {"conf/main": "3\n", "dir": "3\n"})
    pay = create()
    assert pay.update("v3").code == 0
    assert (pay.read("conf/main"), pay.read("dir")) == ("3\n", "3\n")
    assert leftovers(pay.repo) == []


# --- modes, links, binaries --------------------------------------------------------------------


@pytest.mark.parametrize("gains", [True, False])
def test_the_executable_bit_is_a_change(template: Template, create: Create, gains: bool) -> None:
    plain, runs = "#!/bin/sh\n", Script("#!/bin/sh\n")
    template.release("v1", {"run.sh": plain if gains else runs})
    template.release("v2", {"run.sh": runs if gains else plain})
    pay = create()
    assert pay.update("v2").code == 0
    assert bool((pay.path / "run.sh").stat().st_mode & stat.S_IXUSR) is gains
    assert pay.staged_mode("run.sh") == ("100755" if gains else "100644")
    assert pay.status() == {"run.sh": "M ", ANSWERS: "M "}


def test_a_new_bit_comes_with_our_edits(template: Template, create: Create) -> None:
    template.release("v1", {"run.sh": numbered()})
    template.release("v2", {"run.sh": Script(numbered())})
    pay = create()
    pay.commit({"run.sh": numbered(changed=BOTTOM)})
    assert pay.update("v2").code == 0
    assert pay.read("run.sh") == numbered(changed=BOTTOM)
    assert pay.staged_mode("run.sh") == "100755"


def test_a_bit_of_ours_stays_with_the_templates_edits(template: Template, create: Create) -> None:
    template.release("v1", {"run.sh": numbered()})
    template.release("v2", {"run.sh": numbered(changed=TOP)})
    pay = create()
    pay.commit({"run.sh": Script(numbered())})
    assert pay.update("v2").code == 0
    assert pay.read("run.sh") == numbered(changed=TOP)
    assert pay.staged_mode("run.sh") == "100755"


def test_a_bit_and_a_conflict_at_once(template: Template, create: Create) -> None:
    template.release("v1", {"run.sh": numbered()})
    template.release("v2", {"run.sh": Script(numbered(changed={5: "theirs"}))})
    pay = create()
    pay.commit({"run.sh": numbered(changed={5: "ours"})})
    assert pay.update("v2").code == 7
    assert set(pay.index_stages()["run.sh"]) == {1, 2, 3}
    assert {"ours", "theirs"} <= set(pay.read("run.sh").splitlines())


def test_where_the_file_system_has_no_bits_the_index_has(
    template: Template, create: Create
) -> None:
    template.release("v1", {"run.sh": "#!/bin/sh\n"})
    template.release("v2", {"run.sh": Script("#!/bin/sh\n")})
    pay = create()
    pay.git("config", "core.fileMode", "false")
    assert pay.update("v2").code == 0
    assert pay.staged_mode("run.sh") == "100755"


LINKS = settings(preserve_symlinks=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Link("a.txt"), Link("b.txt")),
        ("text\n", Link("a.txt")),
        (Link("a.txt"), "text\n"),
        (None, Link("nowhere")),
        (Link("nowhere"), None),
    ],
)
def test_links_change_like_anything_else(
    template: Template, create: Create, before: Content, after: Content
) -> None:
    template.release("v1", {"copier.yml": LINKS, "a.txt": "a\n", "b.txt": "b\n", "it": before})
    template.release("v2", {"it": after})
    pay = create()
    assert pay.update("v2").code == 0
    match after:
        case Link(target):
            assert (pay.path / "it").readlink() == Path(target)
        case None:
            assert not pay.has("it")
        case _:
            assert pay.read("it") == "text\n"
            assert not (pay.path / "it").is_symlink()
    assert (pay.read("a.txt"), pay.read("b.txt")) == ("a\n", "b\n")


def test_a_link_both_sides_moved_is_a_conflict(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": LINKS, "it": Link("one")})
    template.release("v2", {"it": Link("theirs")})
    pay = create()
    pay.commit({"it": Link("ours")})
    run = pay.update("v2")
    assert (run.code, run.outcomes["it"]) == (7, "conflict")
    assert pay.index_stages()["it"] == {1: "one", 2: "ours", 3: "theirs"}
    assert (pay.path / "it").readlink() == Path("ours")


def test_a_binary_both_sides_changed_stays_ours_until_decided(
    template: Template, create: Create
) -> None:
    one, ours, theirs = (bytes([n, 0, 255]) * 400 for n in (1, 2, 3))
    template.release("v1", {"logo.png": one})
    template.release("v2", {"logo.png": theirs})
    pay = create()
    pay.commit({"logo.png": ours})
    run = pay.update("v2")
    assert (run.code, run.outcomes["logo.png"]) == (7, "conflict")
    assert set(pay.index_stages()["logo.png"]) == {1, 2, 3}
    assert (pay.path / "logo.png").read_bytes() == ours


def test_a_binary_nobody_here_touched_is_updated(template: Template, create: Create) -> None:
    template.release("v1", {"logo.png": b"\0\1" * 100})
    template.release("v2", {"logo.png": b"\0\2" * 100})
    pay = create()
    assert pay.update("v2").code == 0
    assert (pay.path / "logo.png").read_bytes() == b"\0\2" * 100


# --- line ends ---------------------------------------------------------------------------------


def dos(text: str) -> str:
    return text.replace("\n", "\r\n")


def test_a_file_we_turned_to_crlf_merges_and_stays_crlf(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": numbered()})
    template.release("v2", {"a.txt": numbered(changed=TOP)})
    pay = create()
    pay.commit({"a.txt": dos(numbered())})
    assert pay.update("v2").code == 0
    assert pay.read("a.txt") == dos(numbered(changed=TOP))


def test_a_file_we_turned_to_crlf_and_edited_merges(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": numbered()})
    template.release("v2", {"a.txt": numbered(changed=TOP)})
    pay = create()
    pay.commit({"a.txt": dos(numbered(changed=BOTTOM))})
    assert pay.update("v2").code == 0
    assert pay.read("a.txt") == dos(numbered(changed=TOP | BOTTOM))


def test_a_file_the_template_turned_to_crlf_takes_our_edit_along(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a.txt": numbered()})
    template.release("v2", {"a.txt": dos(numbered())})
    pay = create()
    pay.commit({"a.txt": numbered(changed=BOTTOM)})
    run = pay.update("v2")
    assert run.code in (0, 7)
    assert "ours" in pay.read("a.txt").replace("\r", "").splitlines()
    if run.code == 0:
        assert pay.read("a.txt") == dos(numbered(changed=BOTTOM))


def test_line_ends_by_attributes_merge(template: Template, create: Create) -> None:
    attributes = {".gitattributes": "*.bat text eol=crlf\n*.txt text=auto\n"}
    template.release("v1", {**attributes, "go.bat": dos(numbered()), "a.txt": numbered()})
    template.release("v2", {"go.bat": dos(numbered(changed=TOP)), "a.txt": numbered(changed=TOP)})
    pay = create()
    assert pay.status() == {}
    pay.commit({"go.bat": dos(numbered(changed=BOTTOM))})
    assert pay.update("v2").code == 0
    assert pay.read("go.bat") == dos(numbered(changed=TOP | BOTTOM))
    assert pay.staged("go.bat") == numbered(changed=TOP | BOTTOM)
    assert pay.status() == {ANSWERS: "M ", "a.txt": "M ", "go.bat": "M "}


def test_a_conflict_in_a_crlf_file_has_crlf_throughout(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": dos(numbered())})
    template.release("v2", {"a.txt": dos(numbered(changed={5: "theirs"}))})
    pay = create()
    pay.commit({"a.txt": dos(numbered(changed={5: "ours"}))})
    assert pay.update("v2").code == 7
    assert pay.read("a.txt").count("\n") == pay.read("a.txt").count("\r\n")


def test_attributes_that_arrive_with_the_update(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": numbered(), "b.txt": numbered()})
    template.release("v2", {".gitattributes": "* text=auto\n", "a.txt": numbered(changed=TOP)})
    pay = create()
    pay.commit({"a.txt": numbered(changed=BOTTOM)})
    assert pay.update("v2").code == 0
    assert pay.read("a.txt") == numbered(changed=TOP | BOTTOM)
    assert set(pay.status().values()) == {"M ", "A "}


def test_a_merge_driver_of_the_team_is_honoured_or_plain(
    template: Template, create: Create
) -> None:
    template.release("v1", {"CHANGES": numbered()})
    template.release("v2", {"CHANGES": numbered(changed={5: "theirs"})})
    pay = create()
    pay.commit({".gitattributes": "CHANGES merge=union\n"})
    pay.commit({"CHANGES": numbered(changed={5: "ours"})})
    run = pay.update("v2")
    assert run.code in (0, 7)
    assert {"ours", "theirs"} <= set(pay.read("CHANGES").splitlines())


# --- answers -----------------------------------------------------------------------------------

GREETING = {"hello.jinja": "top\nhello {{ who }}\n\n\n\n\nend\n"}
WHO = "name: {type: str}\nwho: {type: str, default: world}\n"


def test_a_new_answer_changes_what_it_stands_in(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"new": "2\n"})
    pay = create()
    pay.commit({"hello": "top\nhello world\n\n\n\n\nend, ours\n"})
    assert pay.update("v2", "--data", "who=moon").code == 0
    assert pay.read("hello") == "top\nhello moon\n\n\n\n\nend, ours\n"
    assert (pay.answers["who"], pay.answers["_commit"]) == ("moon", "v2")


def test_an_answer_edited_by_hand_is_a_new_answer(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"new": "2\n"})
    pay = create()
    pay.commit({ANSWERS: pay.read(ANSWERS).replace("world", "mars")})
    assert pay.update("v2").code == 0
    assert (pay.read("hello"), pay.answers["who"]) == ("top\nhello mars\n\n\n\n\nend\n", "mars")


def test_an_answer_edited_by_hand_after_an_update(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"new": "2\n"})
    template.release("v3", {"new": "3\n"})
    pay = create()
    pay.update("v2")
    pay.commit(message="take v2")
    pay.commit({ANSWERS: pay.read(ANSWERS).replace("world", "mars")})
    pay.commit({"ours": "ours\n"})
    assert pay.update("v3").code == 0
    assert (pay.read("hello"), pay.read("new")) == ("top\nhello mars\n\n\n\n\nend\n", "3\n")


def test_answers_alone_can_change_on_the_same_release(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    pay = create()
    run = pay.update("v1", "--data", "who=moon")
    assert (run.code, run.json["status"]) == (0, "updated")
    assert (pay.read("hello"), pay.answers["who"]) == ("top\nhello moon\n\n\n\n\nend\n", "moon")


def test_questions_and_answers_and_edits_change_together(
    template: Template, create: Create
) -> None:
    def text(*questions: str) -> str:
        blocks = (f"{{% if {q} %}}\n{q * 3}\n{{% endif %}}\n" for q in questions)
        return "aaa\n" + "".join(blocks) + "\n\n\nzzz\n"

    envops = '_envops: {"trim_blocks": true, "keep_trailing_newline": true}\n'
    first = envops + "name: {type: str}\nb: {type: bool, default: false}\n"
    template.release("v1", {"copier.yml": first, "content.jinja": text("b")})
    second = first + "c: {type: bool, default: false}\n"
    template.release("v2", {"copier.yml": second, "content.jinja": text("b", "c")})
    pay = create("v1", "--data", "b=true")
    assert pay.read("content") == "aaa\nbbb\n\n\n\nzzz\n"
    pay.commit({"content": "aaa\nbbb\n\n\n\nzzz\nours\n"})
    assert pay.update("v2", "--data", "c=true").code == 0
    assert pay.read("content") == "aaa\nbbb\nccc\n\n\n\nzzz\nours\n"
    assert (pay.answers["b"], pay.answers["c"]) == (True, True)


def test_a_new_question_takes_its_default(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": WHO, **GREETING})
    pay = create()
    assert pay.update("v2").code == 0
    assert (pay.answers["who"], "hello world\n" in pay.read("hello")) == ("world", True)


def test_a_new_question_without_a_default_is_asked_for_by_flag(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": "name: {type: str}\nport: {type: int}\n"})
    pay = create()
    with pay.untouched():
        run = pay.update("v2")
    assert run.code in (2, 3)
    assert "port" in run.error["message"] + run.error["hint"]
    assert pay.update("v2", "--data", "port=80").code == 0
    assert pay.answers["port"] == 80


def test_a_recorded_answer_the_new_release_does_not_take(
    template: Template, create: Create
) -> None:
    def question(*choices: str) -> str:
        return f"name: {{type: str}}\nsize: {{type: str, choices: [{', '.join(choices)}]}}\n"

    template.release("v1", {"copier.yml": question("small", "big")})
    template.release("v2", {"copier.yml": question("medium", "big")})
    pay = create("v1", "--data", "size=small")
    before = pay.fingerprint()
    run = pay.update("v2")
    if run.code:
        assert run.code in (2, 3)
        assert "size" in run.error["message"]
        assert pay.fingerprint() == before
    else:
        assert pay.answers["size"] in ("medium", "big")


def test_a_default_that_changed_does_not_change_an_answer(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"copier.yml": WHO.replace("world", "universe")})
    pay = create()
    assert pay.update("v2").code == 0
    assert (pay.answers["who"], "hello world\n" in pay.read("hello")) == ("world", True)


def test_a_dropped_question_leaves_the_answers(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"copier.yml": "name: {type: str}\n", "hello.jinja": "hello\n"})
    pay = create()
    assert pay.update("v2").code == 0
    assert "who" not in pay.answers
    assert pay.read("hello") == "hello\n"


def test_a_question_that_hangs_on_another(template: Template, create: Create) -> None:
    questions = (
        "name: {type: str}\nfirst: {type: bool}\n"
        'second: {type: bool, default: "{{ first }}", when: "{{ first }}"}\n'
    )
    template.release("v1", {"copier.yml": questions, "log.jinja": "{{ first }} {{ second }}\n"})
    pay = create("v1", "--data", "first=true")
    assert pay.read("log") == "True True\n"
    assert pay.update("v1", "--data", "first=false").code == 0
    assert (pay.read("log"), "second" in pay.answers) == ("False False\n", False)
    pay.commit(message="off")
    assert pay.update("v1", "--data", "first=true").code == 0
    assert (pay.read("log"), pay.answers["second"]) == ("True True\n", True)


def test_an_answer_with_a_file_name_in_it_moves_the_file(
    template: Template, create: Create
) -> None:
    template.release("v1", {"src/{{ name }}/app.py.jinja": "# {{ name }}\n" + numbered(20)})
    pay = create()
    pay.commit({"src/pay/app.py": "# pay\n" + numbered(20, {12: "ours"})})
    assert pay.update("v1", "--data", "name=bill").code == 0
    assert pay.read("src/bill/app.py") == "# bill\n" + numbered(20, {12: "ours"})
    assert not pay.has("src/pay/app.py")


def test_answers_with_umlauts_survive(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"new": "2\n"})
    pay = create("v1", "--data", "who=Wörld 🎉: 'x'")
    assert pay.update("v2").code == 0
    assert pay.answers["who"] == "Wörld 🎉: 'x'"
    assert "hello Wörld 🎉: 'x'\n" in pay.read("hello")


def test_the_answers_file_merges_with_a_comment_of_ours(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO})
    template.release("v2", {"new": "2\n"})
    pay = create()
    pay.commit({ANSWERS: pay.read(ANSWERS) + "# ours: ask Kim before changing\n"})
    run = pay.update("v2")
    assert run.code == 0
    assert pay.answers["_commit"] == "v2"


def test_an_answer_changed_here_and_by_flag(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": WHO, **GREETING})
    template.release("v2", {"new": "2\n"})
    pay = create()
    pay.commit({ANSWERS: pay.read(ANSWERS).replace("world", "mars")})
    assert pay.update("v2", "--data", "who=moon").code == 0
    assert (pay.answers["who"], "hello moon\n" in pay.read("hello")) == ("moon", True)


# --- ignored, excluded and skipped files -------------------------------------------------------


def test_a_file_that_is_ignored_and_unignored_again(template: Template, create: Create) -> None:
    template.release("v1", {".gitignore": "", ".env": "A=1\n"})
    template.release("v2", {".gitignore": ".env\n"})
    template.release("v3", {".gitignore": "", ".env": "A=3\n"})
    pay = create()
    assert pay.update("v2").code == 0
    assert pay.read(".env") == "A=1\n"
    pay.commit(message="take v2")
    assert pay.update("v3").code == 0
    pay.commit(message="take v3")
    assert pay.read(".env") in ("A=1\n", "A=3\n")


@pytest.mark.parametrize("edited", [False, True])
def test_an_ignored_file_the_template_made_is_not_lost(
    template: Template, create: Create, edited: bool
) -> None:
    template.release("v1", {".gitignore": ".env\n", ".env": "A=1\n"})
    template.release("v2", {".env": "A=2\n", "new": "2\n"})
    pay = create()
    if edited:
        pay.write({".env": "A=1\nMINE=secret\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in ((0, 5) if edited else (0,))
    if edited:
        assert pay.read(".env") == "A=1\nMINE=secret\n"
    else:
        assert pay.read(".env") == "A=2\n"
    if run.code:
        assert pay.fingerprint() == before
    assert ".env" not in pay.tracked()


def test_a_clone_without_the_ignored_files_updates(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {".gitignore": ".env\n", ".env": "A=1\n"})
    template.release("v2", {".env": "A=2\n", "new": "2\n"})
    git(tmp_path, "clone", "--quiet", str(create().path), "clone")
    clone = Service(tmp_path / "clone")
    assert clone.update("v2").code == 0
    assert clone.read("new") == "2\n"
    assert ".env" not in clone.tracked()


def test_our_own_ignore_file_hides_nothing_the_template_adds(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"conf/app.ini": "2\n"})
    pay = create()
    (pay.path / ".git/info/exclude").write_text("*.ini\n")
    assert pay.update("v2").code == 0
    assert (pay.read("conf/app.ini"), pay.staged("conf/app.ini")) == ("2\n", "2\n")


def test_a_newly_excluded_file_stays(template: Template, create: Create) -> None:
    template.release("v1", {"once": "1\n", "always": "1\n"})
    template.release(
        "v2", {"copier.yml": settings(exclude=["once"]), "once": "2\n", "always": "2\n"}
    )
    pay = create()
    assert pay.update("v2").code == 0
    assert (pay.read("once"), pay.read("always")) == ("1\n", "2\n")
    assert "once" in pay.tracked()


def test_a_newly_excluded_file_that_left_the_template_stays(
    template: Template, create: Create
) -> None:
    template.release("v1", {"once": "1\n"})
    template.release("v2", {"copier.yml": settings(exclude=["once"]), "once": None})
    pay = create()
    pay.commit({"once": "ours\n"})
    assert pay.update("v2").code == 0
    assert pay.read("once") == "ours\n"


SKIP = settings(skip_if_exists=["*.conf", "{{ 'mine.txt' }}"])


def test_a_file_to_skip_is_kept_when_the_template_changes_it(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": SKIP, "d/a.conf": "1\n", "mine.txt": "1\n", "b": "1\n"})
    template.release("v2", {"d/a.conf": "2\n", "mine.txt": "2\n", "b": "2\n"})
    pay = create()
    pay.commit({"mine.txt": "ours\n"})
    assert pay.update("v2").code == 0
    assert (pay.read("d/a.conf"), pay.read("mine.txt"), pay.read("b")) == ("1\n", "ours\n", "2\n")


def test_a_file_to_skip_is_made_again_once_deleted(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": SKIP, "a.conf": "1\n"})
    template.release("v2", {"a.conf": "2\n"})
    pay = create()
    pay.commit({"a.conf": None})
    assert pay.update("v2").code == 0
    assert pay.read("a.conf") == "2\n"


def test_a_file_to_skip_that_the_template_adds_where_we_have_one(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": SKIP})
    template.release("v2", {"a.conf": "2\n"})
    pay = create()
    pay.commit({"a.conf": "ours\n"})
    assert pay.update("v2").code == 0
    assert pay.read("a.conf") == "ours\n"


def test_a_file_to_skip_that_the_template_drops_while_we_edited_it(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": SKIP, "a.conf": "1\n"})
    template.release("v2", {"a.conf": None})
    pay = create()
    pay.commit({"a.conf": "ours\n"})
    assert pay.update("v2").code in (0, 7)
    assert pay.read("a.conf") == "ours\n"


def test_a_file_to_skip_that_is_untracked_is_kept(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": SKIP})
    template.release("v2", {"a.conf": "2\n", "b": "2\n"})
    pay = create()
    pay.write({"a.conf": "ours, untracked\n"})
    run = pay.update("v2")
    assert run.code in (0, 5)
    assert pay.read("a.conf") == "ours, untracked\n"
    assert "a.conf" not in pay.tracked()


# --- the template's own shape ------------------------------------------------------------------


def test_odd_file_names_are_added_changed_and_removed(template: Template, create: Create) -> None:
    odd = (
        "spa ces",
        "-dash",
        "--help",
        "ü/日本",
        "new\nline",
        "quo'te\"",
        "back\\slash",
        ":(top)x",
    )
    template.release("v1", {**{f"{n}.old": n for n in odd}, **{f"{n}.chg": "1" for n in odd}})
    template.release(
        "v2",
        {
            **{f"{n}.old": None for n in odd},
            **{f"{n}.chg": "2" for n in odd},
            **{f"{n}.new": "2" for n in odd},
        },
    )
    pay = create()
    run = pay.update("v2")
    assert run.code == 0
    assert pay.tracked() == sorted([ANSWERS, *(f"{n}.{e}" for n in odd for e in ("chg", "new"))])
    assert {pay.read(f"{n}.chg") for n in odd} == {"2"}
    assert run.outcomes["new\nline.new"] == "added"
    assert run.outcomes["ü/日本.chg"] == "updated"


@pytest.mark.parametrize("how", ["subdirectory", "suffix", "envops"])
def test_a_template_may_be_set_up_its_own_way(template: Template, create: Create, how: str) -> None:
    first, second = numbered(changed={1: "{{ name }}"}), numbered(changed={1: "{{ name }}", **TOP})
    answers: Files = {}
    match how:
        case "subdirectory":
            config, place = settings(subdirectory="t"), "t/app.jinja"
            answers = {
                ANSWERS_TEMPLATE: None,
                f"t/{ANSWERS_TEMPLATE}": "{{ _copier_answers|to_yaml }}",
            }
        case "suffix":
            config, place = settings(templates_suffix=".tpl"), "app.tpl"
            answers = {ANSWERS_TEMPLATE: None}
        case _:
            config = settings(envops={"variable_start_string": "[[", "variable_end_string": "]]"})
            place = "app.jinja"
            answers = {ANSWERS_TEMPLATE: None}
            first, second = (t.replace("{{", "[[").replace("}}", "]]") for t in (first, second))
    template.release("v1", {"copier.yml": config, place: first, **answers})
    template.release("v2", {place: second})
    pay = create()
    pay.commit({"app": numbered(changed={1: "pay", **BOTTOM})})
    assert pay.update("v2").code == 0
    assert pay.read("app") == numbered(changed={1: "pay", **TOP, **BOTTOM})


def test_a_template_that_moves_into_a_subfolder_is_the_same_template(
    template: Template, create: Create
) -> None:
    template.release("v1", {"app": numbered()})
    template.release(
        "v2",
        {
            "copier.yml": settings(subdirectory="tpl"),
            "app": None,
            ANSWERS_TEMPLATE: None,
            "tpl/app": numbered(changed=TOP),
            f"tpl/{ANSWERS_TEMPLATE}": "{{ _copier_answers|to_nice_yaml }}",
        },
    )
    pay = create()
    pay.commit({"app": numbered(changed=BOTTOM)})
    assert pay.update("v2").code == 0
    assert pay.read("app") == numbered(changed=TOP | BOTTOM)


def test_the_release_is_not_written_into_files_that_do_not_ask_for_it(
    template: Template, create: Create
) -> None:
    template.release("v1", {"about.jinja": "made from {{ _copier_conf.vcs_ref_hash|d('x') }}\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    pay.commit({"about": "ours\n"})
    run = pay.update("v2")
    assert run.code in (0, 7)
    assert "ours" in pay.read("about")


def test_five_hundred_files_and_one_change(template: Template, create: Create) -> None:
    template.release("v1", {f"d{n % 9}/f{n}": numbered(3, {1: str(n)}) for n in range(500)})
    template.release("v2", {"d0/f0": "2\n"})
    pay = create()
    stamps = {p: p.stat().st_mtime_ns for p in pay.path.rglob("f*") if ".git" not in p.parts}
    run = pay.update("v2")
    assert (run.code, set(run.outcomes)) == (0, {ANSWERS, "d0/f0"})
    changed = {str(p.relative_to(pay.path)) for p in stamps if p.stat().st_mtime_ns != stamps[p]}
    assert changed == {"d0/f0"}, "files without a change were written again"


def test_it_works_from_within_the_service(
    template: Template, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    monkeypatch.chdir(pay.path)
    assert idp("update-service", "--to", "v2", "--json").code == 0
    assert pay.read("a") == "2\n"


def test_a_service_made_by_copier_itself_updates(template: Template, tmp_path: Path) -> None:
    from copier import run_copy

    template.release("v1", {"app.py.jinja": "# {{ name }}\n" + numbered()})
    template.release("v2", {"app.py.jinja": "# {{ name }}\n" + numbered(changed=TOP)})
    run_copy(str(template.path), tmp_path / "pay", {"name": "pay"}, vcs_ref="v1", quiet=True)
    git(tmp_path / "pay", "init", "--quiet")
    commit_all(tmp_path / "pay", "made by copier")
    pay = Service(tmp_path / "pay")
    pay.commit({"app.py": "# pay\n" + numbered(changed=BOTTOM)})
    run = pay.update("v2")
    assert run.code == 0
    assert pay.read("app.py") == "# pay\n" + numbered(changed=TOP | BOTTOM)
    assert pay.answers == {"_commit": "v2", "_src_path": str(template.path), "name": "pay"}


def test_a_retagged_release_is_no_reason_to_lose_an_edit(
    template: Template, create: Create
) -> None:
    template.release("v1", {"app.py": numbered()})
    pay = create()
    pay.commit({"app.py": numbered(changed=BOTTOM)})
    template.commit({"app.py": numbered(changed=TOP)})
    git(template.path, "tag", "--force", "v1")
    template.release("v2", {"app.py": numbered(changed={**TOP, 6: "two"})})
    run = pay.update("v2")
    assert run.code in (0, 7)
    assert "ours" in pay.read("app.py").splitlines()


def test_one_tree_for_two_teams(template: Template, create: Create) -> None:
    template.release("v1", {"a.jinja": "{{ name }} 1\n"})
    template.release("v2", {"a.jinja": "{{ name }} 2\n"})
    services = [create(name=name) for name in ("pay", "bill")]
    for service in services:
        assert service.update("v2").code == 0
    assert [service.read("a") for service in services] == ["pay 2\n", "bill 2\n"]
