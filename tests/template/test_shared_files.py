"""Templates side by side share files by links into the folder `shared`; a release stands alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import copier
import pytest

from idp.template.release import HASHES

from ..service.stories import Files, Link, build_tree, files_below, idp

SHARED: Files = {
    "questions.yml": "_subdirectory: template\nname: {type: str}\nport: {default: 8080}\n",
    "docs/index.md.jinja": "# {{ name }}\n",
    "docs/run.md.jinja": '{% include "parts/run.md" %}\n',
}
API: Files = {
    "copier.yml": "!include questions.yml\n---\nlanguage: {default: Go, when: false}\n",
    "questions.yml": Link("../shared/questions.yml"),
    "CHANGELOG.md": "## 1.0.0\n\n## 1.1.0\n",
    "parts/run.md": "{{ language }} on {{ port }}",
    "template/docs": Link("../../shared/docs"),
    "template/{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers|to_nice_yaml -}}",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder of templates, `api` being one that shares files."""
    build_tree(tmp_path / "templates" / "shared", SHARED)
    build_tree(tmp_path / "templates" / "api", API)
    return tmp_path / "templates"


def make(root: Path, name: str, template: str) -> Path:
    made = root.parent / name
    run = idp("create-service", name, "--template", template, "--dest", made, "--defaults")
    assert run.code == 0, run.err
    return made


def refused(root: Path, template: str = "api") -> str:
    """Release a template, which has to fail and leave nothing; return what was said."""
    before = files_below(root)
    run = idp("template", "release", root / template, "1.0.0")
    assert run.code == 3
    assert files_below(root) == before
    return run.err


def test_a_release_stands_alone(root: Path, tmp_path: Path) -> None:
    assert idp("template", "release", root / "api", "1.0.0").code == 0

    released = root / "api" / "releases" / "1.0.0"
    assert not any(path.is_symlink() for path in released.rglob("*"))
    assert idp("template", "verify", root).code == 0
    shutil.copytree(released, tmp_path / "alone")
    copier.run_copy(
        str(tmp_path / "alone"), tmp_path / "pay", {"name": "pay"}, defaults=True, quiet=True
    )
    assert (tmp_path / "pay" / "docs" / "index.md").read_text() == "# pay\n"
    assert (tmp_path / "pay" / "docs" / "run.md").read_text() == "Go on 8080\n"


def test_a_later_change_of_a_shared_file_leaves_releases_alone(root: Path) -> None:
    assert idp("template", "release", root / "api", "1.0.0").code == 0
    build_tree(root / "shared", {"docs/index.md.jinja": "# The service {{ name }}\n"})
    assert idp("template", "verify", root).code == 0

    assert idp("template", "release", root / "api", "1.1.0").code == 0
    old, new = make(root, "old", f"{root}/api@1.0.0"), make(root, "new", f"{root}/api@1.1.0")

    assert (old / "docs" / "index.md").read_text() == "# old\n"
    assert (new / "docs" / "index.md").read_text() == "# The service new\n"


def test_what_is_worked_on_renders_as_its_release_will(root: Path) -> None:
    draft = make(root, "pay", f"{root}/api")
    build_tree(root / "shared", {"docs/index.md.jinja": "# Now {{ name }}\n"})
    later = make(root, "due", f"{root}/api")

    assert (draft / "docs" / "index.md").read_text() == "# pay\n"
    assert (later / "docs" / "index.md").read_text() == "# Now due\n"
    shown = idp("template", "show", root / "api", "--json").json
    assert [asked["name"] for asked in shown["questions"]] == ["name", "port"]


def test_a_link_inside_the_template_stays_one(root: Path) -> None:
    build_tree(root / "api", {"template/README.md": Link("docs"), "notes.md": Link("CHANGELOG.md")})

    assert idp("template", "release", root / "api", "1.0.0").code == 0

    assert (root / "api" / "releases" / "1.0.0" / "notes.md").readlink() == Path("CHANGELOG.md")


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"api/template/key": Link("../../../key")}, "template/key is a link that leads out"),
        ({"api/template/key": Link("/etc/passwd")}, "template/key is a link that leads out"),
        ({"api/template/web": Link("../../web")}, "template/web is a link that leads out"),
        ({"api/template/a.md": Link("../../shared/nope.md")}, "nope.md, which is not there"),
        ({"shared/docs/key": Link("../../../key")}, "shared/docs/key leads out of"),
        ({"shared/docs/deep/again": Link("../../docs")}, "leads into itself"),
    ],
)
def test_a_link_to_what_is_not_shared_is_refused(files: Files, told: str, root: Path) -> None:
    build_tree(root, {"../key": "secret\n", "web/copier.yml": "name: x\n", **files})

    assert told in refused(root)
    pay = root.parent / "pay"
    run = idp("create-service", "pay", "--template", root / "api", "--defaults", "--dest", pay)
    assert (run.code, pay.exists()) == (3, False)


def test_the_shared_folder_may_not_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    (root / "shared").rename(tmp_path / "elsewhere")
    (root / "shared").symlink_to(tmp_path / "elsewhere")

    assert "leads out of the template" in refused(root)


def test_a_template_that_renders_links_as_links_may_lead_anywhere(root: Path) -> None:
    files: Files = {
        "copier.yml": "_preserve_symlinks: true\nname: {type: str}\n",
        "CHANGELOG.md": "## 1.0.0\n",
        "zone": Link("/etc/localtime"),
    }
    build_tree(root / "box", files)

    assert idp("template", "release", root / "box", "1.0.0").code == 0

    assert make(root, "pay", f"{root}/box@1.0.0").joinpath("zone").readlink() == Path(
        "/etc/localtime"
    )
    assert (root / HASHES).exists()
