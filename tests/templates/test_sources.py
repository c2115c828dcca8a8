"""What is worked on: it renders what was released, and shares with the others what is common."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from jinja2 import meta

from idp.config.source import parse_source
from idp.releases import Release, Shelf

from .conftest import NEWEST, Render
from .stories import TEMPLATES, Service

SHARED = TEMPLATES / "shared"
# Those worked on, released or not.
SOURCES = sorted(path.parent.name for path in TEMPLATES.glob("*/shared"))
PLAIN: dict[str, str] = {}
RICH = {
    "name": "on",
    "description": 'Käse "und" {{ y }}: #',
    "tier": "critical",
    "repository": "https://github.com/acme/cheese",
    "pagerduty_service": "PABC123",
}


@pytest.mark.parametrize("answers", [PLAIN, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("newest", NEWEST)
def test_nothing_is_unreleased(
    newest: str, answers: dict[str, str], render: Render, tmp_path: Path
) -> None:
    source = TEMPLATES / newest.split("@")[0]
    worked_on = render(f"{source}@unreleased", tmp_path / "worked-on", **answers)
    released = render(newest, tmp_path / "released", **answers)

    assert contents(worked_on) == contents(released)
    folder = TEMPLATES / newest.replace("@", "/releases/")
    assert (source / "CHANGELOG.md").read_bytes() == (folder / "CHANGELOG.md").read_bytes()
    for migration in source.glob("migrations/*"):
        assert migration.read_bytes() == (folder / "migrations" / migration.name).read_bytes()


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_shared_is_linked_and_never_copied(name: str) -> None:
    shared = {
        path.relative_to(SHARED / "template").as_posix(): path
        for path in (SHARED / "template").rglob("*")
        if path.is_file()
    }

    for place, path in shared.items():
        assert (TEMPLATES / name / "template" / place).resolve() == path
    assert (TEMPLATES / name / "shared").resolve() == SHARED / "parts"


@pytest.mark.parametrize("name", SOURCES)
def test_a_template_answers_all_that_shared_files_ask(name: str, tmp_path: Path) -> None:
    """A name that nothing defines would be rendered as nothing."""
    release = unreleased(name, tmp_path)
    known = {*release.config.questions, "_copier_answers", "_copier_conf"}

    asked = jinja2.Environment(extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"])
    for path in [*SHARED.rglob("*.jinja"), *SHARED.rglob("*.mk")]:
        parsed = asked.parse(path.read_text())
        assert meta.find_undeclared_variables(parsed) <= known, path
        for included in meta.find_referenced_templates(parsed):
            assert (release.tree / str(included)).is_file(), path


def unreleased(name: str, folder: Path) -> Release:
    shelf = Shelf(folder / "cache", lambda *_: True, lambda _: None)
    return shelf.release(parse_source(f"{TEMPLATES / name}@unreleased"))


def contents(service: Service) -> dict[str, bytes]:
    """Return each file but the one that names the release."""
    names = set(service.files()) - {".copier-answers.yml"}
    return {name: (service.path / name).read_bytes() for name in names}
