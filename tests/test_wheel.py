"""The wheel, installed as a user does: it holds every release, and needs no network for them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp.releases.folder import digest
from idp.template.release import HASHES

from .service.stories import git

ROOT = Path(__file__).parent.parent
BUILT_FROM = ("src", "templates", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
RELEASES = sorted(p for p in (ROOT / "templates").glob("*/releases/*") if p.name[0].isdigit())

NO_NETWORK = """\
import socket
def refused(*_): raise OSError("this test has no network")
socket.socket.connect = socket.getaddrinfo = refused
"""


def sh(*words: str | Path, cwd: Path | None = None) -> str:
    run = subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@dataclass(frozen=True)
class Installed:
    """idp in a virtual environment of its own, far from this checkout."""

    venv: Path

    def __call__(self, *words: str | Path, code: int = 0) -> dict[str, Any]:
        command = [self.venv / "bin" / "idp", *words, "--json"]
        run = subprocess.run(
            list(map(str, command)), cwd=self.venv, capture_output=True, text=True, check=False
        )
        assert run.returncode == code, run.stdout + run.stderr
        told = json.loads(run.stdout)
        return told if isinstance(told, dict) else {"rows": told}

    @property
    def package(self) -> Path:
        code = "import idp; print(idp.__path__[0])"
        return Path(sh(self.venv / "bin" / "python", "-c", code).strip())


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    for name in BUILT_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, symlinks=True, ignore=_caches)
        else:
            shutil.copy2(source, root)
    _list_releases(root / "templates")
    sh(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", root / "dist", root)
    [built] = (root / "dist").iterdir()
    return built


def _caches(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", "node_modules", ".ruff_cache")}


def _list_releases(templates: Path) -> None:
    """Make the list of hashes where this checkout has none yet."""
    if not (templates / HASHES).exists():
        names = [p.relative_to(ROOT / "templates").as_posix() for p in RELEASES]
        lines = [f"{digest(templates / name)}  {name}\n" for name in names]
        (templates / HASHES).write_text("".join(lines))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    venv = tmp_path_factory.mktemp("fresh") / "venv"
    sh(sys.executable, "-m", "venv", "--without-pip", venv)
    python = venv / "bin" / "python"
    sh(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", wheel)
    idp = Installed(venv)
    (idp.package.parent / "sitecustomize.py").write_text(NO_NETWORK)
    return idp


def test_the_wheel_holds_the_code_and_every_release(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"idp/py.typed", "idp/__main__.py", f"idp/_templates/{HASHES}"} <= names
    for release in RELEASES:
        inside = release.relative_to(ROOT / "templates").as_posix()
        files = [p for p in release.rglob("*") if p.is_file() and "__pycache__" not in p.parts]
        listed = {f"idp/_templates/{inside}/{p.relative_to(release).as_posix()}" for p in files}
        assert listed <= names, sorted(listed - names)[:5]


def test_a_ledger_is_made_from_the_migrations_in_the_wheel(
    wheel: Path, installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    folder = ROOT / "src" / "idp" / "ledger" / "migrations"
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")]
    assert {f"idp/ledger/migrations/{name}" for name in files} <= names
    monkeypatch.setenv("IDP_LEDGER", str(tmp_path / "ledger.db"))
    told = installed("ledger", "show")
    newest = max(path.name[:4] for path in (folder / "versions").glob("0*.py"))
    assert (told["place"], told["revision"]) == (str(tmp_path / "ledger.db"), newest)


def test_the_wheel_holds_nothing_of_the_workshop(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"idp"}
    assert not [n for n in names if "__pycache__" in n or n.endswith(".pyc") or "/tests/cli" in n]


def test_it_is_the_wheel_that_runs(installed: Installed) -> None:
    assert installed.package.is_relative_to(installed.venv)
    listed = installed("template", "list")["rows"]
    # `platform` is what `idp platform init` renders, and no template for services.
    shipped = {p.parent.parent.name for p in RELEASES}
    assert {row["name"] for row in listed} == shipped - {"platform"}


def test_no_release_changed_on_its_way_into_the_wheel(installed: Installed) -> None:
    shipped = installed.package / "_templates"
    assert installed("template", "verify", shipped) == {"altered": []}


@pytest.mark.parametrize("release", RELEASES, ids=lambda p: f"{p.parent.parent.name}@{p.name}")
def test_every_release_is_rendered_without_a_network(
    release: Path, installed: Installed, tmp_path: Path
) -> None:
    template = f"idp:{release.parent.parent.name}@{release.name}"
    told = installed(
        *("create-service", "pay", "--template", template, "--owner", "core", "--defaults"),
        *("--dest", tmp_path / "pay"),
    )
    assert (told["template"], told["version"]) == tuple(template.split("@"))
    assert git(tmp_path / "pay", "status", "--porcelain") == ""
    assert set(git(tmp_path / "pay", "ls-files", "-z").split("\0")) - {""} == set(told["files"])


@pytest.mark.parametrize("name", sorted({p.parent.parent.name for p in RELEASES}))
def test_a_service_of_the_oldest_release_comes_to_the_newest_with_its_edit(
    name: str, installed: Installed, tmp_path: Path
) -> None:
    versions = sorted(
        (p.name for p in RELEASES if p.parent.parent.name == name),
        key=lambda v: tuple(map(int, v.split("."))),
    )
    pay = tmp_path / "pay"
    installed(
        *("create-service", "pay", "--template", f"idp:{name}@{versions[0]}", "--dest", pay),
        *("--owner", "core", "--defaults"),
    )
    readme = pay / "README.md"
    readme.write_text(readme.read_text() + "\nOur own words.\n")
    git(pay, "commit", "--quiet", "--all", "-m", "ours", GIT_CONFIG_GLOBAL="/dev/null")
    told = installed("update-service", pay)
    assert (told["from"], told["to"]) == (versions[0], versions[-1])
    assert told["status"] == ("updated" if len(versions) > 1 else "up-to-date")
    assert readme.read_text().endswith("\nOur own words.\n")
    git(pay, "commit", "--quiet", "--allow-empty", "-m", "update", GIT_CONFIG_GLOBAL="/dev/null")
    assert installed("update-service", pay, "--status")["release"] == versions[-1]
    assert not any(Path(os.environ["TMPDIR"]).iterdir())
