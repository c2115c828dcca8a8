"""Where tokens are found: each goes to the host that it was made for, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from idp.errors import InvalidInput
from idp.forge.credentials import Credential, find, read_netrc, unclaimed
from idp.forge.place import Place

GITHUB = Place("github.com", "github")
TENANT = Place("acme.ghe.com", "github")
SERVER = Place("git.acme.com", "github")
GITLAB = Place("gitlab.com", "gitlab")
GITLAB_OWN = Place("gitlab.acme.com:8443", "gitlab")
GITEA = Place("codeberg.org", "gitea")
PLACES = (GITHUB, TENANT, SERVER, GITLAB, GITLAB_OWN, GITEA)

ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.acme.com"}
GITEA_ACTIONS = ACTIONS | {"GITEA_ACTIONS": "true", "GITHUB_SERVER_URL": "https://codeberg.org"}
GITLAB_CI = {"GITLAB_CI": "true", "CI_SERVER_URL": "https://gitlab.acme.com:8443"}

# What is set → the hosts that may have the token.
RULES: list[tuple[Mapping[str, str], set[Place]]] = [
    ({"GH_TOKEN": "t"}, {GITHUB, TENANT}),
    ({"GITHUB_TOKEN": "t"}, {GITHUB, TENANT}),
    ({"GITHUB_TOKEN": "t", **ACTIONS}, {SERVER}),
    ({"GH_TOKEN": "t", **ACTIONS}, {GITHUB, TENANT}),
    ({"GH_ENTERPRISE_TOKEN": "t"}, set()),
    ({"GH_ENTERPRISE_TOKEN": "t", "GH_HOST": "Git.Acme.com"}, {SERVER}),
    ({"GITHUB_ENTERPRISE_TOKEN": "t", "GH_HOST": "https://git.acme.com/"}, {SERVER}),
    ({"GH_ENTERPRISE_TOKEN": "t", "GH_HOST": "github.com"}, set()),
    ({"GITLAB_TOKEN": "t"}, {GITLAB}),
    ({"GITLAB_ACCESS_TOKEN": "t", "GITLAB_HOST": "gitlab.acme.com:8443"}, {GITLAB_OWN}),
    ({"GITLAB_TOKEN": "t", "GITLAB_HOST": "https://gitlab.acme.com:8443"}, {GITLAB_OWN}),
    ({"GITLAB_TOKEN": "t", "GITLAB_HOST": "gitlab.acme.com"}, set()),
    ({"GITLAB_TOKEN": "t", **GITLAB_CI}, {GITLAB_OWN}),
    ({"GITEA_TOKEN": "t"}, set()),
    ({"GITEA_TOKEN": "t", "GITEA_SERVER_URL": "https://codeberg.org"}, {GITEA}),
    ({"GITEA_TOKEN": "t", "GITEA_INSTANCE_URL": "https://codeberg.org"}, {GITEA}),
    ({"FORGEJO_TOKEN": "t", "FORGEJO_URL": "https://codeberg.org"}, {GITEA}),
    ({"FORGEJO_TOKEN": "t", "GITEA_SERVER_URL": "https://codeberg.org"}, set()),
    ({"GITHUB_TOKEN": "t", **GITEA_ACTIONS}, {GITEA}),
    ({"GITHUB_TOKEN": " "}, set()),
]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home without a login, and no programs but those that a test writes."""
    (tmp_path / "bin").mkdir()
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}


def origin(place: Place, environ: Mapping[str, str]) -> str:
    found = find(place, environ)
    return found.origin if found else ""


def program(environ: Mapping[str, str], name: str, script: str) -> None:
    path = Path(environ["HOME"]) / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def netrc(environ: Mapping[str, str], text: str) -> Path:
    path = Path(environ["HOME"]) / ".netrc"
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(("variables", "hosts"), RULES)
def test_a_variable_is_for_the_host_that_it_was_made_for(
    variables: Mapping[str, str], hosts: set[Place], environ: dict[str, str]
) -> None:
    assert {place for place in PLACES if find(place, environ | dict(variables))} == hosts


def test_gh_token_comes_before_github_token(environ: dict[str, str]) -> None:
    assert origin(GITHUB, environ | {"GITHUB_TOKEN": "b", "GH_TOKEN": "a"}) == "GH_TOKEN"


def test_a_variable_for_another_host_is_told(environ: dict[str, str]) -> None:
    given = environ | {"GH_ENTERPRISE_TOKEN": "t", "GH_HOST": "git.other.com", "GH_TOKEN": "u"}
    assert unclaimed(SERVER, given) == ("GH_TOKEN", "GH_ENTERPRISE_TOKEN")


def test_without_any_login_there_is_none(environ: dict[str, str]) -> None:
    assert [place for place in PLACES if find(place, environ)] == []


def test_gh_is_asked_for_its_token_of_that_host(environ: dict[str, str]) -> None:
    program(environ, "gh", '[ "$*" = "auth token --hostname git.acme.com" ] && echo gho_1')
    found = find(SERVER, environ)
    assert found is not None
    assert (found.token, found.origin) == ("gho_1", "gh")
    assert find(GITHUB, environ) is None


def test_gh_cannot_pass_on_a_variable_that_is_for_another_host(environ: dict[str, str]) -> None:
    """With GH_ENTERPRISE_TOKEN set, gh prints it whatever host it is asked for."""
    program(environ, "gh", 'echo "$GH_ENTERPRISE_TOKEN$GH_TOKEN"')
    given = environ | {"GH_ENTERPRISE_TOKEN": "secret", "GH_HOST": "git.other.com"}
    assert find(SERVER, given) is None


def test_glab_is_asked_outside_of_the_repository(environ: dict[str, str]) -> None:
    program(environ, "glab", '[ "$*" = "config get token --host gitlab.com" ] && pwd')
    found = find(GITLAB, environ)
    assert found is not None
    assert (found.token, found.origin) == ("/", "glab")


def test_a_token_that_glab_has_for_any_host_is_not_taken(environ: dict[str, str]) -> None:
    """It has one outside of `hosts`, and prints it for each host that it does not know."""
    program(environ, "glab", "echo glpat-somebody")
    assert find(GITLAB, environ) is None


@pytest.mark.parametrize("script", ["exit 1", "exit 0", "echo ' '", "kill -9 $$"])
def test_a_program_that_has_no_token_is_passed_over(script: str, environ: dict[str, str]) -> None:
    program(environ, "gh", script)
    netrc(environ, "machine github.com login me password ghp_netrc\n")
    assert origin(GITHUB, environ).endswith(".netrc")


TEA = """\
logins:
    - name: other
      url: https://gitea.com
      token: wrong
    - name: mine
      url: https://codeberg.org/
      token: 0123456789
      default: false
    - name: mine-too
      url: https://codeberg.org
      token: second
      default: true
"""


def test_tea_s_configuration_is_read(environ: dict[str, str]) -> None:
    path = Path(environ["HOME"]) / ".config" / "tea" / "config.yml"
    path.parent.mkdir(parents=True)
    path.write_text(TEA)
    found = find(GITEA, environ)
    assert found is not None
    assert (found.token, found.origin) == ("second", "tea")
    path.write_text(TEA.replace("default: true", "default: false"))
    assert (find(GITEA, environ) or found).token == "0123456789"
    path.write_text("logins: [")
    assert find(GITEA, environ) is None


@pytest.mark.parametrize("machine", ["github.com", "api.github.com", "GitHub.com"])
def test_netrc_holds_a_token_for_its_machine(machine: str, environ: dict[str, str]) -> None:
    path = netrc(environ, f"machine {machine} login me password ghp_n\n")
    found = find(GITHUB, environ)
    assert found is not None
    assert (found.token, found.origin) == ("ghp_n", str(path))
    assert find(GITLAB, environ) is None


def test_netrc_s_default_entry_is_for_nobody(environ: dict[str, str]) -> None:
    netrc(environ, "default login me password everywhere\n")
    assert find(GITHUB, environ) is None


def test_netrc_may_be_elsewhere(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("machine gitlab.acme.com login me password glpat-n\n")
    assert origin(GITLAB_OWN, environ | {"NETRC": str(tmp_path / "mine")}).endswith("mine")


def test_a_malformed_netrc_is_no_login_and_its_words_are_not_repeated(
    environ: dict[str, str],
) -> None:
    path = netrc(environ, "machine github.com\nlogin me pasword ghp_secret\n")
    assert find(GITHUB, environ) is None
    with pytest.raises(InvalidInput) as caught:
        read_netrc(path)
    assert caught.value.message == f"{path}:2: not as netrc is written"
    assert "ghp_secret" not in caught.value.message + caught.value.hint


def test_the_environment_comes_before_programs_and_these_before_netrc(
    environ: dict[str, str],
) -> None:
    netrc(environ, "machine github.com login me password ghp_netrc\n")
    program(environ, "gh", "echo gho_program")
    assert origin(GITHUB, environ) == "gh"
    assert origin(GITHUB, environ | {"GH_TOKEN": "ghp_variable"}) == "GH_TOKEN"


def test_a_token_is_in_no_representation() -> None:
    assert "ghp_secret" not in repr(Credential("github.com", "ghp_secret", "GH_TOKEN"))


@pytest.mark.parametrize("token", ["ghp_a\nghp_b", "ghp a", "ghp_ä"])
def test_what_can_be_no_token_is_refused_and_not_shown(token: str, environ: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="the token from GH_TOKEN for") as caught:
        find(GITHUB, environ | {"GH_TOKEN": token})
    assert token not in str(caught.value)
