"""Where a repository is: read from a git remote; and which forge is at a host."""

from __future__ import annotations

import pytest

from idp.errors import InvalidInput
from idp.forge.address import Address, parse_remote
from idp.forge.place import Place, place_of

OURS = Place("git.example.com", "gitea")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://github.com/acme/shop.git", Address("github.com", "acme/shop")),
        ("https://GitHub.com/acme/shop/", Address("github.com", "acme/shop")),
        ("https://git.example.com:8443/acme/shop", Address("git.example.com:8443", "acme/shop")),
        ("https://x:secret@github.com/acme/shop", Address("github.com", "acme/shop")),
        ("git@github.com:acme/shop.git", Address("github.com", "acme/shop")),
        ("gitlab.com:group/sub/shop.git", Address("gitlab.com", "group/sub/shop")),
        ("ssh://git@git.example.com:2222/acme/shop.git", Address("git.example.com", "acme/shop")),
    ],
)
def test_an_address_is_read_from_any_remote_of_a_forge(url: str, address: Address) -> None:
    assert parse_remote(url) == address


@pytest.mark.parametrize(
    "url",
    ["/srv/git/shop.git", "../shop", "file:///srv/git/shop.git", "https://github.com/shop", ""],
)
def test_what_is_no_repository_of_a_forge_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="no repository of a forge") as refused:
        parse_remote(url)
    assert "git remote set-url" in refused.value.hint


def test_a_refusal_never_repeats_a_credential() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_remote("https://pat:s3cret@github.com/")
    assert "s3cret" not in refused.value.message


@pytest.mark.parametrize(
    ("host", "environ", "api"),
    [
        ("github.com", {}, "https://api.github.com"),
        ("acme.ghe.com", {"GITHUB_SERVER_URL": "https://acme.ghe.com"}, "https://api.acme.ghe.com"),
        ("ghes.example.com", {"GITHUB_SERVER_URL": "https://ghes.example.com"}, None),
        ("gitlab.com", {}, "https://gitlab.com/api/v4"),
        ("codeberg.org", {}, "https://codeberg.org/api/v1"),
        ("git.example.com", {}, "https://git.example.com/api/v1"),
        ("ci.example.com", {"CI_SERVER_URL": "https://ci.example.com"}, None),
    ],
)
def test_the_api_of_a_host(host: str, environ: dict[str, str], api: str | None) -> None:
    own = {"ghes.example.com": "/api/v3", "ci.example.com": "/api/v4"}
    assert place_of(host, OURS, environ).api == (api or f"https://{host}{own[host]}")


def test_a_gitea_that_runs_us_is_no_github_though_it_sets_its_variables() -> None:
    runner = {"GITHUB_SERVER_URL": "https://git.elsewhere.com", "GITEA_ACTIONS": "true"}
    assert place_of("git.elsewhere.com", OURS, runner).kind == "gitea"


def test_an_unknown_host_is_not_guessed_at() -> None:
    with pytest.raises(InvalidInput, match="what kind of forge git\\.elsewhere\\.com is") as asked:
        place_of("git.elsewhere.com", OURS, {})
    assert "idp-platform.yaml" in asked.value.hint


def test_the_platform_has_the_last_word_on_a_host() -> None:
    assert place_of("github.com", Place("github.com", "gitea"), {}).kind == "gitea"
