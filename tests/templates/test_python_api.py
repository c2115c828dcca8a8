"""python-api: what a service looks like on the day it is made."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import copier
import pytest
import yaml
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from .conftest import ANSWERS, RELEASES, Render
from .stories import PYTHON_API, SNAPSHOTS, Service

# Files whose every line matters to somebody outside of the service.
KEY_FILES = (
    *(".copier-answers.yml", ".github/workflows/ci.yml", "CODEOWNERS", "Dockerfile", "Makefile"),
    *(
        "catalog-info.yaml",
        "pyproject.toml",
        "score.yaml",
        "slo.yaml",
        "terraform/terraform.tfvars",
    ),
)
# Grafana's and Prometheus's own templates look much the same.
OURS = re.compile(r"\{\{ ?(_copier|name|owner|description|tier|package|runbook|budget)")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


def test_the_source_is_the_newest_release() -> None:
    newest = PYTHON_API / "releases" / RELEASES[-1]

    for name in ("copier.yml", "CHANGELOG.md"):
        assert (PYTHON_API / name).read_bytes() == (newest / name).read_bytes()
    for folder in ("template", "migrations"):
        assert tree(PYTHON_API / folder) == tree(newest / folder)


@pytest.mark.parametrize("release", RELEASES)
def test_the_changelog_has_each_release_and_those_before(release: str) -> None:
    changelog = (PYTHON_API / "releases" / release / "CHANGELOG.md").read_text()

    assert re.findall(r"^## \[(\S+)\] - \d{4}-\d\d-\d\d$", changelog, re.M) == sorted(
        RELEASES[: RELEASES.index(release) + 1], reverse=True
    )


def test_the_rendered_tree(service: Service, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS / f"python-api-{service.release}"

    snapshot.assert_match("\n".join(service.files()) + "\n", "FILES")
    for name in KEY_FILES:
        text = service.read(name)
        # Hidden files would be hidden from whoever reviews the snapshots, too.
        snapshot.assert_match(text, name.replace("/", "__").lstrip("."))


def test_no_trace_of_the_template_language_or_of_this_machine(service: Service) -> None:
    for name in service.files():
        text = service.read(name)
        assert str(PYTHON_API) not in text
        assert "{%" not in text, name
        assert not OURS.search(text), name
        assert not text or re.search(r"[^\n]\n\Z", text), name


def test_its_documents_link_to_what_exists(service: Service) -> None:
    documents = [name for name in service.files() if name.endswith(".md")]

    for name in documents:
        for target in LINK.findall(service.read(name)):
            assert (service.path / name).parent.joinpath(target).exists(), f"{name}: {target}"
    pages = json.dumps(yaml.safe_load(service.read("mkdocs.yml"))["nav"])
    assert all(name.removeprefix("docs/") in pages for name in documents if "docs/" in name)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("answer", "value"),
    [
        *(("name", value) for value in ("Orders", "1st", "a--b", "-a", "a-", "a_b", "a" * 64, "")),
        *(("owner", value) for value in ("", "pay ments", "-pay", "x\n", "p" * 64)),
        *(("description", value) for value in ("", "  ", "two\nlines", "d" * 201)),
        *(("cost_centre", value) for value in ("", "a b", "cc-")),
        *(
            ("repository", value)
            for value in ("acme/orders", "https://github.com/acme", "https://")
        ),
        ("tier", "gold"),
        ("pagerduty_service", "no id"),
    ],
)
def test_an_answer_that_would_break_something_is_refused(
    release: str, answer: str, value: str, render: Render, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError):
        render(release, tmp_path / "refused", **{answer: value})


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("orders-api", "orders_api"),
        ("email", "email_service"),  # a module of the standard library
        ("class", "class_service"),  # a keyword
        ("pydantic", "pydantic_service"),  # a dependency
        ("a" * 63, "a" * 40),
        ("abcdefghi-" * 5 + "x", "abcdefghi_abcdefghi_abcdefghi_abcdefghi"),
    ],
)
def test_the_package_never_hides_another(
    name: str, package: str, render: Render, tmp_path: Path
) -> None:
    assert render(RELEASES[-1], tmp_path / "service", name=name).package == package


def test_names_that_yaml_would_not_read_as_text_stay_text(render: Render, tmp_path: Path) -> None:
    service = render(RELEASES[-1], tmp_path / "service", name="on", owner="123", cost_centre="1e3")

    component, api = service.yaml("catalog-info.yaml")
    assert component["metadata"]["name"] == component["spec"]["providesApis"][0] == "on"
    assert component["spec"]["owner"] == api["spec"]["owner"] == "123"
    assert component["metadata"]["labels"]["idp.dev/cost-centre"] == "1e3"
    assert service.yaml("score.yaml")[0]["metadata"]["name"] == "on"
    for slo in service.yaml("slo.yaml"):
        assert (slo["spec"]["service"], slo["metadata"]["labels"]["owner"]) == ("on", "123")


def test_links_appear_with_the_repository(render: Render, tmp_path: Path) -> None:
    github = render(
        RELEASES[-1], tmp_path / "github", repository="https://github.com/acme/orders-api"
    )
    gitlab = render(
        RELEASES[-1], tmp_path / "gitlab", repository="https://gitlab.example.com/acme/shop/orders"
    )

    component = github.yaml("catalog-info.yaml")[0]
    assert component["metadata"]["annotations"]["github.com/project-slug"] == "acme/orders-api"
    assert [link["title"] for link in component["metadata"]["links"]] == ["Source", "Runbook"]
    assert github.read("CODEOWNERS").endswith("\n* @acme/payments\n")
    assert gitlab.read("CODEOWNERS").endswith("\n* @acme/shop/payments\n")
    runbook = "https://gitlab.example.com/acme/shop/orders/-/blob/main/docs/runbooks/alerts.md"
    assert f"runbook_url: {runbook}#serviceabsent" in gitlab.read("observability/alerts.yaml")


def test_a_release_can_be_rendered_from_anywhere(tmp_path: Path, render: Render) -> None:
    """Nothing outside of the release's own folder is needed: it is shipped on its own."""
    alone = tmp_path / "elsewhere"
    shutil.copytree(PYTHON_API / "releases" / RELEASES[0], alone)

    copier.run_copy(str(alone), tmp_path / "there", data=ANSWERS, defaults=True, quiet=True)

    here = render(RELEASES[0], tmp_path / "here")
    there = Service(tmp_path / "there", RELEASES[0])
    assert here.files() == there.files()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
