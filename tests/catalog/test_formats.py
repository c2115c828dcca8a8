"""Formats of single values; the answers are those of Node's `new URL()` and npm's git-url-parse."""

from __future__ import annotations

import pytest

from idp.catalog.formats import is_api_version, is_key, is_name, is_namespace, is_tag
from idp.catalog.placeholders import hosted
from idp.catalog.urls import is_url
from idp.forge.address import Address


@pytest.mark.parametrize(
    "text",
    [
        *("https://example.com", "HTTP:example.com", "http:/x", " https://x \n", "https://a_b/"),
        *("mailto:a@b", "slack://channel?id=1", "a:", "file:///etc", "file:x", "git+ssh://h/p"),
        *("http://1.2.3", "http://0x7f.1", "http://[::1]:80/", "http://münchen.de", "http://u:p@h"),
        *("https://x:65535", "https://x:/", "http://%41.com", "http://{{x}}/", "http://a..b"),
    ],
)
def test_urls(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "/docs", "docs", "example.com", "http:", "http://", "https://?q", "1a:b", "://x"),
        *("http://a b", "http://${{ x }}", "http://a<b", "http://a%20b", "http://a%zz", "http://@"),
        *("http://256.1.1.1", "http://1.2.3.4.5", "http://1.2.3.08", "http://4294967296"),
        *("http://[::1", "http://[1:2]", "http://::1", "https://x:65536", "https://x:a", "a://h:x"),
    ],
)
def test_no_urls(text: str) -> None:
    assert not is_url(text)


def test_nothing_may_stand_behind_a_value() -> None:
    for fits in (is_name, is_namespace, is_tag, is_api_version, is_key):
        assert fits("a" * 63)
        assert not fits("a" * 64)
        assert not fits("a\n")
        assert not fits("")


def test_prefixes_are_dns_names() -> None:
    assert is_key("a.b-c/N_a.m")
    assert not any(map(is_key, ("A.b/c", "/c", "a/", "a/b/c", "a..b/c", f"{'a.' * 127}/c")))


@pytest.mark.parametrize(
    ("url", "repository"),
    [
        ("https://github.com/acme/pay/blob/main/a.yaml", "github.com acme/pay"),
        ("https://gitlab.com/acme/sub/pay/-/blob/main/a.yaml", "gitlab.com acme/sub/pay"),
        ("https://git.acme.io/a/b/src/branch/main/a.yaml", "git.acme.io a/b"),
        ("https://raw.githubusercontent.com/acme/pay/main/a.yaml", ""),
        (
            "https://raw.githubusercontent.com/a/b/main/src/x/y",
            "raw.githubusercontent.com a/b/main",
        ),
        ("https://github.com/acme/pay/blob/main", ""),
        ("https://api.acme.io/openapi.yaml", ""),
    ],
)
def test_the_repository_of_a_page(url: str, repository: str) -> None:
    host, _, name = repository.partition(" ")
    assert hosted(url) == (Address(host, name) if repository else None)
