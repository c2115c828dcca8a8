"""What a service looks like on the day it is made."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import copier
import pytest
import yaml
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from idp.scaffold.version import newest_first

from .conftest import ANSWERS, NAMES, NEWEST, RELEASES, Render
from .stories import ROOT, SNAPSHOTS, TEMPLATES, Service

# Files whose every line matters to somebody outside of the service.
KEY_FILES = (
    *(".copier-answers.yml", ".github/workflows/ci.yml", "CODEOWNERS", "Dockerfile", "Makefile"),
    *("catalog-info.yaml", "score.yaml", "slo.yaml", "terraform/terraform.tfvars"),
)
# Grafana's and Prometheus's own templates look much the same.
OURS = re.compile(
    r"\{\{ ?(_copier|name|owner|description|tier|package|runbook|budget|golden_path|run_command)"
)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", NAMES)
def test_a_changelog_has_each_release(name: str) -> None:
    folder = TEMPLATES / name
    released = newest_first([path.name for path in (folder / "releases").iterdir()])

    for number, version in enumerate(released):
        changelog = (folder / "releases" / version / "CHANGELOG.md").read_text()
        named = re.findall(r"^## \[(\S+)\] - \d{4}-\d\d-\d\d$", changelog, re.M)
        assert named == released[number:]


def test_the_rendered_tree(service: Service, snapshot: Snapshot) -> None:
    snapshot.snapshot_dir = SNAPSHOTS / service.release.replace("@", "-")

    snapshot.assert_match("\n".join(service.files()) + "\n", "FILES")
    for name in (*KEY_FILES, *service.language.key_files):
        text = service.read(name)
        # Hidden files would be hidden from whoever reviews the snapshots, too.
        snapshot.assert_match(text, name.replace("/", "__").lstrip("."))


def test_no_trace_of_the_template_language_or_of_this_machine(service: Service) -> None:
    for name in service.files():
        text = service.read(name)
        assert str(ROOT) not in text
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


@pytest.mark.parametrize("newest", NEWEST)
def test_names_that_yaml_would_not_read_as_text_stay_text(
    newest: str, render: Render, tmp_path: Path
) -> None:
    service = render(newest, tmp_path / "service", name="on", owner="123", cost_centre="1e3")

    component, api = service.yaml("catalog-info.yaml")
    assert component["metadata"]["name"] == component["spec"]["providesApis"][0] == "on"
    assert component["spec"]["owner"] == api["spec"]["owner"] == "123"
    assert component["metadata"]["labels"]["idp.dev/cost-centre"] == "1e3"
    assert service.yaml("score.yaml")[0]["metadata"]["name"] == "on"
    for slo in service.yaml("slo.yaml"):
        assert (slo["spec"]["service"], slo["metadata"]["labels"]["owner"]) == ("on", "123")


@pytest.mark.parametrize("newest", NEWEST)
def test_links_appear_with_the_repository(newest: str, render: Render, tmp_path: Path) -> None:
    github = render(newest, tmp_path / "github", repository="https://github.com/acme/orders-api")
    gitlab = render(
        newest, tmp_path / "gitlab", repository="https://gitlab.example.com/acme/shop/orders"
    )

    component = github.yaml("catalog-info.yaml")[0]
    assert component["metadata"]["annotations"]["github.com/project-slug"] == "acme/orders-api"
    assert [link["title"] for link in component["metadata"]["links"]] == ["Source", "Runbook"]
    assert github.read("CODEOWNERS").endswith("\n* @acme/payments\n")
    assert gitlab.read("CODEOWNERS").endswith("\n* @acme/shop/payments\n")
    runbook = "https://gitlab.example.com/acme/shop/orders/-/blob/main/docs/runbooks/alerts.md"
    assert f"runbook_url: {runbook}#serviceabsent" in gitlab.read("observability/alerts.yaml")


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_can_be_rendered_from_anywhere(
    release: str, render: Render, tmp_path: Path
) -> None:
    """Nothing outside of the release's own folder is needed: it is shipped on its own."""
    alone = tmp_path / "elsewhere"
    shutil.copytree(TEMPLATES / release.replace("@", "/releases/"), alone, symlinks=True)

    copier.run_copy(str(alone), tmp_path / "there", data=ANSWERS, defaults=True, quiet=True)

    here = render(release, tmp_path / "here")
    assert here.files() == Service(tmp_path / "there", release).files()
