"""A dry run shows what it would do, then what the platform would say to it, and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from idp.ledger import open_ledger, trail

from ..clock import FakeClock
from ..service.stories import Run, Service, Template, git, idp

PLATFORM = """\
version: 1
policies:
  rules:
    calm: {{severity: {severity}, when: "false", message: all is frozen, hint: come back on monday}}
"""

Story = Callable[[str], None]


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """Give a way to set what comes of each plan."""
    file = tmp_path / "platform" / "idp-platform.yaml"
    file.parent.mkdir()
    monkeypatch.setenv("IDP_PLATFORM", str(file))

    def severity(name: str) -> None:
        file.write_text(PLATFORM.format(severity=name))

    severity("warn")
    return severity


@pytest.fixture
def golden(tmp_path: Path) -> Template:
    """A template with two releases."""
    template = Template(tmp_path / "golden")
    template.release("v1", {"README.md": "one\n"})
    template.release("v2", {"README.md": "two\n"})
    return template


def create(golden: Template, tmp_path: Path, *more: str) -> Run:
    words = ("create-service", "pay", "--template", golden.at("v1"), "--defaults")
    return idp(*words, "--dest", tmp_path / "pay", *more)


@pytest.fixture
def service(platform: Story, golden: Template, tmp_path: Path) -> Service:
    """A service of the first release."""
    assert create(golden, tmp_path).code == 0
    return Service(tmp_path / "pay")


def recorded(home: Path) -> int:
    place = home / "state" / "idp" / "ledger.db"
    if not place.exists():
        return 0
    ledger = open_ledger(str(place), FakeClock(), print)
    with ledger.reading() as tx:
        found = trail.count(tx)
    ledger.close()
    return found


def refused(run: Run, shown: str) -> None:
    assert (run.code, run.error["code"]) == (5, "denied")
    assert run.error["hint"] == "come back on monday"
    assert shown in run.out


def test_create_service(platform: Story, golden: Template, tmp_path: Path, home: Path) -> None:
    platform("deny")
    refused(create(golden, tmp_path, "--dry-run", "--json"), '"README.md"')
    run = create(golden, tmp_path, "--dry-run")
    assert "README.md" in run.out
    assert "all is frozen" in run.err
    assert not (tmp_path / "pay").exists()
    assert recorded(home) == 0
    platform("warn")
    run = create(golden, tmp_path, "--dry-run")
    assert (run.code, "warning: all is frozen" in run.err) == (0, True)


def test_one_that_needs_approval_says_that_the_real_run_asks_for_it(
    platform: Story, golden: Template, tmp_path: Path
) -> None:
    platform("needs-approval")
    run = create(golden, tmp_path, "--dry-run", "--json")
    assert (run.code, run.error["code"]) == (5, "awaiting_approval")
    assert "the real run opens a request" in run.error["hint"]
    assert idp("request", "list", "--json").out.strip() == "[]"


def test_update_service(platform: Story, service: Service, home: Path) -> None:
    before = recorded(home)
    platform("deny")
    with service.untouched():
        refused(service.update("v2", "--dry-run", "--json"), '"README.md"')
        run = idp("update-service", service.path, "--to", "v2", "--dry-run")
        assert ("+two" in run.out, "error: all is frozen" in run.err) == (True, True)
    assert recorded(home) == before


def test_undoing_an_update(platform: Story, service: Service) -> None:
    assert service.update("v2").code == 0
    platform("deny")
    with service.untouched():
        refused(service.update("", "--abort", "--dry-run", "--json"), '"README.md"')
    platform("warn")
    assert service.update("", "--abort").code == 0
    assert service.read("README.md") == "one\n"


def test_a_release_of_a_template(platform: Story, tmp_path: Path) -> None:
    golden = Template(tmp_path / "ours")
    golden.write({"CHANGELOG.md": "# Changes\n\n## 1.0.0\n\nThe first.\n"})
    golden.commit()
    platform("deny")
    refused(idp("template", "release", golden.path, "1.0.0", "--dry-run", "--json"), '"v1.0.0"')
    platform("warn")
    assert idp("template", "release", golden.path, "1.0.0", "--dry-run").code == 0
    assert git(golden.path, "tag") == ""
    assert idp("template", "release", golden.path, "1.0.0").code == 0
    assert git(golden.path, "tag") == "v1.0.0\n"


def test_a_platform_repository(platform: Story, tmp_path: Path) -> None:
    platform("deny")
    words = ("platform", "init", tmp_path / "new", "--owner", "acme", "--dry-run", "--json")
    refused(idp(*words), '"idp-platform.yaml"')
    assert not (tmp_path / "new").exists()


def test_a_registration(platform: Story, tmp_path: Path) -> None:
    platform("deny")
    repo = tmp_path / "pay"
    repo.mkdir()
    git(repo, "init", "--quiet")
    git(repo, "remote", "add", "origin", "https://github.com/acme/pay.git")
    (repo / "catalog-info.yaml").write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: pay}\n"
        "spec: {type: service, lifecycle: production, owner: pay}\n"
    )
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "pay")
    file = tmp_path / "platform" / "idp-platform.yaml"
    before = file.read_bytes()
    refused(idp("catalog", "register", repo, "--dry-run", "--json"), '"written"')
    assert file.read_bytes() == before


def test_a_snapshot_of_the_catalog(platform: Story, tmp_path: Path) -> None:
    (tmp_path / "org").mkdir()
    assert idp("catalog", "ingest", tmp_path / "org").code == 0
    platform("deny")
    shared = tmp_path / "shared"
    refused(idp("catalog", "snapshot", "publish", shared, "--dry-run", "--json"), '"entities"')
    assert not shared.exists()
