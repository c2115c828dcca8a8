"""`idp update-service --pr`: real git over https, and a stand-in for the forge's API."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from ..forge.standin import Answer, How, Pull, StandIn
from .conftest import Create
from .stories import (
    Files,
    Link,
    Run,
    Script,
    Service,
    Template,
    build_tree,
    commit_all,
    git,
    idp,
    idp_process,
    numbered,
    settings,
)

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "update-pull-request.schema.json"
NAME = "acme/pay"
BRANCH = "idp/update/template"
THEIRS, OURS = {5: "the template's"}, {5: "ours"}


@dataclass(frozen=True)
class Hosted:
    """A service whose repository is on the forge: the clone we stand in, and the repository."""

    forge: StandIn
    service: Service
    clones: Path

    def propose(self, *options: str | Path) -> Run:
        return idp("update-service", self.service.path, "--pr", "--yes", "--json", *options)

    @property
    def git_dir(self) -> Path:
        return self.forge.repos[NAME].git_dir

    @property
    def pull(self) -> Pull:
        """The one pull request that there is."""
        (pull,) = self.forge.pulls
        return pull

    @property
    def seen(self) -> tuple[str, str, str, str, bool]:
        """What people see of the pull request."""
        pull = self.pull
        return pull.title, pull.body, pull.base, pull.state, pull.draft

    def delete_branch(self) -> None:
        git(self.git_dir, "update-ref", "-d", f"refs/heads/{BRANCH}")

    def tip(self, branch: str = BRANCH) -> str:
        return self.forge.repos[NAME].head(branch)

    def read(self, path: str, branch: str = BRANCH) -> str:
        return git(self.git_dir, "show", f"{branch}:{path}")

    def message(self) -> str:
        return git(self.git_dir, "log", "-1", "--format=%B", BRANCH)

    def push_main(self, files: Files) -> None:
        """Let the team push to the main branch."""
        self.service.commit(files)
        self.service.git("push", "--quiet", str(self.git_dir), "main")

    def elsewhere(self) -> Path:
        """Return a person's own clone, on the update's branch."""
        path = self.clones / str(len(list(self.clones.iterdir())))
        git(self.clones, "clone", "--quiet", "--branch", BRANCH, str(self.git_dir), str(path))
        return path

    def person_pushes(self, files: Files, *how: str) -> None:
        """Let a person commit to the update's branch and push; `--amend` changes our commit."""
        clone = self.elsewhere()
        build_tree(clone, files)
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", *(how or ("-m", "fix: by hand")))
        git(clone, "push", "--quiet", "--force", "origin", BRANCH)


Host = Callable[[Service], Hosted]


@pytest.fixture
def host(forge: StandIn, tmp_path: Path) -> Host:
    """Put a service's repository on the forge."""

    def host(service: Service) -> Hosted:
        repo = forge.add_repo(NAME)
        service.git("push", "--quiet", str(repo.git_dir), "main")
        if "origin" not in service.git("remote").split():
            service.git("remote", "add", "origin", forge.git_url(NAME))
        clones = tmp_path / "clones"
        clones.mkdir()
        return Hosted(forge, service, clones)

    return host


@pytest.fixture
def pay(template: Template, create: Create, host: Host) -> Hosted:
    """A hosted service on 1.0.0 with an edit of its own, and a 1.1.0 that merges."""
    template.release("1.0.0", {"app.py": numbered(), "gone": "1\n"})
    template.release("1.1.0", {"app.py": numbered(changed=THEIRS), "gone": None, "new": "2\n"})
    service = create("1.0.0")
    service.commit({"app.py": numbered(changed={11: "ours"})})
    return host(service)


@pytest.fixture
def clashing(template: Template, create: Create, host: Host) -> Hosted:
    """A hosted service on 1.0.0 with an edit of its own, and a 1.1.0 that clashes with it."""
    template.release("1.0.0", {"app.py": numbered(), "b": "1\n"})
    template.release("1.1.0", {"app.py": numbered(changed=THEIRS), "b": "2\n"})
    service = create("1.0.0")
    service.commit({"app.py": numbered(changed=OURS)})
    return host(service)


# --- opened ------------------------------------------------------------------------------------


def test_a_pull_request_is_opened(pay: Hosted) -> None:
    with pay.service.untouched():
        run = pay.propose()
    assert run.code == 0, run.everything
    told, pull = run.json, pay.pull
    assert (told["status"], told["from"], told["to"]) == ("opened", "1.0.0", "1.1.0")
    url = f"{pay.forge.url}/{NAME}/pull/1"
    assert told["pull_request"] == {"number": 1, "url": url, "draft": False, "state": "open"}
    assert (told["branch"], told["base"], told["commit"]) == (BRANCH, "main", pay.tip())
    assert (pull.branch, pull.base, pull.draft) == (BRANCH, "main", False)
    assert pull.title == "chore: update from 1.0.0 to 1.1.0 of template"
    assert pay.read("app.py") == numbered(changed=THEIRS | {11: "ours"})
    assert run.outcomes == {"app.py": "merged", "gone": "deleted", "new": "added"} | {
        ".copier-answers.yml": "updated"
    }


def test_a_person_is_told_where_to_look(clashing: Hosted) -> None:
    said = idp("update-service", clashing.service.path, "--pr", "--yes").out.splitlines()
    assert "  ! conflict app.py" in said
    url = f"{clashing.forge.url}/{NAME}/pull/1"
    assert said[-1] == f"1.0.0 -> 1.1.0: 1 conflict to resolve, opened {url}"


def test_the_text_tells_what_the_releases_between_brought(pay: Hosted, template: Template) -> None:
    log = "# Changelog\n\n## [1.2.0]\n\n- drains\n\n## [1.0.0]\n\n- the first\n"
    template.release("1.2.0", {"CHANGELOG.md": log})
    pay.propose()
    assert "> ## [1.2.0]\n>\n> - drains\n\n###" in pay.pull.body
    assert "the first" not in pay.pull.body
    assert "| merged | `app.py` |" in pay.pull.body


def test_the_branch_holds_one_commit_that_vouches_for_itself(pay: Hosted) -> None:
    pay.propose()
    assert git(pay.git_dir, "rev-list", f"main..{BRANCH}").split() == [pay.tip()]
    tree = git(pay.git_dir, "rev-parse", f"{BRANCH}^{{tree}}").strip()
    title, trailer = pay.message().strip().split("\n\n")
    assert title == "chore: update from 1.0.0 to 1.1.0 of template"
    assert trailer == f"Idp-Update-Tree: {tree}"
    author = git(pay.git_dir, "log", "-1", "--format=%an <%ae>", BRANCH).strip()
    assert author == "Pat Tester <pat@example.com>"


def test_what_the_forge_has_counts_and_not_what_is_here(pay: Hosted) -> None:
    pay.service.commit({"app.py": "not pushed\n"})
    pay.service.write({"app.py": "not committed\n", "untracked": "x\n"})
    pay.service.git("checkout", "--quiet", "--detach")
    with pay.service.untouched():
        assert pay.propose().code == 0
    assert pay.read("app.py") == numbered(changed=THEIRS | {11: "ours"})


def test_what_others_pushed_is_in_it(pay: Hosted) -> None:
    head = pay.service.head
    pay.push_main({"other": "pushed\n"})
    pay.service.git("reset", "--quiet", "--hard", head)
    assert pay.propose().code == 0
    assert pay.read("other") == "pushed\n"


def test_a_shallow_clone_will_do(pay: Hosted, tmp_path: Path) -> None:
    clone = tmp_path / "ci"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{pay.git_dir}", str(clone))
    git(clone, "remote", "set-url", "origin", pay.forge.git_url(NAME))
    run = idp("update-service", clone, "--pr", "--yes", "--json")
    assert (run.code, run.json["status"]) == (0, "opened")


def test_what_is_printed_is_as_the_schema_says(pay: Hosted) -> None:
    schema = json.loads(SCHEMA.read_text())
    for status, version in (("opened", "1.1.0"), ("closed", "1.0.0"), ("up-to-date", "1.0.0")):
        told = pay.propose("--to", version).json
        jsonschema.validate(told, schema)
        assert told["status"] == status


def test_another_base(pay: Hosted) -> None:
    pay.service.git("push", "--quiet", str(pay.git_dir), "main:release")
    assert pay.propose("--base", "release").json["base"] == "release"
    assert pay.pull.base == "release"


def test_a_base_that_is_not_there(pay: Hosted) -> None:
    run = pay.propose("--base", "nowhere")
    assert run.code == 3
    assert f"{NAME} has no branch nowhere" in run.error["message"]


def test_it_asks_first(pay: Hosted) -> None:
    run = idp("update-service", pay.service.path, "--pr", "--json")
    assert (run.code, run.error["hint"]) == (2, "--yes")
    assert f"pushed: {NAME}:{BRANCH}\n" in run.err
    assert (pay.tip(), pay.forge.pulls) == ("", [])


def test_the_token_is_shown_nowhere(pay: Hosted, tmp_path: Path) -> None:
    url = pay.forge.git_url(NAME).replace("https://", f"https://x:{pay.forge.token}@")
    pay.service.git("remote", "set-url", "origin", url)
    pay.forge.fail("POST", "git-receive-pack", 403, times=3)
    run = pay.propose("--verbose")
    assert run.code == 4
    assert pay.forge.token not in run.everything


# --- a service in a folder, and another template beside it -------------------------------------


def test_services_in_folders_have_branches_of_their_own(
    template: Template, create: Create, host: Host, tmp_path: Path
) -> None:
    template.release("1.0.0", {"a": "1\n"})
    template.release("1.1.0", {"a": "2\n"})
    mono = tmp_path / "mono"
    mono.mkdir()
    git(mono, "init", "--quiet")
    for name in ("pay", "ship"):
        made = create("1.0.0", name=name)
        (made.path / ".git").rename(tmp_path / f"{name}.git")
        made.path.rename(mono / name)
    commit_all(mono, "two services")
    hosted = host(Service(mono / "pay", mono))
    for name in ("pay", "ship"):
        run = idp("update-service", mono / name, "--pr", "--yes", "--json")
        assert (run.code, run.json["status"]) == (0, "opened"), run.everything
    one, two = hosted.forge.pulls
    assert one.branch.startswith(f"{BRANCH}-pay-")
    assert two.branch.startswith(f"{BRANCH}-ship-")
    changed = git(hosted.git_dir, "diff", "--name-only", "main", one.branch).split()
    assert changed == ["pay/.copier-answers.yml", "pay/a"]
    assert "(pay)" in one.title
    assert idp("update-service", mono / "pay", "--pr", "--yes", "--json").json["status"] == (
        "unchanged"
    )


def test_a_template_with_answers_of_its_own_has_a_branch_of_its_own(
    template: Template, create: Create, host: Host
) -> None:
    template.write({"copier.yml": settings(answers_file=".copier-answers.ops.yml")})
    template.release("1.0.0", {"a": "1\n"})
    template.release("1.1.0", {"a": "2\n"})
    hosted = host(create("1.0.0"))
    assert hosted.propose().json["branch"].startswith(f"{BRANCH}-ops-")


# --- run again ---------------------------------------------------------------------------------


def test_run_again_it_changes_nothing(pay: Hosted) -> None:
    pay.propose()
    tip, pull = pay.tip(), pay.seen
    pay.forge.requests.clear()
    run = pay.propose()
    assert (run.code, run.json["status"], run.json["commit"]) == (0, "unchanged", tip)
    assert run.json["pull_request"]["number"] == 1
    assert (pay.tip(), pay.seen) == (tip, pull)
    assert [path for _, path in pay.forge.wrote() if "git-upload-pack" not in path] == []


def test_an_edit_of_the_text_stays(pay: Hosted) -> None:
    pay.propose()
    pay.pull.body = "Looked at by Pat.\n\n" + pay.pull.body.replace("- [ ]", "- [x]")
    body = pay.pull.body
    assert pay.propose().json["status"] == "unchanged"
    assert pay.pull.body == body


def test_work_on_the_base_elsewhere_moves_nothing(pay: Hosted) -> None:
    pay.propose()
    tip = pay.tip()
    pay.push_main({"other": "pushed\n"})
    assert pay.propose().json["status"] == "unchanged"
    assert pay.tip() == tip


def test_a_newer_release_updates_the_same_pull_request(pay: Hosted, template: Template) -> None:
    pay.propose()
    template.release("1.2.0", {"newer": "3\n"})
    run = pay.propose()
    assert (run.json["status"], run.json["to"]) == ("updated", "1.2.0")
    assert pay.pull.title == "chore: update from 1.0.0 to 1.2.0 of template"
    assert pay.read("newer") == "3\n"
    assert git(pay.git_dir, "rev-list", "--count", f"main..{BRANCH}").strip() == "1"


def test_once_it_is_merged_all_is_up_to_date(pay: Hosted) -> None:
    pay.propose()
    git(pay.git_dir, "update-ref", "refs/heads/main", pay.tip())
    pay.pull.state = "closed"
    run = pay.propose()
    assert (run.code, run.json["status"], run.json["pull_request"]) == (0, "up-to-date", None)


def test_what_has_become_needless_is_closed(pay: Hosted) -> None:
    pay.propose()
    pay.service.update("1.1.0", "--commit")
    pay.push_main({})
    run = pay.propose()
    assert (run.code, run.json["status"]) == (0, "closed")
    assert run.json["pull_request"]["state"] == "closed"
    assert (pay.pull.state, pay.tip()) == ("closed", "")


def test_a_draft_that_a_person_made_stays_one(pay: Hosted, template: Template) -> None:
    pay.propose()
    pay.pull.draft = True
    template.release("1.2.0", {"newer": "3\n"})
    assert pay.propose().json["status"] == "updated"
    assert pay.pull.draft


# --- a branch that a person has worked on ------------------------------------------------------


@pytest.mark.parametrize(
    "how", [(), ("--amend", "--no-edit")], ids=["a commit", "amended, the trailer kept"]
)
def test_what_a_person_pushed_is_left_alone(
    pay: Hosted, template: Template, how: tuple[str, ...]
) -> None:
    pay.propose()
    pay.person_pushes({"app.py": "by hand\n"}, *how)
    tip, pull = pay.tip(), pay.seen
    template.release("1.2.0", {"newer": "3\n"})
    run = pay.propose()
    assert (run.code, run.json["status"], run.json["commit"]) == (0, "left-alone", tip)
    assert (pay.tip(), pay.seen) == (tip, pull)
    said = idp("update-service", pay.service.path, "--pr", "--yes").out
    assert f"{pay.forge.url}/{NAME}/pull/1" in said
    assert f"git push origin --delete {BRANCH}" in said


def test_a_merge_of_the_base_makes_it_the_persons(pay: Hosted) -> None:
    pay.propose()
    pay.push_main({"other": "pushed\n"})
    clone = pay.elsewhere()
    git(clone, "merge", "--quiet", "--no-edit", "origin/main")
    git(clone, "push", "--quiet", "origin", BRANCH)
    assert pay.propose().json["status"] == "left-alone"


def test_a_branch_of_that_name_by_somebody_else_is_left_alone(pay: Hosted) -> None:
    git(pay.git_dir, "branch", BRANCH, "main")
    pay.person_pushes({"mine": "1\n"})
    run = pay.propose()
    assert (run.code, run.json["status"], run.json["pull_request"]) == (0, "left-alone", None)
    assert pay.forge.pulls == []


def test_a_deleted_branch_is_idps_again(pay: Hosted) -> None:
    pay.propose()
    pay.person_pushes({"app.py": "by hand\n"})
    assert pay.propose().json["status"] == "left-alone"
    pay.delete_branch()
    pay.pull.state = "closed"
    assert pay.propose().json["status"] == "opened"
    assert [pull.state for pull in pay.forge.pulls] == ["closed", "open"]


def test_what_a_person_pushes_in_between_is_not_overwritten(
    pay: Hosted, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay.propose()
    template.release("1.2.0", {"newer": "3\n"})
    clone = pay.elsewhere()
    theirs = commit_all(clone, "fix: at the last moment")
    slip_in(tmp_path, monkeypatch, f"git -C '{clone}' push --quiet origin HEAD")
    run = pay.propose()
    assert run.code == 5
    assert "in between" in run.error["message"]
    assert pay.tip() == theirs


def slip_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, before: str = "push"
) -> None:
    """Let a command be run right before idp's own `git push` begins, or another."""
    real = os.environ["PATH"]
    at = f'case " $* " in *" {before} "*) {command} ;; esac'
    script = f'#!/bin/sh\nPATH="{real}"\n{at}\nexec git "$@"\n'
    build_tree(tmp_path / "bin", {"git": Script(script)})
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{real}")


# --- a pull request that was closed ------------------------------------------------------------


@pytest.mark.parametrize("branch", ["kept", "deleted"])
def test_what_a_person_closed_stays_closed(pay: Hosted, branch: str) -> None:
    pay.propose()
    pay.pull.state = "closed"
    if branch == "deleted":
        pay.delete_branch()
    tip, pull = pay.tip(), pay.seen
    run = pay.propose()
    assert (run.code, run.json["status"], run.json["commit"]) == (0, "left-alone", tip)
    assert (run.json["pull_request"]["number"], run.json["pull_request"]["state"]) == (1, "closed")
    assert (pay.tip(), pay.seen) == (tip, pull)
    said = idp("update-service", pay.service.path, "--pr", "--yes").out
    assert said.startswith(f"left alone: somebody closed {pay.forge.url}/{NAME}/pull/1\n")
    assert "reopen it" in said


def test_work_on_the_base_does_not_bring_it_back(pay: Hosted) -> None:
    pay.propose()
    pay.pull.state = "closed"
    pay.push_main({"app.py": numbered(changed=OURS)})
    assert (pay.propose().json["status"], len(pay.forge.pulls)) == ("left-alone", 1)


def test_a_newer_release_opens_a_new_one(pay: Hosted, template: Template) -> None:
    pay.propose()
    pay.pull.state = "closed"
    template.release("1.2.0", {"newer": "3\n"})
    run = pay.propose()
    assert (run.code, run.json["status"], run.json["to"]) == (0, "opened", "1.2.0")
    assert [pull.state for pull in pay.forge.pulls] == ["closed", "open"]


def test_other_answers_open_a_new_one(template: Template, create: Create, host: Host) -> None:
    template.release("1.0.0", {"a": "1\n"})
    template.release("1.1.0", {"a": "2\n"})
    hosted = host(create("1.0.0"))
    hosted.propose()
    hosted.pull.state = "closed"
    assert hosted.propose().json["status"] == "left-alone"
    assert hosted.propose("--data", "name=till").json["status"] == "opened"


def test_another_base_opens_a_new_one(pay: Hosted) -> None:
    pay.propose()
    pay.pull.state = "closed"
    pay.service.git("push", "--quiet", str(pay.git_dir), "main:release")
    assert pay.propose("--base", "release").json["status"] == "opened"


def test_reopened_it_goes_on(pay: Hosted, template: Template) -> None:
    pay.propose()
    pay.pull.state = "closed"
    assert pay.propose().json["status"] == "left-alone"
    pay.pull.state = "open"
    assert pay.propose().json["status"] == "unchanged"
    template.release("1.2.0", {"newer": "3\n"})
    assert pay.propose().json["status"] == "updated"


def test_without_its_mark_a_closed_one_counts_no_more(pay: Hosted) -> None:
    pay.propose()
    pay.pull.state = "closed"
    pay.pull.body = pay.pull.body.partition("<!-- idp-update-service")[0]
    assert pay.propose().json["status"] == "opened"


def test_what_was_merged_and_taken_back_is_opened_again(pay: Hosted) -> None:
    pay.propose()
    pay.pull.state, pay.pull.merged_at = "closed", "2026-11-23T13:00:00Z"
    assert pay.propose().json["status"] == "opened"


def test_what_idp_closed_is_opened_again_when_it_is_needed_again(pay: Hosted) -> None:
    before = pay.service.head
    pay.propose()
    pay.service.update("1.1.0", "--commit")
    pay.push_main({})
    assert pay.propose().json["status"] == "closed"
    assert "nothing is left of this update" in pay.pull.body
    git(pay.git_dir, "update-ref", "refs/heads/main", before)
    assert pay.propose().json["status"] == "opened"
    assert [pull.state for pull in pay.forge.pulls] == ["closed", "open"]


# --- conflicts ---------------------------------------------------------------------------------


def test_conflicts_open_a_draft_with_marks_and_a_list(clashing: Hosted) -> None:
    with clashing.service.untouched():
        run = clashing.propose()
    assert (run.code, run.json["status"]) == (7, "opened")
    assert run.json["pull_request"]["draft"]
    assert clashing.pull.draft
    assert "<<<<<<< yours\nours\n" in clashing.read("app.py")
    assert ">>>>>>> template-1.1.0\n" in clashing.read("app.py")
    assert clashing.read("b") == "2\n"
    assert "- [ ] `app.py`: you and template 1.1.0 changed the same lines" in clashing.pull.body
    again = clashing.propose()
    assert (again.code, again.json["status"]) == (7, "unchanged")


def test_where_no_marks_fit_yours_is_kept_and_said_so(
    template: Template, create: Create, host: Host
) -> None:
    template.write({"copier.yml": settings(preserve_symlinks=True)})
    template.release("1.0.0", {"logo": b"\0one", "old.py": "1\n", "link": Link("a")})
    template.release("1.1.0", {"logo": b"\0theirs", "old.py": None, "link": Link("@acme/b")})
    service = create("1.0.0")
    service.commit({"logo": b"\0ours", "old.py": "1\nours\n", "link": Link("c")})
    hosted = host(service)
    assert hosted.propose().code == 7
    kept = [hosted.read(name) for name in ("logo", "old.py", "link")]
    assert kept == ["\0ours", "1\nours\n", "c"]
    body = hosted.pull.body
    assert "- [ ] `logo`: both changed it and no marks fit in: yours is kept" in body
    assert "template 1.1.0 has 7 bytes" in body
    assert "template 1.1.0 has a link to `@acme/b`" in body
    assert "- [ ] `old.py`: you changed it, template 1.1.0 deletes or moves it" in body


def test_a_draft_becomes_ready_once_the_conflicts_are_gone(clashing: Hosted) -> None:
    clashing.propose()
    clashing.push_main({"app.py": numbered()})
    run = clashing.propose()
    assert (run.code, run.json["status"]) == (0, "updated")
    assert not clashing.pull.draft
    assert "To resolve" not in clashing.pull.body
    assert clashing.propose().json["status"] == "unchanged"


def test_a_ready_one_becomes_a_draft_when_conflicts_come(pay: Hosted) -> None:
    pay.propose()
    pay.push_main({"app.py": numbered(changed=OURS)})
    assert pay.propose().code == 7
    assert pay.pull.draft


def test_where_a_forge_has_no_drafts_it_is_opened_all_the_same(clashing: Hosted) -> None:
    said = {"message": "Draft pull requests are not supported in this repository."}
    clashing.forge.fail("POST", "/pulls", Answer(422, said))
    run = clashing.propose()
    assert (run.code, run.json["status"], run.json["pull_request"]["draft"]) == (7, "opened", False)
    assert clashing.propose().json["status"] == "unchanged"


def test_commands_that_wait_for_conflicts_are_named(
    template: Template, create: Create, host: Host
) -> None:
    template.release("1.0.0", {"app.py": numbered()})
    config = settings(tasks=["echo done > made"])
    template.release("1.1.0", {"app.py": numbered(changed=THEIRS), "copier.yml": config})
    service = create("1.0.0", "--trust")
    service.commit({"app.py": numbered(changed=OURS)})
    hosted = host(service)
    assert hosted.propose("--trust").code == 7
    assert "wait until the conflicts are resolved" in hosted.pull.body
    assert "  - `echo done > made`" in hosted.pull.body


def test_what_an_untrusted_template_may_not_do_is_named(
    template: Template, create: Create, host: Host
) -> None:
    template.release("1.0.0", {"a": "1\n"})
    template.release("1.1.0", {"a": "2\n", "copier.yml": settings(tasks=["echo > made"])})
    hosted = host(create("1.0.0"))
    run = hosted.propose()
    assert run.code == 0
    assert "were not run: the template is not trusted" in hosted.pull.body
    assert hosted.propose("--trust").json["status"] == "updated"
    assert hosted.read("made") == "\n"


# --- what goes wrong ---------------------------------------------------------------------------


def test_killed_between_push_and_pull_request(pay: Hosted) -> None:
    pay.forge.fail("GET", r"/pulls\?", Answer(200, []), times=2)
    pay.forge.fail("GET", r"/pulls\?", "slow")
    process = idp_process("update-service", pay.service.path, "--pr", "--yes")
    assert pay.forge.reached.wait(60)
    process.kill()
    process.communicate()
    pay.forge.go.set()
    tip = pay.tip()
    assert tip
    assert pay.forge.pulls == []
    assert pay.propose().json["status"] == "opened"
    assert (pay.tip(), len(pay.forge.pulls)) == (tip, 1)


@pytest.mark.parametrize("how", [500, "reset", "lost", "truncated"])
def test_a_request_that_fails_once_is_made_once(pay: Hosted, how: How | int) -> None:
    pay.forge.fail("POST", "/pulls", how)
    run = pay.propose()
    assert run.code == 0, run.everything
    assert len(pay.forge.pulls) == 1


def test_a_push_whose_answer_was_lost(pay: Hosted) -> None:
    pay.forge.fail("POST", "git-receive-pack", "lost")
    run = pay.propose()
    assert (run.code, run.json["status"]) == (0, "opened"), run.everything
    assert pay.tip() == run.json["commit"]


def test_a_forge_that_is_down_leaves_what_the_next_run_finishes(pay: Hosted) -> None:
    pay.forge.fail("POST", "/pulls", 422, times=99)
    assert pay.propose().code == 3
    assert (bool(pay.tip()), pay.forge.pulls) == (True, [])
    pay.forge.failures.clear()
    assert pay.propose().json["status"] == "opened"


def test_without_a_token_it_says_how_to_log_in(
    pay: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    run = pay.propose()
    assert run.code == 4
    assert run.error["hint"] == f"idp auth login {pay.forge.host}"
    assert pay.forge.requests == []


def test_a_token_that_may_not_is_told_before_anything_is_pushed(pay: Hosted) -> None:
    pay.forge.scopes = "public_repo"
    run = pay.propose()
    assert run.code == 4
    assert run.error["message"].endswith("lacks the scopes repo")
    assert (pay.tip(), pay.forge.pulls) == ("", [])


def test_workflow_files_need_a_scope_of_their_own(pay: Hosted, template: Template) -> None:
    pay.forge.scopes = "repo"
    assert pay.propose().code == 0
    template.release("1.2.0", {".github/workflows/ci.yml": "name: CI\n"})
    assert pay.propose().error["message"].endswith("lacks the scopes workflow")


def test_an_archived_repository_is_refused(pay: Hosted) -> None:
    pay.forge.repos[NAME].archived = True
    run = pay.propose()
    assert (run.code, run.error["message"]) == (5, f"{NAME} is archived")


def test_a_push_that_the_forge_refuses(pay: Hosted) -> None:
    said = "refusing to allow an app to update workflow `ci.yml` without `workflows`"
    hook = f"#!/bin/sh\necho '{said}'\nexit 1\n"
    build_tree(pay.git_dir / "hooks", {"pre-receive": Script(hook)})
    run = pay.propose()
    assert run.code == 4
    assert "workflow" in run.error["message"]
    assert pay.forge.pulls == []


def test_a_folder_is_no_forge(pay: Hosted) -> None:
    pay.service.git("remote", "set-url", "origin", str(pay.git_dir))
    run = pay.propose()
    assert (run.code, run.error["code"]) == (3, "invalid")
    pay.service.git("remote", "remove", "origin")
    assert "no remote" in pay.propose().error["message"]


def test_a_service_that_is_not_on_the_forge_yet(pay: Hosted) -> None:
    (pay.service.path / "sub").mkdir()
    run = idp("update-service", pay.service.path / "sub", "--pr", "--yes", "--json")
    assert run.code == 3
    assert run.error["message"].startswith(f"{NAME}@main/sub has no .copier-answers.yml")


# --- --dry-run ---------------------------------------------------------------------------------


def test_a_dry_run_asks_nobody_and_shows_the_text(
    pay: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    pay.service.git("update-ref", "refs/remotes/origin/main", "HEAD")
    with pay.service.untouched():
        run = idp("update-service", pay.service.path, "--pr", "--dry-run", "--json")
    assert (run.code, run.json["status"], run.json["pull_request"]) == (0, "opened", None)
    assert pay.forge.requests == []
    assert "Brings this service from `1.0.0` to `1.1.0`" in run.json["body"]
    said = idp("update-service", pay.service.path, "--pr", "--dry-run").out
    assert run.json["body"] in said


def test_a_dry_run_in_a_shallow_clone_says_what_is_cut_off(pay: Hosted, tmp_path: Path) -> None:
    clone = tmp_path / "ci"
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{pay.git_dir}", str(clone))
    git(clone, "remote", "set-url", "origin", pay.forge.git_url(NAME))
    run = idp("update-service", clone, "--pr", "--dry-run", "--json")
    assert (run.code, run.error["hint"]) == (3, "run `git fetch --unshallow`")


def test_a_dry_run_knows_what_the_clone_knows(pay: Hosted) -> None:
    run = idp("update-service", pay.service.path, "--pr", "--dry-run", "--json")
    assert run.code == 3
    assert "git remote set-head origin --auto" in run.error["hint"]
    pay.propose()
    pay.service.git("fetch", "--quiet", str(pay.git_dir), "+refs/heads/*:refs/remotes/origin/*")
    dry = idp("update-service", pay.service.path, "--pr", "--dry-run", "--json")
    assert (dry.code, dry.json["status"]) == (0, "unchanged")


# --- the call ----------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["--commit", "--branch=x", "--status", "--heal=a", "--abort"])
def test_it_goes_with_no_other_way(pay: Hosted, other: str) -> None:
    assert pay.propose(other).code == 2


def test_a_base_is_for_pull_requests(pay: Hosted) -> None:
    assert pay.service.update("1.1.0", "--base", "main").code == 2
    assert pay.propose("--base", "").code == 2
