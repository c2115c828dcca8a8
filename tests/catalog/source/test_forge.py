"""An organisation on a GitHub of our own: what of it is read, and what that costs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.catalog.source.base import Found
from idp.errors import InvalidInput, NotAllowed, NotFound

from ...forge.standin import Answer
from ..index_stories import component
from .organisation import Organisation

FILE = "catalog-info.yaml"
LISTING = ["/user", "/orgs/acme", "/orgs/acme/repos"]


def location(*targets: str) -> str:
    lines = "".join(f"    - {target}\n" for target in targets)
    return (
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: all\n"
        f"spec:\n  targets:\n{lines}"
    )


def limited(seconds: int) -> Answer:
    """Return GitHub's answer when there is nothing left for an hour or so."""
    headers = {"X-RateLimit-Remaining": "0", "Retry-After": str(seconds)}
    return Answer(403, {"message": "API rate limit exceeded"}, headers)


def test_every_repository_is_looked_into(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay"), "docs/adr/1.md": "# 1\n", "main.py": ""})
    acme.push("shop", {"a/catalog-info.yml": component("a"), "b/catalog-info.yaml": "x"})
    acme.push("notes", {"README.md": "# Notes\n"})
    found = acme.found()
    assert set(found) == {
        acme.url("pay", FILE),
        acme.url("shop", "a/catalog-info.yml"),
        acme.url("shop", "b/catalog-info.yaml"),
    }
    pay = found[acme.url("pay", FILE)]
    assert (pay.path, pay.repository) == (FILE, f"{acme.forge.url}/acme/pay")
    assert pay.beside == ("docs/adr/1.md",)
    assert set(pay.blobs) == {FILE, "docs/adr/1.md", "main.py"}


def test_archived_empty_and_skipped_repositories_are_left_out(acme: Organisation) -> None:
    for name in ("pay", "old", "sandbox", "shop-archive"):
        acme.push(name, {FILE: component(name)})
    acme.forge.repos["acme/old"].archived = True
    acme.forge.add_repo("acme/empty")
    acme.skip = ("*-Archive", "acme/sandbox")
    assert set(acme.found()) == {acme.url("pay", FILE)}


def test_only_the_files_that_were_asked_for(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("a"), "services/b/catalog-info.yaml": component("b")})
    acme.push("mail", {"services/c.yaml": component("c"), "node_modules/x/d.yaml": component("d")})
    acme.files = ("services/**/*.yaml", "node_modules/**")
    assert set(acme.found()) == {
        acme.url("pay", "services/b/catalog-info.yaml"),
        acme.url("mail", "services/c.yaml"),
    }


def test_where_nothing_changed_only_the_listing_is_asked_for(acme: Organisation) -> None:
    acme.forge.page_size = 2
    for name in ("a", "b", "c", "d", "e"):
        acme.push(name, {FILE: component(name)})
    acme.forge.add_repo("acme/empty")
    acme.read()
    assert acme.read() == [*LISTING, "/orgs/acme/repos", "/orgs/acme/repos"]
    assert acme.catalog.refs == {f"component:default/{name}" for name in "abcde"}


def test_a_page_of_the_listing_is_sent_again_only_if_it_changed(acme: Organisation) -> None:
    acme.forge.page_size = 2
    for name in ("a", "b", "c", "d"):
        acme.push(name, {FILE: component(name)})
    acme.read()
    acme.read()
    assert acme.forge.unchanged == 1  # the last page is always asked for as a whole
    acme.push("e", {FILE: component("e")})
    acme.push("a", {FILE: component("new")})
    acme.read()
    assert acme.catalog.refs == {f"component:default/{name}" for name in ("new", *"bcde")}


def test_after_a_push_only_what_changed_is_read(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay"), "b/catalog-info.yaml": component("b")})
    acme.push("mail", {FILE: component("mail")})
    acme.read()
    acme.push("pay", {FILE: component("pay", owner="team-b"), "main.py": "print()\n"})
    tree, file = "/repos/acme/pay/git/trees/main", f"/repos/acme/pay/contents/{FILE}"
    assert acme.read() == [*LISTING, tree, file]
    assert acme.catalog.document("component:default/pay")["spec"] == {
        "type": "service",
        "lifecycle": "production",
        "owner": "team-b",
    }


def test_a_push_to_another_branch_changes_nothing(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay")})
    acme.read()
    acme.push("pay", {FILE: component("other")}, branch="feature/x")
    assert acme.read() == [*LISTING, "/repos/acme/pay/git/trees/main"]
    assert acme.read() == LISTING
    assert acme.catalog.refs == {"component:default/pay"}


def test_what_was_pushed_to_just_now_is_looked_at_again(acme: Organisation) -> None:
    """Two pushes within a second have the same time."""
    acme.push("pay", {FILE: component("pay")})
    repo = acme.forge.repos["acme/pay"]
    now = acme.catalog.clock.now() - timedelta(seconds=1)
    repo.pushed_at = pushed_at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    acme.read()
    acme.push("pay", {FILE: component("payments")})
    repo.pushed_at = pushed_at
    acme.read()
    assert acme.catalog.refs == {"component:default/payments"}
    acme.catalog.clock.sleep(3600)
    acme.read()
    assert acme.read() == LISTING


def test_a_new_description_of_the_files_reads_anew(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay"), "more.yaml": component("more")})
    acme.read()
    acme.files = ("*.yaml",)
    acme.read()
    assert acme.catalog.refs == {"component:default/pay", "component:default/more"}


def test_what_is_archived_becomes_an_orphan(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay")})
    acme.push("mail", {FILE: component("mail")})
    acme.read()
    acme.forge.repos["acme/pay"].archived = True
    acme.read()
    assert acme.catalog.refs == {"component:default/mail"}
    assert acme.catalog.orphans == {"component:default/pay"}


@pytest.mark.parametrize("status", [403, 404, 451, 500])
def test_one_repository_that_fails_harms_no_other(acme: Organisation, status: int) -> None:
    acme.push("pay", {FILE: component("pay")})
    acme.push("mail", {FILE: component("mail")})
    acme.read()
    acme.push("pay", {FILE: component("payments")})
    acme.push("mail", {FILE: component("post")})
    acme.forge.fail("GET", "/repos/acme/pay/git/trees", status, times=9)
    acme.read()
    assert acme.catalog.refs == {"component:default/pay", "component:default/post"}
    [(repository, message, _)] = acme.catalog.troubles
    assert repository == f"{acme.forge.url}/acme/pay"
    assert message.startswith("acme/pay is not read: ")
    acme.forge.failures.clear()
    acme.read()
    assert acme.catalog.refs == {"component:default/payments", "component:default/post"}
    assert acme.catalog.troubles == []


def test_a_rate_limit_leaves_the_rest_for_later(acme: Organisation) -> None:
    names = [f"s{number}" for number in range(30)]
    for name in names:
        acme.push(name, {FILE: component(name)})
    acme.forge.fail("GET", "/git/trees", limited(3600), times=99)
    asked = acme.read()
    assert len([path for path in asked if path.endswith("/git/trees/main")]) <= 8
    assert len(acme.catalog.troubles) == 30
    _, message, hint = acme.catalog.troubles[0]
    assert "limits our requests until 10:00:00 UTC" in message
    assert hint == "try again then"
    acme.forge.failures.clear()
    acme.read()
    assert acme.catalog.refs == {f"component:default/{name}" for name in names}


def test_a_listing_that_breaks_off_loses_nothing(acme: Organisation) -> None:
    acme.forge.page_size = 1
    for name in ("a", "b", "c"):
        acme.push(name, {FILE: component(name)})
    acme.read()
    acme.push("a", {FILE: component("new")})
    acme.forge.fail("GET", "repos.*page=2", 500, times=9)
    acme.read()
    assert acme.catalog.refs >= {"component:default/b", "component:default/c"}
    assert "component:default/new" in acme.catalog.refs
    [(repository, message, _)] = acme.catalog.troubles
    assert repository == "" and "is not listed to its end" in message
    acme.forge.failures.clear()
    acme.read()
    assert acme.catalog.refs == {f"component:default/{name}" for name in ("new", "b", "c")}


def test_a_refused_token_touches_nothing(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay")})
    acme.read()
    acme.token = "ghp_expired"
    with pytest.raises(NotAllowed, match="refused the token from the test"):
        list(acme.source().scan({}))
    acme.read()
    assert acme.catalog.refs == {"component:default/pay"}


def test_an_owner_that_is_not_there_is_told(acme: Organisation) -> None:
    acme.forge.org = "other"
    acme.forge.fail("GET", "/users/acme/repos", 404)
    with pytest.raises(NotFound):
        list(acme.source().scan({}))


def test_a_file_that_could_not_be_read_is_read_another_time(acme: Organisation) -> None:
    acme.push("pay", {FILE: component("pay")})
    acme.push("mail", {FILE: component("mail")})
    acme.forge.fail("GET", "/repos/acme/pay/contents", 500, times=9)
    acme.read()
    assert acme.catalog.refs == {"component:default/mail"}
    acme.forge.failures.clear()
    asked = acme.read()
    assert not [path for path in asked if "/acme/mail/" in path]
    assert acme.catalog.refs == {"component:default/mail", "component:default/pay"}


def test_a_rate_limit_while_files_are_read_costs_no_repository_twice(acme: Organisation) -> None:
    adr = {"docs/adr/1.md": "# 1\n"}
    for name in ("a", "b", "c"):
        acme.push(name, {FILE: component(name), **adr})
    acme.forge.fail("GET", "/contents/", limited(3600), times=99)
    acme.read()
    assert acme.catalog.refs == set()
    acme.forge.failures.clear()
    files = [f"/repos/acme/{name}/contents/{FILE}" for name in ("a", "b", "c")]
    assert sorted(acme.read()) == sorted([*LISTING, *files])
    assert acme.catalog.refs == {f"component:default/{name}" for name in "abc"}
    assert acme.catalog.adrs("component:default/a") == ("docs/adr/1.md",)
    assert acme.read() == LISTING


def test_a_location_that_could_not_be_read_is_followed_another_time(acme: Organisation) -> None:
    acme.push("org", {FILE: location("./a.yaml"), "a.yaml": component("a")})
    acme.forge.fail("GET", "/contents/", 502, times=9)
    acme.read()
    acme.forge.failures.clear()
    acme.read()
    assert acme.catalog.refs == {"location:default/all", "component:default/a"}
    assert acme.read() == LISTING


def test_what_a_location_names_in_vain_is_told_for_as_long(acme: Organisation) -> None:
    acme.push("org", {FILE: location("./a.yaml")})
    for _ in range(3):
        acme.read()
        [(_, message, _)] = acme.catalog.troubles
        assert message == "there is no a.yaml in acme/org"
    acme.push("org", {"a.yaml": component("a")})
    acme.read()
    assert acme.catalog.troubles == []
    assert "component:default/a" in acme.catalog.refs


def test_an_included_file_that_changed_is_read_again(acme: Organisation) -> None:
    api = (
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: pay\nspec:\n"
        "  type: openapi\n  lifecycle: production\n  owner: team-a\n"
        "  definition:\n    $text: ./api/openapi.yaml\n"
    )
    acme.push("pay", {FILE: api, "api/openapi.yaml": "openapi: 3.0.0\n"})
    acme.read()
    acme.push("pay", {"api/openapi.yaml": "openapi: 3.1.0\n"})
    acme.read()
    spec = acme.catalog.document("api:default/pay")["spec"]
    assert isinstance(spec, dict) and spec["definition"] == "openapi: 3.1.0\n"


def test_a_location_names_paths_globs_and_pages_of_other_repositories(acme: Organisation) -> None:
    acme.push("other", {"deep/file.yaml": component("other")})
    targets = ["./a.yaml", "/x/*.yaml", acme.url("other", "deep/file.yaml")]
    files = {
        "org/catalog-info.yaml": location(*targets),
        "org/a.yaml": component("a"),
        "x/b.yaml": component("b"),
        "x/c.yaml": component("c"),
        "y.yaml": component("y"),
    }
    acme.push("org", files)
    acme.read()
    assert acme.catalog.troubles == []
    named = {f"component:default/{name}" for name in ("a", "b", "c", "other")}
    assert acme.catalog.refs == {"location:default/all", *named}
    assert acme.read() == LISTING
    acme.push("other", {"deep/file.yaml": component("another")})
    acme.read()
    assert "component:default/another" in acme.catalog.refs


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("https://evil.example.com/acme/pay/blob/main/catalog-info.yaml", "is on another host"),
        ("https://raw.githubusercontent.com/a/b/main/c.yaml", "is on another host"),
        ("../../secret.yaml", "leads out of acme/pay"),
        ("./absent.yaml", "there is no absent.yaml in acme/pay"),
    ],
)
def test_what_a_location_may_not_name(acme: Organisation, target: str, told: str) -> None:
    acme.push("pay", {FILE: component("pay")})
    source = acme.source()
    [found] = source.scan({})
    assert isinstance(found, Found)
    before = len(acme.forge.requests)
    with pytest.raises(InvalidInput, match=told):
        list(source.target(found, target))
    assert len(acme.forge.requests) == before
