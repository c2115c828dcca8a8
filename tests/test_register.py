"""`idp catalog register`: a line in the platform file, or a pull request with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from .catalog.stories import component
from .forge.conftest import forge as forge
from .forge.conftest import forge_keys as forge_keys
from .forge.standin import Pull, Repo, StandIn
from .service.stories import Files, Run, build_tree, commit_all, difference, fingerprint, git, idp

PLATFORM = "version: 1\nname: acme # ours\n"
SECTION = "\ncatalog:\n  sources:\n    - https://github.com/acme/pay.git\n"
WEB = component("web")
LISTED = "version: 1\ncatalog:\n  sources:\n{}"


@dataclass(frozen=True)
class Clone:
    """A clone that somebody stands in."""

    path: Path

    def commit(self, files: Files) -> None:
        build_tree(self.path, files)
        commit_all(self.path, "a change")

    def register(self, platform: str | Path, *options: str | Path) -> Run:
        return idp("-C", self.path, "--platform", platform, "catalog", "register", *options)


def clone_of(path: Path, origin: str, files: Files) -> Clone:
    git(path.parent, "init", "--quiet", str(path))
    git(path, "remote", "add", "origin", origin)
    made = Clone(path)
    made.commit(files)
    return made


@pytest.fixture
def pay(tmp_path: Path) -> Clone:
    files = {"catalog-info.yaml": component("pay")}
    return clone_of(tmp_path / "pay", "git@github.com:acme/pay.git", files)


@pytest.fixture
def platform(tmp_path: Path) -> Path:
    """A platform file in a git work tree on this machine."""
    url = "https://github.com/acme/platform.git"
    return clone_of(tmp_path / "platform", url, {"idp-platform.yaml": PLATFORM}).path


def listing(platform: Path, *sources: str) -> Path:
    """Let the platform file have these sources."""
    lines = "".join(f"    - {source}\n" for source in sources)
    (platform / "idp-platform.yaml").write_text(LISTED.format(lines))
    commit_all(platform, "sources")
    return platform


# --- a platform file on this machine -------------------------------------------------------------


def test_the_line_is_written_and_left_to_be_committed(pay: Clone, platform: Path) -> None:
    run = pay.register(platform)
    assert run.code == 0, run.everything
    assert (platform / "idp-platform.yaml").read_text() == PLATFORM + SECTION
    assert git(platform, "status", "--porcelain") == " M idp-platform.yaml\n"
    assert "commit and push it" in run.out


def test_a_commit_has_the_line_and_nothing_else(pay: Clone, platform: Path) -> None:
    (platform / "mine").write_text("staged by somebody\n")
    git(platform, "add", "mine")
    run = pay.register(platform, "--commit", "--json")
    assert run.code == 0, run.everything
    assert git(platform, "show", "--format=%s", "--name-only").split("\n\n") == [
        "chore: register acme/pay in the catalog",
        "idp-platform.yaml\n",
    ]
    assert git(platform, "show", "HEAD:idp-platform.yaml") == PLATFORM + SECTION
    assert git(platform, "status", "--porcelain") == "A  mine\n"
    assert run.json["status"] == "committed"
    assert run.json["commit"] == git(platform, "rev-parse", "HEAD").strip()
    assert run.json["line"] == 6


def test_somebodys_change_of_the_file_is_not_committed(pay: Clone, platform: Path) -> None:
    (platform / "idp-platform.yaml").write_text(PLATFORM + "# not yet\n")
    before = fingerprint(platform)
    run = pay.register(platform, "--commit")
    assert run.code == 5
    assert "not committed" in run.err
    assert difference(before, fingerprint(platform)) == []


def test_a_commit_in_the_middle_of_a_merge_is_refused(pay: Clone, platform: Path) -> None:
    (platform / ".git" / "MERGE_HEAD").write_text(git(platform, "rev-parse", "HEAD"))
    run = pay.register(platform, "--commit")
    assert run.code == 5
    assert (platform / "idp-platform.yaml").read_text() == PLATFORM


def test_a_dry_run_shows_the_change_and_makes_none(pay: Clone, platform: Path) -> None:
    before = fingerprint(platform)
    run = pay.register(platform, "--dry-run")
    assert run.code == 0, run.everything
    assert "+    - https://github.com/acme/pay.git\n" in run.out
    assert difference(before, fingerprint(platform)) == []


def test_a_platform_file_behind_a_link_is_changed_where_it_is(
    pay: Clone, platform: Path, tmp_path: Path
) -> None:
    (platform / "idp-platform.yaml").chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(platform / "idp-platform.yaml")
    assert pay.register(link).code == 0
    assert link.is_symlink()
    assert (platform / "idp-platform.yaml").read_text() == PLATFORM + SECTION
    assert (platform / "idp-platform.yaml").stat().st_mode & 0o777 == 0o640


# --- what is registered --------------------------------------------------------------------------


def test_a_second_time_says_so(pay: Clone, platform: Path) -> None:
    pay.register(platform, "--commit")
    before = fingerprint(platform)
    run = pay.register(platform, "--json")
    assert run.code == 0
    assert run.json["status"] == "covered"
    assert run.json["covered_by"] == "https://github.com/acme/pay.git"
    assert difference(before, fingerprint(platform)) == []


COVERING = [
    "https://github.com/Acme/Pay@main",
    "ssh://git@github.com/acme/pay.git",
    "github:acme",
    "github:acme@github.com",
    "{source: 'github:acme', skip: ['*-archive']}",
    "../pay",
    "'../*/*.yaml'",
    "{source: 'github:acme', files: ['*.yaml']}",
]
NOT_COVERING = [
    "https://github.com/acme/pay-web.git",
    "https://gitlab.com/acme/pay.git",
    "https://github.com/acme/pay.git#docs",
    "github:acme-two",
    "gitlab:acme",
    "github:acme@ghe.example.com",
    "{source: 'github:acme', skip: [pay]}",
    "{source: 'github:acme', files: ['services/*.yaml']}",
    "../pa",
    "'../pay/*/*.yaml'",
    "backstage:https://backstage.example.com",
]


@pytest.mark.parametrize("source", COVERING)
def test_what_a_source_has_is_not_added(pay: Clone, platform: Path, source: str) -> None:
    listing(platform, source)
    assert pay.register(platform, "--json").json["status"] == "covered"


@pytest.mark.parametrize("source", NOT_COVERING)
def test_what_no_source_has_is_added(pay: Clone, platform: Path, source: str) -> None:
    listing(platform, source)
    assert pay.register(platform, "--json").json["status"] == "written"


def test_a_service_in_a_folder_has_a_line_of_its_own(pay: Clone, platform: Path) -> None:
    pay.commit({"services/web/catalog-info.yaml": WEB})
    listing(platform, "https://github.com/acme/pay.git#services/api")
    run = pay.register(platform, "services/web", "--json")
    assert run.json["source"] == "https://github.com/acme/pay.git#services/web"
    assert run.json["entities"] == ["component:default/web"]


def test_a_folder_that_a_source_cannot_name_is_refused(pay: Clone, platform: Path) -> None:
    pay.commit({"web@next/catalog-info.yaml": WEB, "b c/catalog-info.yaml": WEB})
    assert "rename the folder" in pay.register(platform, "web@next").err
    assert pay.register(platform, "b c", "--json").json["source"].endswith("pay.git#b c")
    assert pay.register(platform, "b c", "--json").json["status"] == "covered"


def test_a_source_that_has_only_some_of_the_files_is_not_enough(pay: Clone, platform: Path) -> None:
    pay.commit({"web/catalog-info.yaml": WEB})
    listing(platform, "https://github.com/acme/pay.git#web")
    assert pay.register(platform, "--json").json["status"] == "written"


def test_an_origin_on_this_machine_is_named_by_its_file_url(
    pay: Clone, platform: Path, tmp_path: Path
) -> None:
    git(pay.path, "remote", "set-url", "origin", "../bare/my pay.git")
    run = pay.register(platform, "--json")
    assert run.json["source"] == f"{(tmp_path / 'bare').as_uri()}/my%20pay.git"
    assert pay.register(platform, "--json").json["status"] == "covered"


def test_a_forge_that_nobody_knows_is_named_as_git_reaches_it(pay: Clone, platform: Path) -> None:
    git(pay.path, "remote", "set-url", "origin", "ssh://git@git.example.com:2222/acme/pay.git")
    source = "ssh://git@git.example.com:2222/acme/pay.git"
    assert pay.register(platform, "--json").json["source"] == source


# --- what is refused -----------------------------------------------------------------------------


def test_every_problem_of_the_catalog_files_is_told(pay: Clone, platform: Path) -> None:
    pay.commit({"catalog-info.yaml": component("pay pay", owner=""), "a/catalog-info.yml": "[]"})
    before = fingerprint(platform)
    run = pay.register(platform)
    assert run.code == 3
    assert "catalog-info.yaml:4:9: error: metadata.name" in run.err
    assert "spec.owner" in run.err
    assert "a/catalog-info.yml:1:1" in run.err
    assert difference(before, fingerprint(platform)) == []


def test_a_service_without_catalog_file_is_not_found(pay: Clone, platform: Path) -> None:
    pay.commit({"catalog-info.yaml": None, ".gitignore": "out/\n"})
    build_tree(pay.path, {"out/catalog-info.yaml": component("pay")})
    run = pay.register(platform, "--json")
    assert (run.code, run.error["code"]) == (3, "not_found")


def test_a_template_of_services_is_no_service(pay: Clone, platform: Path) -> None:
    pay.commit({"catalog-info.yaml": component("${{ values.name }}")})
    run = pay.register(platform)
    assert run.code == 3
    assert "no entity" in run.err


def test_a_service_without_origin_is_told_how_to_have_one(pay: Clone, platform: Path) -> None:
    git(pay.path, "remote", "remove", "origin")
    run = pay.register(platform, "--json")
    assert run.code == 3
    assert "git remote add origin" in run.error["hint"]


def test_without_a_platform_file_there_is_nowhere_to_register(pay: Clone) -> None:
    run = idp("-C", pay.path, "catalog", "register", "--json")
    assert (run.code, run.error["code"]) == (3, "not_found")
    assert "idp platform init" in run.error["hint"]


def test_what_origin_has_not_is_noted(pay: Clone, platform: Path) -> None:
    assert "note: push catalog-info.yaml" in pay.register(platform, "--dry-run").err
    build_tree(pay.path, {"catalog-info.yaml": component("pay", owner="team-b")})
    assert "note: commit and push catalog-info.yaml" in pay.register(platform, "--dry-run").err
    commit_all(pay.path, "ours")
    git(pay.path, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert "note" not in pay.register(platform, "--dry-run").err


# --- a pull request ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hosted:
    """A platform repository on the forge, and a service that is on the same one."""

    forge: StandIn
    pay: Clone

    def register(self, *options: str, at: str = "") -> Run:
        place = self.forge.git_url("acme/platform")
        return self.pay.register(place + at, "--json", *options)

    def registered(self, *options: str) -> str:
        """Register; return what came of it."""
        run = self.register("--yes", *options)
        assert run.code == 0, run.everything
        status = run.json["status"]
        assert isinstance(status, str)
        return status

    @property
    def repo(self) -> Repo:
        return self.forge.repos["acme/platform"]

    @property
    def pull(self) -> Pull:
        """The one pull request that there is."""
        (pull,) = self.forge.pulls
        return pull

    def file(self, branch: str) -> str:
        return git(self.repo.git_dir, "show", f"{branch}:idp-platform.yaml")

    def push(self, branch: str, files: Files, clones: Path) -> None:
        """Let a person push a commit."""
        git(clones, "clone", "--quiet", "-b", branch, str(self.repo.git_dir), "person")
        build_tree(clones / "person", files)
        commit_all(clones / "person", "by hand")
        git(clones / "person", "push", "--quiet", "origin", branch)


@pytest.fixture
def hosted(forge: StandIn, home: Path, tmp_path: Path) -> Hosted:
    logins = home / ".git-credentials"
    logins.write_text(f"https://pat:{forge.token}@127.0.0.1%3a{forge.port}\n")
    with (home / ".gitconfig").open("a") as config:
        config.write(f"[credential]\n    helper = store --file {logins}\n")
    repo = forge.add_repo("acme/platform")
    text = f"version: 1\nforge:\n  kind: github\n  url: {forge.url}\n"
    made = clone_of(tmp_path / "main", str(repo.git_dir), {"idp-platform.yaml": text})
    git(made.path, "push", "--quiet", "origin", "HEAD:main")
    files = {"catalog-info.yaml": component("pay")}
    return Hosted(forge, clone_of(tmp_path / "pay", forge.git_url("acme/pay"), files))


def test_a_pull_request_brings_the_line(hosted: Hosted) -> None:
    before = hosted.file("main")
    run = hosted.register("--yes")
    assert run.code == 0, run.everything
    assert run.json["status"] == "opened"
    assert run.json["pull_request"]["number"] == hosted.pull.number
    assert hosted.pull.base == "main"
    assert hosted.pull.branch.startswith("idp/register-pay-")
    assert hosted.pull.title == "chore: register acme/pay in the catalog"
    assert "`component:default/pay`" in hosted.pull.body
    source = f"    - {hosted.forge.git_url('acme/pay')}\n"
    assert hosted.file(hosted.pull.branch) == f"{before}\ncatalog:\n  sources:\n{source}"
    assert hosted.file("main") == before


def test_again_there_is_nothing_to_do(hosted: Hosted) -> None:
    hosted.registered()
    before = hosted.forge.wrote()
    assert hosted.registered() == "unchanged"
    assert hosted.forge.wrote() == before


def test_nobody_is_asked_nothing_is_pushed(hosted: Hosted) -> None:
    run = hosted.register()
    assert run.code == 2
    assert run.error["hint"] == "--yes"
    assert hosted.forge.wrote() == []


def test_a_dry_run_asks_no_forge(hosted: Hosted) -> None:
    run = hosted.register("--dry-run")
    assert run.code == 0, run.everything
    assert run.json["status"] == "opened"
    assert "+catalog:" in run.json["diff"]
    assert not [asked for asked in hosted.forge.requests if not asked.path.startswith("/acme/")]


def test_when_the_platform_moved_the_pull_request_follows(hosted: Hosted, tmp_path: Path) -> None:
    hosted.registered()
    other = "catalog:\n  sources:\n    - https://gitlab.com/b/c.git\n"
    hosted.push("main", {"idp-platform.yaml": hosted.file("main") + other}, tmp_path)
    assert hosted.registered() == "updated"
    source = f"    - {hosted.forge.git_url('acme/pay')}\n"
    assert hosted.file(hosted.pull.branch) == hosted.file("main") + source


def test_a_pull_request_that_a_person_closed_is_left_alone(hosted: Hosted) -> None:
    hosted.registered()
    hosted.pull.state = "closed"
    assert hosted.registered() == "left-alone"
    assert hosted.pull.state == "closed"


def test_a_branch_that_a_person_worked_on_is_left_alone(hosted: Hosted, tmp_path: Path) -> None:
    hosted.registered()
    branch = hosted.pull.branch
    hosted.push(branch, {"more": "by a person\n"}, tmp_path)
    before = hosted.repo.head(branch)
    assert hosted.registered() == "left-alone"
    assert hosted.repo.head(branch) == before


def test_once_merged_the_catalog_has_it(hosted: Hosted) -> None:
    hosted.registered()
    tip = hosted.repo.head(hosted.pull.branch)
    git(hosted.repo.git_dir, "update-ref", "refs/heads/main", tip)
    hosted.pull.state, hosted.pull.merged_at = "closed", "2026-01-01T00:00:00Z"
    assert hosted.registered() == "covered"


def test_the_branch_that_the_platform_is_read_at_is_the_base(hosted: Hosted) -> None:
    git(hosted.repo.git_dir, "branch", "next", "main")
    git(hosted.repo.git_dir, "tag", "v1", "main")
    assert hosted.register("--dry-run", at="@next").json["base"] == "next"
    pinned = hosted.register("--dry-run", at="@v1")
    assert pinned.json["base"] == "main"
    assert "note: v1 is no branch" in pinned.err


def test_a_path_of_this_machine_is_no_source_for_others(hosted: Hosted) -> None:
    git(hosted.pay.path, "remote", "set-url", "origin", "/srv/git/pay.git")
    assert hosted.register("--yes").code == 3
    assert hosted.forge.wrote() == []


def test_a_push_that_was_refused_leaves_the_line_where_it_was(hosted: Hosted) -> None:
    hosted.forge.fail("POST", r"platform\.git/git-receive-pack", 403)
    run = hosted.register("--yes")
    assert run.code == 4
    assert hosted.forge.pulls == []
    assert hosted.registered() == "opened"


def test_a_commit_is_not_made_where_a_pull_request_is_wanted(hosted: Hosted) -> None:
    run = hosted.register("--commit")
    assert run.code == 2
    assert hosted.forge.wrote() == []


def test_the_whole_organisation_covers_each_of_its_services(hosted: Hosted, tmp_path: Path) -> None:
    text = hosted.file("main") + f"catalog:\n  sources: ['github:acme@{hosted.forge.host}']\n"
    hosted.push("main", {"idp-platform.yaml": text}, tmp_path)
    assert hosted.registered() == "covered"
    assert hosted.forge.pulls == []
