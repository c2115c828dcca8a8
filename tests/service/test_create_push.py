"""`idp create-service --push`: a repository on the forge, set up; cut short, run it again."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ..forge.standin import Answer, How, StandIn
from .stories import Run, Service, Template, commit_all, git, idp, idp_process

QUESTIONS = """\
name: {type: str}
owner: {type: str, default: payments}
description: {type: str, default: Takes money.}
repository: {type: str, default: ""}
"""
SETTINGS = """\
  visibility: private
  topics: [golden-path]
  teams: {platform: admin}
  protection: {reviews: 2, checks: [Lint and test]}
"""
TEAMS = {"payments": "maintain", "platform": "admin"}


@pytest.fixture(autouse=True)
def golden(template: Template, forge: StandIn, tmp_path: Path) -> Template:
    """A template that asks for a repository, and a platform that says how one is set up."""
    platform = tmp_path / "idp-platform.yaml"
    platform.write_text(platform.read_text() + SETTINGS)
    files = {"copier.yml": QUESTIONS, "README.md.jinja": "# {{ name }}\n{{ repository }}\n"}
    template.release("v1", files)
    return template


@pytest.fixture
def pay(tmp_path: Path) -> Service:
    """The service that is to be."""
    return Service(tmp_path / "services/pay")


def words(pay: Service, *options: str) -> tuple[str, ...]:
    source = str(pay.path.parent.parent / "template")
    made = ("create-service", "pay", "--template", source, "--dest", str(pay.path), "--defaults")
    return (*made, "--push", "--yes", "--json", *options)


def push(pay: Service, *options: str) -> Run:
    return idp(*words(pay, *options))


def is_whole(pay: Service, forge: StandIn, name: str = "acme/pay") -> bool:
    """Hold that the service and its repository are as they shall be."""
    repo = forge.repos[name]
    assert pay.git("rev-list", "--count", "--all").strip() == "1"
    assert repo.head("main") == pay.head
    assert pay.git("rev-parse", "origin/main").strip() == pay.head
    assert pay.git("config", "remote.origin.url").strip() == forge.git_url(name)
    assert repo.topics == ["golden-path"]
    assert repo.teams == TEAMS
    assert (
        repo.protection["main"]["required_pull_request_reviews"]["required_approving_review_count"]
        == 2
    )
    return list(forge.repos) == [name]


def nothing_at(pay: Service) -> bool:
    """Tell whether neither the service nor a trace of it is there."""
    beside = pay.path.parent
    return not beside.exists() or not list(beside.iterdir())


# --- the whole way ------------------------------------------------------------------------------


def test_a_service_gets_its_repository(pay: Service, forge: StandIn) -> None:
    run = push(pay)
    assert run.code == 0, run.everything
    assert is_whole(pay, forge)
    made = run.json
    assert (made["url"], made["not_done"]) == (f"{forge.url}/acme/pay", [])
    assert made["commit"] == pay.head
    repo = forge.repos["acme/pay"]
    assert (repo.visibility, repo.description) == ("private", "Takes money.")


def test_the_template_is_told_where_the_repository_is(pay: Service, forge: StandIn) -> None:
    assert push(pay).code == 0
    assert pay.read("README.md") == f"# pay\n{forge.url}/acme/pay\n"
    assert pay.answers["repository"] == f"{forge.url}/acme/pay"


def test_an_answer_of_ones_own_is_kept(pay: Service, forge: StandIn) -> None:
    assert push(pay, "--data", "repository=https://example.com/x/y").code == 0
    assert pay.answers["repository"] == "https://example.com/x/y"


def test_the_team_that_owns_it_gets_its_role(pay: Service, forge: StandIn) -> None:
    forge.teams.add("billing")
    assert push(pay, "--owner", "billing").code == 0
    assert forge.repos["acme/pay"].teams == {"billing": "maintain", "platform": "admin"}


def test_a_template_that_asks_no_owner_has_one_too(
    pay: Service, forge: StandIn, template: Template
) -> None:
    template.release("v2", {"copier.yml": "name: {type: str}\n"})
    forge.fail("POST", "git-receive-pack", 500, times=2)
    hint = push(pay, "--owner", "payments").error["hint"]
    forge.failures.clear()
    assert idp(*hint.split("`")[1].split()[1:], "--yes").code == 0
    assert forge.repos["acme/pay"].teams == TEAMS


def test_a_person_reads_what_will_be_and_where_it_is(pay: Service, forge: StandIn) -> None:
    told = [word for word in words(pay) if word not in ("--json", "--yes")]
    run = idp(*told)
    assert run.code == 2
    assert f"created: {forge.url}/acme/pay (private)" in run.err
    assert "granted: maintain to payments" in run.err
    assert forge.wrote() == []
    assert nothing_at(pay)
    run = idp(*told, "--yes")
    assert f"at {forge.url}/acme/pay" in run.out


def test_a_repository_of_another_name(pay: Service, forge: StandIn) -> None:
    assert push(pay, "--repo", "acme/payments").code == 0
    assert is_whole(pay, forge, "acme/payments")


def test_a_persons_own_account_has_no_teams(pay: Service, forge: StandIn) -> None:
    assert push(pay, "--repo", "pat/pay").code == 0
    assert forge.repos["pat/pay"].teams == {}
    assert forge.repos["pat/pay"].head("main") == pay.head


def test_without_an_owner_it_is_the_accounts_own(
    pay: Service, forge: StandIn, tmp_path: Path
) -> None:
    platform = tmp_path / "idp-platform.yaml"
    platform.write_text(platform.read_text().replace("  owner: acme\n", ""))
    assert push(pay).json["url"] == f"{forge.url}/pat/pay"


def test_an_empty_repository_is_filled(pay: Service, forge: StandIn) -> None:
    forge.add_repo("acme/pay", topics=["mine"])
    assert push(pay).code == 0
    assert forge.repos["acme/pay"].head("main") == pay.head
    assert forge.repos["acme/pay"].topics == ["mine", "golden-path"]


def test_again_changes_nothing(pay: Service, forge: StandIn) -> None:
    first = push(pay)
    with pay.untouched():
        again = push(pay)
    assert (again.code, again.json) == (0, first.json)
    assert is_whole(pay, forge)


def test_a_dry_run_asks_the_forge_nothing(
    pay: Service, forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    run = push(pay, "--dry-run")
    assert run.code == 0, run.everything
    assert run.json["url"] == f"{forge.url}/acme/pay"
    assert nothing_at(pay)
    assert forge.requests == []
    text = idp(*(word for word in words(pay, "--dry-run") if word != "--json")).out
    assert f"created: {forge.url}/acme/pay (private)" in text
    assert "protected: main" in text


def test_a_protection_that_the_plan_lacks_is_told(pay: Service, forge: StandIn) -> None:
    said = {"message": "Upgrade to GitHub Pro or make this repository public."}
    forge.fail("PUT", "/protection", Answer(403, said))
    run = push(pay)
    assert run.code == 0, run.everything
    assert [left["what"] for left in run.json["not_done"]] == ["protection of main"]
    assert "protection of main" in run.err


# --- what is refused ----------------------------------------------------------------------------


def test_a_repository_with_commits_is_not_touched(
    pay: Service, forge: StandIn, tmp_path: Path
) -> None:
    theirs = filled(forge, "acme/pay", tmp_path)
    run = push(pay)
    assert run.code == 5
    assert "git clone" in run.error["hint"]
    assert forge.repos["acme/pay"].head("main") == theirs
    assert forge.wrote() == []
    assert nothing_at(pay)


def filled(forge: StandIn, name: str, tmp_path: Path, branch: str = "main") -> str:
    """Make a repository with a commit of somebody else's."""
    repo, work = forge.add_repo(name), tmp_path / "theirs"
    git(tmp_path, "init", "--quiet", f"--initial-branch={branch}", str(work))
    commit = commit_all(work, "theirs")
    git(work, "push", "--quiet", str(repo.git_dir), branch)
    return commit


def test_a_repository_with_another_branch_is_not_touched(
    pay: Service, forge: StandIn, tmp_path: Path
) -> None:
    filled(forge, "acme/pay", tmp_path, "master")
    assert push(pay).code == 5
    assert nothing_at(pay)


def test_private_code_goes_to_no_public_repository(pay: Service, forge: StandIn) -> None:
    forge.add_repo("acme/pay", visibility="public")
    run = push(pay)
    assert run.code == 5
    assert "public" in run.error["message"]
    assert nothing_at(pay)
    assert forge.repos["acme/pay"].branches() == {}


def test_an_archived_repository_is_refused(pay: Service, forge: StandIn) -> None:
    forge.add_repo("acme/pay", archived=True)
    assert push(pay).code == 5
    assert nothing_at(pay)


def test_without_a_login_nothing_is_made(
    pay: Service, forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    run = push(pay)
    assert (run.code, forge.requests) == (4, [])
    assert f"idp auth login {forge.host}" in run.error["hint"]
    assert nothing_at(pay)


def test_a_token_that_is_refused_comes_with_what_brings_another(
    pay: Service, forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "ghp_old")
    run = push(pay)
    hint = f"unset GH_ENTERPRISE_TOKEN && idp auth login {forge.host}"
    assert (run.code, run.error["hint"]) == (4, hint)


def test_a_token_that_may_not_is_told_so_first(pay: Service, forge: StandIn) -> None:
    forge.scopes = "repo"
    run = push(pay)
    assert run.code == 4
    assert "workflow" in run.error["message"]
    assert forge.wrote() == []
    assert nothing_at(pay)


@pytest.mark.parametrize(
    "options",
    [
        ("--remote", "https://example.com/x.git"),
        ("--repo", "pay"),
        ("--repo", "a/b/c"),
        ("--repo", "-a/b"),
        ("--repo", ""),
    ],
)
def test_a_call_that_is_off(pay: Service, forge: StandIn, options: tuple[str, ...]) -> None:
    assert push(pay, *options).code == 2
    assert forge.requests == []


def test_an_owner_that_is_none_is_told_with_its_place(
    pay: Service, forge: StandIn, tmp_path: Path
) -> None:
    platform = tmp_path / "idp-platform.yaml"
    platform.write_text(platform.read_text().replace("owner: acme", "owner: ../user?x="))
    run = push(pay)
    assert (run.code, "forge.owner of the platform file" in run.error["message"]) == (3, True)
    assert forge.requests == []


def test_a_platform_without_templates_says_so(forge: StandIn) -> None:
    assert "types: none" in idp("create-service", "pay", "--type", "python-api").err


def test_push_and_into_exclude_each_other(pay: Service, forge: StandIn, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "mono")
    made = ("create-service", "pay", "--template", tmp_path / "template", "--defaults")
    assert idp(*made, "--into", tmp_path / "mono", "--push").code == 2
    assert idp(*made, "--repo", "acme/pay").code == 2


@pytest.mark.parametrize("there", ["a file", "a repository", "another service", "no remote"])
def test_what_is_in_its_place_is_not_ours(
    pay: Service, forge: StandIn, tmp_path: Path, there: str
) -> None:
    pay.path.mkdir(parents=True)
    match there:
        case "a file":
            pay.write({"mine.txt": "mine\n"})
        case "a repository":
            git(pay.path, "init", "--quiet")
            pay.commit({"mine.txt": "mine\n"})
        case "another service" | "no remote":
            name = "pay" if there == "no remote" else "other"
            made = ("--template", tmp_path / "template", "--dest", pay.path, "--defaults")
            assert idp("create-service", name, *made).code == 0
    run = push(pay)
    assert run.code == 5
    assert forge.wrote() == []
    if there == "no remote":
        git(pay.path, *run.error["hint"].split()[3:])
        assert push(pay).code == 0
        assert forge.repos["acme/pay"].head("main") == pay.head


def test_a_service_of_another_template_is_not_ours(
    pay: Service, forge: StandIn, tmp_path: Path
) -> None:
    assert push(pay).code == 0
    other = Template(tmp_path / "other")
    other.release("v1", {"a": "a\n"})
    run = idp(*(str(other.path) if w == str(tmp_path / "template") else w for w in words(pay)))
    assert run.code == 5
    assert "made from" in run.error["message"]


def test_a_remote_that_only_ends_like_its_repository_is_another(
    pay: Service, forge: StandIn
) -> None:
    assert push(pay).code == 0
    pay.git("remote", "set-url", "origin", forge.git_url("old/acme/pay"))
    run = push(pay)
    assert (run.code, "old/acme/pay" in run.error["message"]) == (5, True)


def test_a_service_that_is_published_elsewhere(pay: Service, forge: StandIn) -> None:
    assert push(pay).code == 0
    run = push(pay, "--repo", "acme/other")
    assert run.code == 5
    assert "acme/other" not in forge.repos
    assert "--repo acme/pay" in run.error["hint"]


# --- each step failing, and running it again ----------------------------------------------------

STEPS = {
    "make": ("POST", "/orgs/acme/repos$"),
    "push": ("POST", "git-receive-pack"),
    "topics": ("PUT", "/topics$"),
    "team": ("PUT", "/teams/payments/"),
    "other team": ("PUT", "/teams/platform/"),
    "protection": ("PUT", "/protection$"),
}
OF_REST = [step for step in STEPS if step != "push"]


@pytest.mark.parametrize(
    ("step", "how"),
    [
        *((step, how) for step in OF_REST for how in ("lost", 502)),
        ("make", "reset"),
        ("make", "truncated"),
    ],
)
def test_one_hiccup_is_got_over(pay: Service, forge: StandIn, step: str, how: How | int) -> None:
    forge.fail(*STEPS[step], how)
    run = push(pay)
    assert run.code == 0, run.everything
    assert is_whole(pay, forge)


@pytest.mark.parametrize("how", [500, "reset", "lost"])
def test_a_push_that_fails_is_finished_by_the_next_run(
    pay: Service, forge: StandIn, how: How | int
) -> None:
    forge.fail(*STEPS["push"], how, times=2)
    run = push(pay)
    assert run.code == 6, run.everything
    assert f"the service is in {pay.path}" in run.error["details"]
    assert f"{forge.url}/acme/pay is there, and empty" in run.error["details"]
    assert f"`gh repo delete {forge.host}/acme/pay`" in run.error["hint"]
    forge.failures.clear()
    assert push(pay).code == 0
    assert is_whole(pay, forge)


@pytest.mark.parametrize("step", ["make", "topics", "team", "protection"])
def test_what_is_not_allowed_is_named_and_finished_later(
    pay: Service, forge: StandIn, step: str
) -> None:
    forge.fail(*STEPS[step], Answer(403, {"message": "Must have admin rights."}))
    run = push(pay)
    assert run.code == 4, run.everything
    assert "Must have admin rights." in run.error["message"]
    if step == "make":
        assert f"nothing is at {forge.url}/acme/pay" in run.error["details"]
        assert nothing_at(pay)
    else:
        assert f"{forge.url}/acme/pay is there, with main" in run.error["details"]
        others = [s for s in OF_REST if s not in ("make", step)]
        assert all(any(wrote(forge, s)) for s in others), "the other settings are made"
    assert push(pay).code == 0
    assert is_whole(pay, forge)


def wrote(forge: StandIn, step: str) -> list[tuple[str, str]]:
    method, end = STEPS[step]
    return [(m, p) for m, p in forge.wrote() if m == method and end.rstrip("$") in p]


def test_a_team_that_is_not_there_is_named(pay: Service, forge: StandIn) -> None:
    run = push(pay, "--owner", "nobody")
    assert (run.code, "no team nobody in acme" in run.error["message"]) == (3, True)
    assert forge.wrote() == []
    assert nothing_at(pay)


def test_a_team_that_has_gone_meanwhile_is_named(pay: Service, forge: StandIn) -> None:
    forge.fail("PUT", "/teams/payments/", 404)
    run = push(pay)
    assert run.code == 3
    assert "access of the team payments" in run.error["message"]
    assert forge.repos["acme/pay"].protection.keys() == {"main"}
    assert push(pay).code == 0
    assert is_whole(pay, forge)


def test_the_command_that_it_names_finishes(pay: Service, forge: StandIn) -> None:
    forge.fail(*STEPS["push"], 500, times=2)
    hint = push(pay, "--repo", "acme/payments").error["hint"]
    forge.failures.clear()
    program, *rest = hint.split("`")[1].split()
    assert program == "idp"
    assert idp(*rest, "--yes").code == 0
    assert is_whole(pay, forge, "acme/payments")


def test_the_command_that_it_names_is_for_the_same_platform(
    pay: Service, forge: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = os.environ["IDP_PLATFORM"]
    monkeypatch.delenv("IDP_PLATFORM")
    forge.fail(*STEPS["push"], 500, times=2)
    hint = push(pay, "--platform", named).error["hint"]
    forge.failures.clear()
    assert idp(*hint.split("`")[1].split()[1:], "--yes").code == 0
    assert is_whole(pay, forge)


def test_an_empty_one_that_may_be_anothers_is_not_to_be_deleted(
    pay: Service, forge: StandIn
) -> None:
    forge.add_repo("acme/pay")
    forge.fail(*STEPS["push"], 500, times=2)
    assert "delete" not in push(pay).error["hint"]


def test_a_server_that_stays_down(pay: Service, forge: StandIn) -> None:
    forge.fail("PUT", "/topics$", Answer(503, {"message": "down"}, {"Retry-After": "3600"}))
    run = push(pay)
    assert run.code == 6
    assert run.error["retryable"]
    assert not wrote(forge, "team"), "nothing more is asked of it"


def test_work_done_meanwhile_is_no_obstacle(pay: Service, forge: StandIn) -> None:
    forge.fail(*STEPS["team"], Answer(403, {"message": "no"}))
    assert push(pay).code == 4
    ours = pay.commit({"more.txt": "more\n"})
    pay.git("push", "--quiet", str(forge.repos["acme/pay"].git_dir), "main")
    assert push(pay).code == 0
    assert forge.repos["acme/pay"].head("main") == ours
    assert forge.repos["acme/pay"].teams == TEAMS


def test_what_others_pushed_is_pulled_first(pay: Service, forge: StandIn, tmp_path: Path) -> None:
    forge.fail(*STEPS["team"], Answer(403, {"message": "no"}))
    assert push(pay).code == 4
    bare = forge.repos["acme/pay"].git_dir
    git(tmp_path, "clone", "--quiet", str(bare), "colleague")
    commit_all(tmp_path / "colleague", "theirs")
    git(tmp_path / "colleague", "push", "--quiet", "origin", "main")
    run = push(pay)
    assert run.code == 5
    assert "pull" in run.error["hint"]
    pay.git("pull", "--quiet", str(bare), "main")
    assert push(pay).code == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("step", STEPS)
def test_stopped_at_any_step_the_next_run_finishes(
    pay: Service, forge: StandIn, step: str, how: signal.Signals
) -> None:
    forge.fail(*STEPS[step], "slow")
    process = idp_process(*words(pay))
    assert forge.reached.wait(60), "it never came to this step"
    os.killpg(process.pid, how)
    _, err = process.communicate(timeout=60)
    forge.go.set()
    if how == signal.SIGINT:
        assert process.returncode == 130, err
        local = "nothing is in" if step == "make" else "the service is in"
        assert f"{local} {pay.path}" in err.decode()
        assert f"{forge.url}/acme/pay is there" in err.decode()
    run = push(pay)
    assert run.code == 0, run.everything
    assert is_whole(pay, forge)
    assert [path.name for path in pay.path.parent.iterdir()] == ["pay"]


# --- the token ----------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", [False, True])
def test_the_token_is_nowhere(pay: Service, forge: StandIn, tmp_path: Path, fails: bool) -> None:
    if fails:
        forge.fail(*STEPS["push"], 500, times=2)
    process = idp_process(*words(pay, "--debug", "--verbose"))
    out, err = process.communicate(timeout=60)
    assert process.returncode == (6 if fails else 0)
    assert forge.token.encode() not in out + err
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.name == "config" for path in kept)
    assert [path for path in kept if forge.token.encode() in path.read_bytes()] == []


def test_the_token_is_in_no_argument(pay: Service, forge: StandIn, tmp_path: Path) -> None:
    forge.fail(*STEPS["push"], "slow")
    process = idp_process(*words(pay))
    assert forge.reached.wait(60)
    found = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if readable(path)]
    forge.go.set()
    process.communicate(timeout=60)
    assert any(b"git-remote-https" in argv or b"send-pack" in argv for argv in found)
    assert [argv for argv in found if forge.token.encode() in argv] == []


def readable(path: Path) -> bool:
    try:
        return bool(path.read_bytes())
    except OSError:
        return False


def test_the_users_helper_is_told_nothing(pay: Service, forge: StandIn, home: Path) -> None:
    kept = home / "credentials"
    with (home / ".gitconfig").open("a") as config:
        config.write(f"[credential]\n\thelper = store --file {kept}\n")
    assert push(pay).code == 0
    assert not kept.exists()
