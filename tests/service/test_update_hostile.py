"""What a hostile template, a hostile repository or a hostile reviewer would try."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Create
from .stories import (
    ANSWERS,
    ANSWERS_TEMPLATE,
    QUESTIONS,
    Link,
    Script,
    Service,
    Template,
    build_tree,
    commit_all,
    files_below,
    git,
    idp,
    idp_process,
    leftovers,
    numbered,
    settings,
)

TOP, BOTTOM = {2: "the template's"}, {11: "ours"}

# --- hostile templates -------------------------------------------------------------------------

ESCAPE = "{{ cycler.__init__.__globals__.os.system('touch %s') }}"


@pytest.mark.parametrize(
    "where", ["file", "name", "default", "exclude", "skip", "choices", "validator", "when", "help"]
)
@pytest.mark.parametrize("trusted", [False, True])
def test_jinja_is_a_sandbox_wherever_it_is_rendered(
    template: Template, create: Create, tmp_path: Path, where: str, trusted: bool
) -> None:
    marker = tmp_path / "pwned"
    escape = ESCAPE % marker
    quoted = '"' + escape + '"'
    files = {
        "file": {"a.jinja": escape},
        "name": {"x{{ cycler.__init__.__globals__.os.getcwd() and '' }}": "1\n"},
        "default": {"copier.yml": QUESTIONS + f"x:\n  type: str\n  default: {quoted}\n"},
        "exclude": {"copier.yml": settings(exclude=["copier.yml", escape])},
        "skip": {"copier.yml": settings(skip_if_exists=[escape])},
        "choices": {"copier.yml": QUESTIONS + f"x:\n  type: str\n  choices: {quoted}\n"},
        "validator": {
            "copier.yml": QUESTIONS + f"x:\n  type: str\n  default: a\n  validator: {quoted}\n"
        },
        "when": {"copier.yml": QUESTIONS + f"x:\n  type: str\n  default: a\n  when: {quoted}\n"},
        "help": {"copier.yml": QUESTIONS + f"x:\n  type: str\n  default: a\n  help: {quoted}\n"},
    }[where]
    template.release("v1", {"b": "1\n"})
    template.release("v2", {"b": "2\n", **files})
    pay = create()
    pay.update("v2", *(["--trust"] if trusted else []))
    assert not marker.exists()


def test_a_link_out_of_the_template_brings_no_secret_in(
    template: Template, create: Create, tmp_path: Path
) -> None:
    build_tree(tmp_path, {"id_rsa": "PRIVATE KEY\n"})
    template.release("v1", {"a": "1\n"})
    links = {"absolute": Link(str(tmp_path / "id_rsa")), "up": Link("../id_rsa")}
    links |= {"far": Link("../" * 30 + str(tmp_path / "id_rsa").lstrip("/"))}
    template.release("v2", {"a": "2\n", **links})
    pay = create()
    pay.update("v2")
    for path in pay.path.rglob("*"):
        if path.is_file() and not path.is_symlink() and ".git" not in path.parts:
            assert b"PRIVATE KEY" not in path.read_bytes(), path


def test_external_data_reads_nothing_outside_the_service(
    template: Template, create: Create, home: Path
) -> None:
    build_tree(home, {".secret.yml": "token: hunter2\n"})
    template.release("v1", {"a": "1\n"})
    template.release(
        "v2",
        {
            "copier.yml": settings(external_data={"x": str(home / ".secret.yml")}),
            "a.txt.jinja": "{{ _external_data.x.token }}\n",
        },
    )
    pay = create()
    pay.update("v2")
    assert "hunter2" not in pay.git("diff", "--cached")


@pytest.mark.parametrize("path", [".GIT/hooks/post-checkout", ".git", "a/.git/hooks/x", ".git /x"])
def test_a_folder_that_some_systems_take_for_gits_own_is_refused_or_plain(
    template: Template, create: Create, tmp_path: Path, path: str
) -> None:
    template.release("v1", {"a": "1\n"})
    config = settings(exclude=["copier.yml"]) + "dot: {type: str, default: '%s'}\n"
    first, _, rest = path.partition("/")
    parts = ("{{ dot }}", rest) if rest else ("{{ dot }}",)
    template.release(
        "v2",
        {"copier.yml": config % first, "/".join(parts): Script(f"#!/bin/sh\ntouch {tmp_path}/x\n")},
    )
    pay = create()
    before = pay.fingerprint()
    run = pay.update("v2")
    pay.git("status")
    assert not (tmp_path / "x").exists()
    if run.code:
        assert run.code in (3, 5)
        assert pay.fingerprint() == before
    else:
        assert not [name for name in pay.tracked() if ".git" in name.lower().split("/")]


def test_modules_a_template_wants_are_not_fetched(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release(
        "v2",
        {
            "a": "2\n",
            ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch pwned"\n',
        },
    )
    pay = create()
    assert pay.update("v2").code == 0
    assert not pay.has("pwned")


def test_attributes_of_a_template_run_nothing_of_ours(
    template: Template, create: Create, tmp_path: Path, home: Path
) -> None:
    config = str(home / ".gitconfig")
    git(home, "config", "--file", config, "filter.wipe.smudge", f"touch {tmp_path}/smudged; cat")
    template.release("v1", {"a": numbered()})
    template.release("v2", {"a": numbered(changed=TOP), ".gitattributes": "a -merge\n"})
    pay = create()
    pay.commit({"a": numbered(changed=BOTTOM)})
    run = pay.update("v2")
    assert run.code in (0, 7)
    assert "ours" in pay.read("a").splitlines()


@pytest.mark.parametrize(
    "source",
    ["ext::sh -c 'touch pwned'", "--upload-pack=touch pwned", "fd::17", "-u", "file:///etc"],
)
@pytest.mark.parametrize("flag", [False, True])
def test_a_hostile_source_in_the_answers_or_on_the_line_runs_nothing(
    template: Template,
    create: Create,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    flag: bool,
) -> None:
    template.release("v1", {"a": "1\n"})
    pay = create()
    if not flag:
        pay.commit({ANSWERS: pay.read(ANSWERS).replace(str(template.path), f'"{source}"')})
    monkeypatch.delenv("GIT_ALLOW_PROTOCOL")
    monkeypatch.chdir(pay.path)
    with pay.untouched():
        run = pay.update("v2", *([f"--source={source}"] if flag else []))
    assert run.code in (2, 3, 4, 5, 6)
    assert not pay.has("pwned")


@pytest.mark.parametrize("version", ["--output=pwned", "-O", "v1;touch pwned", "$(touch pwned)"])
def test_a_hostile_release_in_the_answers_runs_nothing(
    template: Template, create: Create, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    pay.commit({ANSWERS: pay.read(ANSWERS).replace("_commit: v1", f"_commit: '{version}'")})
    monkeypatch.chdir(pay.path)
    with pay.untouched():
        assert pay.update("v2").code in (3, 5)
    assert not pay.has("pwned")


def test_answers_that_are_a_link_are_not_written_through(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    build_tree(tmp_path, {"outside.yml": pay.read(ANSWERS)})
    pay.commit({ANSWERS: Link(str(tmp_path / "outside.yml"))})
    before = (tmp_path / "outside.yml").read_text()
    assert pay.update("v2").code in (0, 3, 5, 7)
    assert (tmp_path / "outside.yml").read_text() == before


def test_a_token_in_a_url_is_not_written_down(
    template: Template, create: Create, home: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    plain, secret = (f"https://{who}git.example.test/t.git" for who in ("", "user:hunter2@"))
    config = str(home / ".gitconfig")
    for url in (plain, secret):
        git(home, "config", "--file", config, "--add", f"url.{template.path}.insteadOf", url)
    template.url = secret
    run = idp(
        *("create-service", "pay", "--template", template.at("v1"), "--defaults", "--json"),
        *("--dest", home / "pay"),
    )
    if run.code:
        assert run.code in (2, 3)
        assert "hunter2" not in run.everything
        return
    pay = Service(home / "pay")
    assert "hunter2" not in pay.read(ANSWERS)
    assert "hunter2" not in run.everything
    assert pay.update("v2").code == 0
    assert "hunter2" not in pay.read(ANSWERS)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/tpl.git",
        "https://github.com/acme/tpl",
        "ssh://git@github.com/acme/tpl.git",
        "git@github.com:acme/tpl.git",
        "gh:acme/tpl",
    ],
)
def test_urls_of_every_kind_are_recorded_and_found_again(
    template: Template, create: Create, home: Path, url: str
) -> None:
    template.release("v1", {"a": "1\n"})
    bases = ("https://github.com/", "ssh://git@github.com/", "git@github.com:")
    git(home, "clone", "--quiet", "--bare", str(template.path), "served/acme/tpl.git")
    for base in bases:
        key = f"url.{home}/served/.insteadOf"
        git(home, "config", "--file", str(home / ".gitconfig"), "--add", key, base)
    template.url = url
    pay = create()
    template.release("v2", {"a": "2\n"})
    git(template.path, "push", "--quiet", str(home / "served/acme/tpl.git"), "main", "v2")
    assert pay.update("v2").code == 0
    assert pay.read("a") == "2\n"


# --- odd releases ------------------------------------------------------------------------------


def test_two_tags_on_one_commit_are_two_releases(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    git(template.path, "tag", "v2")
    pay = create()
    pay.commit({"a": "ours\n"})
    assert pay.update("v2").code == 0
    assert (pay.answers["_commit"], pay.read("a")) == ("v2", "ours\n")


def test_an_annotated_tag_with_a_slash_is_a_release(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.commit({"a": "2\n"})
    git(template.path, "tag", "-a", "release/v2", "-m", "the second")
    pay = create()
    assert pay.update("release/v2").code == 0
    assert (pay.read("a"), pay.answers["_commit"]) == ("2\n", "release/v2")


def test_a_branch_is_recorded_as_what_it_was(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(20)})
    template.commit({"a": numbered(20, {2: "main"})})
    pay = create()
    pay.commit({"a": numbered(20, {15: "ours"})})
    before = pay.fingerprint()
    if code := pay.update("main").code:
        assert code == 3
        assert pay.fingerprint() == before
        return
    pay.commit(message="take main")
    template.commit({"a": numbered(20, {2: "main, moved on"})})
    template.release("v3", {"a": numbered(20, {2: "three"})})
    assert pay.update("v3").code == 0
    assert pay.read("a") == numbered(20, {2: "three", 15: "ours"})


def test_a_release_copier_described_is_found(template: Template, create: Create) -> None:
    template.release("v1", {"a": numbered(20)})
    commit = template.commit({"a": numbered(20, {2: "between"})})
    template.release("v2", {"a": numbered(20, {2: "two"})})
    pay = create("v1")
    described = f"v1-1-g{commit[:7]}"
    files = {ANSWERS: pay.read(ANSWERS).replace("_commit: v1", f"_commit: {described}")}
    pay.commit({**files, "a": numbered(20, {2: "between", 15: "ours"})})
    assert pay.update("v2").code == 0
    assert pay.read("a") == numbered(20, {2: "two", 15: "ours"})


def test_a_short_hash_is_enough(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    commit = template.commit({"a": "2\n"})
    pay = create()
    assert pay.update(commit[:9]).code == 0
    assert pay.read("a") == "2\n"


def test_a_number_for_a_version_is_still_a_version(template: Template, create: Create) -> None:
    for tag in ("1.0", "1.10", "2"):
        template.release(tag, {"a": f"{tag}\n"})
    pay = create("1.0")
    assert pay.update("1.10").code == 0
    assert (str(pay.answers["_commit"]), pay.read("a")) == ("1.10", "1.10\n")
    pay.commit(message="take 1.10")
    assert pay.update("2").code == 0
    assert pay.read("a") == "2\n"


def test_a_template_in_the_same_repository(tmp_path: Path) -> None:
    mono = tmp_path / "mono"
    files = {"copier.yml": QUESTIONS, ANSWERS_TEMPLATE: "{{ _copier_answers|to_nice_yaml }}"}
    build_tree(mono / "templates/t", {**files, "a": numbered()})
    git(mono, "init", "--quiet")
    commit_all(mono, "one")
    git(mono, "tag", "v1")
    run = idp(
        *("create-service", "pay", "--template", f"{mono}@v1#templates/t", "--into", mono),
        *("--defaults", "--json"),
    )
    assert run.code == 0, run.everything
    pay = Service(mono / "pay", mono)
    pay.commit({"a": numbered(changed=BOTTOM)})
    build_tree(mono / "templates/t", {"a": numbered(changed=TOP)})
    commit_all(mono, "two")
    git(mono, "tag", "v2")
    assert pay.update("v2").code == 0
    assert pay.read("a") == numbered(changed=TOP | BOTTOM)


# --- odd renders -------------------------------------------------------------------------------


def test_files_that_hang_on_answers_come_and_go(template: Template, create: Create) -> None:
    questions = QUESTIONS + "docs: {type: bool, default: true}\n"
    template.release(
        "v1",
        {
            "copier.yml": questions,
            "{% if docs %}docs{% endif %}/index.md": "1\n",
            "{% if docs %}mkdocs.yml{% endif %}.jinja": "name: {{ name }}\n",
        },
    )
    pay = create()
    pay.commit({"docs/ours.md": "ours\n"})
    assert pay.update("v1", "--data", "docs=false").code == 0
    assert [pay.has(n) for n in ("docs/index.md", "mkdocs.yml", "docs/ours.md")] == [
        False,
        False,
        True,
    ]


def test_the_folders_own_name_and_place_are_no_change(template: Template, create: Create) -> None:
    text = "{{ _folder_name }} {{ _copier_conf.dst_path.name }} {{ _copier_conf.answers_file }}\n"
    template.release("v1", {"where.jinja": text, "a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    was = pay.read("where")
    assert was == f"pay pay {ANSWERS}\n"
    run = pay.update("v2")
    assert run.code == 0
    assert pay.read("where") == was


def test_a_secret_in_a_file_stays_through_updates(template: Template, create: Create) -> None:
    questions = QUESTIONS + "token: {type: str, secret: true, default: none}\n"
    template.release("v1", {"copier.yml": questions, "conf.jinja": numbered() + "{{ token }}\n"})
    template.release("v2", {"conf.jinja": numbered(changed=TOP) + "{{ token }}\n"})
    pay = create("v1", "--data", "token=hunter2")
    assert pay.update("v2").code == 0
    assert pay.read("conf") == numbered(changed=TOP) + "hunter2\n"
    assert "token" not in pay.answers


@pytest.mark.parametrize(
    ("question", "given", "recorded"),
    [
        ("{type: str, multiselect: true, choices: [a, b, c]}", "[a, c]", ["a", "c"]),
        ("{type: json}", '{"k": [1, null]}', {"k": [1, None]}),
        ("{type: yaml}", "k: [1, 2]", {"k": [1, 2]}),
        ("{type: float}", "0.5", 0.5),
        ("{type: str}", "007", "007"),
        ("{type: str}", "no", "no"),
        ("{type: str}", "1e3", "1e3"),
        ("{type: str}", "null", "null"),
        ("{type: str}", "2024-01-01", "2024-01-01"),
        ("{type: str, choices: {One: '1', Two: '2'}}", "2", "2"),
        ("{type: int, choices: [80, 443]}", "443", 443),
        ("{type: path}", "a/b c", "a/b c"),
        ("{type: str, multiline: true}", "a\n\nb\n", "a\n\nb\n"),
    ],
)
def test_answers_of_every_type_survive_an_update(
    template: Template, create: Create, question: str, given: str, recorded: object
) -> None:
    template.release("v1", {"copier.yml": QUESTIONS + f"x: {question}\n", "b.jinja": "{{ x }}\n"})
    template.release("v2", {"c": "2\n"})
    pay = create("v1", "--data", f"x={given}")
    assert pay.answers["x"] == recorded
    was = pay.read("b")
    run = pay.update("v2")
    assert run.code == 0
    assert (pay.answers["x"], pay.read("b")) == (recorded, was)
    assert set(run.outcomes) == {ANSWERS, "c"}


def test_a_questionnaire_in_several_files(template: Template, create: Create) -> None:
    template.release("v1", {"copier.yml": "!include more.yml\n---\nname: {type: str}\n"})
    template.write({"more.yml": "port: {type: int, default: 80}\n"})
    template.release("v2", {"a.jinja": "{{ port }}\n"})
    pay = create("v2")
    assert (pay.answers["port"], pay.read("a")) == (80, "80\n")


def test_names_that_are_not_utf8_are_no_obstacle(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    tracked, untracked = (os.fsencode(pay.path) + name for name in (b"/caf\xe9.txt", b"/n\xff"))
    for path in (tracked, untracked):
        Path(os.fsdecode(path)).write_text("ours\n")
    pay.git("add", "caf*")
    pay.git("commit", "--quiet", "-m", "an old name")
    assert pay.update("v2").code == 0
    assert pay.update("", "--status").code == 0
    assert all(Path(os.fsdecode(path)).read_text() == "ours\n" for path in (tracked, untracked))


def test_a_template_with_names_that_are_not_utf8_is_taken_or_told(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    (template.path / os.fsdecode(b"caf\xe9.txt")).write_text("theirs\n")
    template.release("v2", {"a": "2\n"})
    pay = create()
    before = pay.fingerprint()
    run = pay.update("v2")
    if run.code:
        assert run.code in (3, 5)
        assert pay.fingerprint() == before
    else:
        assert run.json["status"] == "updated"
        assert pay.read("a") == "2\n"
        assert (pay.path / os.fsdecode(b"caf\xe9.txt")).read_text() == "theirs\n"


def test_names_and_words_of_a_template_do_not_drive_the_terminal(
    template: Template, create: Create
) -> None:
    evil = "\x1b[2J\x1b]0;title\x07evil"
    template.release("v1", {"a": "1\n", f"{evil}-gone": "1\n", f"{evil}-kept": "1\n"})
    config = settings(message_before_update=evil, message_after_update=evil)
    text = {f"{evil}-new": "2\n", f"{evil}-gone": None, f"{evil}-kept": "2\n"}
    template.release("v2", {"a": "2\n", "copier.yml": config, **text})
    pay = create()
    pay.commit({f"{evil}-kept": "ours\n"})
    shown = [
        idp("update-service", pay.path, "--to", "v2", "--dry-run"),
        idp("update-service", pay.path, "--to", "v2"),
        idp("update-service", pay.path, "--status"),
        idp("update-service", pay.path, "--to", "v2"),
        idp("update-service", pay.path, "--abort"),
        idp("update-service", pay.path, "--to", "v3" + evil),
    ]
    assert [run.code for run in shown[:2]] == [7, 7]
    for run in shown:
        assert "\x1b" not in run.everything
        assert "\x07" not in run.everything


def test_a_huge_file_with_one_long_line_merges(template: Template, create: Create) -> None:
    line = "x" * 2_000_000
    template.release("v1", {"big": numbered(changed={6: line})})
    template.release("v2", {"big": numbered(changed={6: line, **TOP})})
    pay = create()
    pay.commit({"big": numbered(changed={6: line, **BOTTOM})})
    assert pay.update("v2").code == 0
    assert pay.read("big") == numbered(changed={6: line, **TOP, **BOTTOM})


# --- what people do in between -----------------------------------------------------------------


@pytest.fixture
def pay(template: Template, create: Create) -> Service:
    """A service on v1 with an edit of its own, and a v2 that merges."""
    template.release("v1", {"app.py": numbered(), "gone": "1\n", "b": "1\n"})
    template.release("v2", {"app.py": numbered(changed=TOP), "gone": None, "new/file": "2\n"})
    service = create()
    service.commit({"app.py": numbered(changed=BOTTOM)})
    return service


def test_an_update_thrown_away_can_be_had_again(pay: Service) -> None:
    assert pay.update("v2").code == 0
    status, files = pay.status(), files_below(pay.path)
    pay.git("reset", "--quiet", "--hard")
    assert pay.update("", "--status").code == 0
    assert pay.status() == {}
    assert pay.update("v2").code == 0
    assert (pay.status(), files_below(pay.path)) == (status, files)


def test_abort_after_the_update_was_thrown_away_destroys_nothing(pay: Service) -> None:
    assert pay.update("v2").code == 0
    pay.git("reset", "--quiet", "--hard")
    pay.write({"app.py": "edited since\n", "new/file": "mine since\n"})
    pay.update("", "--abort")
    everything = [path.read_bytes() for path in pay.path.rglob("*") if path.is_file()]
    assert {b"edited since\n", b"mine since\n"} <= set(everything)


def test_an_update_that_was_unstaged_is_not_lost_on_the_next(pay: Service) -> None:
    assert pay.update("v2").code == 0
    pay.git("reset", "--quiet")
    run = pay.update("v2")
    assert run.code in (0, 5)
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)


def test_an_update_on_another_branch_while_one_is_staged(pay: Service) -> None:
    pay.git("branch", "other")
    assert pay.update("v2").code == 0
    pay.git("stash", "--quiet", "--include-untracked")
    pay.git("checkout", "--quiet", "other")
    assert pay.update("v2", "--commit").code == 0
    assert pay.status() == {}
    pay.git("checkout", "--quiet", "main")
    pay.git("stash", "pop", "--quiet", "--index")
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)


def test_abort_on_another_branch_does_not_bring_the_old_there(pay: Service) -> None:
    assert pay.update("v2").code == 0
    pay.commit(message="take v2")
    pay.git("checkout", "--quiet", "-b", "other", "HEAD~1")
    pay.commit({"b": "other\n"})
    with pay.untouched():
        pay.update("", "--abort")


def test_abort_brings_back_exactly_what_was_there(pay: Service) -> None:
    pay.write({"b": "staged\n", "notes": "untracked\n"})
    pay.git("add", "b")
    old = pay.fingerprint()
    assert pay.update("v2").code == 0
    assert pay.update("", "--abort").code == 0
    assert pay.fingerprint() == old
    assert not pay.has("new")
    with pay.untouched():
        assert pay.update("", "--abort").code in (0, 3, 5)
    assert pay.update("v2").code == 0


def test_a_merge_of_two_updated_branches(template: Template, pay: Service) -> None:
    template.release("v3", {"app.py": numbered(changed={**TOP, 6: "three"})})
    pay.git("checkout", "--quiet", "-b", "side")
    assert pay.update("v2", "--commit").code == 0
    pay.git("checkout", "--quiet", "main")
    pay.commit({"b": "ours\n"})
    pay.git("merge", "--quiet", "--no-edit", "side")
    pay.commit({"b": "ours again\n"})
    assert pay.update("v3").code == 0
    assert pay.read("app.py") == numbered(changed={**TOP, **BOTTOM, 6: "three"})


def test_history_that_was_squashed_still_has_a_base(template: Template, pay: Service) -> None:
    template.release("v3", {"app.py": numbered(changed={**TOP, 6: "three"})})
    assert pay.update("v2", "--commit").code == 0
    tree = pay.git("rev-parse", "HEAD^{tree}").strip()
    root = pay.git("commit-tree", tree, "-m", "squashed").strip()
    pay.git("reset", "--quiet", "--hard", root)
    assert pay.update("v3").code == 0
    assert pay.read("app.py") == numbered(changed={**TOP, **BOTTOM, 6: "three"})


def test_a_service_moved_into_a_sub_folder_still_has_a_base(
    template: Template, pay: Service
) -> None:
    for name in pay.tracked():
        (pay.path / "moved" / name).parent.mkdir(parents=True, exist_ok=True)
        pay.git("mv", name, f"moved/{name}")
    pay.commit(message="move")
    moved = Service(pay.path / "moved", pay.path)
    assert moved.update("v2").code == 0
    assert moved.read("app.py") == numbered(changed=TOP | BOTTOM)
    assert all(name.startswith("moved/") for name in pay.tracked())


def test_a_revert_of_an_update_is_an_older_release(template: Template, pay: Service) -> None:
    assert pay.update("v2", "--commit").code == 0
    pay.git("revert", "--no-edit", "HEAD")
    assert pay.answers["_commit"] == "v1"
    assert pay.update("v2").code == 0
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)
    assert pay.has("new/file")


def test_a_folder_below_the_service_is_not_the_service(pay: Service) -> None:
    pay.commit({"src/deep/a": "ours\n"})
    before = pay.fingerprint()
    run = Service(pay.path / "src/deep", pay.path).update("v2")
    if run.code:
        assert run.code in (2, 3)
        assert pay.fingerprint() == before
    else:
        assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)


def test_the_cache_may_be_deleted_at_any_time(
    template: Template, create: Create, home: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    shutil.rmtree(home / "cache", ignore_errors=True)
    assert pay.update("v2").code == 0
    assert pay.read("a") == "2\n"


def test_a_damaged_cache_is_made_anew_or_told(
    template: Template, create: Create, home: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    pay = create()
    create("v2", name="bill")
    for path in (home / "cache").rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    before = pay.fingerprint()
    run = pay.update("v2")
    if run.code:
        assert pay.fingerprint() == before
    else:
        assert (pay.read("a"), pay.answers["_commit"]) == ("2\n", "v2")
        assert pay.answers["name"] == "pay"


def test_a_cache_that_cannot_be_written_is_told_or_done_without(pay: Service, home: Path) -> None:
    shutil.rmtree(home / "cache", ignore_errors=True)
    (home / "cache").write_text("a file where the cache should be\n")
    before = pay.fingerprint()
    run = pay.update("v2")
    assert run.code in (0, 3, 5)
    if run.code:
        assert pay.fingerprint() == before


def test_many_at_once_with_an_empty_cache(template: Template, create: Create, home: Path) -> None:
    files = {f"f{n}": numbered(changed=TOP) for n in range(40)}
    template.release("v1", dict.fromkeys(files, numbered()))
    template.release("v2", files)
    services = [create(name=f"pay-{n}") for n in range(4)]
    shutil.rmtree(home / "cache", ignore_errors=True)
    runs = [idp_process("update-service", s.path, "--to", "v2", "--json") for s in services]
    for run in runs:
        _, err = run.communicate()
        assert run.returncode == 0, err.decode()
    assert {s.read(name) for s in services for name in files} == {numbered(changed=TOP)}
    assert [s.answers["name"] for s in services] == [f"pay-{n}" for n in range(4)]


# --- a disk that says no -----------------------------------------------------------------------

LIMITED = """\
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
from idp.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("limit", [0, 60, 200, 700, 2_000, 6_000, 20_000, 60_000, 200_000])
def test_a_full_disk_changes_nothing(template: Template, create: Create, limit: int) -> None:
    template.release("v1", {f"f{n:03}": "1\n" for n in range(60)} | {"big": "x\n" * 10})
    changed: dict[str, str | None] = {f"f{n:03}": "2\n" for n in range(50)}
    template.release(
        "v2",
        changed
        | {f"f{n:03}": None for n in range(50, 60)}
        | {"big": "".join(f"{n * n}\n" for n in range(40_000))},
    )
    pay = create()
    before = pay.fingerprint()
    command = [sys.executable, "-c", LIMITED.format(limit=limit)]
    done = subprocess.run(
        [*command, "update-service", str(pay.path), "--to", "v2", "--json"],
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    if done.returncode:
        assert pay.fingerprint() == before, done.stderr.decode()
    else:
        assert pay.read("f000") == "2\n"
    assert leftovers(pay.repo) == []
    assert pay.update("v2").code == 0
    assert len(pay.read("big")) > 200_000


@pytest.mark.parametrize("path", ["app.py", "gone", ".", "new", ".git/objects", ".git"])
def test_a_file_that_cannot_be_written_changes_nothing(pay: Service, path: str) -> None:
    (pay.path / "new").mkdir()
    protect = ["chattr", "+i", str(pay.path / path)]
    if subprocess.run(protect, capture_output=True, check=False).returncode:
        pytest.skip("this file system knows no immutable files")
    before = pay.fingerprint()
    try:
        run = pay.update("v2")
        after = pay.fingerprint()
    finally:
        subprocess.run(["chattr", "-i", str(pay.path / path)], check=True)
    if run.code:
        assert run.code != 7
        assert after == before, run.err
    assert leftovers(pay.repo) == []
    assert pay.update("v2").code == 0
    assert pay.read("app.py") == numbered(changed=TOP | BOTTOM)
