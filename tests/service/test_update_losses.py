"""What `copier update` loses, and what a careless update could: none of it is lost here."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Create
from .stories import (
    ANSWERS,
    Content,
    Link,
    Script,
    Service,
    Template,
    build_tree,
    files_below,
    git,
    leftovers,
    numbered,
    settings,
)

TOP, BOTTOM = {2: "the template's"}, {11: "ours"}

# --- the four silent ones ----------------------------------------------------------------------


def test_the_template_renames_a_file_we_edited(template: Template, create: Create) -> None:
    template.release("v1", {"old.py": numbered()})
    template.release("v2", {"old.py": None, "pkg/new.py": numbered()})
    pay = create()
    pay.commit({"old.py": numbered(changed=BOTTOM)})
    run = pay.update("v2")
    assert run.code == 0
    assert pay.read("pkg/new.py") == numbered(changed=BOTTOM)
    assert not pay.has("old.py")
    assert run.outcomes["pkg/new.py"] in ("renamed", "merged")


def test_the_template_renames_and_changes_a_file_we_edited(
    template: Template, create: Create
) -> None:
    template.release("v1", {"old.py": numbered(30)})
    template.release("v2", {"old.py": None, "new.py": numbered(30, TOP)})
    pay = create()
    pay.commit({"old.py": numbered(30, {20: "ours"})})
    assert pay.update("v2").code == 0
    assert pay.read("new.py") == numbered(30, {**TOP, 20: "ours"})


def test_a_rename_by_the_template_is_told_as_one(template: Template, create: Create) -> None:
    template.release("v1", {"old.py": numbered()})
    template.release("v2", {"old.py": None, "new.py": numbered()})
    run = create().update("v2")
    assert run.code == 0
    assert run.outcomes["new.py"] == "renamed"


def test_we_renamed_a_file_the_template_changes(template: Template, create: Create) -> None:
    template.release("v1", {"old.py": numbered()})
    template.release("v2", {"old.py": numbered(changed=TOP)})
    pay = create()
    pay.git("mv", "old.py", "ours.py")
    pay.commit()
    run = pay.update("v2")
    assert run.code == 0
    assert pay.read("ours.py") == numbered(changed=TOP)
    assert not pay.has("old.py")
    assert run.outcomes["ours.py"] in ("updated", "merged")


def test_we_renamed_and_edited_a_file_the_template_changes(
    template: Template, create: Create
) -> None:
    template.release("v1", {"old.py": numbered(30)})
    template.release("v2", {"old.py": numbered(30, TOP)})
    pay = create()
    pay.commit({"old.py": None, "deep/ours.py": numbered(30, {20: "ours"})})
    assert pay.update("v2").code == 0
    assert pay.read("deep/ours.py") == numbered(30, {**TOP, 20: "ours"})


def test_we_renamed_a_file_the_template_deletes(template: Template, create: Create) -> None:
    template.release("v1", {"old.py": numbered()})
    template.release("v2", {"old.py": None})
    pay = create()
    pay.commit({"old.py": None, "ours.py": numbered(changed=BOTTOM)})
    assert pay.update("v2").code in (0, 7)
    assert pay.read("ours.py") == numbered(changed=BOTTOM)


def test_we_copied_a_file_the_template_changes(template: Template, create: Create) -> None:
    template.release("v1", {"old.py": numbered()})
    template.release("v2", {"old.py": numbered(changed=TOP)})
    pay = create()
    pay.commit({"copy.py": numbered(changed=BOTTOM)})
    assert pay.update("v2").code == 0
    assert pay.read("old.py") == numbered(changed=TOP)
    assert pay.read("copy.py") == numbered(changed=BOTTOM)


def test_we_split_a_file_the_template_changes(template: Template, create: Create) -> None:
    template.release("v1", {"all.py": numbered(40)})
    template.release("v2", {"all.py": numbered(40, TOP)})
    pay = create()
    lines = numbered(40).splitlines(keepends=True)
    pay.commit({"all.py": "".join(lines[:20]), "rest.py": "".join(lines[20:])})
    assert pay.update("v2").code in (0, 7)
    assert pay.read("rest.py") == "".join(lines[20:])
    assert "the template's\n" in pay.read("all.py")


@pytest.mark.parametrize("changed_elsewhere", [False, True])
def test_a_binary_we_replaced_stays(
    template: Template, create: Create, changed_elsewhere: bool
) -> None:
    logo, ours = b"\x89PNG\0one" * 50, b"\x89PNG\0ours" * 60
    template.release("v1", {"logo.png": logo, "a": "1\n"})
    template.release("v2", {"a": "2\n"} if changed_elsewhere else {"new": "2\n"})
    pay = create()
    pay.commit({"logo.png": ours})
    assert pay.update("v2").code == 0
    assert (pay.path / "logo.png").read_bytes() == ours


@pytest.mark.parametrize(
    "ours", [numbered(changed=BOTTOM), b"\0\1\2ours", Script(numbered()), Link("elsewhere")]
)
def test_the_template_deletes_a_file_we_changed(
    template: Template, create: Create, ours: Content
) -> None:
    template.release("v1", {"a": numbered()})
    template.release("v2", {"a": None, "b": "2\n"})
    pay = create()
    pay.commit({"a": ours})
    mark = files_below(pay.path)["a"]
    run = pay.update("v2")
    assert (run.code, run.outcomes["a"]) == (7, "conflict")
    assert files_below(pay.path)["a"] == mark
    assert set(pay.index_stages()["a"]) == {1, 2}
    assert pay.read("b") == "2\n"


# --- deleted by us -----------------------------------------------------------------------------


def test_what_we_deleted_stays_deleted_and_is_told(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n"})
    template.release("v2", {"a": "2\n", "b": "2\n"})
    pay = create()
    pay.commit({"a": None})
    run = pay.update("v2")
    assert (run.code, run.json["status"]) == (0, "updated")
    assert not pay.has("a")
    assert run.outcomes["a"] == "kept"
    assert pay.read("b") == "2\n"


def test_what_we_deleted_stays_deleted_through_every_release(
    template: Template, create: Create
) -> None:
    for n in range(1, 5):
        template.release(f"v{n}", {"a": f"{n}\n", "b": f"{n}\n"})
    pay = create()
    pay.commit({"a": None})
    for n in range(2, 5):
        assert pay.update(f"v{n}").code == 0
        pay.commit(message=f"take v{n}")
        assert (pay.has("a"), pay.read("b")) == (False, f"{n}\n")


ODD = ("normal", "ünï", "white space", " lead", "trail ", "\ttab\\t", "back\\slash", "!bang", "s*")


def test_oddly_named_files_we_deleted_stay_deleted(template: Template, create: Create) -> None:
    others = {"star": "1\n", "sub/normal": "1\n"}
    template.release("v1", {**dict.fromkeys(ODD, "1\n"), **others})
    template.release("v2", {**dict.fromkeys([*ODD, *others], "2\n")})
    pay = create()
    pay.commit(dict.fromkeys(ODD))
    run = pay.update("v2")
    assert run.code == 0
    assert pay.tracked() == sorted([ANSWERS, *others])
    assert {pay.read(name) for name in others} == {"2\n"}
    assert {run.outcomes[name] for name in ODD} == {"kept"}


def test_a_folder_we_deleted_stays_deleted(template: Template, create: Create) -> None:
    template.release("v1", {f"docs/{n}": "1\n" for n in range(3)} | {"a": "1\n"})
    template.release("v2", {f"docs/{n}": "2\n" for n in range(3)} | {"docs/sub/new": "2\n"})
    pay = create()
    pay.commit({f"docs/{n}": None for n in range(3)})
    assert pay.update("v2").code == 0
    assert not any(pay.has(f"docs/{n}") for n in range(3))
    assert pay.read("docs/sub/new") == "2\n"


def test_what_we_deleted_and_the_template_renames_stays_deleted(
    template: Template, create: Create
) -> None:
    template.release("v1", {"old": numbered(), "b": "1\n"})
    template.release("v2", {"old": None, "new": numbered(), "b": "2\n"})
    pay = create()
    pay.commit({"old": None})
    run = pay.update("v2")
    assert run.code in (0, 7)
    assert not pay.has("old")
    assert pay.read("b") == "2\n"


def test_what_we_deleted_and_the_template_deletes_is_no_news(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n"})
    template.release("v2", {"a": None, "b": "2\n"})
    pay = create()
    pay.commit({"a": None})
    assert pay.update("v2").code == 0
    assert not pay.has("a")


def test_a_file_deleted_and_not_committed_is_work_in_progress(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n"})
    template.release("v2", {"a": "2\n", "b": "2\n"})
    pay = create()
    (pay.path / "a").unlink()
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (0, 5)
    if run.code == 5:
        assert "a" in run.error["message"] + run.error["hint"] + run.err
        assert pay.fingerprint() == before
    else:
        assert not pay.has("a")


# --- ignored and untracked ---------------------------------------------------------------------


def test_an_ignored_file_where_the_template_adds_one_is_not_overwritten(
    template: Template, create: Create
) -> None:
    template.release("v1", {".gitignore": "*.local\n"})
    template.release("v2", {"env.local": "A=template\n", "b": "2\n"})
    pay = create()
    pay.write({"env.local": "PASSWORD=mine\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert pay.read("env.local") == "PASSWORD=mine\n"
    if run.code:
        assert run.code == 5
        assert "env.local" in run.err
        assert pay.fingerprint() == before


def test_a_file_our_own_rules_ignore_where_the_template_adds_one(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"notes/todo.txt": "theirs\n"})
    pay = create()
    (pay.path / ".git/info/exclude").write_text("notes/\n")
    pay.write({"notes/todo.txt": "mine\n"})
    with pay.untouched():
        run = pay.update("v2")
    assert run.code == 5
    assert "notes/todo.txt" in run.err


def test_a_file_the_new_ignore_file_ignores(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {".gitignore": "cache/\n", "cache/index": "theirs\n"})
    pay = create()
    pay.write({"cache/index": "mine\n"})
    before = pay.fingerprint()
    run = pay.update("v2")
    assert pay.read("cache/index") == "mine\n"
    if run.code:
        assert (run.code, pay.fingerprint()) == (5, before)


def test_an_untracked_file_where_the_template_renames_one_to(
    template: Template, create: Create
) -> None:
    template.release("v1", {"old": numbered()})
    template.release("v2", {"old": None, "new": numbered()})
    pay = create()
    pay.write({"new": "mine\n"})
    with pay.untouched():
        run = pay.update("v2")
    assert run.code == 5
    assert "new" in run.err


# --- links -------------------------------------------------------------------------------------

LINKS = settings(preserve_symlinks=True)


def test_a_file_we_edited_that_the_template_turns_into_a_link(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": LINKS, "a": numbered(), "b": "b\n"})
    template.release("v2", {"a": Link("b")})
    pay = create()
    pay.commit({"a": numbered(changed=BOTTOM)})
    run = pay.update("v2")
    assert run.code == 7
    assert "conflict" in run.outcomes.values()
    kept = [text for stages in pay.index_stages().values() for text in stages.values()]
    assert numbered(changed=BOTTOM) in kept
    here = [path for path in pay.path.iterdir() if path.is_file() and not path.is_symlink()]
    assert numbered(changed=BOTTOM) in [path.read_text() for path in here]


def test_a_folder_we_keep_files_in_that_the_template_turns_into_a_link(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": LINKS, "conf/a": "1\n", "etc/a": "1\n"})
    template.release("v2", {"conf/a": None})
    template.release("v3", {"conf": Link("etc")})
    pay = create()
    pay.commit({"conf/ours": "ours\n"})
    before = pay.fingerprint()
    run = pay.update("v3")
    assert run.code in (5, 7)
    if run.code == 5:
        assert pay.fingerprint() == before
    assert pay.read("conf/ours") == "ours\n"


def test_nothing_is_written_through_a_link_out_of_the_service(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"docs/index.md": "theirs\n"})
    build_tree(tmp_path / "elsewhere", {"keep": "mine\n"})
    pay = create()
    pay.write({"docs": Link(str(tmp_path / "elsewhere"))})
    with pay.untouched():
        assert pay.update("v2").code == 5
    assert files_below(tmp_path / "elsewhere").keys() == {"keep"}


def test_nothing_is_written_through_a_committed_link_out_of_the_service(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"docs/index.md": "theirs\n"})
    build_tree(tmp_path / "elsewhere", {"index.md": "mine\n"})
    pay = create()
    pay.commit({"docs": Link(str(tmp_path / "elsewhere"))})
    assert pay.update("v2").code in (5, 7)
    assert (tmp_path / "elsewhere/index.md").read_text() == "mine\n"


def test_a_link_the_template_deletes_takes_nothing_along(
    template: Template, create: Create, tmp_path: Path
) -> None:
    build_tree(tmp_path / "elsewhere", {"keep": "mine\n"})
    template.release("v1", {"copier.yml": LINKS, "data": Link("../../elsewhere")})
    template.release("v2", {"data": None})
    pay = create()
    assert (pay.path / "data/keep").read_text() == "mine\n"
    assert pay.update("v2").code == 0
    assert (tmp_path / "elsewhere/keep").read_text() == "mine\n"


# --- made by tasks -----------------------------------------------------------------------------


def generator(version: str) -> str:
    return settings(tasks=[f"seq 1 12 | sed 's/^/{version} /;s/ 5$/ five {version}/' > made.txt"])


def made(version: str, **ours: str) -> str:
    lines = [f"{version} {n}" for n in range(1, 13)]
    lines[4] = f"{version} five {version}"
    return "\n".join([*lines[:-1], ours.get("last", lines[-1])]) + "\n"


def test_a_file_made_by_a_task_takes_the_new_tasks_change(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": generator("one")})
    template.release("v2", {"copier.yml": generator("two")})
    pay = create("v1", "--trust")
    assert pay.read("made.txt") == made("one")
    assert pay.update("v2", "--trust").code == 0
    assert pay.read("made.txt") == made("two")


def test_an_edit_in_a_file_made_by_a_task_is_not_lost(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": generator("one"), "a": "1\n"})
    template.release("v2", {"copier.yml": generator("two"), "a": "2\n"})
    pay = create("v1", "--trust")
    pay.commit({"made.txt": made("one", last="ours")})
    run = pay.update("v2", "--trust")
    assert run.code in (0, 7)
    assert "ours" in pay.read("made.txt").splitlines()


def test_an_edit_in_a_file_made_by_the_same_task_again_is_not_lost(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": generator("one"), "a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create("v1", "--trust")
    pay.commit({"made.txt": made("one", last="ours")})
    assert pay.update("v2", "--trust").code == 0
    assert pay.read("made.txt") == made("one", last="ours")


def test_a_file_made_by_a_task_stays_when_the_template_is_not_trusted_any_more(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": generator("one"), "a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create("v1", "--trust")
    assert pay.update("v2").code == 0
    assert (pay.read("made.txt"), pay.read("a")) == (made("one"), "2\n")


def test_a_file_made_by_a_task_and_deleted_by_us_stays_deleted(
    template: Template, create: Create
) -> None:
    template.release("v1", {"copier.yml": generator("one"), "a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create("v1", "--trust")
    pay.commit({"made.txt": None})
    assert pay.update("v2", "--trust").code == 0
    assert not pay.has("made.txt")


def test_a_formatter_as_a_task_loses_no_edit(template: Template, create: Create) -> None:
    task = settings(tasks=["for f in *.py; do sed -i 's/  */ /g' $f; done"])
    template.release("v1", {"copier.yml": task, "app.py": numbered(changed={2: "a  =  1"})})
    template.release("v2", {"app.py": numbered(changed={2: "a  =  2"})})
    pay = create("v1", "--trust")
    assert "a = 1\n" in pay.read("app.py")
    pay.commit({"app.py": numbered(changed={2: "a = 1", **BOTTOM})})
    code = pay.update("v2", "--trust").code
    assert code in (0, 7)
    assert "ours" in pay.read("app.py").splitlines()
    if code == 0:
        assert pay.read("app.py") == numbered(changed={2: "a = 2", **BOTTOM})


# --- where the template is ---------------------------------------------------------------------


def test_a_moved_template_is_found_by_source(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    template.path.rename(tmp_path / "moved")
    with pay.untouched():
        run = pay.update("v2")
    assert run.code in (3, 6)
    assert "--source" in run.error["hint"]
    assert pay.update("v2", "--source", tmp_path / "moved").code == 0
    assert (pay.read("a"), pay.answers["_src_path"]) == ("2\n", str(tmp_path / "moved"))


def test_a_source_without_the_recorded_release_is_refused(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    other = Template(tmp_path / "other")
    other.release("v7", {"a": "7\n"})
    pay = create()
    with pay.untouched():
        run = pay.update("v7", "--source", other.path)
    assert run.code == 3
    assert "v1" in run.error["message"]


@pytest.fixture
def at_url(template: Template, tmp_path: Path, home: Path) -> Path:
    """Have the template served under an https URL, from a folder that can be taken away."""
    template.url = "https://git.example.test/platform/template.git"
    served = tmp_path / "served"
    git(home, "config", "--file", str(home / ".gitconfig"), f"url.{served}.insteadOf", template.url)
    return served


def test_a_template_by_url_updates_offline_once_it_is_cached(
    template: Template, create: Create, at_url: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    git(template.path, "clone", "--quiet", "--bare", str(template.path), str(at_url))
    pay = create()
    assert pay.answers["_src_path"] == template.url
    at_url.rename(at_url.with_name("offline"))
    assert pay.update("v2").code == 0
    assert pay.read("a") == "2\n"


def test_a_release_that_is_not_cached_needs_the_network(
    template: Template, create: Create, at_url: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    git(template.path, "clone", "--quiet", "--bare", str(template.path), str(at_url))
    pay = create()
    template.release("v2", {"a": "2\n"})
    at_url.rename(at_url.with_name("offline"))
    with pay.untouched():
        assert pay.update("v2").code in (3, 6)
    at_url.with_name("offline").rename(at_url)
    git(template.path, "push", "--quiet", str(at_url), "main", "v2")
    assert pay.update("v2").code == 0
    assert pay.read("a") == "2\n"


def test_a_relative_template_path_is_read_from_the_service(
    template: Template, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    pay.commit({ANSWERS: pay.read(ANSWERS).replace(str(template.path), "../../template")})
    monkeypatch.chdir("/")
    before = pay.fingerprint()
    run = pay.update("v2")
    if run.code:
        assert run.code == 3
        assert "--source" in run.error["hint"]
        assert pay.fingerprint() == before
    else:
        assert pay.read("a") == "2\n"


def test_the_recorded_release_may_not_be_a_tag_that_is_gone(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    git(template.path, "tag", "--delete", "v1")
    with pay.untouched():
        run = pay.update("v2")
    assert run.code == 3
    assert "v1" in run.error["message"]


# --- an update that fails ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        {"a.jinja": "{% if %}\n"},
        {"a.jinja": "{{ 1 / 0 }}\n"},
        {"copier.yml": "name: [\n"},
        {"copier.yml": settings(min_copier_version="99.0.0")},
        {"copier.yml": "name: {type: str, validator: \"{{ 'no' }}\"}\n"},
    ],
)
def test_a_release_that_does_not_render_changes_nothing(
    template: Template, create: Create, broken: dict[str, str]
) -> None:
    template.release("v1", {"b": "1\n"})
    template.release("v2", {"b": "2\n", **broken})
    pay = create()
    pay.write({"b.notes": "untracked\n"})
    with pay.untouched():
        run = pay.update("v2")
    assert run.code not in (0, 1, 7)
    assert run.error["message"]
    assert leftovers(pay.repo) == []


def test_a_file_of_ours_in_a_place_the_release_cannot_write(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"d/a": "2\n", "e": "2\n"})
    pay = create()
    pay.write({"d": "untracked, in the way\n"})
    with pay.untouched():
        run = pay.update("v2")
    assert run.code == 5
    assert "d" in run.err


def test_a_planted_git_folder_never_reaches_a_service(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release(
        "v2",
        {
            "copier.yml": settings(exclude=["copier.yml"]) + "dot: {type: str, default: .git}\n",
            "{{ dot }}/hooks/post-index-change": Script(f"#!/bin/sh\ntouch {tmp_path}/pwned\n"),
            "sub/{{ dot }}/config": f"[core]\n\tfsmonitor = touch {tmp_path}/pwned\n",
        },
    )
    pay = create()
    config = (pay.path / ".git/config").read_text()
    pay.update("v2")
    pay.git("status")
    assert not (tmp_path / "pwned").exists()
    assert (pay.path / ".git/config").read_text() == config
    assert not (pay.path / ".git/hooks/post-index-change").exists()
    assert not (pay.path / "sub/.git").exists()


def test_drift_is_healed_by_name(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(), "b": "1\n"})
    pay = create()
    pay.commit({"a": numbered(5), "b": "ours\n"})
    run = pay.update("", "--heal", "a")
    assert run.code in (0, 7)
    if run.code == 0:
        assert pay.read("a") == numbered()
    assert pay.read("b") == "ours\n"


def test_two_services_in_one_repository_do_not_mix(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a.jinja": "{{ name }} 1\n"})
    template.release("v2", {"a.jinja": "{{ name }} 2\n"})
    repo = create(name="mono")
    for name in ("bill", "ship"):
        build_tree(repo.path / name, {"a": f"{name} 1\n"})
        build_tree(repo.path / name, {ANSWERS: repo.read(ANSWERS).replace("mono", name)})
    repo.commit()
    bill = Service(repo.path / "bill", repo.path)
    assert bill.update("v2").code == 0
    assert bill.status() == {f"bill/{ANSWERS}": "M ", "bill/a": "M "}
    assert [repo.read(name) for name in ("a", "bill/a", "ship/a")] == [
        "mono 1\n",
        "bill 2\n",
        "ship 1\n",
    ]
